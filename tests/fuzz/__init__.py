"""Octets without sense against every parser of `protocols/`, steered by which lines of it they reach.

`python -m tests.fuzz --seconds 3600` runs atheris over each target (`targets`); what breaks one is kept in
`found/TARGET` and played again by `test_found`, which needs no atheris, as long as the project lives.
"""

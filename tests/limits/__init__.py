"""Everything has a bound: each is reached over a real socket, and nobody else suffers.

`table` names, for each number of `mailnode/limits.py`, the test that shows what happens there.
"""

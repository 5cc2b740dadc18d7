"""A node is killed with SIGKILL again and again under load, and must have kept every promise.

`ledger` (pure) knows what was promised and judges what is found; `load` makes promises be given; `observe`
reads all that a node shows; `rounds` kills, starts again, and asks the ledger.
"""

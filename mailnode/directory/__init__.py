"""Who an address is: which account, alias or nobody, and whether a password is its owner's.

Invariants. An address is compared in its canonical form only (`address`). Its row belongs to the directory
account of its own slot, so no table is central. An account id is drawn once, never computed from an address
again, and an address answers only when its row is active. Rows are read and written in `rows` alone, which
therefore knows when a cached row has become old.
"""

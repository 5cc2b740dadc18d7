"""One RocksDB a node, its shard, with one WAL. RocksDB lives here and nowhere else.

Invariants: every key is built in `keys`; every key of an account's row begins with the account's id, so that
a partition is one contiguous range of every family; rows are written whole, never read to be written.
"""

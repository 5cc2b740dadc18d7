"""Lists of entries, kept on one node or several; does not know what mail is.

`Partitions.append` is the only way into the shard. An append ends as *committed* or *not known*, never as
failed: whoever asked may only retry with the same intent id.
"""

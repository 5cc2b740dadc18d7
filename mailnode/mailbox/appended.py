"""A change of an account as an entry of its partition's list."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mailnode.mailbox.rows import rows
from mailnode.pb.change_pb2 import Change
from mailnode.store import keys
from mailnode.store.shard import Put

_BESIDE_OCTETS = 500
"""Of the keys and counters that every change writes."""


class Appended:
    """A change on its way to disk."""

    __slots__ = ("_commit", "change", "durable", "octets", "partition")

    def __init__(self, change: Change, commit: Callable[[Change], None]) -> None:
        self._commit = commit
        self.change = change
        self.partition = keys.partition(change.account)
        self.durable = not change.HasField("upload")
        self.octets = _BESIDE_OCTETS + change.ByteSize()

    def rows(self, format: int) -> Iterable[Put]:
        return rows(self.change, format)

    def committed(self) -> None:
        if self.durable:
            self._commit(self.change)

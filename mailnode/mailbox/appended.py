"""A change of an account as an entry of its partition's list."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mailnode.mailbox.rows import ENTRY_OCTETS, rows
from mailnode.pb.change_pb2 import Change
from mailnode.store import keys
from mailnode.store.shard import FORMAT, Put

_BESIDE_OCTETS = 500
"""Of the keys and counters that every change writes."""


class Appended:
    """A change on its way to disk."""

    __slots__ = ("_commit", "change", "durable", "octets", "partition")
    large = False

    def __init__(self, change: Change, commit: Callable[[Change], None]) -> None:
        self._commit = commit
        self.change = change
        self.partition = keys.partition(change.account)
        self.durable = not change.HasField("upload")
        self.octets = _BESIDE_OCTETS + change.ByteSize()

    def encoded(self) -> bytes:
        return self.change.SerializeToString()

    def rows(self, format: int) -> Iterable[Put]:
        return rows(self.change, format)

    def committed(self) -> None:
        if self.durable:
            self._commit(self.change)


class LargeAppended(Appended):
    """One of so many entries that others shall not wait for all of its rows."""

    __slots__ = ()
    large = True


def entries_of(change: Change) -> int:
    """How many entries a change writes or drops."""
    written = sum([len(entries.entries) for entries in change.entries])
    return (written + sum([len(gone.entries) for gone in change.entries_dropped])) // ENTRY_OCTETS


def replay(encoded: bytes) -> Iterable[Put]:
    """The rows of an encoded change."""
    return rows(Change.FromString(encoded), FORMAT)

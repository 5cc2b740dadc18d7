"""A change of an account as an entry of its partition's list."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mailnode.mailbox.rows import rows
from mailnode.pb.change_pb2 import Change
from mailnode.store import keys
from mailnode.store.shard import Put


class Appended:
    """A change on its way to disk."""

    __slots__ = ("_commit", "change", "durable", "octets", "partition")

    def __init__(self, change: Change, commit: Callable[[Change], None]) -> None:
        self._commit = commit
        self.change = change
        self.partition = keys.partition(change.account)
        self.durable = not change.HasField("upload")
        self.octets = _weight(change) if self.durable else len(change.upload.octets)

    def rows(self, format: int) -> Iterable[Put]:
        return rows(self.change, format)

    def committed(self) -> None:
        if self.durable:
            self._commit(self.change)


def _weight(change: Change) -> int:
    octets = 500
    for mail in change.mails:
        octets += 500 + len(mail.octets) + len(mail.head)
    for entries in change.entries:
        octets += 3 * len(entries.entries)
    for dropped in change.entries_dropped:
        octets += 3 * len(dropped.entries)
    return octets

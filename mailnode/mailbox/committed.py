"""The committed edge of an account: all that sessions, searches and watchers ever see."""

from __future__ import annotations

from itertools import count
from typing import TypeVar

from mailnode.mailbox.arrays import Arrays
from mailnode.mailbox.departed import Departed
from mailnode.mailbox.names import full_names, names_after
from mailnode.mailbox.packed import PackedRows
from mailnode.mailbox.reads import Head
from mailnode.mailbox.rows import UID, words
from mailnode.mailbox.verbs import Mailboxes
from mailnode.mailbox.watch import Follower
from mailnode.pb.change_pb2 import Change, Touched
from mailnode.pb.row_pb2 import AccountRow, MailboxRow

M = TypeVar("M", AccountRow, MailboxRow, Touched)


class Committed:
    """`take` each change once it is durable, in order."""

    __slots__ = (
        "_account_row",
        "_listed",
        "_names",
        "_prepared",
        "_subscribed",
        "arrays",
        "departed",
        "followers",
        "position",
        "rows",
    )

    _versions = count(1)

    def __init__(self, head: Head, departed_entries_max: int) -> None:
        self.position = head.row.position
        self._account_row = head.row.SerializeToString()
        self.rows = PackedRows(head.mailboxes)
        self.arrays: dict[int, Arrays] = {}
        """By mailbox: those that are in memory."""
        self._prepared: dict[int, tuple[Arrays, Arrays]] = {}
        self.followers: list[Follower] = []
        self.departed = Departed(departed_entries_max)
        self._subscribed = head.subscribed
        self._names = full_names(self.rows)
        self._listed: Mailboxes | None = None

    @property
    def row(self) -> AccountRow:
        """The caller's own."""
        return AccountRow.FromString(self._account_row)

    def mailboxes(self) -> Mailboxes:
        if self._listed is None:
            subscribed = frozenset(self._subscribed)
            rows, version = self.rows.copy(), next(self._versions)
            self._listed = Mailboxes(self.position, rows, self._names, subscribed, version)
        return self._listed

    def claim_recent(self, mailbox: int) -> tuple[int, int]:
        """The UIDs [first, next) that are \\Recent to the caller and to nobody after it."""
        row = self.rows[mailbox]
        first = row.recent_uid
        if first < row.uid_next:
            row.recent_uid = row.uid_next
            self.rows[mailbox] = row
            self._listed = None
        return first, row.uid_next

    def leave(self, follower: Follower) -> None:
        """A reader that goes; who reads a mailbox last takes along what it alone may have asked for."""
        self.followers.remove(follower)
        if all(each.mailbox != follower.mailbox for each in self.followers):
            self.departed.forget(follower.mailbox)

    def prepare(self, change: Change) -> None:
        """In a pool: the arrays that many messages leave, so that taking the change is short.

        Nothing else may be on its way until it is taken.
        """
        for gone in change.entries_dropped:
            arrays = self.arrays.get(gone.mailbox)
            if arrays is not None:
                self._prepared[gone.mailbox] = (arrays, arrays.without(words(gone.entries, UID)))

    def _told(self) -> dict[int, int]:
        """By mailbox: up to which position all of its readers told their clients."""
        told: dict[int, int] = {}
        for follower in self.followers:
            told[follower.mailbox] = min(told.get(follower.mailbox, follower.told_to), follower.told_to)
        return told

    def take(self, change: Change) -> None:
        self.position = change.position
        self._listed = None
        for row in change.mailboxes:
            self._take_row(row)
            self._take_entries(row.mailbox, change)
        self._prepared.clear()
        self._account_row = change.row.SerializeToString()
        if change.touched.list:
            self._take_list(change)
        if self.followers and change.HasField("touched"):
            if change.entries_dropped:
                self.departed.keep(change, self._told())
            touched = copied(change.touched)
            for follower in tuple(self.followers):
                follower.offer(touched)

    def _take_entries(self, mailbox: int, change: Change) -> None:
        arrays = self.arrays.get(mailbox)
        if arrays is None:
            return
        before, after = self._prepared.pop(mailbox, (None, arrays))
        if before is arrays:
            self.arrays[mailbox] = after
            after.commit_written(mailbox, change)
        else:
            arrays.commit(mailbox, change)

    def _take_row(self, row: MailboxRow) -> None:
        before = self.rows.get(row.mailbox)
        if before is not None and before.recent_uid > row.recent_uid:
            row = copied(row)
            row.recent_uid = before.recent_uid
        self.rows[row.mailbox] = row

    def _take_list(self, change: Change) -> None:
        """Mailboxes and subscriptions that come and go."""
        for dropped in change.mailboxes_dropped:
            del self.rows[dropped]
            self.arrays.pop(dropped, None)
        for subscription in change.subscriptions:
            others = tuple(name for name in self._subscribed if name != subscription.name)
            self._subscribed = (*others, subscription.name) if subscription.subscribed else others
        self._names = names_after(self._names, change.mailboxes, change.mailboxes_dropped)


def copied(part: M) -> M:
    """A part of a change would keep all of it in memory, the octets of its mails too."""
    copy = type(part)()
    copy.CopyFrom(part)
    return copy

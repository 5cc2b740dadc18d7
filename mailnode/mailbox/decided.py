"""The decided edge of an account: what `decide` reads and changes, ahead of what is committed.

What was decided stays decided until it commits or the process ends, so UIDs, positions and mail ids are never
given out twice. Sessions, searches and watchers never look here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from mailnode.limits import Limits
from mailnode.mailbox.arrays import Arrays
from mailnode.mailbox.names import INBOX, SEPARATOR, canonical_name
from mailnode.mailbox.overlay import Overlay
from mailnode.mailbox.quota import Quota
from mailnode.mailbox.rows import DELETED, SEEN, SIZE, count_with, low_flags, words
from mailnode.mailbox.verbs import UidRanges
from mailnode.pb.change_pb2 import Change
from mailnode.pb.row_pb2 import AccountRow, Keywords, MailboxRow


class Leaving(NamedTuple):
    """A mail of which messages were expunged."""

    places: frozenset[tuple[int, int]]
    """Mailbox and UID of each, live or leaving."""
    upload: int
    """As in its row."""
    queued: bool
    """It waits for other servers."""


class Loaded(NamedTuple):
    """What an intent needs of the shard, read before it is decided."""

    arrays: Arrays | None
    """Of the mailbox that it names, where it names one."""
    rows: Mapping[tuple[int, bytes], bytes]
    """Small rows by kind and key; empty where there is none."""
    leaving: Mapping[int, Leaving] = MappingProxyType({})
    """By mail, those of the rows that a Collect names."""
    expunged_next: int = 0
    """The time of the first expunged row that it does not name, 0 for none."""


class Moment(NamedTuple):
    """What `decide` may know of the world outside the account."""

    now_microseconds: int
    limits: Limits
    quota: Quota

    @property
    def now_seconds(self) -> int:
        return self.now_microseconds // 1_000_000


UID_NEXT_MAX = 0xFFFFFFFF  # RFC 9051 §2.3.1.1: 32 bits, and what is said to come must be one that can


def has_uids(row: MailboxRow, count: int) -> bool:
    """Whether so many UIDs are left to the mailbox: none is ever given twice."""
    return row.uid_next + count <= UID_NEXT_MAX


class Decided:
    """Counters and mailboxes as decided, and an overlay of what is still on its way to disk."""

    def __init__(
        self,
        account: int,
        row: AccountRow,
        mailboxes: dict[int, MailboxRow],
        subscribed: set[str],
        few_entries_max: int,
    ) -> None:
        self.account = account
        self.row = row
        self.mailboxes = mailboxes
        self.subscribed = subscribed
        self.tree = {(m.parent, m.name): m.mailbox for m in mailboxes.values()}
        self._few_max = few_entries_max
        self._entries: dict[int, Overlay] = {}
        self._overflow: dict[tuple[int, int], tuple[int, Keywords]] = {}
        self._rows: dict[tuple[int, bytes], tuple[int, bytes]] = {}

    # -- mailboxes

    def find(self, name: str) -> MailboxRow | None:
        """The mailbox of a full name."""
        if name == INBOX:
            return self.mailboxes.get(self.tree.get((0, INBOX), 0))
        mailbox = 0
        for leaf in canonical_name(name).split(SEPARATOR):
            found = self.tree.get((mailbox, leaf))
            if found is None:
                return None
            mailbox = found
        return self.mailboxes[mailbox]

    def full_name(self, row: MailboxRow) -> str:
        name = row.name
        while row.parent:
            row = self.mailboxes[row.parent]
            name = row.name + SEPARATOR + name
        return name

    def has_children(self, mailbox: int) -> bool:
        return any(row.parent == mailbox for row in self.mailboxes.values())

    # -- positions

    def change(self, intent_id: bytes) -> Change:
        """The next change, with its position; nobody else ever gets that one."""
        self.row.position += 1
        return Change(format=1, account=self.account, position=self.row.position, intent=intent_id)

    def mail_id(self, now_microseconds: int) -> int:
        self.row.mail_last = max(now_microseconds, self.row.mail_last + 1)
        return self.row.mail_last

    def uid_validity(self, now_microseconds: int) -> int:
        self.row.uid_validity_last = max(now_microseconds // 1_000_000, self.row.uid_validity_last + 1)
        return self.row.uid_validity_last

    # -- entries

    def entries(self, mailbox: int, arrays: Arrays, ranges: UidRanges) -> bytes:
        """The joined entries of `ranges` as decided, in UID order."""
        committed = arrays.joined(ranges)
        overlay = self._entries.get(mailbox)
        return committed if overlay is None else overlay.over(committed, ranges)

    def keywords_over(self, mailbox: int, uid: int, arrays: Arrays) -> Keywords:
        """The keywords of an entry that found no bit."""
        pending = self._overflow.get((mailbox, uid))
        if pending is not None:
            return pending[1]
        return arrays.overflow.get(uid) or Keywords()

    def small_row(self, kind: int, key: bytes, loaded: Loaded) -> bytes:
        pending = self._rows.get((kind, key))
        return loaded.rows[kind, key] if pending is None else pending[1]

    def put_row(self, change: Change, kind: int, key: bytes, value: bytes) -> None:
        """A row of the change; what is decided next, in the same change too, finds it. Each key once."""
        change.rows.add(kind=kind, key=key, value=value)
        self._rows[kind, key] = (change.position, value)

    # -- the overlay

    def enter(self, change: Change) -> None:
        """A change is on its way: what it says of entries counts from now on for `decide`."""
        position = change.position
        for entries in change.entries:
            self._overlay(entries.mailbox).enter(position, entries.entries, gone=False)
            for uid, keywords in entries.overflow.items() if entries.overflow else ():
                self._overflow[entries.mailbox, uid] = (position, keywords)
        for gone in change.entries_dropped:
            self._overlay(gone.mailbox).enter(position, gone.entries, gone=True)

    def leave(self, change: Change) -> None:
        """The change is committed: its part of the overlay goes, unless a later one stands there."""
        position = change.position
        for entries in change.entries:
            self._entries[entries.mailbox].leave(position, entries.entries)
            for uid in entries.overflow if entries.overflow else ():
                if self._overflow[entries.mailbox, uid][0] == position:
                    del self._overflow[entries.mailbox, uid]
        for gone in change.entries_dropped:
            self._entries[gone.mailbox].leave(position, gone.entries)
        for row in change.rows:
            if self._rows[row.kind, row.key][0] == position:
                del self._rows[row.kind, row.key]

    def _overlay(self, mailbox: int) -> Overlay:
        overlay = self._entries.get(mailbox)
        if overlay is None:
            overlay = self._entries[mailbox] = Overlay(self._few_max)
        return overlay

    # -- counters

    def count(self, row: MailboxRow, entries: bytes) -> None:
        """Entries come into a mailbox."""
        self._count(row, entries, 1)

    def count_one(self, row: MailboxRow, flags: int, size: int) -> None:
        """One entry comes into a mailbox."""
        row.messages += 1
        if not flags & SEEN:
            row.unseen += 1
        if flags & DELETED:
            row.deleted += 1
        row.size += size
        self.row.messages += 1
        self.row.octets += size

    def discount(self, row: MailboxRow, entries: bytes) -> None:
        """Entries leave a mailbox."""
        self._count(row, entries, -1)

    def _count(self, row: MailboxRow, entries: bytes, sign: int) -> None:
        flags = low_flags(entries)
        messages, octets = len(flags), sum(words(entries, SIZE))
        row.messages += sign * messages
        row.unseen += sign * (messages - count_with(flags, SEEN))
        row.deleted += sign * count_with(flags, DELETED)
        row.size += sign * octets
        self.row.messages += sign * messages
        self.row.octets += sign * octets

"""The decided edge of an account: what `decide` reads and changes, ahead of what is committed.

What was decided stays decided until it commits or the process ends, so UIDs, positions and mail ids are never
given out twice. Sessions, searches and watchers never look here.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mailnode.limits import Limits
from mailnode.mailbox.arrays import Arrays
from mailnode.mailbox.names import INBOX, SEPARATOR, canonical_name
from mailnode.mailbox.rows import DELETED, ENTRY, ENTRY_OCTETS, SEEN, UID, words
from mailnode.mailbox.verbs import UidRanges
from mailnode.pb.change_pb2 import Change
from mailnode.pb.row_pb2 import AccountRow, Keywords, MailboxRow


@dataclass(frozen=True, slots=True)
class Loaded:
    """What an intent needs of the shard, read before it is decided."""

    arrays: Arrays | None
    """Of the mailbox that it names, where it names one."""
    rows: Mapping[tuple[int, bytes], bytes]
    """Small rows by kind and key; empty where there is none."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What `decide` may know of the world outside the account."""

    now_microseconds: int
    limits: Limits

    @property
    def now_seconds(self) -> int:
        return self.now_microseconds // 1_000_000


class Decided:
    """Counters and mailboxes as decided, and an overlay of what is still on its way to disk."""

    def __init__(
        self, account: int, row: AccountRow, mailboxes: dict[int, MailboxRow], subscribed: set[str]
    ) -> None:
        self.account = account
        self.row = row
        self.mailboxes = mailboxes
        self.subscribed = subscribed
        self.tree = {(m.parent, m.name): m.mailbox for m in mailboxes.values()}
        self._entries: dict[int, dict[int, tuple[int, bytes | None]]] = {}
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
        committed = b"".join([arrays.cut(start, end) for start, end in arrays.slices(ranges)])
        pending = self._entries.get(mailbox)
        if not pending:
            return committed
        changed = {uid: pending[uid][1] for uid in _common(pending, ranges)}
        if not changed:
            return committed
        images: dict[int, bytes | None] = dict(_images(committed))
        images.update(changed)
        return b"".join(image for _, image in sorted(images.items()) if image is not None)

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
            overlay = self._entries.setdefault(entries.mailbox, {})
            for uid, image in _images(entries.entries):
                overlay[uid] = (position, image)
            for uid, keywords in entries.overflow.items():
                self._overflow[entries.mailbox, uid] = (position, keywords)
        for gone in change.entries_dropped:
            overlay = self._entries.setdefault(gone.mailbox, {})
            for uid, _ in _images(gone.entries):
                overlay[uid] = (position, None)

    def leave(self, change: Change) -> None:
        """The change is committed: its part of the overlay goes, unless a later one stands there."""
        position = change.position
        for entries in change.entries:
            self._leave_entries(entries.mailbox, entries.entries, position)
        for gone in change.entries_dropped:
            self._leave_entries(gone.mailbox, gone.entries, position)
        for entries in change.entries:
            for uid in entries.overflow:
                if self._overflow[entries.mailbox, uid][0] == position:
                    del self._overflow[entries.mailbox, uid]
        for row in change.rows:
            if self._rows[row.kind, row.key][0] == position:
                del self._rows[row.kind, row.key]

    def _leave_entries(self, mailbox: int, entries: bytes, position: int) -> None:
        overlay = self._entries[mailbox]
        for uid in words(entries, UID):
            if overlay.get(uid, (0, None))[0] == position:
                del overlay[uid]

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
        messages = unseen = deleted = octets = 0
        for _, _, _, flags, _, size, _, _ in ENTRY.iter_unpack(entries):
            messages += 1
            unseen += not flags & SEEN
            deleted += flags & DELETED != 0
            octets += size
        row.messages += sign * messages
        row.unseen += sign * unseen
        row.deleted += sign * deleted
        row.size += sign * octets
        self.row.messages += sign * messages
        self.row.octets += sign * octets


def _images(entries: bytes) -> Iterable[tuple[int, bytes]]:
    uid_at = ENTRY_OCTETS - 4
    for start in range(0, len(entries), ENTRY_OCTETS):
        uid = int.from_bytes(entries[start + uid_at : start + ENTRY_OCTETS], "little")
        yield uid, entries[start : start + ENTRY_OCTETS]


def _common(pending: Mapping[int, object], ranges: UidRanges) -> Iterable[int]:
    """The UIDs that are in both, found from the side that has fewer."""
    if sum(last - first + 1 for first, last in ranges) <= len(pending):
        return [uid for first, last in ranges for uid in range(first, last + 1) if uid in pending]
    return [uid for uid in pending if _within(uid, ranges)]


def _within(uid: int, ranges: UidRanges) -> bool:
    index = bisect_left(ranges, (uid + 1,))
    return index > 0 and ranges[index - 1][0] <= uid <= ranges[index - 1][1]

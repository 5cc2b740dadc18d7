"""Deciding STORE, RFC 9051 §6.4.6, with UNCHANGEDSINCE, RFC 7162 §3.1.3."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import or_

from mailnode.mailbox.arrays import Arrays
from mailnode.mailbox.decided import Decided, Loaded, Moment
from mailnode.mailbox.keywords import bit_of, free_bits, take_bits
from mailnode.mailbox.ranges import packed, pairs
from mailnode.mailbox.rows import (
    DELETED,
    ENTRY,
    FLAGS,
    MODIFIED,
    OVERFLOW,
    SEEN,
    SYSTEM_FLAGS,
    UID,
    longs,
    words,
)
from mailnode.mailbox.verbs import ALL_UIDS
from mailnode.pb.change_pb2 import Change, Entries, Result, Store, TouchedMailbox
from mailnode.pb.row_pb2 import MailboxRow

_ALL_BITS = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class _Mask:
    """New flags = old & keep | add; `names` are the command's keywords, folded, for those without a bit."""

    keep: int
    add: int
    mode: Store.Mode
    names: frozenset[str]

    def over(self, names: list[str]) -> list[str]:
        """What is left of an entry's keywords without a bit; those of the command have one, or go."""
        if self.mode == Store.REPLACE:
            return []
        return [name for name in names if name.lower() not in self.names]


def decide_store(
    state: Decided, intent_id: bytes, ask: Store, loaded: Loaded, moment: Moment
) -> Change | Result:
    """One change for all entries that are asked for: the caller slices. No difference takes no position."""
    row = state.mailboxes.get(ask.mailbox)
    if row is None:
        return Result(refused="NONEXISTENT")
    assert loaded.arrays is not None
    entries = state.entries(row.mailbox, loaded.arrays, pairs(ask.uids))
    modified: list[int] = []
    if ask.HasField("unchanged_since"):
        entries, modified = _unchanged(entries, ask.unchanged_since)
    if not entries:
        return Result(position=state.row.position, modified=packed(modified))
    known = list(row.keywords)
    mask = _mask(state, row, ask, loaded.arrays)
    if mask is None:
        row.keywords[:] = known
        return Result(refused="LIMIT")
    stored = _restamped(state, row, entries, mask, loaded.arrays)
    if not stored.entries:
        row.keywords[:] = known
        return Result(position=state.row.position, modified=packed(modified))
    return _change(state, intent_id, row, stored, modified)


def _change(
    state: Decided, intent_id: bytes, row: MailboxRow, stored: Entries, modified: list[int]
) -> Change:
    change = state.change(intent_id)
    change.entries.append(stored)
    row.highest_modseq = change.position
    change.mailboxes.add().CopyFrom(row)
    change.result.modified.extend(packed(modified))
    change.touched.position = change.position
    uids = packed(words(stored.entries, UID))
    change.touched.mailboxes.append(TouchedMailbox(mailbox=row.mailbox, modified=uids))
    return change


def _unchanged(entries: bytes, since: int) -> tuple[bytes, list[int]]:
    """The entries not modified after `since`, and the UIDs of the others."""
    kept, modified = bytearray(), []
    for image in ENTRY.iter_unpack(entries):
        if image[MODIFIED] > since:
            modified.append(image[-1])
        else:
            kept += ENTRY.pack(*image)
    return bytes(kept), modified


def _mask(state: Decided, row: MailboxRow, ask: Store, arrays: Arrays) -> _Mask | None:
    """None when a keyword finds no bit, even among those that no entry carries."""
    names = frozenset(name.lower() for name in ask.keywords)
    system = ask.flags & SYSTEM_FLAGS
    if ask.mode == Store.REMOVE:
        bits = reduce(or_, (bit_of(row, name) for name in ask.keywords), system)
        return _Mask(_ALL_BITS & ~bits, 0, ask.mode, names)
    bits, left = take_bits(row, ask.keywords)
    if left:
        free_bits(row, reduce(or_, longs(state.entries(row.mailbox, arrays, ALL_UIDS), FLAGS), bits))
        bits, left = take_bits(row, ask.keywords)
    if left:
        return None
    return _Mask(_ALL_BITS if ask.mode == Store.ADD else OVERFLOW, system | bits, ask.mode, names)


def _restamped(state: Decided, row: MailboxRow, entries: bytes, mask: _Mask, arrays: Arrays) -> Entries:
    """After-images of the entries that change; the mailbox's counters follow."""
    position = state.row.position + 1
    stored = Entries(mailbox=row.mailbox)
    images = bytearray()
    keep, add, pack = mask.keep, mask.add, ENTRY.pack
    for mail, created, _, old, saved, size, date, uid in ENTRY.iter_unpack(entries):
        new = old & keep | add
        changed = new != old
        if old & OVERFLOW:
            over = list(state.keywords_over(row.mailbox, uid, arrays).names)
            left = mask.over(over)
            if left != over:
                changed = True
                stored.overflow[uid].names.extend(left)
            new = new | OVERFLOW if left else new & ~OVERFLOW
        if changed:
            images += pack(mail, created, position, new, saved, size, date, uid)
            row.unseen += (old & SEEN != 0) - (new & SEEN != 0)
            row.deleted += (new & DELETED != 0) - (old & DELETED != 0)
    stored.entries = bytes(images)
    return stored

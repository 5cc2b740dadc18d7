"""Deciding STORE, RFC 9051 §6.4.6, with UNCHANGEDSINCE, RFC 7162 §3.1.3."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from functools import reduce
from itertools import compress
from operator import ne, or_
from typing import NamedTuple

from mailnode.mailbox.arrays import Arrays
from mailnode.mailbox.decided import Decided, Loaded, Moment
from mailnode.mailbox.keywords import bit_of, free_bits, take_bits
from mailnode.mailbox.ranges import packed, pairs
from mailnode.mailbox.rows import (
    DELETED,
    ENTRY,
    ENTRY_OCTETS,
    FLAGS,
    MODIFIED,
    OVERFLOW,
    SEEN,
    SYSTEM_FLAGS,
    UID,
    count_with,
    cut,
    longs,
    words,
)
from mailnode.mailbox.verbs import ALL_UIDS
from mailnode.pb.change_pb2 import Change, Result, Store
from mailnode.pb.row_pb2 import MailboxRow

_ALL_BITS = (1 << 64) - 1


class _Mask(NamedTuple):
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


class _Stored(NamedTuple):
    """After-images of the entries that change."""

    images: bytes
    overflow: Mapping[int, Sequence[str]]
    """By UID, what is left of keywords without a bit, where that changes."""


def decide_store(
    state: Decided, intent_id: bytes, ask: Store, loaded: Loaded, moment: Moment
) -> Change | Result:
    """One change for all entries that are asked for: the caller slices. No difference takes no position."""
    row = state.mailboxes.get(ask.mailbox)
    if row is None:
        return Result(refused="NONEXISTENT")
    assert loaded.arrays is not None
    entries = state.entries(row.mailbox, loaded.arrays, pairs(ask.uids))
    modified: Sequence[int] = ()
    if ask.HasField("unchanged_since"):
        entries, modified = _unchanged(entries, ask.unchanged_since)
    if not entries:
        return Result(position=state.row.position, modified=packed(modified))
    known = list(row.keywords) if ask.keywords else None
    mask = _mask(state, row, ask, loaded.arrays)
    if mask is None:
        row.keywords[:] = known or ()
        return Result(refused="LIMIT")
    stored = _stored(state, row, entries, mask, loaded.arrays, moment)
    if not stored.images:
        if known is not None:
            row.keywords[:] = known
        return Result(position=state.row.position, modified=packed(modified))
    return _change(state, intent_id, row, stored, modified)


def _change(
    state: Decided, intent_id: bytes, row: MailboxRow, stored: _Stored, modified: Sequence[int]
) -> Change:
    change = state.change(intent_id)
    entries = change.entries.add(mailbox=row.mailbox, entries=stored.images)
    for uid, names in stored.overflow.items():
        entries.overflow[uid].names.extend(names)
    row.highest_modseq = change.position
    change.mailboxes.append(row)
    if modified:
        change.result.modified.extend(packed(modified))
    touched = change.touched
    touched.position = change.position
    touched.mailboxes.add(mailbox=row.mailbox).modified.extend(packed(words(stored.images, UID)))
    return change


def _unchanged(entries: bytes, since: int) -> tuple[bytes, Sequence[int]]:
    """The entries not modified after `since`, and the UIDs of the others."""
    positions = longs(entries, MODIFIED)
    if not positions or max(positions) <= since:
        return entries, ()
    kept = b"".join(compress(cut(entries), [position <= since for position in positions]))
    return kept, array("I", compress(words(entries, UID), [position > since for position in positions]))


def _mask(state: Decided, row: MailboxRow, ask: Store, arrays: Arrays) -> _Mask | None:
    """None when a keyword finds no bit, even among those that no entry carries."""
    system, keywords = ask.flags & SYSTEM_FLAGS, ask.keywords
    names = frozenset([name.lower() for name in keywords])
    if ask.mode == Store.REMOVE:
        bits = reduce(or_, (bit_of(row, name) for name in keywords), system)
        return _Mask(_ALL_BITS & ~bits, 0, ask.mode, names)
    bits, left = take_bits(row, keywords) if names else (0, ())
    if left:
        free_bits(row, reduce(or_, longs(state.entries(row.mailbox, arrays, ALL_UIDS), FLAGS), bits))
        bits, left = take_bits(row, keywords)
    if left:
        return None
    return _Mask(_ALL_BITS if ask.mode == Store.ADD else OVERFLOW, system | bits, ask.mode, names)


def _stored(
    state: Decided, row: MailboxRow, entries: bytes, mask: _Mask, arrays: Arrays, moment: Moment
) -> _Stored:
    """The mailbox's counters follow."""
    position = state.row.position + 1
    few = len(entries) <= moment.limits.few_entries_max * ENTRY_OCTETS
    if few or max(longs(entries, FLAGS)) >= OVERFLOW:
        return _one_by_one(state, row, entries, mask, arrays, position)
    return _by_columns(row, entries, mask, position)


def _one_by_one(
    state: Decided, row: MailboxRow, entries: bytes, mask: _Mask, arrays: Arrays, position: int
) -> _Stored:
    images = b""
    overflow = dict[int, Sequence[str]]()
    keep, add, pack = mask.keep, mask.add, ENTRY.pack
    for mail, created, _, old, saved, size, date, uid in ENTRY.iter_unpack(entries):
        new = old & keep | add
        changed = new != old
        if old & OVERFLOW:
            over = list(state.keywords_over(row.mailbox, uid, arrays).names)
            left = mask.over(over)
            if left != over:
                changed = True
                overflow[uid] = left
            new = new | OVERFLOW if left else new & ~OVERFLOW
        if changed:
            images += pack(mail, created, position, new, saved, size, date, uid)
            if (old ^ new) & SEEN:
                row.unseen += 1 if old & SEEN else -1
            if (old ^ new) & DELETED:
                row.deleted += 1 if new & DELETED else -1
    return _Stored(images, overflow)


def _by_columns(row: MailboxRow, entries: bytes, mask: _Mask, position: int) -> _Stored:
    """The same for many entries, none of which has keywords without a bit."""
    old = longs(entries, FLAGS).tobytes()
    new = _masked(old, mask)
    if new == old:
        return _Stored(b"", {})
    before, after = array("Q", old), array("Q", new)
    differs = list(map(ne, before, after))
    images = bytearray(b"".join(compress(cut(entries), differs)))
    count = len(images) // ENTRY_OCTETS
    longs(images, FLAGS)[:] = array("Q", compress(after, differs))
    longs(images, MODIFIED)[:] = array("Q", [position]) * count
    row.unseen += count_with(old[::8], SEEN) - count_with(new[::8], SEEN)
    row.deleted += count_with(new[::8], DELETED) - count_with(old[::8], DELETED)
    return _Stored(bytes(images), {})


def _masked(flags: bytes, mask: _Mask) -> bytes:
    """A column of flags, as one number."""
    count = len(flags) // 8
    keep, add = (
        int.from_bytes(bits.to_bytes(8, "little") * count, "little") for bits in (mask.keep, mask.add)
    )
    return (int.from_bytes(flags, "little") & keep | add).to_bytes(len(flags), "little")

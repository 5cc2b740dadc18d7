"""Deciding what happens to messages that are there: STORE, COPY, MOVE, EXPUNGE."""

from __future__ import annotations

from array import array
from itertools import compress

from mailnode.mailbox.arrays import Arrays
from mailnode.mailbox.decided import Decided, Loaded, Moment, has_uids
from mailnode.mailbox.keywords import names_of, take_bits
from mailnode.mailbox.ranges import packed, pairs, put, sliced
from mailnode.mailbox.rows import (
    CREATED,
    DELETED,
    ENTRY_OCTETS,
    FLAGS,
    KEYWORD_MASK,
    MODIFIED,
    OVERFLOW,
    SAVE_DATE,
    SIZE,
    SYSTEM_FLAGS,
    UID,
    cut,
    longs,
    low_flags,
    uids_of,
    words,
)
from mailnode.mailbox.verbs import UidRanges
from mailnode.pb.change_pb2 import Change, Copy, Entries, Expunge, Result, TouchedMailbox, UidRange
from mailnode.pb.row_pb2 import MailboxRow

_PIECE_ENTRIES, _PIECE_RANGES = 20_000, 1_000
_DELETED = bytes(octet & DELETED for octet in range(256))


def decide_copy(
    state: Decided, intent_id: bytes, ask: Copy, loaded: Loaded, moment: Moment
) -> Change | Result:
    """All or nothing (RFC 9051 §6.4.7); a move drops the source's in the same change (RFC 6851 §3.3)."""
    source, target = state.mailboxes.get(ask.mailbox), state.mailboxes.get(ask.target)
    if source is None:
        return Result(refused="NONEXISTENT")
    if target is None or target.noselect:
        return Result(refused="TRYCREATE")
    assert loaded.arrays is not None
    entries = state.entries(source.mailbox, loaded.arrays, pairs(ask.uids))
    if ask.messages and len(entries) != ask.messages * ENTRY_OCTETS:
        return Result(refused="EXPUNGEISSUED")
    if not entries:
        return Result(position=state.row.position)
    fits = has_uids(target, len(entries) // ENTRY_OCTETS)
    if not fits or len(entries) > moment.limits.change_octets_max:
        return Result(refused="LIMIT")
    if not ask.move and not _has_room(state, entries, moment):
        return Result(refused="OVERQUOTA")
    change = state.change(intent_id)
    if ask.move:
        state.discount(source, entries)
        change.entries_dropped.add(mailbox=source.mailbox, entries=entries)
        source.highest_modseq = change.position
        change.mailboxes.add().CopyFrom(source)
        gone = change.touched.mailboxes.add(mailbox=source.mailbox).destroyed
        put(packed(words(entries, UID)), change.result.expunged, gone)
    enter_copies(state, change, entries, source, target, loaded.arrays, moment)
    change.touched.position = change.position
    return change


def _has_room(state: Decided, entries: bytes, moment: Moment) -> bool:
    """A copy takes as much of the quota as another message would (RFC 9208 §4.3.1)."""
    return moment.quota.holds(state.row, len(entries) // ENTRY_OCTETS, sum(words(entries, SIZE)))


def enter_copies(
    state: Decided,
    change: Change,
    entries: bytes,
    source: MailboxRow,
    target: MailboxRow,
    arrays: Arrays,
    moment: Moment,
) -> None:
    """The entries, as new ones, behind the last of `target`; keywords keep their names, not their bits."""
    count = len(entries) // ENTRY_OCTETS
    first = target.uid_next
    copies = bytearray(entries)
    longs(copies, CREATED)[:] = array("Q", [change.position]) * count
    longs(copies, MODIFIED)[:] = array("Q", [change.position]) * count
    words(copies, SAVE_DATE)[:] = array("I", [moment.now_seconds]) * count
    words(copies, UID)[:] = array("I", range(first, first + count))
    row = change.entries.add(mailbox=target.mailbox, placed=True)
    _carry_keywords(state, row, entries, copies, source, target, arrays)
    row.entries = bytes(copies)
    target.uid_next += count
    target.highest_modseq = change.position
    state.count(target, row.entries)
    change.mailboxes.add().CopyFrom(target)
    created = UidRange(first=first, last=first + count - 1)
    if count:
        change.touched.mailboxes.append(TouchedMailbox(mailbox=target.mailbox, created=[created]))
        change.result.copied.target.append(created)
    change.result.copied.uid_validity = target.uid_validity
    put(packed(words(entries, UID)), change.result.copied.source)


def _carry_keywords(
    state: Decided,
    row: Entries,
    entries: bytes,
    copies: bytearray,
    source: MailboxRow,
    target: MailboxRow,
    arrays: Arrays,
) -> None:
    flags = array("Q", longs(entries, FLAGS).tobytes())
    if max(flags, default=0) <= SYSTEM_FLAGS:
        return
    uids = uids_of(entries)
    new_flags = array("Q")
    for index, old in enumerate(flags):
        names = names_of(source.keywords, old & KEYWORD_MASK)
        if old & OVERFLOW:
            names.extend(state.keywords_over(source.mailbox, uids[index], arrays).names)
        bits, left = take_bits(target, names)
        new_flags.append(old & SYSTEM_FLAGS | bits | (OVERFLOW if left else 0))
        if left:
            row.overflow[target.uid_next + index].names.extend(left)
    longs(copies, FLAGS)[:] = new_flags


def decide_expunge(
    state: Decided, intent_id: bytes, ask: Expunge, loaded: Loaded, moment: Moment
) -> Change | Result:
    row = state.mailboxes.get(ask.mailbox)
    if row is None:
        return Result(refused="NONEXISTENT")
    assert loaded.arrays is not None
    ranges = pairs(ask.uids)
    if ask.whatever_flags:
        entries = state.entries(row.mailbox, loaded.arrays, ranges)
    else:
        entries = _deleted(state, row.mailbox, loaded.arrays, ranges)
    if not entries:
        return Result(position=state.row.position)
    change = state.change(intent_id)
    state.discount(row, entries)
    row.highest_modseq = change.position
    change.entries_dropped.add(mailbox=row.mailbox, entries=entries)
    change.mailboxes.add().CopyFrom(row)
    gone = change.touched.mailboxes.add(mailbox=row.mailbox).destroyed
    put(packed(words(entries, UID)), change.result.expunged, gone)
    change.touched.position = change.position
    return change


def _deleted(state: Decided, mailbox: int, arrays: Arrays, ranges: UidRanges) -> bytes:
    """Those with \\Deleted, looked for by pieces: they are few of many."""
    found: list[bytes] = []
    for part in sliced(ranges, arrays.uids, _PIECE_ENTRIES, _PIECE_RANGES):
        entries = state.entries(mailbox, arrays, part)
        found.extend(compress(cut(entries), low_flags(entries).translate(_DELETED)))
    return b"".join(found)

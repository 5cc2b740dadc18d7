"""Deciding what happens to messages that are there: STORE, COPY, MOVE, EXPUNGE."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from itertools import compress

from mailnode.mailbox.arrays import Arrays
from mailnode.mailbox.decided import Decided, Loaded, Moment, has_uids
from mailnode.mailbox.keywords import names_of, take_bits
from mailnode.mailbox.ranges import packed, pairs, put, sliced
from mailnode.mailbox.rows import (
    DELETED,
    ENTRY_OCTETS,
    FLAGS,
    KEYWORD_MASK,
    OVERFLOW,
    SIZE,
    SYSTEM_FLAGS,
    UID,
    as_new,
    cut,
    longs,
    low_flags,
    uids_of,
    words,
)
from mailnode.mailbox.verbs import UidRanges
from mailnode.pb.change_pb2 import Change, Copy, Entries, Expunge, Result, TouchedMailbox, UidRange
from mailnode.pb.row_pb2 import MailboxRow
from mailnode.store.keys import Due

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
        change.entries_dropped.add(mailbox=source.mailbox, entries=entries, unique_ids=source.unique_ids)
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
    """The entries, as new ones, behind the last of `target`."""

    def keywords(uid: int, flags: int) -> list[str]:
        names = names_of(source.keywords, flags & KEYWORD_MASK)
        if flags & OVERFLOW:
            names.extend(state.keywords_over(source.mailbox, uid, arrays).names)
        return names

    created = enter_new(state, change, entries, keywords, target, moment)
    change.mailboxes.add().CopyFrom(target)
    if entries:
        change.touched.mailboxes.append(TouchedMailbox(mailbox=target.mailbox, created=[created]))
        change.result.copied.target.append(created)
    change.result.copied.uid_validity = target.uid_validity
    put(packed(words(entries, UID)), change.result.copied.source)


def enter_new(
    state: Decided,
    change: Change,
    entries: bytes,
    keywords: Callable[[int, int], list[str]],
    target: MailboxRow,
    moment: Moment,
) -> UidRange:
    """The entries, as new ones, behind the last of `target`: the UIDs that they get.

    Keywords keep their names, not their bits: `keywords(uid, flags)` gives those of an entry.
    """
    first = target.uid_next
    copies = as_new(entries, change.position, first, moment.now_seconds)
    row = change.entries.add(mailbox=target.mailbox, placed=True)
    _carry_keywords(row, entries, copies, keywords, target)
    row.entries = bytes(copies)
    target.uid_next += len(entries) // ENTRY_OCTETS
    target.highest_modseq = change.position
    state.count(target, row.entries)
    return UidRange(first=first, last=target.uid_next - 1)


def _carry_keywords(
    row: Entries,
    entries: bytes,
    copies: bytearray,
    keywords: Callable[[int, int], list[str]],
    target: MailboxRow,
) -> None:
    flags = array("Q", longs(entries, FLAGS).tobytes())
    if max(flags, default=0) <= SYSTEM_FLAGS:
        return
    uids = uids_of(entries)
    new_flags = array("Q")
    for index, old in enumerate(flags):
        bits, left = take_bits(target, keywords(uids[index], old))
        new_flags.append(old & SYSTEM_FLAGS | bits | (OVERFLOW if left else 0))
        if left:
            row.overflow[target.uid_next + index].names.extend(left)
    longs(copies, FLAGS)[:] = new_flags


def leave(
    state: Decided, change: Change, row: MailboxRow, entries: bytes, arrays: Arrays, moment: Moment
) -> None:
    """The entries go from their mailbox, and can be brought back for a while."""
    state.discount(row, entries)
    gone = change.entries_dropped.add(mailbox=row.mailbox, entries=entries)
    gone.expunged = moment.now_microseconds
    gone.unique_ids = row.unique_ids
    gone.kept.mailbox, gone.kept.name = row.mailbox, state.full_name(row)
    gone.kept.keywords.extend(row.keywords)
    if max(longs(entries, FLAGS)) & OVERFLOW:
        for flags, uid in zip(longs(entries, FLAGS), words(entries, UID), strict=True):
            if flags & OVERFLOW:
                gone.kept.overflow[uid].CopyFrom(state.keywords_over(row.mailbox, uid, arrays))
    if not state.row.expunged_since:
        state.row.expunged_since = gone.expunged
        change.dues.add(kind=Due.EXPUNGED, time=gone.expunged)


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
    leave(state, change, row, entries, loaded.arrays, moment)
    row.highest_modseq = change.position
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

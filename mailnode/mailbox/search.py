"""Which messages of a mailbox a search key matches (RFC 9051 §6.4.4): pure, and cheap questions first.

A key is asked in stages, each of what the stage before has left, each reading more of a message:

    uids = ALL_UIDS
    for stage in stages(key, mailbox_row):
        found = []
        async for run in account.messages(mailbox, uids, stage.want):
            found += [run.uids[index] for index in stage.matches(run, long_pieces)]
        uids = ranges_of(found)

A set of messages is a mask: one octet a message, 1 where it matches. Masks are combined as big integers and
cut from the entries by strided slices, so that a flag costs a few nanoseconds a message.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress

from mailnode.mailbox.keywords import bit_of
from mailnode.mailbox.needle import Needle, Piece, pieces, sent_day
from mailnode.mailbox.rows import ENTRY_OCTETS, INTERNAL_DATE, MAIL, MODIFIED, SAVE_DATE, SIZE, longs, words
from mailnode.mailbox.verbs import Messages, Want
from mailnode.pb.account_pb2 import SearchKey
from mailnode.pb.row_pb2 import MailboxRow

LongPieces = Mapping[int, Sequence[bytes]]
"""Of messages whose octets a run left out (`Messages.octets`), by index: the octets of the `needle.pieces` of
their mail, in that order."""

_FLAGS_OCTET = 24
"""Where the low octet of the flags lies in an entry."""
_DAY_SECONDS = 86_400
_BIT = [bytes(octet >> bit & 1 for octet in range(256)) for bit in range(8)]

_Op = SearchKey.Op
_ALL = SearchKey(op=SearchKey.ALL)
_NOTHING = SearchKey(op=SearchKey.NOT, keys=[_ALL])
_NEEDS = {
    SearchKey.ALL: Want.UIDS,
    SearchKey.UIDS: Want.UIDS,
    SearchKey.RECENT: Want.UIDS,
    SearchKey.SENT_BEFORE: Want.ENTRIES | Want.HEADS,
    SearchKey.SENT_ON: Want.ENTRIES | Want.HEADS,
    SearchKey.SENT_SINCE: Want.ENTRIES | Want.HEADS,
    SearchKey.HEADER: Want.HEADS,
    SearchKey.BODY: Want.MAILS | Want.OCTETS,
    SearchKey.TEXT: Want.MAILS | Want.OCTETS,
    SearchKey.THREAD: Want.MAILS,
}
"""What a key looks at; entries where it does not stand here."""


# -- stages ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stage:
    """A question to a run of messages that holds what `want` says."""

    want: Want
    _test: _Test

    def matches(self, messages: Messages, long_pieces: LongPieces) -> list[int]:
        """The indexes of the run that match, ascending."""
        everything = b"\1" * messages.count
        mask = self._test(_Run(messages, long_pieces), everything)
        return list(compress(range(messages.count), mask))


def stages(key: SearchKey, row: MailboxRow) -> list[Stage]:
    """The stages of a key over the mailbox with this row; the last one asks the whole of it."""
    whole = needs(key)
    asked = []
    if whole > Want.ENTRIES:
        asked.append(_bound(key, Want.ENTRIES, _ALL))
    if whole & Want.OCTETS and whole & Want.HEADS:
        asked.append(_bound(key, Want.ENTRIES | Want.HEADS, _ALL))
    return [Stage(needs(one), _compiled(one, row)) for one in (*asked, key)]


def needs(key: SearchKey) -> Want:
    """What must be read of a message to answer the key."""
    want = Want.UIDS if key.keys else _NEEDS.get(key.op, Want.ENTRIES)
    for inner in key.keys:
        want |= needs(inner)
    return want


def _bound(key: SearchKey, affordable: Want, unknown: SearchKey) -> SearchKey:
    """A key that needs no more than what is affordable: `unknown` stands where the dearer ones were.

    With ALL for unknown it matches whatever the whole key matches, and with NOT ALL nothing else.
    """
    if not needs(key) & ~affordable:
        return key
    if key.op == SearchKey.NOT:
        opposite = _NOTHING if unknown is _ALL else _ALL
        return SearchKey(op=key.op, keys=[_bound(key.keys[0], affordable, opposite)])
    if key.op in (SearchKey.AND, SearchKey.OR):
        return SearchKey(op=key.op, keys=[_bound(inner, affordable, unknown) for inner in key.keys])
    return unknown


# -- tests -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Run:
    messages: Messages
    long_pieces: LongPieces


_Mask = bytes
_Test = Callable[[_Run, _Mask], _Mask]
"""From the messages that still matter to those of them that match."""


def _and(one: _Mask, other: _Mask) -> _Mask:
    return (int.from_bytes(one, "little") & int.from_bytes(other, "little")).to_bytes(len(one), "little")


def _or(one: _Mask, other: _Mask) -> _Mask:
    return (int.from_bytes(one, "little") | int.from_bytes(other, "little")).to_bytes(len(one), "little")


def _without(one: _Mask, other: _Mask) -> _Mask:
    return (int.from_bytes(one, "little") & ~int.from_bytes(other, "little")).to_bytes(len(one), "little")


def _compiled(key: SearchKey, row: MailboxRow) -> _Test:
    """What kind of key it is, decided once for all runs."""
    if key.op == SearchKey.AND:
        return _all_of(_cheapest_first(key.keys, row))
    if key.op == SearchKey.OR:
        return _any_of(_cheapest_first(key.keys, row))
    if key.op == SearchKey.NOT:
        negated = _compiled(key.keys[0], row)
        return lambda run, alive: _without(alive, negated(run, alive))
    if key.op in _ONE_BY_ONE:
        return _one_by_one(_ONE_BY_ONE[key.op](key))
    column = _COLUMNS[key.op](key, row)
    return lambda run, alive: _and(alive, column(run.messages))


def _cheapest_first(keys: Iterable[SearchKey], row: MailboxRow) -> list[_Test]:
    return [_compiled(key, row) for key in sorted(keys, key=needs)]


def _all_of(tests: list[_Test]) -> _Test:
    def test(run: _Run, alive: _Mask) -> _Mask:
        for one in tests:
            alive = one(run, alive)
        return alive

    return test


def _any_of(tests: list[_Test]) -> _Test:
    def test(run: _Run, alive: _Mask) -> _Mask:
        found = bytes(len(alive))
        for one in tests:
            found = _or(found, one(run, _without(alive, found)))
        return found

    return test


# -- whole columns -----------------------------------------------------------------------------------------

_Column = Callable[[Messages], _Mask]


def _everything(key: SearchKey, row: MailboxRow) -> _Column:
    return lambda messages: b"\1" * messages.count


def _uids(key: SearchKey, row: MailboxRow) -> _Column:
    return _within(sorted((uids.first, uids.last) for uids in key.uids))


def _recent(key: SearchKey, row: MailboxRow) -> _Column:
    return _within([(key.number, 0xFFFFFFFF)])


def _within(ranges: list[tuple[int, int]]) -> _Column:
    firsts = [first for first, _ in ranges]

    def column(messages: Messages) -> _Mask:
        uids, count = messages.uids, messages.count
        if not count:
            return b""
        mask = bytearray(count)
        near = slice(max(bisect_right(firsts, uids[0]) - 1, 0), bisect_right(firsts, uids[count - 1]))
        for first, last in ranges[near]:
            start, end = bisect_left(uids, first, 0, count), bisect_right(uids, last, 0, count)
            mask[start:end] = b"\1" * (end - start)
        return bytes(mask)

    return column


def _flags(key: SearchKey, row: MailboxRow) -> _Column:
    bits = [bit for bit in range(key.number.bit_length()) if key.number >> bit & 1]

    def column(messages: Messages) -> _Mask:
        mask = b"\1" * messages.count
        for bit in bits:
            mask = _and(mask, _bit(messages, bit))
        return mask

    return column


def _bit(messages: Messages, bit: int) -> _Mask:
    """Where a bit of the flags is set: every entry's octet that holds it, translated at once."""
    octets = messages.entries[_FLAGS_OCTET + bit // 8 :: ENTRY_OCTETS]
    return octets[: messages.count].translate(_BIT[bit % 8])


def _keyword(key: SearchKey, row: MailboxRow) -> _Column:
    bit, folded = bit_of(row, key.text), key.text.lower()

    def column(messages: Messages) -> _Mask:
        mask = bytearray(_bit(messages, bit.bit_length() - 1) if bit else messages.count)
        for uid, keywords in messages.overflow.items():
            index = bisect_left(messages.uids, uid, 0, messages.count)
            is_here = index < messages.count and messages.uids[index] == uid
            if is_here and any(name.lower() == folded for name in keywords.names):
                mask[index] = 1
        return bytes(mask)

    return column


def _larger(key: SearchKey, row: MailboxRow) -> _Column:
    return lambda messages: bytes(map(key.number.__lt__, words(messages.entries, SIZE)))


def _smaller(key: SearchKey, row: MailboxRow) -> _Column:
    return lambda messages: bytes(map(key.number.__gt__, words(messages.entries, SIZE)))


def _dated(column: int, first: int, end: int) -> _Column:
    """Internal or save dates in the days [first, end); their time zone is UTC everywhere."""
    start, stop = first * _DAY_SECONDS, end * _DAY_SECONDS
    return lambda messages: bytes([start <= second < stop for second in words(messages.entries, column)])


def _within_seconds(first: int, last: int) -> _Column:
    """Internal dates from the one second to the other."""
    return lambda messages: bytes(
        [first <= second <= last for second in words(messages.entries, INTERNAL_DATE)]
    )


def _mail(key: SearchKey, row: MailboxRow) -> _Column:
    return lambda messages: bytes(map(key.number.__eq__, longs(messages.entries, MAIL)))


def _modified(key: SearchKey, row: MailboxRow) -> _Column:
    return lambda messages: bytes(map(key.number.__le__, longs(messages.entries, MODIFIED)))


_LAST_DAY = 1 << 32
_LAST_SECOND = 0xFFFFFFFF
_COLUMNS: Mapping[_Op, Callable[[SearchKey, MailboxRow], _Column]] = {
    SearchKey.ALL: _everything,
    SearchKey.UIDS: _uids,
    SearchKey.RECENT: _recent,
    SearchKey.FLAGS: _flags,
    SearchKey.KEYWORD: _keyword,
    SearchKey.SIZE_LARGER: _larger,
    SearchKey.SIZE_SMALLER: _smaller,
    SearchKey.RECEIVED_BEFORE: lambda key, row: _dated(INTERNAL_DATE, 0, key.number),
    SearchKey.RECEIVED_ON: lambda key, row: _dated(INTERNAL_DATE, key.number, key.number + 1),
    SearchKey.RECEIVED_SINCE: lambda key, row: _dated(INTERNAL_DATE, key.number, _LAST_DAY),
    SearchKey.RECEIVED_UNTIL: lambda key, row: _within_seconds(0, key.number),
    SearchKey.RECEIVED_FROM: lambda key, row: _within_seconds(key.number, _LAST_SECOND),
    SearchKey.SAVED_BEFORE: lambda key, row: _dated(SAVE_DATE, 0, key.number),
    SearchKey.SAVED_ON: lambda key, row: _dated(SAVE_DATE, key.number, key.number + 1),
    SearchKey.SAVED_SINCE: lambda key, row: _dated(SAVE_DATE, key.number, _LAST_DAY),
    SearchKey.MODSEQ: _modified,
    SearchKey.EMAIL: _mail,
}


# -- one message after another -----------------------------------------------------------------------------

_Predicate = Callable[[_Run, int], bool]


def _one_by_one(predicate: _Predicate) -> _Test:
    def test(run: _Run, alive: _Mask) -> _Mask:
        mask = bytearray(len(alive))
        for index in compress(range(len(alive)), alive):
            mask[index] = predicate(run, index)
        return bytes(mask)

    return test


def _header(key: SearchKey) -> _Predicate:
    needle, name = Needle(key.text), key.field.lower().encode()
    return lambda run, index: needle.is_in_field(run.messages.heads[index], name)


def _body(key: SearchKey) -> _Predicate:
    return _text_in(key.text, lambda piece: piece.of_body)


def _text(key: SearchKey) -> _Predicate:
    return _text_in(key.text, lambda piece: True)


def _text_in(text: str, looks_at: Callable[[Piece], bool]) -> _Predicate:
    needle = Needle(text)

    def predicate(run: _Run, index: int) -> bool:
        found = pieces(run.messages.mails[index].part)
        return any(
            needle.is_in_piece(piece, octets)
            for piece, octets in zip(found, _octets_of(run, index, found), strict=True)
            if looks_at(piece)
        )

    return predicate


def _octets_of(run: _Run, index: int, found: list[Piece]) -> Iterable[bytes]:
    if index in run.long_pieces:
        return run.long_pieces[index]
    whole = run.messages.octets[index]
    return (whole[piece.start : piece.end] for piece in found)


def _sent(is_asked: Callable[[int], bool]) -> _Predicate:
    """By Date: as written; a message without it counts as sent when it was received."""

    def predicate(run: _Run, index: int) -> bool:
        day = sent_day(run.messages.heads[index])
        if day is None:
            day = words(run.messages.entries, INTERNAL_DATE)[index] // _DAY_SECONDS
        return is_asked(day)

    return predicate


_ONE_BY_ONE: Mapping[_Op, Callable[[SearchKey], _Predicate]] = {
    SearchKey.HEADER: _header,
    SearchKey.BODY: _body,
    SearchKey.TEXT: _text,
    SearchKey.THREAD: lambda key: lambda run, index: run.messages.mails[index].thread == key.number,
    SearchKey.SENT_BEFORE: lambda key: _sent(key.number.__gt__),
    SearchKey.SENT_ON: lambda key: _sent(key.number.__eq__),
    SearchKey.SENT_SINCE: lambda key: _sent(key.number.__le__),
}

"""FETCH responses (RFC 9051 §7.5.2) of many messages at once: columns in, octets out.

A plan becomes one template with columns of values for each of its items, and all messages one `%`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from protocols.imap import binary, date, objectid, response
from protocols.imap.binary import Encoded
from protocols.imap.fetch import PICKING, Attribute, Binary, BinarySize, Item, Of, Plan, Section
from protocols.imap.flags import FlagNames
from protocols.imap.section import FieldPicker, Part, Range, cut, octets_of
from protocols.imap.sequence import Ranges


class Mail(Protocol):
    """The parsed message; the rows of the store satisfy it."""

    @property
    def size(self) -> int: ...
    @property
    def header(self) -> int:
        """Octets of the header, with the empty line."""

    @property
    def part(self) -> Part:
        """The message as a part."""

    @property
    def preview(self) -> str: ...
    @property
    def thread(self) -> int:
        """The number behind its THREADID."""


@dataclass(slots=True)
class Columns:
    """Messages of one answer in the order of their UIDs; a column that the plan does not need stays empty.

    `flags` holds the 64 bits, `dates` and `saved` seconds since 1970, `octets` the whole message, or b""
    for one that is to be streamed (`pieces`). The UIDs of `recent` are \\Recent. `overflow` has, by UID,
    keywords that have no bit.
    """

    numbers: Sequence[int]
    uids: Sequence[int]
    flags: Sequence[int] = ()
    sizes: Sequence[int] = ()
    dates: Sequence[int] = ()
    mails: Sequence[Mail] = ()
    heads: Sequence[bytes] = ()
    octets: Sequence[bytes] = ()
    recent: Ranges = ()
    overflow: Mapping[int, Iterable[str]] = field(default_factory=dict)
    modseqs: Sequence[int] = ()
    email_ids: Sequence[int] = ()
    saved: Sequence[int] = ()
    envelopes: Sequence[bytes] = ()
    bodies: Sequence[bytes] = ()
    structures: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True)
class PickedHeader:
    """The octets of a header out of which a section picks fields: read `range`, then send `said(octets)`."""

    range: Range
    section: Section

    def said(self, header: bytes) -> bytes:
        return _literal(self.section.label, _cut(FieldPicker(self.section).pick(header), self.section))


@dataclass(frozen=True, slots=True)
class Decoding:
    """A part that is decoded on its way: measured first, for its size stands before it."""

    item: Binary
    part: Encoded


Piece = bytes | Range | PickedHeader | Decoding


def fetched(plan: Plan, columns: Columns, names: FlagNames) -> bytes:
    """`* n FETCH (...)` of each message; every `octets` that is needed must be there."""
    templates: list[bytes] = []
    values: list[Iterable[object]] = [columns.numbers]
    for item in plan.items:
        template, of_item = _said(item, columns, names)
        templates.append(template)
        values += of_item
    whole = b"* %d FETCH (" + b" ".join(templates) + b")\r\n"
    count, width = len(columns.numbers), len(values)
    cells: list[object] = [None] * (count * width)
    for at, column in enumerate(values):
        cells[at::width] = column
    return whole * count % tuple(cells)


def pieces(plan: Plan, columns: Columns, index: int, names: FlagNames) -> list[Piece]:
    """The response of one message whose octets are not at hand, in order.

    Octets are sent as they are; in the place of a Range go these octets of the message, through `shown`,
    and the others say what goes in theirs.
    """
    one = _single(columns, index)
    said: list[Piece] = []
    before = b"* %d FETCH (" % columns.numbers[index]
    for item in plan.items:
        said.append(before)
        before = b" "
        if isinstance(item, Section) and not (one.heads and item.is_of_header):
            said += _streamed(item, one)
        elif isinstance(item, Binary):
            said.append(_decoding(item, one.mails[0]))
        else:
            template, of_item = _said(item, one, names)
            said += [template % row for row in zip(*of_item, strict=True)]
    said.append(b")\r\n")
    return said


def shown(octets: bytes) -> bytes:
    """Octets of a message as a literal may hold them: NUL, that CHAR8 (RFC 9051 §9) leaves out, as 0x80."""
    return octets.replace(b"\0", b"\x80")


_TEMPLATES: dict[Item, bytes] = {
    Attribute.UID: b"UID %d",
    Attribute.FLAGS: b"FLAGS (%b)",
    Attribute.INTERNALDATE: b'INTERNALDATE "%b"',
    Attribute.SIZE: b"RFC822.SIZE %d",
    Attribute.ENVELOPE: b"ENVELOPE %b",
    Attribute.BODY: b"BODY %b",
    Attribute.BODYSTRUCTURE: b"BODYSTRUCTURE %b",
    Attribute.MODSEQ: b"MODSEQ (%d)",
    Attribute.EMAILID: b"EMAILID (%b)",
    Attribute.THREADID: b"THREADID (%b)",
    Attribute.SAVEDATE: b'SAVEDATE "%b"',
    Attribute.PREVIEW: b"PREVIEW %b",
}


def _said(item: Item, columns: Columns, names: FlagNames) -> tuple[bytes, list[Iterable[object]]]:
    """What an item says of a message, with holes for the values of these columns."""
    if isinstance(item, Binary):
        return b"%b", [_decoded(item, columns)]
    if isinstance(item, BinarySize):
        label = item.label.replace(b"%", b"%%")
        return label + b" %d", [binary.sizes(item, [mail.part for mail in columns.mails])]
    if not isinstance(item, Section):
        return _TEMPLATES[item], [_column(item, columns, names)]
    octets = _of_header(item, columns) if item.is_of_header else _of_body(item, columns)
    if None in octets:
        return b"%b", [[item.label + b" NIL" if o is None else _literal(item.label, o) for o in octets]]
    there = [o.replace(b"\0", b"\x80") for o in octets if o is not None]  # as `shown`
    return item.label.replace(b"%", b"%%") + b" {%d}\r\n%b", [map(len, there), there]


def _column(item: Attribute, columns: Columns, names: FlagNames) -> Iterable[object]:
    if item is Attribute.UID:
        return columns.uids[: len(columns.numbers)]
    if item is Attribute.FLAGS:
        return _flag_lists(columns, names)
    if item is Attribute.INTERNALDATE:
        return date.texts(columns.dates)
    if item is Attribute.SIZE:
        return columns.sizes
    if item is Attribute.MODSEQ:
        return columns.modseqs
    if item is Attribute.SAVEDATE:
        return date.texts(columns.saved)
    if item is Attribute.EMAILID:
        return map(objectid.email, columns.email_ids)
    if item is Attribute.PREVIEW:
        return [response.string(mail.preview.encode()) for mail in columns.mails]
    if item is Attribute.THREADID:
        return [objectid.thread(mail.thread) for mail in columns.mails]
    return _forms(item, columns)


def _forms(item: Attribute, columns: Columns) -> Sequence[bytes]:
    if item is Attribute.ENVELOPE:
        return columns.envelopes
    return columns.bodies if item is Attribute.BODY else columns.structures


def _flag_lists(columns: Columns, names: FlagNames) -> Iterable[bytes]:
    lists = names.lists(columns.flags)
    uids = columns.uids
    recent = list(_recent(columns))
    if not columns.overflow and not recent:
        return lists
    changed = list(lists)
    for index in recent:
        changed[index] = b"\\Recent " + changed[index] if changed[index] else b"\\Recent"
    for uid, keywords in columns.overflow.items():
        index = bisect_left(uids, uid, 0, len(changed))
        if index < len(changed) and uids[index] == uid:
            changed[index] = b" ".join((changed[index], *(k.encode() for k in keywords))).lstrip()
    return changed


def _recent(columns: Columns) -> Iterator[int]:
    """The indexes of messages that are \\Recent."""
    uids, count = columns.uids, len(columns.flags)
    for first, last in columns.recent:
        start = bisect_left(uids, first, 0, count)
        yield from range(start, bisect_right(uids, last, start, count))


def _of_header(section: Section, columns: Columns) -> Sequence[bytes | None]:
    """Of the message's own header, which need not be cut out of the octets when there are `heads`."""
    heads = columns.heads
    if not heads:
        heads = [o[: m.header] for m, o in zip(columns.mails, columns.octets, strict=True)]
    if section.of is not Of.HEADER:
        heads = list(map(FieldPicker(section).pick, heads))
    return [_cut(head, section) for head in heads] if section.count else heads


def _of_body(section: Section, columns: Columns) -> Sequence[bytes | None]:
    """None where there is no such part."""
    if section.is_whole:
        return columns.octets
    picker = FieldPicker(section) if section.of in PICKING else None
    found: list[bytes | None] = []
    for mail, octets in zip(columns.mails, columns.octets, strict=True):
        where = octets_of(mail.part, section)
        if where is None:
            found.append(None)
        elif picker is not None:
            found.append(_cut(picker.pick(octets[where.start : where.end]), section))
        else:
            where = cut(where, section)
            found.append(octets[where.start : where.end])
    return found


def _decoded(item: Binary, columns: Columns) -> Iterator[bytes]:
    for mail, octets in zip(columns.mails, columns.octets, strict=True):
        part = binary.encoded(mail.part, item.path)
        yield binary.said(item, None if part is None else binary.decoded(part, octets))


def _decoding(item: Binary, mail: Mail) -> bytes | Decoding:
    part = binary.encoded(mail.part, item.path)
    return binary.said(item, None) if part is None else Decoding(item, part)


def _streamed(section: Section, one: Columns) -> list[bytes | Range | PickedHeader]:
    where = Range(0, one.sizes[0]) if section.is_whole else octets_of(one.mails[0].part, section)
    if where is None:
        return [section.label + b" NIL"]
    if section.of in PICKING:
        return [PickedHeader(where, section)]
    where = cut(where, section)
    return [b"%b {%d}\r\n" % (section.label, where.end - where.start), where]


def _cut(octets: bytes, section: Section) -> bytes:
    return octets[section.start : section.start + section.count] if section.count else octets


def _literal(label: bytes, octets: bytes) -> bytes:
    return b"%b {%d}\r\n%b" % (label, len(octets), shown(octets))


def _single(columns: Columns, index: int) -> Columns:
    """The columns of one message; those that are not there stay empty."""
    here = slice(index, index + 1)
    return Columns(
        columns.numbers[here],
        columns.uids[here],
        columns.flags[here],
        columns.sizes[here],
        columns.dates[here],
        columns.mails[here],
        columns.heads[here],
        columns.octets[here],
        columns.recent,
        columns.overflow,
        columns.modseqs[here],
        columns.email_ids[here],
        columns.saved[here],
        columns.envelopes[here],
        columns.bodies[here],
        columns.structures[here],
    )

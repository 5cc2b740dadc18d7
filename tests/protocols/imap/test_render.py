"""FETCH responses: columns to octets, whole or in pieces."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.imap import attributes
from protocols.imap.fetch import Attribute, Plan
from protocols.imap.flags import SYSTEM, FlagNames
from protocols.imap.grammar import Grammar
from protocols.imap.render import Columns, PickedHeader, fetched, pieces, shown
from protocols.imap.section import Range
from protocols.imap.sequence import ranges_of
from tests.protocols.imap.peer import BODY, ENVELOPE, FLAG_CHANGES, LIMITS, STRUCTURE, Mail, Part, mail_of

NAMES = FlagNames((*SYSTEM, "$Forwarded"))
ONE = b"Subject: one\r\nFrom: a@b\r\n\r\nhello\r\n"
TWO = b"Subject: two\r\n\r\nNUL: \0\r\n"
NESTED = b"S: a\r\n\r\n--b\r\n\r\nFrom: in\r\nTo: x\r\n\r\ntext\r\n--b--\r\n"
INNER = Part(NESTED.index(b"From"), NESTED.index(b"text"), NESTED.index(b"\r\n--b--"), "text/plain")
ENCLOSING = Part(NESTED.index(b"--b") + 5, INNER.header, INNER.end, "message/rfc822", (INNER,))
WITH_PARTS = Mail(len(NESTED), 8, Part(0, 8, len(NESTED), "multipart/mixed", (ENCLOSING,)))


def _forms(count: int) -> dict[str, list[bytes]]:
    return {"envelopes": [ENVELOPE] * count, "bodies": [BODY] * count, "structures": [STRUCTURE] * count}


def plan(octets: bytes) -> Plan:
    return attributes.plan(Grammar(octets, 0, LIMITS, b"t", by_uid=False))


def columns(**more: object) -> Columns:
    mails = [mail_of(ONE), mail_of(TWO)]
    all_ = Columns([3, 4], [7, 9], [8, 0], [33, 25], [0, 86399], mails, [], [ONE, TWO], **_forms(2))
    return replace(all_, **more)  # type: ignore[arg-type]


LINES = [
    (b"FLAGS", b"FLAGS (\\Seen)", b"FLAGS ()"),
    (b"UID", b"UID 7", b"UID 9"),
    (b"(UID RFC822.SIZE)", b"UID 7 RFC822.SIZE 33", b"UID 9 RFC822.SIZE 25"),
    (
        b"INTERNALDATE",
        b'INTERNALDATE " 1-Jan-1970 00:00:00 +0000"',
        b'INTERNALDATE " 1-Jan-1970 23:59:59 +0000"',
    ),
    (b"BODY[HEADER.FIELDS (SUBJECT)]", *[b"BODY[HEADER.FIELDS (SUBJECT)] {16}\r\nSubject: %b\r\n\r\n"] * 2),
    (
        b"BODY[HEADER.FIELDS.NOT (SUBJECT)]<0.3>",
        b"BODY[HEADER.FIELDS.NOT (SUBJECT)]<0> {3}\r\nFro",
        b"BODY[HEADER.FIELDS.NOT (SUBJECT)]<0> {2}\r\n\r\n",
    ),
    (
        b"RFC822.HEADER",
        b"RFC822.HEADER {27}\r\n%b" % ONE[:27],
        b"RFC822.HEADER {16}\r\n%b" % TWO[:16],
    ),
    (b"BODY[TEXT]", b"BODY[TEXT] {7}\r\nhello\r\n", b"BODY[TEXT] {8}\r\nNUL: \x80\r\n"),
    (b"BODY[1]<2.3>", b"BODY[1]<2> {3}\r\nllo", b"BODY[1]<2> {3}\r\nL: "),
    (b"BODY[]<100.1>", b"BODY[]<100> {0}\r\n", b"BODY[]<100> {0}\r\n"),
    (b"BODY[7]", b"BODY[7] NIL", b"BODY[7] NIL"),
]


@pytest.mark.parametrize(("asked", "first", "second"), LINES)
def test_each_attribute_is_said(asked: bytes, first: bytes, second: bytes) -> None:
    if b"%b" in first:
        first, second = first % b"one", second % b"two"
    said = b"* 3 FETCH (%b)\r\n* 4 FETCH (%b)\r\n" % (first, second)
    assert fetched(plan(asked), columns(), NAMES) == said


def test_the_header_of_its_own_column_is_taken_where_there_is_one() -> None:
    heads = [ONE[:27], TWO[:16]]
    asked = plan(b"(BODY[HEADER] BODY[HEADER.FIELDS (FROM)])")
    assert not asked.needs_mail and not asked.needs_octets and asked.needs_head
    without = columns(heads=heads, mails=[], octets=[])
    assert fetched(asked, without, NAMES) == fetched(asked, columns(), NAMES)


def test_structures_are_said_as_they_are_stored() -> None:
    said = fetched(plan(b"(ENVELOPE BODY BODYSTRUCTURE)"), columns(), NAMES)
    row = b"ENVELOPE %b BODY %b BODYSTRUCTURE %b" % (ENVELOPE, BODY, STRUCTURE)
    assert said == b"* 3 FETCH (%b)\r\n* 4 FETCH (%b)\r\n" % (row, row)


def test_a_percent_sign_in_a_field_name_is_only_that() -> None:
    said = fetched(plan(b'BODY[HEADER.FIELDS ("%d%b")]'), columns(), NAMES)
    assert said.startswith(b'* 3 FETCH (BODY[HEADER.FIELDS ("%d%b")] {2}\r\n\r\n)\r\n')


def test_recent_and_keywords_without_a_bit_are_among_the_flags() -> None:
    told = columns(recent=((9, 9), (11, 12)), overflow={7: ["x", "y"], 8: ["z"], 9: ["x"]})
    assert fetched(FLAG_CHANGES, told, NAMES) == (
        b"* 3 FETCH (UID 7 FLAGS (\\Seen x y))\r\n* 4 FETCH (UID 9 FLAGS (\\Recent x))\r\n"
    )


def test_what_a_plan_needs_is_no_more_than_it_says() -> None:
    assert not plan(b"FLAGS").needs_mail
    assert plan(b"ENVELOPE").needs_forms and not plan(b"ENVELOPE").needs_mail
    assert plan(b"PREVIEW").needs_mail and not plan(b"PREVIEW").needs_octets
    assert plan(b"BODY[]").needs_octets and plan(b"BODY[]").sets_seen
    assert not plan(b"BODY.PEEK[]").sets_seen and not plan(b"RFC822.HEADER").sets_seen
    assert plan(b"BODY[1.MIME]").needs_octets
    assert Attribute.FLAGS in plan(b"BODY[]").adding(Attribute.FLAGS).items


PIECED = [
    b"BODY[]",
    b"(UID FLAGS BODY[] BODY[TEXT] ENVELOPE)",
    b"BODY[]<3.4>",
    b"BODY[9]",
    b"BODY[HEADER]",
    b"(BODY[HEADER.FIELDS (S)] BODY[1])",
    b"BODY[1.HEADER.FIELDS (TO)]",
    b"BODY[1.HEADER.FIELDS.NOT (TO)]<1.5>",
    b"(BODY[1.TEXT] BODY[1.1.MIME] BODY[1.MIME])",
]


@pytest.mark.parametrize("asked", PIECED)
def test_in_pieces_it_is_the_same(asked: bytes) -> None:
    whole = Columns([1], [5], [0], [len(NESTED)], [0], [WITH_PARTS], [], [NESTED], **_forms(1))
    said = b""
    for piece in pieces(plan(asked), replace(whole, octets=[b""]), 0, NAMES):
        if isinstance(piece, PickedHeader):
            said += piece.said(NESTED[piece.range.start : piece.range.end])
        elif isinstance(piece, Range):
            said += shown(NESTED[piece.start : piece.end])
        else:
            said += piece
    assert said == fetched(plan(asked), whole, NAMES)


def test_a_header_at_hand_is_not_streamed() -> None:
    told = Columns([1], [5], [0], [len(NESTED)], [0], [WITH_PARTS], [NESTED[:8]], [b""])
    said = pieces(plan(b"(BODY[HEADER] BODY[])"), told, 0, NAMES)
    assert [piece for piece in said if isinstance(piece, Range)] == [Range(0, len(NESTED))]


@given(st.lists(st.integers(0, 63), max_size=20), st.sets(st.integers(1, 25)))
def test_flags_are_each_message_its_own(flags: list[int], recent: set[int]) -> None:
    uids = range(1, len(flags) + 1)
    said = fetched(FLAG_CHANGES, Columns(uids, uids, flags, recent=ranges_of(sorted(recent))), NAMES)
    for uid, line in zip(uids, said.split(b"\r\n"), strict=False):
        names = ["\\Recent"] * (uid in recent)
        names += [name for bit, name in enumerate(NAMES.names) if flags[uid - 1] >> bit & 1]
        assert line.decode() == f"* {uid} FETCH (UID {uid} FLAGS ({' '.join(names)}))"

"""Which octets a section is, in the message of RFC 9051 §6.4.5.1."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.imap.fetch import Of, Section
from protocols.imap.section import FieldPicker, Range, cut, octets_of
from tests.protocols.imap.peer import Part


def leaf(start: int, type: str = "text/plain") -> Part:
    return Part(start, start + 10, start + 20, type)


# 1 TEXT/PLAIN, 2 APPLICATION/OCTET-STREAM, 3 MESSAGE/RFC822 of 3.1 and 3.2, 4 MULTIPART/MIXED of 4.1
# IMAGE/GIF and 4.2 MESSAGE/RFC822 of 4.2.1 TEXT/PLAIN and 4.2.2 MULTIPART/ALTERNATIVE of 4.2.2.1 and 4.2.2.2
ALTERNATIVE = Part(700, 710, 790, "multipart/alternative", (leaf(720), leaf(750, "text/richtext")))
INNER = Part(610, 630, 800, "multipart/mixed", (leaf(640), ALTERNATIVE))
PLAIN_MESSAGE = Part(310, 330, 390, "text/plain")
THIRD = Part(210, 230, 300, "multipart/mixed", (leaf(240), leaf(270)))
MESSAGE = Part(
    0,
    50,
    900,
    "multipart/mixed",
    (
        leaf(100),
        leaf(130, "application/octet-stream"),
        Part(200, 210, 300, "message/rfc822", (THIRD,)),
        Part(
            400,
            410,
            890,
            "multipart/mixed",
            (leaf(500, "image/gif"), Part(600, 610, 800, "message/rfc822", (INNER,))),
        ),
        Part(300, 310, 390, "message/rfc822", (PLAIN_MESSAGE,)),
    ),
)
SINGLE = Part(0, 40, 90, "text/plain")
FORWARDED = Part(0, 20, 390, "message/rfc822", (PLAIN_MESSAGE,))


def section(spec: str, start: int = 0, count: int = 0) -> Section:
    words = spec.split(".") if spec else []
    path = tuple(int(word) for word in words if word.isdigit())
    return Section(path, Of(words[-1] if words[len(path) :] else ""), frozenset(), start, count, True, b"")


PLACES = [
    (MESSAGE, "", (0, 900)),
    (MESSAGE, "HEADER", (0, 50)),
    (MESSAGE, "TEXT", (50, 900)),
    (MESSAGE, "1", (110, 120)),
    (MESSAGE, "1.MIME", (100, 110)),
    (MESSAGE, "1.HEADER", None),
    (MESSAGE, "1.TEXT", None),
    (MESSAGE, "1.1", None),
    (MESSAGE, "2", (140, 150)),
    (MESSAGE, "3", (210, 300)),
    (MESSAGE, "3.HEADER", (210, 230)),
    (MESSAGE, "3.TEXT", (230, 300)),
    (MESSAGE, "3.MIME", (200, 210)),
    (MESSAGE, "3.1", (250, 260)),
    (MESSAGE, "3.2.MIME", (270, 280)),
    (MESSAGE, "3.3", None),
    (MESSAGE, "4", (410, 890)),
    (MESSAGE, "4.HEADER", None),
    (MESSAGE, "4.1.MIME", (500, 510)),
    (MESSAGE, "4.2.HEADER", (610, 630)),
    (MESSAGE, "4.2.TEXT", (630, 800)),
    (MESSAGE, "4.2.1", (650, 660)),
    (MESSAGE, "4.2.2", (710, 790)),
    (MESSAGE, "4.2.2.1", (730, 740)),
    (MESSAGE, "4.2.2.2.MIME", (750, 760)),
    (MESSAGE, "5.1", (330, 390)),
    (MESSAGE, "5.1.MIME", (310, 330)),
    (MESSAGE, "5.1.1", None),
    (MESSAGE, "5.2", None),
    (MESSAGE, "6", None),
    (SINGLE, "1", (40, 90)),
    (SINGLE, "1.MIME", (0, 40)),
    (SINGLE, "2", None),
    (SINGLE, "1.1", None),
    (SINGLE, "TEXT", (40, 90)),
    (FORWARDED, "1", (20, 390)),
    (FORWARDED, "1.HEADER", (310, 330)),
    (FORWARDED, "1.1", (330, 390)),
]


@pytest.mark.parametrize(("message", "spec", "place"), PLACES)
def test_a_section_is_a_range(message: Part, spec: str, place: tuple[int, int] | None) -> None:
    assert octets_of(message, section(spec)) == (Range(*place) if place else None)


@pytest.mark.parametrize(
    ("start", "count", "place"), [(0, 0, (10, 20)), (0, 5, (10, 15)), (8, 5, (18, 20)), (11, 5, (20, 20))]
)
def test_a_partial_fetch_takes_what_is_there(start: int, count: int, place: tuple[int, int]) -> None:
    assert cut(Range(10, 20), section("", start, count)) == Range(*place)


HEADER = (
    b"Received: a\r\n\tby b\r\nSubject: x\r\n Subject: folded\r\nFROM : joe\r\nX-From: y\r\n"
    b"from:\r\n joe\r\n\r\n"
)
PICKED = [
    (Of.FIELDS, {b"from"}, b"FROM : joe\r\nfrom:\r\n joe\r\n\r\n"),
    (
        Of.FIELDS,
        {b"subject", b"received"},
        b"Received: a\r\n\tby b\r\nSubject: x\r\n Subject: folded\r\n\r\n",
    ),
    (Of.FIELDS, {b"x.from", b"none"}, b"\r\n"),
    (Of.FIELDS_NOT, {b"from", b"received"}, b"Subject: x\r\n Subject: folded\r\nX-From: y\r\n\r\n"),
    (Of.FIELDS_NOT, {b"none"}, HEADER),
]


@pytest.mark.parametrize(("of", "names", "picked"), PICKED)
def test_header_fields_are_picked_as_they_stand(of: Of, names: set[bytes], picked: bytes) -> None:
    asked = Section((), of, frozenset(names), 0, 0, True, b"")
    assert FieldPicker(asked).pick(HEADER) == picked


LINES = (b"A: b", b"B: c", b"\tmore", b" ", b"no colon", b"a :", b"AA: d", b"", b"C:")


@given(st.lists(st.sampled_from(LINES)), st.sampled_from([b"\r\n", b"\n"]))
def test_picked_fields_are_those_of_a_reading_line_by_line(lines: list[bytes], end: bytes) -> None:
    fields: list[list[bytes]] = []
    open_field = False
    for line in lines:
        if line[:1] in (b" ", b"\t"):
            if open_field:
                fields[-1].append(line)
        else:
            open_field = bool(line)
            fields += [[line]] if line else []
    header = b"".join(line + end for line in lines)
    for of, wanted in ((Of.FIELDS, True), (Of.FIELDS_NOT, False)):
        asked = Section((), of, frozenset({b"a", b"c"}), 0, 0, True, b"")
        named = [f for f in fields if (f[0].lower().replace(b" ", b"")[:2] in (b"a:", b"c:")) is wanted]
        picked = FieldPicker(asked).pick(header)
        assert picked.replace(b"\r\n", b"\n").split(b"\n")[:-2] == [line for f in named for line in f]
        assert picked.endswith(b"\r\n")

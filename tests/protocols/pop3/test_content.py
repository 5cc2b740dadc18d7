"""Stuffing and TOP, cut anywhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.pop3.content import Stuffing, Top

LINES = st.lists(st.sampled_from([b"\r", b"\n", b".", b"\r\n", b"\r\n.", b"a", b"..", b"\0"]), max_size=30)
CUT = st.lists(st.binary(max_size=3) | st.sampled_from([b"\r\n", b"\r", b"\n."]), max_size=30)


def stuffed(pieces: list[bytes]) -> bytes:
    stuffing = Stuffing()
    return b"".join([*map(stuffing.take, pieces), stuffing.end()])


def unstuffed(response: bytes) -> bytes:
    """As a client that ends lines with CRLF only reads it, RFC 1939 §3."""
    lines: list[bytes] = []
    while True:
        line, end, response = response.partition(b"\r\n")
        assert end
        if line == b".":
            assert not response
            return b"".join(lines)
        lines.append((line[1:] if line.startswith(b".") else line) + b"\r\n")


def top(pieces: list[bytes], lines: int) -> bytes:
    content = Top(lines)
    return b"".join(content.take(piece) for piece in pieces if content.wants_octets)


@pytest.mark.parametrize(
    ("message", "response"),
    [
        (b"", b".\r\n"),
        (b".", b"..\r\n.\r\n"),
        (b"a", b"a\r\n.\r\n"),
        (b"a\r\n", b"a\r\n.\r\n"),
        (b"a\r\n.\r\n", b"a\r\n..\r\n.\r\n"),
        (b"a\n.\n", b"a\n.\n\r\n.\r\n"),
        (b"a\r.\r", b"a\r.\r\r\n.\r\n"),
        (b"a\r\r\n..b", b"a\r\r\n...b\r\n.\r\n"),
    ],
)
def test_only_a_dot_after_crlf_is_doubled(message: bytes, response: bytes) -> None:
    assert stuffed([message]) == response
    assert stuffed([message[at : at + 1] for at in range(len(message))]) == response


@given(LINES | CUT)
def test_what_is_stuffed_comes_out_whole_however_it_is_cut(pieces: list[bytes]) -> None:
    message = b"".join(pieces)
    response = stuffed(pieces)
    assert response == stuffed([message])
    assert unstuffed(response) == (message if not message or message.endswith(b"\r\n") else message + b"\r\n")


@pytest.mark.parametrize(
    ("message", "lines", "shown"),
    [
        (b"A: b\r\n\r\none\r\ntwo\r\n", 0, b"A: b\r\n\r\n"),
        (b"A: b\r\n\r\none\r\ntwo\r\n", 1, b"A: b\r\n\r\none\r\n"),
        (b"A: b\r\n\r\none\r\ntwo\r\n", 2, b"A: b\r\n\r\none\r\ntwo\r\n"),
        (b"A: b\r\n\r\none\r\ntwo\r\n", 3, b"A: b\r\n\r\none\r\ntwo\r\n"),
        (b"A: b\r\n\r\none\r\ntwo", 2, b"A: b\r\n\r\none\r\ntwo"),
        (b"A: b\r\n\r\none\ntwo\rthree\r\nfour", 1, b"A: b\r\n\r\none\ntwo\rthree\r\n"),
        (b"\r\none\r\ntwo", 1, b"\r\none\r\n"),
        (b"A: b\r\n", 5, b"A: b\r\n"),
        (b"A: b\n\none\r\n", 0, b"A: b\n\none\r\n"),
        (b"", 1, b""),
    ],
)
def test_top_shows_header_and_that_many_lines(message: bytes, lines: int, shown: bytes) -> None:
    assert top([message], lines) == shown
    assert top([message[at : at + 1] for at in range(len(message))], lines) == shown


@given(LINES | CUT, st.integers(0, 5))
def test_top_shows_the_same_however_it_is_cut(pieces: list[bytes], lines: int) -> None:
    message = b"".join(pieces)
    header, empty, body = (b"\r\n" + message).partition(b"\r\n\r\n")
    kept = b"".join(line + b"\r\n" for line in body.split(b"\r\n")[:lines])
    expected = (header + empty + kept)[2:] if empty else message
    assert top(pieces, lines) == top([message], lines)
    assert top(pieces, lines) == (expected if len(expected) <= len(message) else message)


def test_top_wants_no_octets_once_it_has_its_lines() -> None:
    content = Top(1)
    content.take(b"A: b\r\n\r\none")
    assert content.wants_octets
    content.take(b"\r\ntwo")
    assert not content.wants_octets

"""The relaxed forms against the examples of RFC 6376 §3.4.5, and against dkimpy."""

from hashlib import sha256

import dkim.canonicalization
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from protocols.dkim.canonical import BodyHash, relaxed_field


def hashed(pieces: list[bytes]) -> bytes:
    body = BodyHash()
    for piece in pieces:
        body.feed(piece)
    body.end()
    return body.digest()


@pytest.mark.parametrize(
    ("field", "relaxed"),
    [
        (b"A: X\r\n", b"a:X\r\n"),
        (b"B : Y\t\r\n\tZ  \r\n", b"b:Y Z\r\n"),
        (b"Subject:\r\n", b"subject:\r\n"),
        (b"X: a:b  c\r\n", b"x:a:b c\r\n"),
    ],
)
def test_fields_are_as_in_the_example(field: bytes, relaxed: bytes) -> None:
    assert relaxed_field(field) == relaxed


def test_a_body_is_as_in_the_example() -> None:
    assert hashed([b" C \r\nD \t E\r\n\r\n\r\n"]) == sha256(b" C\r\nD E\r\n").digest()
    assert hashed([]) == hashed([b"\r\n\r\n"]) == sha256(b"").digest()


@given(st.lists(st.sampled_from([b"\r\n", b" ", b"\t", b"a", b"\r\n\r\n", b"b \r\n", b"\r", b"\n"])))
@example([b"\r", b"\n"])
@example([b"a", b"\r", b"\r\n", b"\r\n"])
@example([b"\r", b"\r\n", b"\r\n"])
def test_a_body_cut_anywhere_has_the_hash_of_another_implementation(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    assert hashed(pieces) == hashed([whole])
    between = whole.replace(b"\r\n", b"")
    if b"\r" not in between and b"\n" not in between:
        sent = whole if not whole or whole.endswith(b"\r\n") else whole + b"\r\n"  # DATA ends with CRLF
        expected = dkim.canonicalization.Relaxed.canonicalize_body(sent)
        assert hashed(pieces) == sha256(expected).digest()

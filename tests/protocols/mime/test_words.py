"""Header text of IMAP rows: in 7-bit form it reads as the header did."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.mime.address import Address, read_addresses
from protocols.mime.charset import codec
from protocols.mime.date import read_date
from protocols.mime.digest import digest
from protocols.mime.imapstring import quoted
from protocols.mime.words import decode_words, encode_phrase, encode_words

CLEANED = {0: None, 10: " ", 13: " "}  # what no quoted string may hold
PIECES = (
    *(b"=?utf-8?q?J\xc3\xb6rg?=", b"=?utf-8?q?a?=", b"=?iso-8859-1?b?/w==?=", b"=?utf-8?q?=0D=0A=00?="),
    *(b"=?utf-8?q?=3D=3Futf-8=3Fq=3Fa=3F=3D?=", b"=?", b"?=", b" ", b"\t", b"\xff", b"\xc3\xa4", b"a"),
    *(b'"', b"\\", b"\r\n", b"\xc2\xa0", b"\xe3\x80\x80"),
)


def unquoted(string: bytes) -> bytes:
    return string[1:-1].replace(b'\\"', b'"').replace(b"\\\\", b"\\")


@given(st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join))
@settings(max_examples=300)
def test_the_seven_bit_form_decodes_to_the_text_of_the_header(value: bytes) -> None:
    string = quoted(value, utf8=False)
    assert string.isascii() and not set(string) & {0, 10, 13}
    text = decode_words(value.replace(b"\r", b" ").replace(b"\n", b" "))
    assert decode_words(unquoted(string)).translate(CLEANED) == text.translate(CLEANED)


ENCODED_TWICE = b"Subject: =?utf-8?q?J\xc3\xb6rg?= =?utf-8?q?_a?=\r\n\r\n"


def test_an_encoded_word_with_raw_octets_is_encoded_once() -> None:
    read = digest(ENCODED_TWICE)
    assert read.needs_utf8
    assert b'"=?utf-8?b?SsO2cmc=?= a"' in read.envelope


LENIENCIES = [
    (b"<Undisclosed Recipients@a.example>", Address(None, None, b"Undisclosed Recipients", b"a.example")),
    (b"<first . last @ a.example>", Address(None, None, b"first.last", b"a.example")),
    (b"a@b.example (A Name)", Address(b"A Name", None, b"a", b"b.example")),
]


@pytest.mark.parametrize(("value", "address"), LENIENCIES)
def test_broken_addresses_keep_what_is_there(value: bytes, address: Address) -> None:
    assert read_addresses(value) == [address]


@pytest.mark.parametrize("zone", [b"-0600", b"-600"])
def test_a_zone_of_three_digits_is_one(zone: bytes) -> None:
    sent = read_date(b"Mon, 21 Aug 95 13:30:57 " + zone)
    assert sent is not None and (sent.seconds, sent.zone_minutes) == (809033457, -360)


@pytest.mark.parametrize(
    ("charset", "name"),
    [(b"iso-8859-15; format=flowed", "iso8859-15"), (b"chinesebig5", "big5"), (b"no such", "")],
)
def test_charsets_are_known_as_mail_spells_them(charset: bytes, name: str) -> None:
    assert codec(charset) == name


@pytest.mark.parametrize("text", ["\u00a0", "ö \u00a0", "a \u3000", "\x85", "ö \t"])
def test_white_space_beyond_ascii_is_text(text: str) -> None:
    assert decode_words(encode_words(text)) == text
    assert decode_words(encode_phrase(text)) == text


def test_long_text_is_encoded_too() -> None:
    value = b"\xff a " * 2000
    string = quoted(value, utf8=False)
    assert string.isascii() and decode_words(unquoted(string)) == decode_words(value)

"""IMAP strings: RFC 9051 §4.3. Always quoted, so that a row has no literals."""

import re

from protocols.mime.words import decode_words, encode_words

_PLAIN = re.compile(rb'[^\x00\r\n"\\\x80-\xff]*+')
_SPECIAL = re.compile(rb'["\\]')
# CR, LF and NUL may not stand in a quoted string (RFC 9051 §9, TEXT-CHAR): broken headers have them bare.
_CLEAN = bytes.maketrans(b"\r\n", b"  ")
_CLEAN_TEXT = {0: None, 10: " ", 13: " "}


def quoted(value: bytes, utf8: bool) -> bytes:
    """A quoted string; raw 8-bit text becomes UTF-8 where that is accepted, else RFC 2047 encoded words."""
    if _PLAIN.fullmatch(value):
        return b'"' + value + b'"'
    value = value.translate(_CLEAN, b"\x00")
    if not value.isascii():
        # Encoded words are decoded first: what is encoded as a whole would else be encoded twice.
        text = decode_words(value).translate(_CLEAN_TEXT)
        value = text.encode("utf-8", "replace") if utf8 else encode_words(text)
    return b'"' + _SPECIAL.sub(rb"\\\g<0>", value) + b'"'


def nstring(value: bytes | None, utf8: bool) -> bytes:
    return b"NIL" if value is None else quoted(value, utf8)

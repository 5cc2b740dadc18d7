"""Content transfer encodings: RFC 2045 §6. Decoding never fails; what is no encoding is left as it stands.

A decoder takes a body cut anywhere, and gives what decoding the whole of it gives.
"""

import re
from binascii import Error, a2b_base64, a2b_qp, a2b_uu
from contextlib import suppress
from typing import Protocol

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64 = bytes(set(range(256)) - set(_ALPHABET))
_NOT_BASE64_OR_PAD = bytes(set(range(256)) - set(_ALPHABET + b"="))
_HEXADECIMAL = b"0123456789ABCDEFabcdef"
_SPACES_MAX = 1024  # a longer run is text: RFC 2045 §6.7, rule 5 has lines of 76
_IDENTITIES = (b"", b"7bit", b"8bit", b"binary")
_UUENCODED = (b"x-uuencode", b"uuencode", b"x-uue")
_BEGIN = re.compile(rb"^begin [0-7]{3,4} [^\n]*\n", re.MULTILINE)

# White space at a line's end, which transport added (RFC 2045 §6.7, rule 3), after a soft break's `=` too.
_TRAILING_SPACE = re.compile(rb"(?<![ \t])[ \t]{1,%d}+(?=\r?\n|\Z)" % _SPACES_MAX)
_SPACE_AND_LINE_END = (b" \r\n", b"\t\r\n", b" \n", b"\t\n")
# An `=` that begins neither an octet nor a soft break is text: RFC 2045 §6.7, note 2 at its end.
_LITERAL_EQUALS = re.compile(rb"=(?![0-9A-Fa-f]{2}|[ \t]{0,%d}+(?:\r?\n|\Z))" % _SPACES_MAX)


def decode_transfer(octets: bytes, encoding: bytes) -> bytes:
    """The octets of a body, decoded; `encoding` in lower case. An unknown encoding is the identity."""
    if encoding == b"base64":
        return decode_base64(octets)
    if encoding == b"quoted-printable":
        return decode_quoted_printable(octets)
    return decode_uuencode(octets) if encoding in _UUENCODED else octets


def decode_base64(octets: bytes) -> bytes:
    """RFC 2045 §6.8; ends at the first padding, other octets are left out."""
    text = octets.translate(None, _NOT_BASE64_OR_PAD)
    text = text[: text.find(b"=")] if b"=" in text else text
    tail = len(text) % 4
    return a2b_base64(text[:-1] if tail == 1 else text + b"==="[: -tail % 4])


def decode_quoted_printable(octets: bytes) -> bytes:
    """RFC 2045 §6.7."""
    octets = _LITERAL_EQUALS.sub(b"=3D", octets)
    if octets.endswith((b" ", b"\t")) or any(end in octets for end in _SPACE_AND_LINE_END):
        octets = _TRAILING_SPACE.sub(b"", octets)
    return a2b_qp(octets)


def decode_uuencode(octets: bytes) -> bytes:
    """What stands between `begin` and `end`; the octets as they are where there is no `begin`."""
    begin = _BEGIN.search(octets)
    if begin is None:
        return octets
    decoded: list[bytes] = []
    for line in octets[begin.end() :].splitlines():
        if line == b"end":
            break
        if line:
            # Old encoders leave garbage behind the characters that the first one counts.
            characters = ((line[0] - 32 & 63) * 4 + 2) // 3
            with suppress(Error):
                decoded.append(a2b_uu(line[: 1 + characters]))
    return b"".join(decoded)


class Decoder(Protocol):
    """Decodes a body; memory is bounded, whatever comes."""

    def add(self, octets: bytes) -> bytes:
        """What further octets of the body give."""

    def rest(self) -> bytes:
        """What is still held, if the body ends here; asking changes nothing."""


class Identity:
    __slots__ = ()

    def add(self, octets: bytes) -> bytes:
        return octets

    def rest(self) -> bytes:
        return b""


class Base64Decoder:
    """Holds back the characters of a group that is not whole."""

    __slots__ = ("_ended", "_held")

    def __init__(self) -> None:
        self._held = b""
        self._ended = False

    def add(self, octets: bytes) -> bytes:
        if self._ended:
            return b""
        pad = octets.find(b"=")
        if pad >= 0:
            self._ended = True
            octets = octets[:pad]
        text = self._held + octets.translate(None, _NOT_BASE64)
        cut = len(text) - len(text) % 4
        self._held = text[cut:]
        return a2b_base64(text[:cut])

    def rest(self) -> bytes:
        return decode_base64(self._held)


class QuotedPrintableDecoder:
    """Holds back what a cut may have torn: an escape, a soft break, white space that may end its line."""

    __slots__ = ("_held", "_in_spaces")

    def __init__(self) -> None:
        self._held = b""
        self._in_spaces = False  # in a run of white space that is text

    def add(self, octets: bytes) -> bytes:
        text = b""
        if self._in_spaces:
            run = len(octets) - len(octets.lstrip(b" \t"))
            self._in_spaces = run == len(octets)
            text, octets = octets[:run], octets[run:]
        octets = self._held + octets
        cut = _untorn(octets)
        # The x stands for what follows: an `=` before it is no soft break at the end.
        text += decode_quoted_printable(octets[:cut] + b"x")[:-1]
        self._held = octets[cut:]
        spaces = self._held.strip(b"=\r")
        if len(spaces) > _SPACES_MAX:
            self._in_spaces = not self._held.endswith(b"\r")
            text += self._held
            self._held = b""
        return text

    def rest(self) -> bytes:
        return decode_quoted_printable(self._held)


def _untorn(octets: bytes) -> int:
    """Where the tail begins that further octets may give another meaning: `=`, `=4`, `=` and spaces."""
    line_end = len(octets) - octets.endswith(b"\r")
    cut = len(octets[:line_end].rstrip(b" \t"))
    if cut == len(octets) and octets[cut - 2 : cut - 1] == b"=" and octets[cut - 1 :] in _HEXADECIMAL:
        return cut - 2
    return cut - (octets[cut - 1 : cut] == b"=")


def decoder(encoding: bytes) -> Decoder | None:
    """Of an encoding (lower case); None: it is none that we know, or is no encoding of RFC 2045."""
    if encoding == b"base64":
        return Base64Decoder()
    if encoding == b"quoted-printable":
        return QuotedPrintableDecoder()
    return Identity() if encoding in _IDENTITIES else None


class Meter(Protocol):
    def add(self, octets: bytes) -> None:
        """Count further octets of the body."""

    def size(self) -> int:
        """The decoded octets of all that was added."""


class DecodingMeter:
    __slots__ = ("_decoder", "_size")

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._size = 0

    def add(self, octets: bytes) -> None:
        self._size += len(self._decoder.add(octets))

    def size(self) -> int:
        return self._size + len(self._decoder.rest())


class Base64Meter:
    __slots__ = ("_characters", "_ended")

    def __init__(self) -> None:
        self._characters = 0
        self._ended = False

    def add(self, octets: bytes) -> None:
        if self._ended:
            return
        pad = octets.find(b"=")
        if pad >= 0:
            self._ended = True
            octets = octets[:pad]
        self._characters += len(octets.translate(None, _NOT_BASE64))

    def size(self) -> int:
        return self._characters * 6 // 8


def meter(encoding: bytes) -> Meter | None:
    """The meter of an encoding (lower case); None where decoding changes no size, or is not ours to count."""
    if encoding == b"base64":
        return Base64Meter()
    return DecodingMeter(QuotedPrintableDecoder()) if encoding == b"quoted-printable" else None

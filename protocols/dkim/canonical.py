"""The relaxed forms of header fields and bodies: RFC 6376 §3.4.2 and §3.4.4."""

from __future__ import annotations

import re
from hashlib import sha256

_WSP_RUN = re.compile(rb"[ \t]+")
_WSP_AT_END = re.compile(rb" (?=\r\n)")


def relaxed_field(field: bytes) -> bytes:
    """A raw field, with or without its CRLF; the result has one."""
    name, _, value = field.partition(b":")
    unfolded = value.replace(b"\r\n", b"")
    return name.rstrip(b" \t").lower() + b":" + _WSP_RUN.sub(b" ", unfolded).strip(b" ") + b"\r\n"


class BodyHash:
    """SHA-256 of a body in its relaxed form, fed in any cuts; only an unfinished line is held."""

    __slots__ = ("_empty_lines", "_hash", "_tail")

    def __init__(self) -> None:
        self._hash = sha256()
        self._tail = b""
        self._empty_lines = 0  # not hashed until something follows

    def feed(self, octets: bytes) -> None:
        octets = self._tail + octets
        end = octets.rfind(b"\r\n") + 2
        if end < 2:
            self._tail = octets
            return
        self._tail = octets[end:]
        self._lines(octets[:end])

    def digest(self) -> bytes:
        """Of the whole body; a last line without CRLF gets one."""
        if self._tail:
            self._lines(self._tail + b"\r\n")
        self._tail = b""
        return self._hash.digest()

    def _lines(self, lines: bytes) -> None:
        """Whole lines: blanks are reduced, and empty ones at the end wait."""
        relaxed = _WSP_AT_END.sub(b"", _WSP_RUN.sub(b" ", lines))
        end = _end_of_text(relaxed)
        if end:
            self._hash.update(b"\r\n" * self._empty_lines + relaxed[:end])
            self._empty_lines = 0
        self._empty_lines += (len(relaxed) - end) // 2


def _end_of_text(lines: bytes) -> int:
    """Behind the last line that is not empty."""
    end = len(lines.rstrip(b"\r\n"))
    rest = len(lines)
    while rest - 2 >= end and lines[rest - 2 : rest] == b"\r\n":
        rest -= 2
    return rest + 2 if rest else 0

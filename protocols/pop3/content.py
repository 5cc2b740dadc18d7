"""The octets of a message on their way into a multi-line response, RFC 1939 §3, cut anywhere."""

from __future__ import annotations

import re

_DOT = re.compile(rb"\n\.")
"""Few messages have one, and this finds that out in half the time that replacing takes."""


class Stuffing:
    """Doubles the "." at the begin of a line. Only CRLF ends a line: a bare CR or LF is like other octets."""

    __slots__ = ("_tail",)

    def __init__(self) -> None:
        self._tail = b"\r\n"  # the last two octets: the begin is the begin of a line

    def take(self, octets: bytes) -> bytes:
        before, self._tail = self._tail, (self._tail + octets[-2:])[-2:]
        if b"\r\n." in before + octets[:2]:
            return (before + octets).replace(b"\r\n.", b"\r\n..")[2:]
        return octets.replace(b"\r\n.", b"\r\n..") if _DOT.search(octets) else octets

    def end(self) -> bytes:
        """The termination octet on a line of its own."""
        return b".\r\n" if self._tail == b"\r\n" else b"\r\n.\r\n"


class Top:
    """Lets the header, the empty line and the first `lines` of the body pass, RFC 1939 §7.

    After that it does not want octets any more.
    """

    __slots__ = ("_in_header", "_lines", "_tail", "wants_octets")

    def __init__(self, lines: int) -> None:
        self._lines = lines
        self._in_header = True
        self._tail = b"\r\n"  # the last octets: a message may begin with the empty line
        self.wants_octets = True

    def take(self, octets: bytes) -> bytes:
        if not self._in_header:
            return self._body(octets)
        joined = self._tail + octets
        at = joined.find(b"\r\n\r\n")
        if at < 0:
            self._tail = joined[-3:]
            return octets
        end = at + 4 - len(self._tail)
        self._in_header = False
        self._tail = b""
        return octets[:end] + self._body(octets[end:])

    def _body(self, octets: bytes) -> bytes:
        joined = self._tail + octets
        found = joined.count(b"\r\n")
        if found < self._lines:
            self._lines -= found
            self._tail = b"\r" if joined.endswith(b"\r") else b""
            return octets
        self.wants_octets = False
        end = 0
        for _ in range(self._lines):
            end = joined.index(b"\r\n", end) + 2
        self._lines = 0
        kept = octets[: max(0, end - len(self._tail))]
        self._tail = b""
        return kept


class Whole:
    """Lets everything pass: RETR."""

    __slots__ = ("wants_octets",)

    def __init__(self) -> None:
        self.wants_octets = True

    def take(self, octets: bytes) -> bytes:
        return octets

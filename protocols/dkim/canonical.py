"""The forms in which header fields and bodies are hashed: RFC 6376 §3.4."""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from enum import Enum
from hashlib import sha256

_WSP_RUN = re.compile(rb" [ \t]+|\t[ \t]*")  # a lone space is as it shall be


class Form(Enum):
    SIMPLE = "simple"
    RELAXED = "relaxed"


def relaxed_field(field: bytes) -> bytes:
    """A raw field, with or without its CRLF; the result has one."""
    name, _, value = field.partition(b":")
    unfolded = value.replace(b"\r\n", b"")
    return name.rstrip(b" \t").lower() + b":" + _WSP_RUN.sub(b" ", unfolded).strip(b" ") + b"\r\n"


class BodyHash:
    """SHA-256 of a body in one form, fed in any cuts; only an unfinished line is held.

    `lengths` are the `l=` of signatures, in octets of that form: each has a hash of its own; None: all of it.
    """

    __slots__ = ("_empty_lines", "_form", "_hashes", "_tail", "size")

    def __init__(self, form: Form = Form.RELAXED, lengths: Iterable[int | None] = (None,)) -> None:
        self._form = form
        self._hashes = {length: sha256() for length in lengths}
        self._tail = bytearray()
        self._empty_lines = 0  # not hashed until something follows
        self.size = 0
        """Octets of the form; of the whole body after `end`."""

    @property
    def lengths(self) -> Set[int | None]:
        return self._hashes.keys()

    def feed(self, octets: bytes) -> None:
        # A line that never ends is searched once: what was there before has no CRLF, but for a CR at its end.
        seen = max(0, len(self._tail) - 1)
        self._tail += octets
        end = self._tail.rfind(b"\r\n", seen) + 2
        if end < 2:
            return
        lines = bytes(self._tail[:end])
        del self._tail[:end]
        self._lines(lines)

    def end(self) -> None:
        """A last line without CRLF gets one; RFC 6376 §3.4.3: a simple body has one line at least."""
        if self._tail:
            lines = bytes(self._tail) + b"\r\n"
            self._tail.clear()
            self._lines(lines)
        if self._form is Form.SIMPLE and not self.size:
            self._update(b"\r\n")

    def digest(self, length: int | None = None) -> bytes:
        """Of the whole body, or its first `length` octets; after `end`."""
        return self._hashes[length].digest()

    def _lines(self, lines: bytes) -> None:
        """Whole lines; empty ones at the end wait."""
        if self._form is Form.RELAXED:
            lines = _WSP_RUN.sub(b" ", lines).replace(b" \r\n", b"\r\n")
        end = _end_of_text(lines)
        if end:
            self._update(b"\r\n" * self._empty_lines + lines[:end])
            self._empty_lines = 0
        self._empty_lines += (len(lines) - end) // 2

    def _update(self, octets: bytes) -> None:
        for length, running in self._hashes.items():
            if length is None:
                running.update(octets)
            elif self.size < length:
                running.update(octets[: length - self.size])
        self.size += len(octets)


def _end_of_text(lines: bytes) -> int:
    """Behind the last line that is not empty."""
    end = len(lines.rstrip(b"\r\n"))
    rest = len(lines)
    while rest - 2 >= end and lines[rest - 2 : rest] == b"\r\n":
        rest -= 2
    return rest + 2 if rest else 0

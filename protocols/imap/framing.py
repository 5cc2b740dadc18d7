"""Cuts what a client sends into whole commands, literals included, before anything is parsed.

A line that ends with `{n}`, `{n+}` (RFC 7888), `~{n}` or `~{n+}` (RFC 3516 §4.4) announces a literal: the
owner looks at what came so far and decides whether it is taken into the command, streams, or is dropped with
it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from protocols.line import LineBuffer, LineTooLong

_LITERAL = re.compile(rb"(~?)\{(\d{1,20})(\+?)\}\Z")


@dataclass(frozen=True, slots=True)
class Announced:
    """A literal to come. `start`: where its header stands in `Framer.so_far`."""

    start: int
    size: int
    synchronising: bool
    literal8: bool


class Framer:
    """A bounded buffer and the place in the command that is being read."""

    __slots__ = ("_announced", "_dropping", "_left", "_lines", "_parts", "_size")

    def __init__(self, line_octets_max: int) -> None:
        self._lines = LineBuffer(line_octets_max)
        self._parts: list[bytes] = []
        self._size = 0
        self._announced: Announced | None = None
        self._left = 0  # octets of a literal that is taken, streams or is dropped
        self._dropping = False

    def feed(self, octets: bytes) -> None:
        self._lines.feed(octets)

    def line(self) -> bytes | None:
        """A line that is no command (DONE, a SASL response); raises LineTooLong."""
        return self._lines.line()

    @property
    def so_far(self) -> bytes:
        """The octets of the command up to here."""
        return b"".join(self._parts)

    @property
    def first_line(self) -> bytes:
        """The first line of the command."""
        return self._parts[0]

    @property
    def size(self) -> int:
        return self._size

    def next(self) -> bytes | Announced | None:
        """A whole command without its last CRLF, or a literal that the owner must decide on.

        That is `take`, `stream` or `drop`. Raises LineTooLong, after which the command is dropped.
        """
        while True:
            if not self._literal():
                return None
            line = self._next_line()
            if line is None:
                return None
            literal = _LITERAL.search(line)
            if literal is None:
                if not self._dropping:
                    return self._whole(line)
                self._begin()
            elif self._dropping:
                self._drop(int(literal[2]), not literal[3])
            else:
                return self._announce(line, literal)

    def take(self) -> None:
        """The literal announced is part of the command."""
        assert self._announced is not None
        self._left = self._announced.size
        self._announced = None

    def stream(self) -> bool:
        """The literal announced comes by `chunk`, then the rest of the command; whether "+" is awaited."""
        announced = self._announced
        assert announced is not None
        self._begin()
        self._left = announced.size
        return announced.synchronising

    def chunk(self, octets_max: int) -> bytes:
        """The next octets of the literal that streams; empty: more must be fed, or it has ended."""
        octets = self._lines.octets(min(self._left, octets_max))
        self._left -= len(octets)
        return octets

    @property
    def literal_left(self) -> int:
        return self._left

    def drop(self) -> None:
        """The command is dropped, and the octets of a literal that the client sends unasked."""
        announced = self._announced
        if announced is None:
            self._dropping = True  # in a literal that streams
        else:
            self._drop(announced.size, announced.synchronising)

    def clear(self) -> None:
        """Forget all that was fed."""
        self._lines.clear()
        self._begin()

    def _drop(self, size: int, synchronising: bool) -> None:
        """A client that must wait for "+" does not send the literal after a tagged answer."""
        self._begin()
        if not synchronising:
            self._dropping = True
            self._left = size

    def _begin(self) -> None:
        self._parts.clear()
        self._size = 0
        self._announced = None
        self._left = 0
        self._dropping = False

    def _literal(self) -> bool:
        """Take or drop octets of a literal; whether it is whole."""
        while self._left:
            octets = self._lines.octets(self._left)
            if not octets:
                return False
            self._left -= len(octets)
            if not self._dropping:
                self._add(octets)
        return True

    def _next_line(self) -> bytes | None:
        try:
            return self._lines.line()
        except LineTooLong as fault:
            if self._dropping:
                return b""  # its end
            start = self.so_far[: len(fault.start)] or fault.start
            self._begin()
            raise LineTooLong(start) from None

    def _whole(self, line: bytes) -> bytes:
        self._add(line)
        command = self.so_far
        self._begin()
        return command

    def _announce(self, line: bytes, literal: re.Match[bytes]) -> Announced:
        start = self._size + literal.start()
        self._add(line + b"\r\n")
        self._announced = Announced(start, int(literal[2]), not literal[3], bool(literal[1]))
        return self._announced

    def _add(self, octets: bytes) -> None:
        self._parts.append(octets)
        self._size += len(octets)

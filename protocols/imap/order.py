"""Answers leave in the order of the commands, whichever is ready first."""

from __future__ import annotations

from protocols.imap.command import Command
from protocols.imap.event import AppendBroken, Chunk, Event, LastChunk, NextMessage


class Open:
    """A command that is not answered to its end, or whose answer waits for those before it.

    `event` is the last one given of it: of AUTHENTICATE and IDLE there are several.
    """

    __slots__ = ("after", "ended", "event", "row", "said", "tag")

    def __init__(self, tag: bytes, event: Event, row: Command | None) -> None:
        self.tag = tag
        self.event = event
        self.row = row
        self.said: list[bytes] = []
        self.after: list[bytes] = []  # what was said unasked meanwhile
        self.ended = False


class Order:
    """The open commands, oldest first. Methods return the octets that may leave now."""

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open: list[Open] = []  # a few at most; an empty deque weighs as much as ten lists

    def __len__(self) -> int:
        return len(self._open)

    @property
    def last(self) -> Open:
        return self._open[-1]

    def add(self, opened: Open) -> None:
        self._open.append(opened)

    def find(self, event: Event) -> Open:
        """The command that an event belongs to."""
        wanted = event.append if isinstance(event, Chunk | NextMessage | LastChunk | AppendBroken) else event
        for opened in self._open:
            if opened.event is wanted:
                return opened
        raise ValueError("this event has no answer, or had it")

    def part(self, opened: Open, octets: bytes) -> bytes:
        """More of an answer."""
        if opened is self._open[0]:
            return octets
        opened.said.append(octets)
        return b""

    def end(self, opened: Open, octets: bytes) -> bytes:
        """The rest of an answer, and what waited for it."""
        opened.said.append(octets)
        opened.ended = True
        leaving: list[bytes] = []
        while self._open:
            first = self._open[0]
            leaving += first.said
            first.said.clear()
            if not first.ended:
                break
            leaving += first.after
            del self._open[0]
        return b"".join(leaving)

    def unasked(self, octets: bytes) -> bytes:
        """What belongs to no command: after the answers that are awaited."""
        if not self._open:
            return octets
        self._open[-1].after.append(octets)
        return b""

"""A message without Authentication-Results fields that say they are ours: RFC 8601 §5.

Whoever reads the header of a message that came through us believes those with our name; so none but our own
may bear it. One whose name cannot be read is taken out as well: another reader may see ours in it.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from protocols.results import NAME, authserv_id

HELD_OCTETS_MAX = 64 * 1024
"""Of a header that is seen whole, and of one field of it."""

_END = re.compile(rb"(?:\A|\n)\r?\n")


class Unforged:
    """Feed it the octets of a message as they come, then `end`; `taken` counts the fields that went.

    Nothing comes out before the header has ended or is long, so that who puts fields in front sees it whole.
    """

    __slots__ = ("_field", "_held", "_ids", "_in_header", "_is_open", "_passes", "_whole", "taken")

    def __init__(self, ids: Collection[str]) -> None:
        """Our names, in lower case."""
        self._ids = frozenset(each.encode() for each in ids)
        self._held = b""
        self._in_header = True
        self._whole = True  # nothing of the header has come out yet
        self._field = b""  # Authentication-Results as far as it is there
        self._passes = True  # the field before is kept: so are its other lines
        self._is_open = False  # the line before has no end yet
        self.taken = 0

    def feed(self, octets: bytes) -> bytes:
        if not self._in_header:
            return octets
        seen = max(0, len(self._held) - 3)
        held = self._held + octets if self._held else octets
        end = _END.search(held, seen) if self._whole else None
        if self._whole and end is None and len(held) <= HELD_OCTETS_MAX:
            self._held = held
            return b""
        if end is not None and NAME not in held[: end.end()].lower():
            self._in_header, self._held = False, b""
            return held
        self._whole = False
        return self._lines(held)

    def end(self) -> bytes:
        """What is held of a message that has ended in its header."""
        if not self._in_header:
            return b""
        kept = self._lines(self._held) + (self._line(self._held) if self._held else b"")
        self._in_header, self._held = False, b""
        return kept + self._decided()

    def _lines(self, held: bytes) -> bytes:
        kept, at = [], 0
        while self._in_header:
            end = held.find(b"\n", at) + 1
            if not end:
                if len(held) - at <= HELD_OCTETS_MAX:
                    break
                end = len(held)
            kept.append(self._line(held[at:end]))
            at = end
        self._held = held[at:] if self._in_header else b""
        return b"".join(kept) + (b"" if self._in_header else held[at:])

    def _line(self, line: bytes) -> bytes:
        """What may come out now that this line, or a piece of one too long, is there."""
        goes_on = self._is_open or line[:1] in (b" ", b"\t")
        self._is_open = not line.endswith(b"\n")
        if goes_on:
            return self._continued(line)
        kept = self._decided()
        self._passes = True
        if line in (b"\r\n", b"\n"):
            self._in_header = False
        elif _is_ours_to_judge(line):
            self._passes = False
            self._field = line
            return kept
        return kept + line

    def _continued(self, line: bytes) -> bytes:
        if self._passes:
            return line
        if self._field:
            self._field += line
        if len(self._field) > HELD_OCTETS_MAX:  # nobody writes that
            self._field = b""
            self.taken += 1
        return b""

    def _decided(self) -> bytes:
        """The Authentication-Results that has ended, if it may stay."""
        field, self._field = self._field, b""
        if not field:
            return b""
        whose = authserv_id(field.partition(b":")[2])
        if whose is not None and whose not in self._ids:
            return field
        self.taken += 1
        return b""


def _is_ours_to_judge(line: bytes) -> bool:
    name, colon, _ = line.partition(b":")
    return bool(colon) and name.strip(b" \t").lower() == NAME

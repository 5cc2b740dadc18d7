"""Finding boundary delimiter lines: RFC 2046 §5.1.1.

A line that begins with `--` and an open boundary is a delimiter, whatever follows; of several boundaries that
fit the longest counts, of equal ones the innermost.
"""

import re
from typing import NamedTuple

_MISSES_MAX = 64  # of the cheap search, before one pattern of all boundaries is worth compiling


class Delimiter(NamedTuple):
    """A delimiter line found; offsets in the octets that were searched."""

    start: int  # of its `--`
    end: int  # behind the boundary, and behind the `--` of a closing one
    level: int  # of its boundary among the open ones, outermost 0
    closing: bool


class Delimiters:
    """The open boundaries. What to find is looked up in them; they never change."""

    __slots__ = ("_by_length", "_levels", "_misses", "_needle", "_pattern", "octets_max")

    def __init__(self, boundaries: tuple[bytes, ...]) -> None:
        """`boundaries`: outermost first."""
        self._levels = {boundary: level for level, boundary in enumerate(boundaries)}
        self._by_length = sorted(self._levels, key=len, reverse=True)
        self._needle = b"\n--" + _common_prefix(boundaries)
        self._pattern: re.Pattern[bytes] | None = None
        self._misses = 0
        # Octets that a delimiter may occupy, with the CRLF before it and the dashes behind it.
        self.octets_max = len(self._by_length[0]) + 6 if boundaries else 0

    def at(self, octets: bytes, offset: int) -> Delimiter | None:
        """The delimiter that begins at `offset`, the beginning of a line."""
        if octets.startswith(b"--", offset):
            for boundary in self._by_length:
                if octets.startswith(boundary, offset + 2):
                    return self._found(octets, offset, boundary)
        return None

    def find(self, octets: bytes, start: int, stop: int) -> Delimiter | None:
        """The first delimiter whose preceding LF stands in `octets[start:stop]`; it may reach beyond."""
        if not self._by_length:
            return None
        while self._pattern is None:
            end = octets.find(self._needle, start, stop + len(self._needle) - 1)
            if end < 0:
                return None
            found = self.at(octets, end + 1)
            if found is not None:
                return found
            start = end + 1
            self._misses += 1
            if self._misses > _MISSES_MAX:
                self._pattern = re.compile(b"\n--(%b)" % b"|".join(map(re.escape, self._by_length)))
        match = self._pattern.search(octets, start)
        if match is None or match.start() >= stop:
            return None
        return self._found(octets, match.start() + 1, match[1])

    def _found(self, octets: bytes, start: int, boundary: bytes) -> Delimiter:
        end = start + 2 + len(boundary)
        closing = octets.startswith(b"--", end)
        return Delimiter(start, end + 2 * closing, self._levels[boundary], closing)


def _common_prefix(boundaries: tuple[bytes, ...]) -> bytes:
    first, last = min(boundaries, default=b""), max(boundaries, default=b"")
    length = next((index for index, octet in enumerate(first) if last[index] != octet), len(first))
    return first[:length]


NO_DELIMITERS = Delimiters(())

"""A bounded buffer that gives lines and octets: the first thing behind every socket."""

START_OCTETS = 64


class LineTooLong(Exception):
    """No line end within the bound; the octets of the line are dropped, but for the first START_OCTETS."""

    __slots__ = ("start",)

    def __init__(self, start: bytes) -> None:
        super().__init__(start)
        self.start = start


class LineBuffer:
    """Octets fed in any cuts, taken out as lines or as counted runs; linear in what is fed.

    A line ends with LF; one CR before it is dropped with it. `line_octets_max` bounds the line with its
    end; a longer one is dropped up to its LF and reported once by `LineTooLong`. `bare` tells whether the
    last line came without its CR.
    """

    __slots__ = ("_buffer", "_dropped", "_dropping", "_scanned", "_start", "bare", "line_octets_max")

    def __init__(self, line_octets_max: int) -> None:
        self.line_octets_max = line_octets_max
        self._buffer = bytearray()
        self._start = 0
        self._scanned = 0
        self._dropping = False
        self._dropped = b""  # the start of the line that is dropped
        self.bare = False

    def __len__(self) -> int:
        return len(self._buffer) - self._start

    def feed(self, octets: bytes) -> None:
        if self._start:
            del self._buffer[: self._start]
            self._scanned -= self._start
            self._start = 0
        self._buffer += octets

    def line(self) -> bytes | None:
        """The next line without its end, or None until it is whole; raises LineTooLong."""
        end = self._buffer.find(b"\n", self._scanned)
        if end < 0:
            self._unfinished()
            return None
        line = bytes(self._buffer[self._start : end])
        too_long = self._dropping or end + 1 - self._start > self.line_octets_max
        self._take(end + 1)
        if too_long:
            start = self._dropped if self._dropping else line[:START_OCTETS]
            self._dropping = False
            raise LineTooLong(start)
        self.bare = not line.endswith(b"\r")
        return line if self.bare else line[:-1]

    def _unfinished(self) -> None:
        self._scanned = len(self._buffer)
        if len(self) > self.line_octets_max:
            if not self._dropping:
                self._dropped = bytes(self._buffer[self._start : self._start + START_OCTETS])
            self._dropping = True
            self._take(len(self._buffer))

    def octets(self, count: int) -> bytes:
        """Up to `count` octets, whatever they are; empty when there are none."""
        taken = bytes(self._buffer[self._start : self._start + count])
        self._take(self._start + len(taken))
        return taken

    def clear(self) -> None:
        """Drop what was fed and not taken."""
        self._take(len(self._buffer))

    def _take(self, end: int) -> None:
        self._start = self._scanned = end

"""The content of a message as it comes: where it ends, and that it is text.

RFC 5321 §2.3.8, §4.1.1.4, §4.5.2; RFC 3030 §2. Only CRLF.CRLF ends DATA: no other sequence of CR, LF and dots
does, for where two servers disagree on that, one message can carry another past the first. A message with NUL
or bare CR is refused, one with bare LF refused or made CRLF; it is read to its true end first.

Content is given out in slices that depend on its octets alone, never on how they came; every octet is looked
at a bounded number of times.
"""

from __future__ import annotations

import re

from protocols.smtp.profile import BareNewline
from protocols.smtp.reply import BARE_CR, BARE_LF, HAS_NUL, MESSAGE_TOO_BIG, Reply

SLICE_OCTETS = 128 * 1024  # as received: normalized it has at most twice as many

_END = b"\r\n.\r\n"
_DOT_LINE = b"\r\n."
_BARE_CR = re.compile(rb"\r(?!\n)")
_BARE_LF = re.compile(rb"(?<!\r)\n")
_STUFFED = re.compile(rb"(?:(?<=\r\n)|\A)\.(?!\.?\n)")


def is_clean(octets: bytes) -> bool:
    """Whether lines end with CRLF alone and there is no NUL."""
    ends = octets.count(b"\r\n")
    return octets.count(b"\n") == ends == octets.count(b"\r") and b"\0" not in octets


class Text:
    """What both ways of sending content ask of its octets.

    After `fault` is set nothing is kept: `dropped` counts the octets that came since.
    """

    __slots__ = ("_bare_newline", "_octets_left", "dropped", "fault")

    def __init__(self, bare_newline: BareNewline, octets_max: int) -> None:
        self._bare_newline = bare_newline
        self._octets_left = octets_max
        self.fault: Reply | None = None
        self.dropped = 0

    def expect(self, octets: int) -> None:
        """So many are to come: refused at once when they are too many."""
        if octets > self._octets_left:
            self.fault = self.fault or MESSAGE_TOO_BIG

    def checked(self, octets: bytes, clean: bool) -> bytes:
        """With CRLF line ends; empty once there is a fault. `clean`: see `is_clean`."""
        if self.fault is not None:
            self.dropped += len(octets)
            return b""
        if not clean:
            octets = self._normalized(octets)
            if b"\0" in octets:
                self.fault = HAS_NUL
        self._octets_left -= len(octets)
        if self._octets_left < 0:
            self.fault = self.fault or MESSAGE_TOO_BIG
        return octets if self.fault is None else b""

    def _normalized(self, octets: bytes) -> bytes:
        ends = octets.count(b"\r\n")
        if octets.count(b"\n") == ends == octets.count(b"\r"):
            return octets
        if _BARE_CR.search(octets):
            self.fault = BARE_CR
        elif self._bare_newline is BareNewline.REJECT:
            self.fault = BARE_LF
        else:
            return _BARE_LF.sub(b"\r\n", octets)
        return b""


class Dotted:
    """Content after DATA. `next` gives slices until `ended`; what came after the end is in `rest`."""

    __slots__ = ("_at_line_start", "_began", "_dots", "_raw", "_scanned", "_slice_octets", "_text", "ended")

    def __init__(self, text: Text, slice_octets: int = SLICE_OCTETS) -> None:
        self._text = text
        self._slice_octets = slice_octets
        self._raw = bytearray()
        self._scanned = 0
        self._began = False
        self._dots = False  # a line that begins with a dot was seen
        self._at_line_start = True
        self.ended = False

    @property
    def fault(self) -> Reply | None:
        return self._text.fault

    @property
    def dropped(self) -> int:
        return self._text.dropped

    def feed(self, octets: bytes) -> None:
        self._raw += octets

    def next(self) -> bytes | None:
        """The next slice, empty after a fault; None: more octets are needed. The last one sets `ended`."""
        end = self._end()
        if end > self._slice_octets or (end < 0 and len(self._raw) >= self._slice_octets + len(_END)):
            return self._take(self._cut())
        if end < 0:
            return None
        piece = self._take(end)
        del self._raw[:3]  # the dot line
        self.ended = True
        return piece

    def rest(self) -> bytes:
        return bytes(self._raw)

    def _end(self) -> int:
        """Octets of content before the dot line; -1 while it has not come."""
        if not self._began and self._raw.startswith(b".\r\n"):
            return 0
        found = self._raw.find(_DOT_LINE, max(0, self._scanned - len(_END) + 1))
        if found >= 0 and not self._raw.startswith(_END, found):
            self._dots = True
            found = self._raw.find(_END, found)
        if found < 0:
            self._scanned = len(self._raw)
            return -1
        self._scanned = found + len(_END) - 1
        return found + 2

    def _cut(self) -> int:
        """Where a slice ends: what decides whether a dot is stuffing, or a CR bare, stays together."""
        cut = self._slice_octets
        for tail in (b"\r\n..", b"\r\n.", b"\r"):
            if self._raw.endswith(tail, 0, cut):
                return cut - len(tail)
        return cut

    def _take(self, count: int) -> bytes:
        raw = _taken(self._raw, count)
        self._scanned = max(0, self._scanned - count)
        self._began = True
        clean = is_clean(raw)
        return self._text.checked(self._unstuffed(raw, clean), clean)

    def _unstuffed(self, raw: bytes, clean: bool) -> bytes:
        """RFC 5321 §4.5.2. A line of one dot is unstuffed only between true CRLFs, as design asks."""
        at_line_start, self._at_line_start = self._at_line_start, raw.endswith(b"\r\n")
        if not self._dots and not (at_line_start and raw.startswith(b".")):
            return raw
        if not clean and raw.count(b"\n") != raw.count(b"\r\n"):
            unstuffed = _STUFFED.sub(b"", raw)
            return unstuffed if at_line_start or raw[:1] != b"." else b"." + unstuffed
        if at_line_start and raw.startswith(b"."):
            raw = raw[1:]
        return raw.replace(_DOT_LINE, b"\r\n")


class Counted:
    """Content in chunks of BDAT: `begin` one, feed at most `wanted` octets, take slices.

    A slice may span chunks. When the chunk is whole and no slice is left, `next` gives None; the last chunk
    gives a last slice, which sets `ended`.
    """

    __slots__ = ("_last", "_raw", "_slice_octets", "_text", "chunk_octets", "ended", "wanted")

    def __init__(self, text: Text, slice_octets: int = SLICE_OCTETS) -> None:
        self._text = text
        self._slice_octets = slice_octets
        self._raw = bytearray()
        self._last = False
        self.wanted = 0
        self.chunk_octets = 0
        self.ended = False

    @property
    def fault(self) -> Reply | None:
        return self._text.fault

    @property
    def dropped(self) -> int:
        return self._text.dropped

    def refuse(self, fault: Reply) -> None:
        """Whatever is still to come."""
        self._text.fault = self._text.fault or fault

    @property
    def whole(self) -> bool:
        """Nothing of the chunk is missing."""
        return self.wanted == 0

    def begin(self, octets: int, last: bool) -> None:
        self._text.expect(len(self._raw) + octets)
        self.wanted = self.chunk_octets = octets
        self._last = last

    def feed(self, octets: bytes) -> None:
        self.wanted -= len(octets)
        self._raw += octets

    def next(self) -> bytes | None:
        final = self._last and self.wanted == 0
        if len(self._raw) > self._slice_octets:
            return self._take(self._slice_octets - self._raw.endswith(b"\r", 0, self._slice_octets))
        if not final or self.ended:
            return None
        self.ended = True
        return self._take(len(self._raw))

    def _take(self, count: int) -> bytes:
        raw = _taken(self._raw, count)
        return self._text.checked(raw, is_clean(raw))


def _taken(buffer: bytearray, count: int) -> bytes:
    """The first octets of a buffer, which loses them; copied once."""
    with memoryview(buffer) as view:
        taken = bytes(view[:count])
    del buffer[:count]
    return taken

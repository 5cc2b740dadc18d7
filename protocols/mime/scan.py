"""The part tree of a message, by one linear scan of octets that come in any cuts: RFC 2045, RFC 2046.

The scanner keeps headers (bounded), never bodies; what it holds back between two feeds is shorter than a
header or a boundary. A bare LF ends a line like CRLF does. A header ends at its first empty line, at a
delimiter of an enclosing multipart, or with the message. A multipart always has a part: without a delimiter,
its whole body.
"""

import re
from enum import Enum

from protocols.mime.delimiter import NO_DELIMITERS, Delimiter, Delimiters
from protocols.mime.fields import Header, no_header, read_header
from protocols.mime.limits import MIME_LIMITS, MimeLimits
from protocols.mime.parameters import MESSAGE_RFC822, TEXT_PLAIN, ContentType, read_content_type
from protocols.mime.part import OPAQUE, Message, Part
from protocols.mime.preview import PREVIEWED, preview
from protocols.mime.transfer import Meter, meter

_MESSAGES = (b"message/rfc822", b"message/global")
_ENCODING = re.compile(rb"[^\s;()\"]++")
_ATTACHMENT = re.compile(rb"\s*+attachment\b", re.IGNORECASE)
_DIGEST = b"multipart/digest"
_HEADER_WINDOW_OCTETS = 1024  # the header of a part ends within; a smaller one costs others more searches


def scan(octets: bytes, limits: MimeLimits = MIME_LIMITS) -> Message:
    """The message that `octets` are."""
    scanner = Scanner(limits)
    scanner.feed(octets)
    return scanner.close()


class _Mode(Enum):
    HEADER = 0
    BODY = 1
    DELIMITER_LINE = 2  # the rest of one that begins a part
    CLOSING_LINE = 3  # the rest of one that ends a multipart


class _Open:
    """A part whose end is not seen yet."""

    __slots__ = ("body_start", "children", "content_type", "encoding", "header", "lines_before", "meter")

    def __init__(
        self, header: Header, content_type: ContentType, encoding: bytes, start: int, lines: int
    ) -> None:
        self.header = header
        self.content_type = content_type
        self.encoding = encoding
        self.body_start = start
        self.lines_before = lines
        self.children: list[Part] = []
        self.meter: Meter | None = None

    def ended(self, end: int, lines: int) -> Part:
        size = max(0, end - self.body_start)
        return Part(
            self.header,
            self.content_type,
            self.encoding,
            self.body_start,
            self.body_start + size,
            max(0, lines - self.lines_before),
            size if self.meter is None else self.meter.size(),
            tuple(self.children),
        )


class Scanner:
    """`feed` octets in any cuts, then `close`: the same message as `scan` of all of them."""

    def __init__(self, limits: MimeLimits = MIME_LIMITS) -> None:
        self._limits = limits
        self._held: bytes | bytearray = b""  # fed and not consumed yet
        self._base = 0  # absolute offset of what is being consumed
        self._offset = 0  # of the next octet in it
        self._searched = 0  # octets of a held header in which it does not end
        self._mode = _Mode.HEADER
        self._stack: list[_Open] = []  # the open parts, the root first
        self._leaf: _Open | None = None  # the last of them, if it is one that holds content
        self._in_preamble = False  # the leaf is what stands before the first delimiter of its multipart
        self._boundaries: list[tuple[bytes, int]] = []  # outermost first, each with its multipart's place
        self._delimiters = NO_DELIMITERS
        self._at_line_start = False  # of a body
        self._lines = 0  # LFs consumed
        self._header_octets_left = limits.header_octets_max
        self._parts = 0
        self._sampling = False
        self._sample = b""
        self._preview = ""

    def feed(self, octets: bytes) -> None:
        if self._held:
            held = self._held if isinstance(self._held, bytearray) else bytearray(self._held)
            held += octets
            self._held = held
            if self._mode is _Mode.HEADER and not self._header_may_end(held):
                return
            octets = bytes(held)
        self._consume(octets, False)

    def close(self) -> Message:
        """The message. Nothing may be fed any more."""
        self._consume(bytes(self._held), True)
        root = self._end_parts(0, self._base)
        assert root is not None  # an end without a header opened one
        return Message(self._base, root, self._preview)

    def _consume(self, octets: bytes, final: bool) -> None:
        self._offset = 0
        going = True
        while going:
            if self._mode is _Mode.BODY:
                going = self._read_body(octets, final)
            elif self._mode is _Mode.HEADER:
                going = self._read_header(octets, final)
            else:
                going = self._skip_line(octets, final)
        self._base += self._offset
        self._held = octets[self._offset :]

    # -- headers

    def _header_may_end(self, held: bytearray) -> bool:
        start = max(0, self._searched - 2)
        self._searched = len(held)
        return (
            held.find(b"\n\r\n", start) >= 0
            or held.find(b"\n\n", start) >= 0
            or held.startswith((b"\n", b"\r\n"))
            or len(held) >= self._header_wait_octets()
        )

    def _header_wait_octets(self) -> int:
        """So many octets decide about any header: one more than it may take, and a delimiter behind."""
        return self._header_octets_left + 1 + self._delimiters.octets_max

    def _read_header(self, octets: bytes, final: bool) -> bool:
        start = self._offset
        end, delimiter = self._header_extent(octets, start)
        undecided = end < 0 and not self._is_decided(delimiter, octets)
        if undecided and not final and len(octets) - start < self._header_wait_octets():
            self._searched = len(octets) - start
            return False
        if end < 0:
            end = len(octets)
        bound = start + self._header_octets_left
        whole = end <= bound
        if not whole:
            end = octets.rfind(b"\n", start, bound) + 1 or bound
        if delimiter is not None and delimiter.start <= end:
            end, whole = delimiter.start, True
        self._header_octets_left -= end - start
        self._searched = 0
        self._lines += octets.count(b"\n", start, end)
        self._offset = end
        self._open(read_header(octets[start:end], self._base + start, self._limits.fields_max), whole)
        return True

    def _header_extent(self, octets: bytes, start: int) -> tuple[int, Delimiter | None]:
        """Where the header ends, -1: nowhere yet; and the first delimiter in it.

        In windows that grow: of thousands of short headers none may search all that is behind it.
        """
        delimiter = self._delimiters.at(octets, start)
        window = _HEADER_WINDOW_OCTETS
        while True:
            stop = min(start + window, len(octets))
            end = _header_end(octets, start, stop)
            if delimiter is None:
                delimiter = self._delimiters.find(octets, start, (stop if end < 0 else end) - 1)
            if end >= 0 or stop == len(octets) or self._is_decided(delimiter, octets):
                return end, delimiter
            window *= 8

    def _is_decided(self, delimiter: Delimiter | None, octets: bytes) -> bool:
        """Nothing that may follow makes it another one."""
        return delimiter is not None and delimiter.start + self._delimiters.octets_max <= len(octets)

    def _open(self, header: Header, whole: bool) -> None:
        """Open the part whose header was just read."""
        default = TEXT_PLAIN
        if self._stack and self._stack[-1].content_type.media_type == _DIGEST:
            default = MESSAGE_RFC822  # RFC 2046 §5.1.5
        value = header.first(b"content-type")
        content_type = (value and read_content_type(value, self._limits.parameters_max)) or default
        if not whole:
            content_type = OPAQUE
        encoding = header.first(b"content-transfer-encoding")
        token = _ENCODING.match(encoding) if encoding else None
        self._push(header, content_type, token[0].lower() if token else b"7bit")

    def _push(self, header: Header, content_type: ContentType, encoding: bytes) -> None:
        media_type = content_type.media_type
        is_multipart = media_type.startswith(b"multipart/")
        is_message = media_type in _MESSAGES
        if (is_multipart or is_message) and not self._may_nest(is_message, encoding):
            content_type, is_multipart, is_message = OPAQUE, False, False
        part = _Open(header, content_type, encoding, self._base + self._offset, self._lines)
        self._stack.append(part)
        self._parts += 1
        self._mode = _Mode.HEADER if is_message else _Mode.BODY
        self._at_line_start = True
        if is_multipart:
            self._begin_multipart(content_type.boundary)
        elif not is_message:
            self._begin_leaf(part)

    def _may_nest(self, is_message: bool, encoding: bytes) -> bool:
        return (
            len(self._stack) < self._limits.depth_max
            and self._parts + 1 < self._limits.parts_max
            # RFC 2046 §5.2.1 forbids it, but it is seen, and no header can be read through it.
            and not (is_message and encoding == b"base64")
        )

    def _begin_multipart(self, boundary: bytes) -> None:
        if 0 < len(boundary) <= self._limits.boundary_octets_max:
            self._boundaries.append((boundary, len(self._stack) - 1))
            self._delimiters = Delimiters(tuple(boundary for boundary, _ in self._boundaries))
        start = self._base + self._offset
        preamble = _Open(no_header(start), TEXT_PLAIN, b"7bit", start, self._lines)
        self._stack.append(preamble)
        self._begin_leaf(preamble)
        self._in_preamble = True

    def _begin_leaf(self, part: _Open) -> None:
        self._leaf = part
        part.meter = meter(part.encoding)
        self._sampling = (
            not self._preview and part.content_type.media_type in PREVIEWED and not _attached(part.header)
        )
        self._sample = b""

    # -- bodies

    def _read_body(self, octets: bytes, final: bool) -> bool:
        start, end = self._offset, len(octets)
        decided = end if final else max(start, end - self._delimiters.octets_max)
        delimiter = None
        if self._at_line_start and start < decided:
            delimiter = self._delimiters.at(octets, start)
        if delimiter is None:
            delimiter = self._delimiters.find(octets, start, decided)
        if delimiter is None:
            self._take(octets, decided if decided in (start, end) else decided - 1)
            return False
        if not delimiter.closing and (self._parts >= self._limits.parts_max or self._header_octets_left <= 0):
            self._boundaries = []
            self._delimiters = NO_DELIMITERS
            return True
        self._take(octets, _content_end(octets, start, delimiter.start))
        self._end_at(delimiter)
        self._lines += octets.count(b"\n", self._offset, delimiter.start)
        self._offset = delimiter.end
        return True

    def _take(self, octets: bytes, end: int) -> None:
        """Consume content."""
        start = self._offset
        if end == start:
            return
        self._at_line_start = False
        self._lines += octets.count(b"\n", start, end)
        self._offset = end
        if self._leaf is None:
            return
        if self._leaf.meter is not None:
            self._leaf.meter.add(octets[start:end])
        if self._sampling:
            left = self._limits.sample_octets_max - len(self._sample)
            self._sample += octets[start : min(end, start + left)]

    def _end_at(self, delimiter: Delimiter) -> None:
        """End what the delimiter ends: all parts within its multipart."""
        _, place = self._boundaries[delimiter.level]
        end = self._base + self._offset
        if self._in_preamble and len(self._stack) == place + 2 and not delimiter.closing:
            self._stack.pop()
            self._sampling = False
        self._end_parts(place + 1, end)
        self._leaf = None
        self._in_preamble = False
        open_boundaries = delimiter.level + (not delimiter.closing)
        if open_boundaries < len(self._boundaries):
            del self._boundaries[open_boundaries:]
            self._delimiters = Delimiters(tuple(boundary for boundary, _ in self._boundaries))
        self._mode = _Mode.CLOSING_LINE if delimiter.closing else _Mode.DELIMITER_LINE

    def _end_parts(self, place: int, end: int) -> Part | None:
        """End the open parts from a place of the stack on; gives the outermost of them."""
        part = None
        while len(self._stack) > place:
            ending = self._stack.pop()
            if ending is self._leaf:
                self._end_leaf(ending)
            part = ending.ended(end, self._lines)
            if self._stack:
                self._stack[-1].children.append(part)
        return part

    def _end_leaf(self, leaf: _Open) -> None:
        if self._sampling:
            kind = leaf.content_type
            characters_max = self._limits.preview_characters_max
            self._preview = preview(
                self._sample, kind.media_type, kind.charset, leaf.encoding, characters_max
            )
        self._sampling = False

    def _skip_line(self, octets: bytes, final: bool) -> bool:
        """Skip what stands behind a boundary on its line: RFC 2046 §5.1.1, transport-padding."""
        end = octets.find(b"\n", self._offset) + 1
        if not end and not final:
            self._offset = len(octets)
            return False
        self._lines += end > 0
        self._offset = end or len(octets)
        self._mode = _Mode.BODY if self._mode is _Mode.CLOSING_LINE else _Mode.HEADER
        self._at_line_start = True
        return True


def _header_end(octets: bytes, start: int, stop: int) -> int:
    """Behind the first empty line of octets[start:stop]; -1 where there is none."""
    if octets.startswith(b"\r\n", start):
        return start + 2
    if octets.startswith(b"\n", start):
        return start + 1
    end = octets.find(b"\n\r\n", start, stop) + 3
    bare = octets.find(b"\n\n", start, end if end > 2 else stop) + 2
    if bare > 1:
        return bare
    return end if end > 2 else -1


def _content_end(octets: bytes, start: int, delimiter: int) -> int:
    """Where the content ends: the line end before a delimiter belongs to it (RFC 2046 §5.1.1)."""
    if delimiter == start:
        return start
    end = delimiter - 1
    return end - 1 if end > start and octets[end - 1] == 0x0D else end


def _attached(header: Header) -> bool:
    disposition = header.first(b"content-disposition")
    return disposition is not None and _ATTACHMENT.match(disposition) is not None

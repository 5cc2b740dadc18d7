"""Whether a text stands in a header or a body, as a reader sees them: transfer encoding and charset decoded.

Compared in the manner of i;unicode-casemap (RFC 5051): as a substring, decomposed, without case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from unicodedata import normalize

from mailnode.pb.row_pb2 import Part
from protocols.mime.address import read_addresses
from protocols.mime.charset import codec, decode
from protocols.mime.date import read_date
from protocols.mime.fields import unfold
from protocols.mime.transfer import decode_transfer
from protocols.mime.words import decode_words

_DAY_SECONDS = 86_400
_SAME_AS_ASCII = ("ascii", "utf-8", "iso8859-", "cp125", "koi8")
"""How Python's names of charsets begin in which octets below 0x80 are ASCII and nothing else."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Octets [start, end) of a message that TEXT looks at, and BODY too where `of_body`; `encoding` and
    `charset` of a body; a header has neither and `is_header`."""

    start: int
    end: int
    of_body: bool
    is_header: bool
    encoding: bytes = b""
    charset: bytes = b""


def pieces(message: Part) -> list[Piece]:
    """What is searched of a message, in order: its header, and all text of its parts.

    A message within the message is text with its header (RFC 9051 §6.4.4 leaves it open); the headers of MIME
    parts are looked at by TEXT alone. Attachments that are no text are not searched.
    """
    return [Piece(message.header, message.body, False, True), *_bodies(message)]


def _bodies(part: Part) -> Iterator[Piece]:
    if part.parts:
        embedded = part.type.startswith("message/")
        for inner in part.parts:
            yield Piece(inner.header, inner.body, embedded, True)
            yield from _bodies(inner)
    elif part.type.startswith("text/") or not part.type:
        yield Piece(part.body, part.end, True, False, part.encoding.encode(), part.charset.encode())


def fold(text: str) -> str:
    """What is compared: decomposed, without case, tabs as spaces."""
    if not text.isascii():
        text = normalize("NFKD", text)
    return text.casefold().replace("\t", " ")


class Needle:
    """A text that is looked for."""

    __slots__ = ("_ascii", "_probe", "_text")

    def __init__(self, text: str) -> None:
        self._text = fold(text)
        self._ascii = self._text.encode() if self._text.isascii() else b""
        words = self._ascii.split(b" ")
        self._probe = max(words, key=len)

    def is_in_piece(self, piece: Piece, octets: bytes) -> bool:
        return self.is_in_header(octets) if piece.is_header else self._is_in_body(piece, octets)

    def is_in_header(self, head: bytes) -> bool:
        """Whether it stands in a field, its name included."""
        if self._cannot_be_in(head):
            return False
        return self._text in fold(decode_words(_UNFOLD.sub(b"", head)))

    def is_in_field(self, head: bytes, name: bytes) -> bool:
        """Whether it stands in the value of a field of this lower-case name; "": whether there is one."""
        has_commented = name in _ADDRESSES and any(mark in head for mark in _COMMENTED)
        if self._text and not has_commented and self._cannot_be_in(head):
            return False
        found = values(head, name)
        return any(self._text in fold(decode_words(value)) for value in found) or (
            has_commented and any(self._text in address for value in found for address in _addresses(value))
        )

    def _cannot_be_in(self, head: bytes) -> bool:
        """A cheap no: the header is plain ASCII and its octets, folded or not, lack the longest word."""
        return self._probe != b"" and b"=?" not in head and head.isascii() and self._probe not in head.lower()

    def _is_in_body(self, piece: Piece, octets: bytes) -> bool:
        octets = decode_transfer(octets, piece.encoding)
        if self._ascii and octets.isascii() and _is_as_ascii(piece.charset):
            return self._ascii in octets.lower().replace(b"\t", b" ")
        return self._text in fold(decode(octets, piece.charset))


_ADDRESSES = frozenset((b"from", b"to", b"cc", b"bcc"))
_COMMENTED = (b")@", b") @", b"@(", b"@ (")


def _addresses(value: bytes) -> Iterator[str]:
    """The addresses of a field as its envelope has them, without comments (RFC 9051 §6.4.4, FROM)."""
    for address in read_addresses(value):
        if address.mailbox is not None and address.host is not None:
            yield fold(decode_words(b"%b@%b" % (address.mailbox, address.host)))


_UNFOLD = re.compile(rb"\r?\n(?=[ \t])")


def values(head: bytes, name: bytes) -> list[bytes]:
    """The unfolded values of all fields of a lower-case name."""
    return [unfold(value) for value in _field(name).findall(head)]


@lru_cache(maxsize=256)
def _field(name: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"^" + re.escape(name) + rb"[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)", re.I | re.M)


def sent_day(head: bytes) -> int | None:
    """The day of Date: as written, whatever its time zone (RFC 9051 §6.4.4); None: it has none."""
    sent = next((read_date(value) for value in values(head, b"date")), None)
    return None if sent is None else (sent.seconds + sent.zone_minutes * 60) // _DAY_SECONDS


def _is_as_ascii(charset: bytes) -> bool:
    return not charset or codec(charset).startswith(_SAME_AS_ASCII)

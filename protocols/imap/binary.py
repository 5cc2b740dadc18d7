"""BINARY (RFC 3516, RFC 9051 §6.4.5): body parts without their content transfer encoding."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from protocols.imap.fetch import Binary, BinarySize, Plan
from protocols.imap.section import Part, Range, part_at
from protocols.mime.transfer import Decoder, decoder


@dataclass(frozen=True, slots=True)
class Encoded:
    """Where in a message a part's octets are; `size`: of what they give; `encoding` in lower case."""

    range: Range
    encoding: str
    size: int


def encoded(message: Part, path: tuple[int, ...]) -> Encoded | None:
    """What a path names; None when there is no such part.

    Multiparts and messages are asked by mistake (RFC 9051 §6.4.5: leaf parts only), and have no encoding
    (RFC 2045 §6.4): they are given as they stand.
    """
    part = part_at(message, path)
    if part is None:
        return None
    where = Range(part.body, part.end) if path else Range(part.header, part.end)
    if not path or part.parts:
        return Encoded(where, "", where.end - where.start)
    return Encoded(where, part.encoding, part.decoded)


def is_unknown(plan: Plan, message: Part) -> bool:
    """Whether it asks for a part of this message in an encoding that nobody knows: UNKNOWN-CTE."""
    found = (encoded(message, item.path) for item in plan.binaries)
    return any(one is not None and decoder(one.encoding.encode()) is None for one in found)


def decoding(one: Encoded) -> Decoder:
    """Of a part that is not `is_unknown`."""
    known = decoder(one.encoding.encode())
    assert known is not None
    return known


def decoded(one: Encoded, message: bytes) -> bytes:
    """The part out of the octets of its whole message."""
    steps = decoding(one)
    return steps.add(message[one.range.start : one.range.end]) + steps.rest()


def said(item: Binary, octets: bytes | None) -> bytes:
    """The item of a part, None where there is none; partial fetches count decoded octets."""
    if octets is None:
        return item.label + b" NIL"
    shown = octets[item.start : item.start + item.count] if item.count else octets
    return literal(item, len(shown), b"\0" in octets) + shown


def literal(item: Binary, size: int, has_nul: bool) -> bytes:
    """What stands before the octets: a literal8 where the part holds NUL, so that the client sees it."""
    return b"%b %b{%d}\r\n" % (item.label, b"~" if has_nul else b"", size)


class Measure:
    """What a part that is decoded in pieces will give, before it is."""

    __slots__ = ("_item", "has_nul", "size")

    def __init__(self, item: Binary) -> None:
        self._item = item
        self.size = 0
        self.has_nul = False

    def add(self, octets: bytes) -> None:
        self.size += len(octets)
        self.has_nul = self.has_nul or b"\0" in octets

    def literal(self) -> bytes:
        return literal(self._item, len(range(self.size)[self._within]), self.has_nul)

    @property
    def _within(self) -> slice:
        item = self._item
        return slice(item.start, item.start + item.count) if item.count else slice(item.start, None)


class Cut:
    """Of octets in pieces those that a partial fetch asks for."""

    __slots__ = ("_left", "_skip")

    def __init__(self, item: Binary) -> None:
        self._skip = item.start
        self._left = item.count or -1

    def add(self, octets: bytes) -> bytes:
        skipped = min(self._skip, len(octets))
        self._skip -= skipped
        kept = octets[skipped:]
        if self._left >= 0:
            kept = kept[: self._left]
            self._left -= len(kept)
        return kept


def sizes(item: BinarySize, messages: Iterable[Part]) -> list[int]:
    """BINARY.SIZE of each: what BINARY of it would give, 0 where it would give NIL."""
    found = (encoded(message, item.path) for message in messages)
    return [one.size if one is not None else 0 for one in found]

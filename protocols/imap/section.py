"""Sections of a message (RFC 9051 §6.4.5.1): which octets BODY[1.2.MIME] and the like are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from protocols.imap.fetch import Of, Section


class Part(Protocol):
    """A body part; offsets into the message. The rows of the store satisfy it."""

    @property
    def header(self) -> int:
        """Where its own header starts."""

    @property
    def body(self) -> int:
        """Where its body starts."""

    @property
    def end(self) -> int:
        """Where its body ends."""

    @property
    def type(self) -> str:
        """Lower case, `text/plain`."""

    @property
    def encoding(self) -> str:
        """The content transfer encoding, in lower case."""

    @property
    def decoded(self) -> int:
        """Octets of the body without it."""

    @property
    def parts(self) -> Sequence[Part]:
        """Of a multipart; or the one message of a message/rfc822."""


@dataclass(frozen=True, slots=True)
class Range:
    """Octets [start, end) of a message."""

    start: int
    end: int


def part_at(message: Part, path: Sequence[int]) -> Part | None:
    """The part that a path of numbers names, RFC 9051 §6.4.5.1; None when there is none.

    Numbers go into the parts of a multipart; a message that is not multipart has one part, itself; after a
    message/rfc822 they are those of the message within.
    """
    part = message
    container: Part | None = message
    for number in path:
        if container is None:
            return None
        if container.type.startswith("multipart/"):
            if number > len(container.parts):
                return None
            part = container.parts[number - 1]
        elif number == 1:
            part = container
        else:
            return None
        container = _numbered_in(part)
    return part


def _numbered_in(part: Part) -> Part | None:
    """Where the numbers below a part count: itself when multipart, the message within, or nothing."""
    if part.type.startswith("multipart/"):
        return part
    return _message_in(part)


def _message_in(part: Part) -> Part | None:
    return part.parts[0] if part.type.startswith("message/") and len(part.parts) == 1 else None


def octets_of(message: Part, section: Section) -> Range | None:
    """Where the section's octets are, before HEADER.FIELDS picks and a partial fetch cuts; None: NIL."""
    part = part_at(message, section.path)
    if part is None:
        return None
    if section.of is Of.MIME:
        return Range(part.header, part.body)
    if not section.path:
        return _within(part, section.of)
    if section.of is Of.ALL:
        return Range(part.body, part.end)
    inner = _message_in(part)
    return _within(inner, section.of) if inner is not None else None


def _within(message: Part, of: Of) -> Range:
    if of is Of.ALL:
        return Range(message.header, message.end)
    if of is Of.TEXT:
        return Range(message.body, message.end)
    return Range(message.header, message.body)


def cut(whole: Range, section: Section) -> Range:
    """What a partial fetch leaves of the octets; empty where it starts behind their end."""
    if not section.count:
        return whole
    start = min(whole.start + section.start, whole.end)
    return Range(start, min(start + section.count, whole.end))


class FieldPicker:
    """HEADER.FIELDS and HEADER.FIELDS.NOT: the fields of a raw header by name, one pass, no parsing."""

    __slots__ = ("_fields",)

    def __init__(self, section: Section) -> None:
        """`section.of` is one of the two."""
        named = rb"(?:%b)[ \t]*:" % b"|".join(re.escape(n) for n in sorted(section.fields))
        first = named if section.of is Of.FIELDS else rb"(?!%b)[^ \t\r\n]" % named
        # Each match begins with the line end before it: a fixed first octet is what the scan looks for.
        self._fields = re.compile(rb"\n%b[^\n]*(?:\n[ \t][^\n]*)*" % first, re.IGNORECASE)

    def pick(self, header: bytes) -> bytes:
        """The fields as they stand, then the empty line (RFC 3501 §6.4.5: always included)."""
        fields = b"".join(self._fields.findall(b"\n" + header))
        if not fields:
            return b"\r\n"
        return fields[1:] + (b"\n\r\n" if fields.endswith(b"\r") else b"\r\n\r\n")

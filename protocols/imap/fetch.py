"""FETCH attributes (RFC 9051 §6.4.5) compiled to a plan: what to read, and in which order to say it."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from functools import cached_property


class Attribute(enum.Enum):
    """An attribute that is one value of a message."""

    UID = "UID"
    FLAGS = "FLAGS"
    INTERNALDATE = "INTERNALDATE"
    SIZE = "RFC822.SIZE"
    ENVELOPE = "ENVELOPE"
    BODY = "BODY"
    BODYSTRUCTURE = "BODYSTRUCTURE"
    MODSEQ = "MODSEQ"  # RFC 7162 §3.1.4.2
    EMAILID = "EMAILID"  # RFC 8474 §5
    THREADID = "THREADID"
    SAVEDATE = "SAVEDATE"  # RFC 8514 §4.2
    PREVIEW = "PREVIEW"  # RFC 8970 §3


class Of(enum.Enum):
    """Which octets of a part a section is (RFC 9051 §6.4.5.1, section-msgtext and section-text)."""

    ALL = ""
    HEADER = "HEADER"
    FIELDS = "HEADER.FIELDS"
    FIELDS_NOT = "HEADER.FIELDS.NOT"
    TEXT = "TEXT"
    MIME = "MIME"


PICKING = (Of.FIELDS, Of.FIELDS_NOT)


@dataclass(frozen=True, slots=True)
class Section:
    """Octets of a message: `BODY[1.2.MIME]<0.100>`, or RFC822, RFC822.HEADER, RFC822.TEXT.

    `path` counts parts from 1, empty for the message itself; `fields` lower-case names of Of.FIELDS and
    FIELDS_NOT; `start` and `count` the octets of a partial fetch, `count` 0 for all. `label` is what stands
    before the octets in the response.
    """

    path: tuple[int, ...]
    of: Of
    fields: frozenset[bytes]
    start: int
    count: int
    peek: bool
    label: bytes

    @property
    def is_of_header(self) -> bool:
        """Whether it is answered from the octets of the message's own header alone."""
        return not self.path and self.of in (Of.HEADER, *PICKING)

    @property
    def is_whole(self) -> bool:
        """Whether it is all octets of the message."""
        return not self.path and self.of is Of.ALL and not self.count


@dataclass(frozen=True, slots=True)
class Binary:
    """A part without its content transfer encoding, `BINARY[1.2]<0.100>` (RFC 9051 §6.4.5); as `Section`,
    `start` and `count` of decoded octets."""

    path: tuple[int, ...]
    start: int
    count: int
    peek: bool
    label: bytes


@dataclass(frozen=True, slots=True)
class BinarySize:
    """How many octets Binary would give, `BINARY.SIZE[1.2]`."""

    path: tuple[int, ...]
    label: bytes


Item = Attribute | Section | Binary | BinarySize
_OF_THE_ROW = frozenset((Attribute.THREADID, Attribute.PREVIEW))


@dataclass(frozen=True)
class Plan:
    """What a FETCH shows, each attribute once, in the order asked."""

    items: tuple[Item, ...]

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        return tuple(i for i in self.items if isinstance(i, Section))

    @cached_property
    def binaries(self) -> tuple[Binary | BinarySize, ...]:
        return tuple(i for i in self.items if isinstance(i, Binary | BinarySize))

    @cached_property
    def needs_mail(self) -> bool:
        """Whether the parsed message is asked: THREADID, PREVIEW, or where in the body octets are."""
        parts = any(not s.is_of_header and not s.is_whole for s in self.sections)
        return parts or bool(self.binaries) or not _OF_THE_ROW.isdisjoint(self.items)

    @cached_property
    def needs_structure(self) -> bool:
        """Whether BODY or BODYSTRUCTURE is asked."""
        return Attribute.BODY in self.items or Attribute.BODYSTRUCTURE in self.items

    @cached_property
    def needs_forms(self) -> bool:
        """Whether ENVELOPE, BODY or BODYSTRUCTURE is asked."""
        return self.needs_structure or Attribute.ENVELOPE in self.items

    @cached_property
    def needs_head(self) -> bool:
        """Whether octets of the message's own header are asked."""
        return any(s.is_of_header for s in self.sections)

    @cached_property
    def needs_octets(self) -> bool:
        """Whether octets of the body are asked."""
        return self._decodes or any(not s.is_of_header for s in self.sections)

    @cached_property
    def _decodes(self) -> bool:
        return any(isinstance(i, Binary) for i in self.binaries)

    @cached_property
    def sets_seen(self) -> bool:
        """Whether it sets \\Seen (in a mailbox that was not selected by EXAMINE)."""
        asked = (i for i in self.items if isinstance(i, Section | Binary))
        return any(not i.peek for i in asked)

    def adding(self, *attributes: Attribute) -> Plan:
        """The plan with these too, where they are not in it."""
        return Plan(tuple(dict.fromkeys((*self.items, *attributes))))

    def with_uid(self) -> Plan:
        """The plan of a UID FETCH, RFC 9051 §6.4.9."""
        return self if Attribute.UID in self.items else Plan((Attribute.UID, *self.items))

"""What another store has, in the words of this one. Reading blocks: a command does nothing else meanwhile."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Protocol

from mailnode.mailbox.names import SEPARATOR

UID_MAX = 0xFFFFFFFF  # RFC 9051 §2.3.1.1
_ORIGIN_OCTETS = 16
_UNIQUE_ID = re.compile(r"[\x21-\x7e]{1,70}")  # RFC 1939 §7
_VARIABLE = re.compile(r"%(0?)(\d*)(X?)([uvf%])")


class SourceError(Exception):
    """The store, or one mailbox of it, cannot be read; the text is one line."""


class Unstorable(Exception):
    """One message cannot be taken; the text is why."""


@dataclass(frozen=True, slots=True)
class Box:
    """A mailbox there. `uid_validity` 0: it has no UIDs that anybody could know."""

    name: str
    """Full, with "/" between levels."""
    place: Any
    uid_validity: int = 0
    uid_next: int = 0
    special_use: str = ""
    messages: int = 0
    """0: not known."""


@dataclass(frozen=True, slots=True)
class Item:
    """A message there. `uid` 0: it has none yet; `unique_id`: as POP3 clients know it, empty: unknown."""

    label: str
    """For whoever reads that it could not be taken."""
    origin: bytes
    place: Any
    size: int
    """About how many octets."""
    flags: int = 0
    keywords: tuple[str, ...] = ()
    internal_date: int = 0
    uid: int = 0
    unique_id: str = ""


class Source(Protocol):
    """Each may raise SourceError."""

    def boxes(self) -> Sequence[Box]:
        """Parents before children."""

    def subscribed(self) -> Iterable[str]:
        """Full names."""

    def items(self, box: Box) -> Iterator[Item]:
        """By UID, those without one last."""

    def contents(self, box: Box, items: Sequence[Item]) -> Iterator[tuple[Item, Iterator[bytes]]]:
        """Of each item its octets, to be read before the next is asked for; reading raises Unstorable."""

    def close(self) -> None: ...


def origin_of(*parts: bytes | str | int) -> bytes:
    """Which message of which store it is, as far as that stays the same however often it is read."""
    identity = blake2b(digest_size=_ORIGIN_OCTETS)
    for part in parts:
        octets = part if isinstance(part, bytes) else str(part).encode("utf-8", "surrogateescape")
        identity.update(len(octets).to_bytes(8, "big") + octets)
    return identity.digest()


def unique_id_of(template: str, uid: int, uid_validity: int, file_name: str) -> str:
    """As Dovecot's `pop3_uidl_format` says: %u, %v, %f, and %08Xu for eight hexadecimal digits."""
    values: dict[str, int | str] = {"u": uid, "v": uid_validity, "f": file_name}

    def value(match: re.Match[str]) -> str:
        zeros, width, hexadecimal, name = match.groups()
        if name == "%":
            return "%"
        text = f"{values[name]:x}" if hexadecimal and name != "f" else str(values[name])
        return text.rjust(int(width or 0), "0" if zeros else " ")

    return valid_unique_id(_VARIABLE.sub(value, template)) if template and uid else ""


def valid_unique_id(text: str) -> str:
    """Empty where POP3 could not say it."""
    return text if _UNIQUE_ID.fullmatch(text) else ""


def level(text: str) -> str:
    """A level of a name as it can be one here."""
    return text.replace(SEPARATOR, "_")

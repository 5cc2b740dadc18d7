"""What an SMTP envelope is made of: RFC 5321 §2.3.1."""

from __future__ import annotations

import enum
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Path:
    """A reverse-path or forward-path, without brackets and source route, with the octets received.

    `mailbox` is ASCII, or UTF-8 after RFC 6531; empty for the null reverse-path; without `@` only for
    `Postmaster` (RFC 5321 §4.1.1.3).
    """

    mailbox: bytes

    @property
    def null(self) -> bool:
        return not self.mailbox

    @property
    def local_part(self) -> bytes:
        """As received: a quoted string keeps its quotes."""
        return self.mailbox[: self.mailbox.rfind(b"@")] if b"@" in self.mailbox else self.mailbox

    @property
    def domain(self) -> bytes:
        """As received; an address literal keeps its brackets."""
        return self.mailbox.rpartition(b"@")[2] if b"@" in self.mailbox else b""

    def __str__(self) -> str:
        return self.mailbox.decode("utf-8", "replace")


class Body(enum.Enum):
    """BODY=, RFC 6152 §3."""

    SEVEN_BIT = b"7BIT"
    EIGHT_BIT_MIME = b"8BITMIME"


@dataclass(frozen=True, slots=True)
class Durable:
    """Where a message shall be before it is answered: how many copies, 0 when nothing was said of it, and in
    which data centres besides."""

    copies: int = 0
    dcs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MailParameters:
    """Of MAIL. `size` in octets, 0 when not declared."""

    size: int = 0
    body: Body = Body.SEVEN_BIT
    smtputf8: bool = False
    durable: Durable = Durable()


NO_PARAMETERS = MailParameters()

"""A mail transaction: its recipients, its content, its copies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from mailnode.clock import Clock
from mailnode.delivery.copies import Accounts, Copies
from mailnode.delivery.replies import NO_SUCH_USER, TOO_MANY_HOPS, UNAVAILABLE, accepted
from mailnode.directory.lookup import NotLocal, Resolution, Unknown
from mailnode.limits import Limits
from mailnode.mailbox.content import Content, UploadIds
from mailnode.mailbox.verbs import NotKnown
from protocols.smtp.envelope import Path
from protocols.smtp.reply import RECIPIENT_OK, Reply
from protocols.smtp.trace import Came, received, return_path

RANDOM_OCTETS = 8


class Lookup(Protocol):
    """What is asked of `directory.lookup.Lookup`."""

    async def resolve(self, address: str) -> Resolution: ...


@dataclass(frozen=True, slots=True)
class Delivery:
    """What all transactions of a node share."""

    lookup: Lookup
    accounts: Accounts
    upload_ids: UploadIds
    clock: Clock
    limits: Limits


@dataclass(frozen=True, slots=True)
class Terms:
    """What differs between mail from the open net and from our users.

    `missing(first, identity, seconds)` gives fields to put before the content, of which it sees the begin.
    """

    not_local: Reply
    missing: Callable[[bytes, str, int], bytes]


class Transaction:
    """Ask `recipient` for each RCPT, then `write` content in pieces and `finish` with the last one.

    One that is given up is simply dropped: what was uploaded is swept later.
    """

    __slots__ = (
        "_began",
        "_came",
        "_content",
        "_copies",
        "_delivery",
        "_identity",
        "_recipients",
        "_reverse_path",
        "_terms",
    )

    def __init__(self, delivery: Delivery, terms: Terms, came: Came, reverse_path: Path) -> None:
        self._delivery = delivery
        self._terms = terms
        self._came = came
        self._reverse_path = reverse_path
        now = delivery.clock.now_microseconds().to_bytes(8, "big")
        self._identity = now + delivery.clock.random(RANDOM_OCTETS)
        self._recipients: list[tuple[Path, tuple[int, ...]]] = []
        self._copies = Copies(delivery.accounts, self._identity)
        self._content = Content(self._copies.upload, delivery.upload_ids)
        self._began = False

    async def recipient(self, path: Path) -> Reply:
        try:
            resolution = await self._delivery.lookup.resolve(str(path))
        except (NotKnown, OSError):
            return UNAVAILABLE
        if isinstance(resolution, Unknown):
            return NO_SUCH_USER
        if isinstance(resolution, NotLocal):
            return self._terms.not_local
        for one in resolution.accounts:
            self._copies.add(one.id, one.tag)
        self._recipients.append((path, tuple(one.id for one in resolution.accounts)))
        return RECIPIENT_OK

    async def write(self, octets: bytes) -> None:
        """Returns when as much is kept elsewhere that the next piece has room."""
        if not self._began:
            self._began = True
            octets = self._front(octets) + octets
        await self._content.write(octets)

    async def finish(self, octets: bytes) -> tuple[Reply, ...]:
        """A reply for each accepted recipient, in order; positive once its copies are durable."""
        await self.write(octets)
        arrived = await self._content.finish()
        if hops(arrived.head) - 1 > self._delivery.limits.smtp_hops_max:  # RFC 5321 §6.3; one is our own
            return (TOO_MANY_HOPS,) * len(self._recipients)
        await self._copies.store(arrived)
        well = accepted(self._name)
        return tuple(self._copies.outcome(accounts) or well for _, accounts in self._recipients)

    @property
    def _name(self) -> str:
        """As logs, Received and the client know the transaction."""
        return self._identity[2:12].hex()

    def _front(self, first: bytes) -> bytes:
        """Trace fields, RFC 5321 §4.4, and what the terms add."""
        only = self._recipients[0][0] if len(self._recipients) == 1 else None
        seconds = self._delivery.clock.now_microseconds() // 1_000_000
        trace = return_path(self._reverse_path) + received(self._came, self._name, only, seconds)
        return trace + self._terms.missing(first, self._name, seconds)


def hops(head: bytes) -> int:
    """Received fields of a header."""
    return (b"\n" + head).lower().count(b"\nreceived:")

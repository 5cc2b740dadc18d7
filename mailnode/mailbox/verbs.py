"""A user's mail has six verbs and looks the same wherever it lives (docs/architecture.md).

`Account` is what sessions, delivery and the relay speak to; whether it is this node's or another's is decided
in `accounts` alone. Everything here is *committed* state: what a reader saw is never taken back.
"""

from __future__ import annotations

import enum
from array import array
from collections.abc import AsyncGenerator, Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from mailnode.cluster.append import NotKnown, Unavailable
from mailnode.mailbox.forms import Forms
from mailnode.mailbox.names import canonical_name
from mailnode.mailbox.quota import Usage
from mailnode.pb.account_pb2 import SearchKey
from mailnode.pb.change_pb2 import Intent, Result, Touched
from mailnode.pb.row_pb2 import Keywords, MailboxRow, MailRow

__all__ = [
    "ALL_UIDS",
    "Account",
    "Expunged",
    "Gone",
    "Mailboxes",
    "Messages",
    "NotKnown",
    "Resync",
    "UidRanges",
    "Unavailable",
    "Usage",
    "Want",
    "Watch",
    "decided",
]

UidRanges = Sequence[tuple[int, int]]
"""Inclusive ranges of UIDs, ascending, not overlapping."""

ALL_UIDS: UidRanges = ((1, 0xFFFFFFFF),)


class Want(enum.IntFlag):
    """What `messages` shall bring beside the UIDs; each dearer than the one before."""

    UIDS = 0
    ENTRIES = 1
    FORMS = 2
    MAILS = 4
    HEADS = 8
    OCTETS = 16


class Expunged(Exception):
    """The octets of this mail are gone."""


@dataclass(slots=True)
class Messages:
    """A run of messages of one mailbox, in UID order, as columns.

    `uids` may be shared with the account and other sessions: it is appended to in place, so only its first
    `count` items belong to this run, and it is never otherwise changed. `entries` holds 48 octets a message
    (mailnode/mailbox/rows.py). A column that was not wanted is empty. `octets` has b"" for a message over
    `Limits.messages_octets_max`: read it by `Account.octets`.
    """

    position: int
    uids: array[int]
    count: int
    entries: bytes = b""
    mails: list[MailRow] = field(default_factory=list)
    heads: list[bytes] = field(default_factory=list)
    forms: Forms = field(default_factory=Forms)
    octets: list[bytes] = field(default_factory=list)
    overflow: dict[int, Keywords] = field(default_factory=dict)
    """Keywords that found no bit, by UID."""
    first_unseen: int = 0
    """With Want.UIDS: the UID of the mailbox's first message without \\Seen; 0: there is none."""


@dataclass(frozen=True, slots=True)
class Mailboxes:
    """Every mailbox of the account and its subscriptions, at one position."""

    position: int
    rows: Mapping[int, MailboxRow]
    """By mailbox id."""
    names: Mapping[str, int]
    """Full name -> mailbox id, parents before children; INBOX in capitals, "/" between levels."""
    subscribed: frozenset[str]
    """Full names, whether there is such a mailbox or not."""
    version: int = field(default=0, compare=False)
    """Of the node that leads the account: no two that differ have the same."""

    def named(self, name: str) -> MailboxRow | None:
        """The mailbox of a full name; INBOX in any case (RFC 9051 §5.1)."""
        mailbox = self.names.get(canonical_name(name))
        return None if mailbox is None else self.rows[mailbox]


@dataclass(frozen=True, slots=True)
class Gone:
    """Messages that one change expunged from a mailbox, or a part of them: they can be brought back."""

    key: bytes
    """As an Undelete names it."""
    time_microseconds: int
    mailbox: int
    name: str
    """The full name of the mailbox then."""
    messages: int
    octets: int


class Resync(Exception):
    """The reader fell behind what is kept: it must read the state anew."""


class Watch(Protocol):
    """A reader of what happened after a position: first the difference, then changes as they commit."""

    def pending(self) -> list[Touched]:
        """What came since the last call, in order; raises Resync."""

    def told(self) -> None:
        """What `pending` gave is known to the reader's client: it asks for none of the messages that went."""

    def wait(self) -> Awaitable[None]:
        """Done when `pending` has something to say; one waits at a time."""

    def close(self) -> None: ...


class Account(Protocol):
    """Each verb raises Unavailable where the account's node cannot be asked, and nothing was done."""

    id: int

    async def mailboxes(self) -> Mailboxes: ...

    def messages(self, mailbox: int, uids: UidRanges, want: Want) -> AsyncGenerator[Messages, None]:
        """Existing messages of `uids` in runs of bounded size; exactly one run for Want.UIDS.

        Raises KeyError when there is no such mailbox.
        """

    def departed(self, mailbox: int, uids: UidRanges, want: Want) -> AsyncGenerator[Messages, None]:
        """As `messages`, of those of `uids` that went while somebody watched the mailbox, as far as their
        rows are still kept: for a reader that does not know yet."""

    def octets(self, mail: int, start: int, end: int) -> AsyncGenerator[bytes, None]:
        """The octets [start, end) of a mail in chunks of at most 256 KiB; raises Expunged."""

    async def search(self, mailbox: int, key: SearchKey) -> array[int]:
        """The UIDs that match, ascending."""

    async def apply(self, intent: Intent) -> Result:
        """The one way to write: returns once the change is durable; raises NotKnown.

        What the account refuses is a value: `Result.refused`.
        """

    async def expunged(self) -> list[Gone]:
        """What can be brought back, the oldest first."""

    async def usage(self) -> Usage:
        """What it holds, and what it may."""

    async def usage_lately(self) -> Usage:
        """The same, or as it was some seconds ago: for a guess, where the account itself decides later."""

    async def claim_recent(self, mailbox: int) -> tuple[int, int]:
        """The UIDs [first, next) that are \\Recent to the caller and to nobody after it."""

    async def recent(self, mailbox: int) -> int:
        """How many messages nobody has claimed; raises KeyError when there is no such mailbox."""

    async def watch(self, position: int, mailbox: int) -> Watch:
        """Changes after `position`: of one mailbox, or of every one and of the list with `mailbox` 0."""

    async def row(self, kind: int, key: bytes) -> bytes:
        """A small row of the directory or of credentials; empty when there is none."""

    async def rows(self, kind: int, prefix: bytes, after: bytes, count_max: int) -> list[tuple[bytes, bytes]]:
        """Small rows whose keys begin with `prefix`, by their keys, behind the key `after` (empty: from the
        first); none where there are no more."""

    async def unique_ids(self, mailbox: int) -> dict[int, str]:
        """By UID, the unique-ids of POP3 that messages had elsewhere; the others have none of their own."""

    async def known(self, origins: Sequence[bytes]) -> list[bool]:
        """Whether the message of another store came into this account, be it here still or not."""


def decided(result: Result) -> Result:
    """The same, unless nobody decided anything: what asks for no more than "yes" or "no" must not take "not
    now" for a "no". Raises Unavailable."""
    if result.refused in ("UNAVAILABLE", "DISKFULL"):
        raise Unavailable(f"the account takes nothing now: {result.refused}")
    return result

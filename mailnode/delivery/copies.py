"""One copy of a message in each account that shall have it, and one in the queue for other servers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol

from mailnode.clock import Clock
from mailnode.delivery.replies import DISK_FULL, MAILBOX_FULL, UNAVAILABLE
from mailnode.mailbox.content import Arrived, going_on
from mailnode.mailbox.names import INBOX
from mailnode.mailbox.verbs import Account, NotKnown, Unavailable, Usage
from mailnode.pb.change_pb2 import Intent, Result, Upload
from mailnode.pb.row_pb2 import QueueRow
from mailnode.traces import Span, Tell
from protocols.smtp.envelope import Durable
from protocols.smtp.reply import Reply

log = logging.getLogger(__name__)

_REFUSALS = {"OVERQUOTA": MAILBOX_FULL, "LIMIT": MAILBOX_FULL, "DISKFULL": DISK_FULL}


class Accounts(Protocol):
    """Where accounts are opened, by id, wherever they live."""

    async def open(self, account: int) -> Account: ...


class Copy(Protocol):
    """What an account shall have of a message."""

    @property
    def account(self) -> int: ...

    def upload(self, upload: Upload) -> Upload:
        """A chunk of the content, for this copy alone."""

    def ask(self, message: Arrived, intent: Intent) -> None:
        """Put into the intent what makes the copy."""


@dataclass(frozen=True, slots=True)
class Filed:
    """A message in a mailbox."""

    account: int
    mailbox: str

    def upload(self, upload: Upload) -> Upload:
        return upload

    def ask(self, message: Arrived, intent: Intent) -> None:
        copy = intent.add.messages.add(name=self.mailbox, inbox_stands_in=True)
        copy.mail.CopyFrom(message.mail)
        copy.octets = message.octets
        copy.head = message.head
        copy.forms = message.forms
        copy.references.extend(message.references)


@dataclass(frozen=True, slots=True)
class Queued:
    """A message in the queue of its sender, for other servers. Its chunks are its own: they go with it."""

    account: int
    item: QueueRow

    def upload(self, upload: Upload) -> Upload:
        return Upload(upload=going_on(upload.upload), chunk=upload.chunk, octets=upload.octets)

    def ask(self, message: Arrived, intent: Intent) -> None:
        submit = intent.submit
        submit.mail.CopyFrom(message.mail)
        submit.mail.upload = going_on(message.mail.upload)
        submit.octets = message.octets
        submit.head = message.head
        submit.forms = message.forms
        submit.item.CopyFrom(self.item)


QUEUE = 0
"""The key of the copy that goes on; no account that has mail has this id."""


class Copies:
    """The copies of one transaction, by account or QUEUE, and what became of each.

    `identity` is the transaction's: 8 octets of time, 8 random ones. With a copy's key they make the id of
    its intent, so that it is made once however often it is asked.
    """

    __slots__ = (
        "_accounts",
        "_clock",
        "_copies",
        "_dcs",
        "_durable",
        "_failed",
        "_grace_share",
        "_identity",
        "_traced",
        "_wanted",
    )

    def __init__(
        self,
        accounts: Accounts,
        identity: bytes,
        grace_share: float,
        clock: Clock,
        traced: Tell | None,
        wanted: Durable,
    ) -> None:
        """`grace_share`: how far beyond a quota a message may go that fills it; `wanted`: on how many nodes
        each copy shall be, where that is more than there are, and where else."""
        self._clock = clock
        self._traced = traced
        self._accounts = accounts
        self._grace_share = grace_share
        self._identity = identity
        self._copies: dict[int, Copy] = {}
        self._failed: dict[int, Reply] = {}
        self._wanted = wanted
        self._durable: dict[int, int] = {}
        """On how many nodes each copy is that was made."""
        self._dcs: dict[int, frozenset[str]] = {}
        """In which data centres, of those that were asked for."""

    def add(self, account: int, tag: str) -> None:
        """An account's first address decides: its copy goes where the tag says (RFC 5233), if that exists."""
        self._copies.setdefault(account, Filed(account, tag or INBOX))

    def queue(self, account: int, item: QueueRow) -> None:
        """A copy goes on; `item` may change until `store`."""
        self._copies.setdefault(QUEUE, Queued(account, item))

    def file(self, mailbox: str) -> None:
        """All copies go there, whatever their tags say."""
        for key, copy in self._copies.items():
            if isinstance(copy, Filed):
                self._copies[key] = Filed(copy.account, mailbox)

    async def refusal(self, accounts: Sequence[int], octets: int) -> Reply | None:
        """Why one of these cannot take a message of so many octets now; None: all can.

        Refused later, when others have their copies, they would have them twice with the sender's next try.
        """
        return await self._first(self._refusal(each, octets, _usage) for each in accounts)

    async def likely_refusal(self, accounts: Sequence[int], octets: int) -> Reply | None:
        """The same, but what comes and goes at this moment may not be seen."""
        return await self._first(self._refusal(each, octets, _usage_lately) for each in accounts)

    async def _first(self, refusals: Iterable[Awaitable[Reply | None]]) -> Reply | None:
        first, *others = refusals
        if not others:
            return await first
        return next(filter(None, await asyncio.gather(first, *others)), None)

    async def _refusal(
        self, account: int, octets: int, asked: Callable[[Account], Awaitable[Usage]]
    ) -> Reply | None:
        try:
            usage = await asked(await self._accounts.open(account))
        except (NotKnown, Unavailable):
            return UNAVAILABLE
        except Exception:  # our own mistake with one account refuses its recipient, not the transaction
            log.exception("an account cannot be opened", extra={"account": f"{account:016x}"})
            return UNAVAILABLE
        if usage.row.removed:
            return UNAVAILABLE  # its address is about to go
        return None if usage.holds(1, octets, self._grace_share) else MAILBOX_FULL

    async def upload(self, upload: Upload) -> None:
        """A chunk of content for all of them."""
        await self._each(lambda key, copy: self._apply(key, copy, Intent(upload=copy.upload(upload))))

    async def store(self, message: Arrived) -> None:
        """Returns when each copy is durable or has failed."""
        await self._each(lambda key, copy: self._stored(key, copy, self._intent(key, copy, message)))

    def outcome(self, keys: Iterable[int]) -> Reply | None:
        """The worst that became of these copies; None: they are durable."""
        return next((self._failed[key] for key in keys if key in self._failed), None)

    @property
    def durable(self) -> int:
        """On how many nodes each copy is at the least that was made; 0: on one that has no others."""
        return min(self._durable.values(), default=0)

    @property
    def dcs(self) -> list[str]:
        """In which each copy is that was made, of the data centres that were asked for."""
        return [dc for dc in self._wanted.dcs if self._dcs and all(dc in each for each in self._dcs.values())]

    async def _each(self, work: Callable[[int, Copy], Awaitable[None]]) -> None:
        """At once for all that have not failed."""
        waiting = [work(key, copy) for key, copy in self._copies.items() if key not in self._failed]
        if len(waiting) == 1:
            await waiting[0]
        else:
            await asyncio.gather(*waiting)

    async def _stored(self, key: int, copy: Copy, intent: Intent) -> None:
        if self._traced is None:
            await self._apply(key, copy, intent)
            return
        began = self._clock.now_microseconds()
        await self._apply(key, copy, intent)
        name = "apply to the queue" if key == QUEUE else "apply to a mailbox"
        attributes = {"mailnode.account": f"{copy.account:016x}"}
        ended = self._clock.now_microseconds()
        self._traced(Span(name, self._identity, began, ended, attributes, key not in self._failed))

    async def _apply(self, key: int, copy: Copy, intent: Intent) -> None:
        """Whatever goes wrong with one copy, the others are made."""
        try:
            result = await _durably(await self._accounts.open(copy.account), intent)
        except (NotKnown, Unavailable):
            self._failed[key] = UNAVAILABLE
        except Exception:  # our own mistake with one copy; none of it is durable, as far as is known
            log.exception("a copy could not be made", extra={"account": f"{copy.account:016x}"})
            self._failed[key] = UNAVAILABLE
        else:
            if result.refused:
                self._failed[key] = _REFUSALS.get(result.refused, UNAVAILABLE)
            elif not intent.HasField("upload"):
                self._durable[key] = result.copies
                self._dcs[key] = frozenset(result.dcs)

    def _intent(self, key: int, copy: Copy, message: Arrived) -> Intent:
        own = blake2b(key.to_bytes(8, "big"), key=self._identity[8:], digest_size=8).digest()
        intent = Intent(id=self._identity[:8] + own, copies=self._wanted.copies, dcs=self._wanted.dcs)
        copy.ask(message, intent)
        return intent


async def _usage(account: Account) -> Usage:
    return await account.usage()


async def _usage_lately(account: Account) -> Usage:
    return await account.usage_lately()


async def _durably(account: Account, intent: Intent) -> Result:
    """Asked again once when it was not known whether it is durable."""
    try:
        return await account.apply(intent)
    except NotKnown:
        intent.retry = True
        return await account.apply(intent)

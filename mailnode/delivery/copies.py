"""One copy of a message in each account that shall have it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from hashlib import blake2b
from typing import Protocol

from mailnode.delivery.replies import MAILBOX_FULL, UNAVAILABLE
from mailnode.mailbox.content import Arrived
from mailnode.mailbox.names import INBOX
from mailnode.mailbox.verbs import Account, NotKnown
from mailnode.pb.change_pb2 import Intent, Upload
from protocols.smtp.reply import Reply

_REFUSALS = {"OVERQUOTA": MAILBOX_FULL}


class Accounts(Protocol):
    """Where accounts are opened, by id, wherever they live."""

    async def open(self, account: int) -> Account: ...


class Copies:
    """The accounts of one transaction, and what became of the copy in each.

    `identity` is the transaction's: 8 octets of time, 8 random ones. With an account's id they make the id of
    its intent, so that it takes one copy however often it is asked.
    """

    __slots__ = ("_accounts", "_failed", "_identity", "_mailboxes")

    def __init__(self, accounts: Accounts, identity: bytes) -> None:
        self._accounts = accounts
        self._identity = identity
        self._mailboxes: dict[int, str] = {}
        self._failed: dict[int, Reply] = {}

    def add(self, account: int, tag: str) -> None:
        """An account's first address decides: its copy goes where the tag says (RFC 5233), if that exists."""
        self._mailboxes.setdefault(account, tag or INBOX)

    async def upload(self, upload: Upload) -> None:
        """A chunk of content for all of them."""
        intent = Intent(upload=upload)
        await self._each(lambda account: self._apply(account, intent))

    async def store(self, message: Arrived) -> None:
        """Returns when each copy is durable or has failed."""
        await self._each(lambda account: self._apply(account, self._intent(account, message)))

    def outcome(self, accounts: Iterable[int]) -> Reply | None:
        """The worst that became of the copies in these accounts; None: they are durable."""
        return next((self._failed[account] for account in accounts if account in self._failed), None)

    async def _each(self, work: Callable[[int], Awaitable[None]]) -> None:
        """At once in all accounts that have not failed."""
        waiting = [work(account) for account in self._mailboxes if account not in self._failed]
        if len(waiting) == 1:
            await waiting[0]
        else:
            await asyncio.gather(*waiting)

    async def _apply(self, account: int, intent: Intent) -> None:
        try:
            result = await _durably(await self._accounts.open(account), intent)
        except NotKnown:
            self._failed[account] = UNAVAILABLE
        else:
            if result:
                self._failed[account] = _REFUSALS.get(result, UNAVAILABLE)

    def _intent(self, account: int, message: Arrived) -> Intent:
        intent = Intent(id=self._intent_id(account))
        copy = intent.add.messages.add(name=self._mailboxes[account], inbox_stands_in=True)
        copy.mail.CopyFrom(message.mail)
        copy.octets = message.octets
        copy.head = message.head
        copy.references.extend(message.references)
        return intent

    def _intent_id(self, account: int) -> bytes:
        own = blake2b(account.to_bytes(8, "big"), key=self._identity[8:], digest_size=8).digest()
        return self._identity[:8] + own


async def _durably(account: Account, intent: Intent) -> str:
    """What it was refused for, empty when it is durable; asked again once when that was not known."""
    try:
        return (await account.apply(intent)).refused
    except NotKnown:
        intent.retry = True
        return (await account.apply(intent)).refused

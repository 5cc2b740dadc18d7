"""Thousands of accounts, quickly: all with one hash of one password, which is remembered once it was right.

So a login here costs what every login but a client's first of the hour costs.
"""

import asyncio
from pathlib import Path

from mailnode.clock import SystemClock
from mailnode.config import load
from mailnode.directory.creation import Created, Creation
from mailnode.directory.credential import Credentials
from mailnode.directory.lookup import Owner
from mailnode.directory.password import COST, SALT_OCTETS, derive
from mailnode.directory.rows import Rows, intent_id
from mailnode.node import House, house
from mailnode.pb.change_pb2 import Intent, PutRow
from mailnode.store.keys import Kind
from tests.wire.node import Node

TOGETHER = 100


class NodeOfMany(Node):
    """`accounts` have one password."""

    def init(self) -> None:
        every = self.accounts
        self.accounts = {}
        super().init()
        self.accounts = every
        asyncio.run(_create(self.directory, list(every.items())))


async def _create(directory: Path, accounts: list[tuple[str, str]]) -> None:
    config = load(directory)
    async with house(config, SystemClock()) as parts:
        domains = {domain.name: domain for domain in config.domains}
        credentials = _OneHash(parts, accounts[0][1].encode())
        rows = Rows(parts.accounts, parts.clock, parts.limits)
        creation = Creation(parts.accounts, rows, credentials, domains, parts.clock, parts.limits)
        for start in range(0, len(accounts), TOGETHER):
            some = accounts[start : start + TOGETHER]
            outcomes = await asyncio.gather(*(creation.create(*account) for account in some))
            assert all(isinstance(outcome, Created) for outcome in outcomes), outcomes


class _OneHash(Credentials):
    def __init__(self, parts: House, password: bytes) -> None:
        self._parts = parts
        self._password = password
        self._limits = parts.limits
        self._value = b""

    async def write(self, owner: Owner, prepared: bytes) -> None:
        assert prepared == self._password
        clock = self._parts.clock
        if not self._value:
            salts = clock.random(SALT_OCTETS), clock.random(SALT_OCTETS)
            self._value = derive(prepared, salts, COST, owner.domain).SerializeToString()
        account = await self._parts.accounts.open(owner.account)
        put_row = PutRow(kind=Kind.CREDENTIAL, value=self._value)
        await account.apply(Intent(id=intent_id(clock), put_row=put_row))

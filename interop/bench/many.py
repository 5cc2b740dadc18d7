"""Thousands of accounts, quickly: all with one hash of one password, which is remembered once it was right.

So a login here costs what every login but a client's first of the hour costs.
"""

import asyncio
from pathlib import Path

from mailnode.clock import SystemClock
from mailnode.config import load
from mailnode.directory.creation import Created, Creation
from mailnode.directory.credential import Credentials
from mailnode.directory.password import COST, SALT_OCTETS, derive
from mailnode.directory.rows import Rows
from mailnode.domain import Domain
from mailnode.node import House, house
from mailnode.pb.row_pb2 import CredentialRow
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
    async with house(load(directory), SystemClock()) as parts:
        await create(parts, accounts)


async def create(parts: House, accounts: list[tuple[str, str]]) -> None:
    credentials = _OneHash(parts)
    rows = Rows(parts.accounts, parts.clock)
    creation = Creation(parts.accounts, rows, credentials, parts.domains, parts.clock, parts.limits)
    for start in range(0, len(accounts), TOGETHER):
        some = accounts[start : start + TOGETHER]
        outcomes = await asyncio.gather(*(creation.create(*account) for account in some))
        assert all(isinstance(outcome, Created) for outcome in outcomes), outcomes


class _OneHash(Credentials):
    def __init__(self, parts: House) -> None:
        self._accounts, self._clock, self._limits = parts.accounts, parts.clock, parts.limits
        self._row_of_all: CredentialRow | None = None

    async def derived(self, domain: Domain, prepared: bytes, scram_salt: bytes = b"") -> CredentialRow:
        if self._row_of_all is None:
            salts = self._clock.random(SALT_OCTETS), self._clock.random(SALT_OCTETS)
            self._row_of_all = derive(prepared, salts, COST, domain)
        return self._row_of_all

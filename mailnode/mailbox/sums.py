"""What the accounts of each domain hold together, at all nodes: summed up now and then, for a limit that may
lag."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Executor
from itertools import islice
from typing import Protocol

from google.protobuf.message import DecodeError

from mailnode.limits import Limits
from mailnode.mailbox.quota import Quotas, domain_of
from mailnode.mailbox.reads import accounts_from
from mailnode.mailbox.service import Function, Leases
from mailnode.mailbox.verbs import Unavailable
from mailnode.pb.account_pb2 import DomainSums
from mailnode.pb.row_pb2 import AccountRow
from mailnode.store import keys
from mailnode.store.damage import Unreadable, told
from mailnode.store.keys import Family, Kind
from mailnode.store.shard import Shard

_SUMS = "domain.sums"


class Others(Protocol):
    """Of `places.Places`."""

    functions: dict[str, Function]

    def others(self) -> Sequence[str]: ...

    def leaders(self) -> Collection[str]: ...

    async def call(self, node: str, function: str, octets: bytes) -> bytes: ...


class Sums:
    """Reads one row of each account, a bounded part at a time, and only while a domain has a limit."""

    def __init__(
        self,
        shard: Shard,
        quotas: Quotas,
        loads: Executor,
        limits: Limits,
        leads: Callable[[int], bool],
        others: Others,
    ) -> None:
        """`leads`: whether an account is counted here, and not by another node that has its rows too."""
        self._shard = shard
        self._leads = leads
        self._quotas = quotas
        self._loads = loads
        self._limits = limits
        self._others = others
        self._own = DomainSums()
        self._told: dict[str, DomainSums] = {}
        """What each other node said last: one that is away holds what it held, until others lead it."""
        others.functions[_SUMS] = self._said

    async def run(self) -> None:
        while True:
            await self.refresh()
            await asyncio.sleep(self._limits.domain_sums_seconds)

    async def refresh(self) -> None:
        """Sum up once."""
        octets: Counter[str] = Counter()
        following: int | None = 0 if self._quotas.any_domain_limited else None
        while following is not None:
            part, following = await asyncio.get_running_loop().run_in_executor(
                self._loads, self._part, following
            )
            octets.update(part)
        self._own = DomainSums(octets=octets)
        await self._ask_others()
        for each in self._told.values():
            octets.update(each.octets)
        self._quotas.summed(octets)

    async def _ask_others(self) -> None:
        nodes = self._others.others() if self._quotas.any_domain_limited else ()
        self._told = {node: said for node, said in self._told.items() if node in nodes}
        for node in nodes:
            try:
                self._told[node] = DomainSums.FromString(await self._others.call(node, _SUMS, b""))
            except Unavailable:
                if node not in self._others.leaders():
                    self._told.pop(node, None)

    async def _said(self, octets: bytes, leases: Leases) -> bytes:
        return self._own.SerializeToString()

    def _part(self, start: int) -> tuple[Counter[str], int | None]:
        """Of some accounts from `start` on, and the account that the next part begins at. Blocking."""
        octets: Counter[str] = Counter()
        account = None
        for account in islice(accounts_from(self._shard, start), self._limits.summed_accounts):
            if not self._leads(account):
                continue
            key = keys.state(account, Kind.ACCOUNT)
            try:
                row = AccountRow.FromString(self._shard.get(Family.STATE, key) or b"")
            except (DecodeError, Unreadable) as error:
                told.tell(Family.STATE, key, str(error))
                continue
            if not row.removed:
                octets[domain_of(row)] += row.octets
        return octets, None if account is None else account + 1

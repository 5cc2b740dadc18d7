"""Three nodes in one process: one leads an account, then another, of which each hears at its own time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from mailnode.cluster.map import Map, Peer
from mailnode.cluster.partitions import NotPrimary, Partitions
from mailnode.cluster.replica_messages import Member
from mailnode.limits import Limits
from mailnode.mailbox.accounts import Accounts
from mailnode.mailbox.link import Stream
from mailnode.mailbox.maildrops import Locks, Maildrops
from mailnode.mailbox.places import Places
from mailnode.mailbox.quota import Quotas
from mailnode.mailbox.service import Service
from mailnode.mailbox.ties import Ties
from mailnode.mailbox.verbs import Account
from mailnode.store import keys
from mailnode.store.shard import Shard
from tests.mailbox.elsewhere import Wire, led_by
from tests.mailbox.house import Ticking
from tests.store.faulty_shard import FaultyShard

NAMES = ("a", "b", "c")
LIMITS = replace(Limits(), reattach_seconds_max=0)


class Led(Partitions):
    """All of them by this node, or none."""

    leads_now = False

    def leads(self, partition: int) -> bool:
        return self.leads_now

    def check(self, partition: int, copies: int = 0, dcs: Collection[str] = ()) -> None:
        if not self.leads_now:
            raise NotPrimary(partition, "")

    def check_read(self, partition: int) -> None:
        self.check(partition)


@dataclass
class Node:
    """Of all accounts it has what the one shard has: no copy is ever behind."""

    map: Map
    partitions: Led
    accounts: Accounts
    places: Places
    service: Service
    ties: Ties
    maildrops: Maildrops
    wires: dict[str, Wire]
    """To the others."""


@dataclass
class Moving:
    nodes: dict[str, Node]
    account: int
    leader: str = NAMES[0]
    _revision: int = 1
    moves: int = 0

    async def open(self, name: str) -> Account:
        return await self.nodes[name].accounts.open(self.account)

    async def move(self, to: str) -> None:
        """Those without a part hear of it first, then who led it, then who leads it."""
        before, self.leader = self.nodes[self.leader], to
        after, partition = self.nodes[to], keys.partition(self.account)
        self._revision += 1
        row = led_by(Member(to, NAMES.index(to)), self._revision)
        for node in self.nodes.values():
            if node is not after:
                node.map.put(partition, row)
        before.partitions.leads_now = False
        before.accounts._end(partition)
        await before.partitions.idle()
        after.partitions.leads_now = True
        after.accounts._begin(partition)
        after.map.put(partition, row)
        self.moves += 1


@asynccontextmanager
async def moving(account: int, limits: Limits = LIMITS) -> AsyncIterator[Moving]:
    shard, clock = FaultyShard(), Ticking()
    with ThreadPoolExecutor(1) as writer, ThreadPoolExecutor(2) as loads:
        nodes: dict[str, Node] = {}
        for name in NAMES:
            nodes[name] = _node(name, nodes, shard, writer, loads, clock, limits)
        for name, node in nodes.items():
            node.wires.update({other: Wire(nodes[other].service) for other in NAMES if other != name})
        nodes[NAMES[0]].partitions.leads_now = True
        try:
            yield Moving(nodes, account)
        finally:
            for node in nodes.values():
                await node.ties.close()
                await node.places.close()
                await asyncio.gather(*(wire.end() for wire in node.wires.values()))


def _node(
    name: str,
    nodes: dict[str, Node],
    shard: Shard,
    writer: ThreadPoolExecutor,
    loads: ThreadPoolExecutor,
    clock: Ticking,
    limits: Limits,
) -> Node:
    known = Map(Member(name, NAMES.index(name)), everywhere=led_by(Member(NAMES[0], 0)))
    for number, each in enumerate(NAMES):
        known.put_peer(Peer(each, each, each, "", 1.0, number, "in memory"))
    partitions = Led(shard, writer, limits, lambda error: None)
    accounts = Accounts(shard, partitions, loads, clock, limits, Quotas({}))

    async def connect(other: str) -> Stream:
        return await nodes[name].wires[other].connect()

    service = Service(accounts, limits)
    places = Places(known, accounts.local, connect, clock, limits)
    places.functions = service.functions
    service.functions.update(Locks(clock, accounts.term).functions)
    accounts.beside(places)
    ties, maildrops = Ties(known, places, accounts.bulletin, limits), Maildrops(places.at_owner, clock)
    ties.add(maildrops)
    return Node(known, partitions, accounts, places, service, ties, maildrops, {})

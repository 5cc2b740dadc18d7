"""Two nodes in one process: one leads every account, the other asks it over a stream in memory."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from contextvars import ContextVar
from typing import Any

from mailnode.clock import Clock
from mailnode.cluster.map import Map
from mailnode.cluster.partitions import Partitions
from mailnode.cluster.replica_messages import Member, Row
from mailnode.limits import Limits
from mailnode.mailbox.accounts import Accounts
from mailnode.mailbox.link import Stream, Unreached
from mailnode.mailbox.places import Places
from mailnode.mailbox.quota import Quotas
from mailnode.mailbox.service import Service
from tests.store.faulty_shard import FaultyShard

ELSEWHERE: ContextVar[bool] = ContextVar("whether accounts are another node's", default=False)
OWNER, ASKER = Member("owner", 1), Member("asker", 2)


def led_by(owner: Member, revision: int = 1) -> Row:
    return Row(revision, epoch=1, primary=owner, run=1, in_sync=(owner,), replicas=(owner.node,))


def map_of(me: Member, owner: Member = OWNER) -> Map:
    return Map(me, everywhere=led_by(owner))


class Pipe:
    """One way: a message waits until it is read."""

    def __init__(self) -> None:
        self._messages: asyncio.Queue[bytes | None] = asyncio.Queue(1)
        self._cut = False

    async def put(self, message: bytes) -> None:
        if self._cut:
            raise OSError("cut")
        await self._messages.put(message)

    async def get(self) -> bytes:
        octets = None if self._cut else await self._messages.get()
        if octets is None:
            raise OSError("cut")
        return octets

    def cut(self) -> None:
        self._cut = True
        while not self._messages.empty():
            self._messages.get_nowait()
        self._messages.put_nowait(None)


class Wire:
    """Between the two nodes; it may be cut, and be down."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._tasks: set[asyncio.Task[None]] = set()
        self._pipes: list[Pipe] = []
        self.is_down = False
        self.opened = 0
        self.messages = 0

    async def connect(self, _: str = "") -> Stream:
        if self.is_down:
            raise Unreached("down")
        self.opened += 1
        asks, answers = Pipe(), Pipe()
        self._pipes += [asks, answers]
        task = asyncio.ensure_future(self.service.speak(_End(asks, answers, self)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return _End(answers, asks, self)

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        pipes, self._pipes = self._pipes, []
        for pipe in pipes:
            pipe.cut()


class _End:
    """One of both ends of a stream."""

    def __init__(self, come: Pipe, go: Pipe, wire: Wire) -> None:
        self._come = come
        self._go = go
        self._wire = wire

    async def read(self) -> bytes:
        return await self._come.get()

    async def write(self, message: bytes) -> None:
        self._wire.messages += 1
        await self._go.put(message)

    def close(self) -> None:
        self._come.cut()
        self._go.cut()


def beside(
    owner: Accounts, writer: Executor, loads: Executor, clock: Clock, limits: Limits
) -> tuple[Accounts, Wire]:
    """The accounts of the node that asks, and what it asks through."""

    async def nobody(node: str) -> Any:
        raise Unreached(node)

    service = Service(owner, limits)
    owner.beside(Places(map_of(OWNER), owner.local, nobody, clock, limits))
    wire = Wire(service)
    shard = FaultyShard()
    partitions = Partitions(shard, writer, limits, lambda error: None)
    asker = Accounts(shard, partitions, loads, clock, limits, Quotas({}))
    asker.beside(Places(map_of(ASKER), asker.local, wire.connect, clock, limits))
    return asker, wire

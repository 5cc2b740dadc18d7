"""Nodes of a cluster in one process: real driver and writer, shards that forget, streams and map in memory.

Nothing goes on by itself: `Cluster.settle` does all that is ready, `pass_time` lets the clock of all go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial

from mailnode.cluster import log_rows
from mailnode.cluster.log_rows import Changes
from mailnode.cluster.partitions import Append, Partitions
from mailnode.cluster.replica_messages import Far, Frame, Member, Row, Swap
from mailnode.cluster.replicas import Replicas
from mailnode.cluster.replication import Replication
from mailnode.limits import Limits
from mailnode.store import keys
from mailnode.store.keys import Family
from mailnode.store.shard import Put
from tests.cluster.by_hand import HandLoop
from tests.sim.etcd import Etcd
from tests.store.faulty_shard import FaultyShard

PARTITION = 3
CONTENT_AT = b"|"
"""In an entry: what comes behind is its content, a blob row."""


def _key(name: bytes) -> bytes:
    return PARTITION.to_bytes(2, "big") + b"row" + name


class Texts:
    """Entries are texts: `name|content`, or `name*count` with so many rows."""

    def rows(self, data: bytes, format: int) -> Iterable[Put]:
        name, _, content = data.partition(CONTENT_AT)
        name, _, count = name.partition(b"*")
        for number in range(int(count or b"1")):
            yield Family.STATE, _key(name) + (b"%d" % number if count else b""), name
        if content:
            yield Family.BLOB, _key(name), content

    def apart(self, data: bytes) -> tuple[bytes, list[Put]]:
        name, _, content = data.partition(CONTENT_AT)
        return name, [(Family.BLOB, _key(name), content)] if content else []

    def whole(self, data: bytes, get: Callable[[str, bytes], bytes | None]) -> bytes:
        content = get(Family.BLOB, _key(data))
        return data + CONTENT_AT + content if content is not None else data


@dataclass
class Text:
    """An entry."""

    data: bytes
    told: list[bytes] = field(default_factory=list)
    partition: int = PARTITION
    durable: bool = True

    @property
    def octets(self) -> int:
        return len(self.data)

    @property
    def large(self) -> bool:
        return b"*" in self.data

    def encoded(self) -> bytes:
        return self.data

    def rows(self, format: int) -> Iterable[Put]:
        return Texts().rows(self.data, format)

    def committed(self) -> None:
        self.told.append(self.data)


class Ways:
    """Streams of one node: each frame waits until it is delivered."""

    def __init__(self) -> None:
        self.received: Callable[[Frame], None] = lambda frame: None
        self.taken: Callable[[Member], None] = lambda member: None
        self.out: list[Frame] = []
        self.given: Callable[[Frame, AsyncIterator[bytes]], Awaitable[None]] = _refuse
        self.give_to: Callable[[Frame, list[bytes], asyncio.Future[None]], None] = _give_nobody

    def send(self, frame: Frame) -> None:
        assert frame.to not in [other.to for other in self.out], "one at a time"
        self.out.append(frame)

    async def give(self, frame: Frame, octets: AsyncIterator[bytes]) -> None:
        taken = asyncio.get_running_loop().create_future()
        self.give_to(frame, [piece async for piece in octets], taken)
        await taken


class Node:
    """One process."""

    def __init__(self, cluster: Cluster, name: str, shard: FaultyShard, run: int) -> None:
        self.me = Member(name, 1)
        self.cluster = cluster
        self.hand = HandLoop()
        self.shard = shard
        self.ways = Ways()
        self.failures: list[OSError] = []
        self.begun: list[int] = []
        self.told: list[bytes] = []
        self.is_short = False
        changes = cluster.changes
        replicas = log_rows.read(shard, self.me, run, changes)
        core = Replicas(self.me, run, cluster.now, replicas, return_seconds=1.0)
        self.replication = Replication(
            core,
            shard,
            changes,
            self.ways,
            partial(cluster.swap, self),
            self.hand.writer,
            self.hand.loads,
            cluster.limits,
            lambda: cluster.now,
            lambda: self.is_short,
        )
        self.partitions = Partitions(
            shard, self.hand.writer, cluster.limits, self.failures.append, replication=self.replication
        )
        self.ways.give_to = cluster.give
        self.partitions.follow(self.begun.append, self.begun.remove)

    def do(self, what: Callable[[], object]) -> None:
        """On the loop."""
        self.hand.loop.call_soon(what)
        self.hand.settle()

    def append(self, data: bytes, copies: int = 0) -> Append:
        """Raises Unavailable."""

        async def appended() -> Append:
            self.partitions.check(PARTITION, copies)
            return self.partitions.append(Text(data, self.told))

        return self.hand.loop.run_until_complete(appended())

    def rows(self) -> list[bytes]:
        return list(self.shard.values(Family.STATE, _key(b""), keys.after(_key(b""))))

    def contents(self) -> list[bytes]:
        return list(self.shard.values(Family.BLOB, b"", keys.END))

    def log(self) -> list[bytes]:
        start = keys.log(PARTITION, 1)
        return [key for key, _ in self.shard.scan(Family.LOG, start, keys.END)]

    def work(self) -> bool:
        """Jobs of its pools; whether there were any."""
        busy = False
        for pool in (self.hand.writer, self.hand.loads):
            while pool.waiting or pool.unheard:
                if not pool.unheard:
                    pool.run()
                pool.hear()
                self.hand.settle()
                busy = True
        return busy


class Cluster:
    def __init__(
        self,
        names: str = "ab",
        min_insync: int = 1,
        limits: Limits | None = None,
        changes: Changes | None = None,
        shards: Callable[[str], FaultyShard] = lambda name: FaultyShard(),
        far: str = "",
        sync_dcs: tuple[str, ...] = (),
    ) -> None:
        """`far`: names of nodes, each in the data centre `dc-NAME`."""
        self.changes = changes or Texts()
        self._shards = shards
        self.now = 100.0
        self.limits = limits or replace(Limits(), part_rows_max=3)
        self.nodes: dict[str, Node] = {}
        self.cut: set[str] = set()
        """From all others, but not from the map."""
        self.unmapped: set[str] = set()
        """Cut from the map."""
        self.hung: set[str] = set()
        """Their disks; the loops go on."""
        first = Member(names[0], 1)
        elsewhere = tuple(Far(name, f"dc-{name}") for name in far)
        row = Row(1, 0, first, 0, (first,), tuple(names), min_insync, elsewhere, sync_dcs)
        self.etcd = Etcd({PARTITION: row})
        self.snapshots: list[asyncio.Future[None]] = []
        self.on_their_way: Callable[[list[bytes]], AsyncIterator[bytes]] = each
        """What becomes of the octets of a snapshot."""
        self._runs = 0
        for name in names + far:
            self.start(name)
        self.pass_time(8)

    def start(self, name: str, shard: FaultyShard | None = None) -> Node:
        self._runs += 1
        node = self.nodes[name] = Node(self, name, shard or self._shards(name), self._runs)
        self.etcd.leases[node.me] = self._runs, 1e9
        for other in self.nodes.values():
            other.do(partial(other.replication.lease, node.me, True))
        node.do(partial(node.replication.read, PARTITION, self.etcd.rows[PARTITION]))
        return node

    def crash(self, name: str) -> FaultyShard:
        """The shard as it is then: nothing that was not synced."""
        node = self.nodes.pop(name)
        node.hand.close()
        member = node.me
        self.etcd.leases.pop(member, None)
        for other in self.nodes.values():
            other.do(partial(other.replication.lease, member, False))
        return node.shard.reopen()

    def swap(self, node: Node, swaps: tuple[Swap, ...]) -> None:
        if node.me.node in self.unmapped:
            return
        for swap in swaps:
            self.etcd.swap(swap)
        for name, other in self.nodes.items():
            row = self.etcd.rows[PARTITION]
            if name not in self.unmapped:
                other.hand.loop.call_soon(partial(other.replication.read, PARTITION, row))

    def lose_lease(self, name: str) -> None:
        """As the other nodes hear it."""
        member = self.nodes[name].me
        self.etcd.leases.pop(member, None)
        for other in self.nodes.values():
            if other.me != member:
                other.do(partial(other.replication.lease, member, False))

    def join(self, name: str) -> None:
        """With the others and the map."""
        self.cut.discard(name)
        self.unmapped.discard(name)
        node = self.nodes[name]
        for other in self.nodes.values():
            other.do(partial(other.replication.lease, node.me, True))
        node.do(partial(node.replication.read, PARTITION, self.etcd.rows[PARTITION]))

    def give(self, frame: Frame, pieces: list[bytes], taken: asyncio.Future[None] | None = None) -> None:
        """A snapshot reaches the other node; `taken`, on the loop of this one, tells what becomes of it."""
        to = self.nodes.get(frame.to.node)
        if to is None or frame.to != to.me:
            _tell(taken, OSError("nobody is there"))
            return
        taking = to.hand.start(to.ways.given(frame, self.on_their_way(pieces)))
        taking.add_done_callback(
            lambda _: _tell(taken, OSError("it ended") if taking.cancelled() else taking.exception())
        )
        self.snapshots.append(taking)

    def settle(self, writes: bool = True) -> None:
        """Everything that is under way."""
        busy = True
        while busy:
            busy = False
            for node in list(self.nodes.values()):
                node.hand.settle()
                busy |= (writes and node.me.node not in self.hung and node.work()) | self._deliver(node)

    def _deliver(self, node: Node) -> bool:
        frames, node.ways.out = node.ways.out, []
        for frame in frames:
            node.do(partial(node.ways.taken, frame.to))
            to = self.nodes.get(frame.to.node)
            if to is not None and not {node.me.node, frame.to.node} & self.cut:
                to.do(partial(to.ways.received, frame))
        return bool(frames)

    def pass_time(self, seconds: float) -> None:
        until = self.now + seconds
        while self.now < until:
            self.now += 0.25
            for node in list(self.nodes.values()):
                node.do(node.replication.tick)
            self.settle()

    def close(self) -> None:
        for node in self.nodes.values():
            node.hand.close()


def _give_nobody(frame: Frame, pieces: list[bytes], taken: asyncio.Future[None]) -> None:
    raise AssertionError("nobody takes it")


def _tell(taken: asyncio.Future[None] | None, error: BaseException | None) -> None:
    if taken is None or taken.done() or taken.get_loop().is_closed():
        return
    if error is not None:
        taken.set_exception(error)
    else:
        taken.set_result(None)


async def _refuse(frame: Frame, octets: AsyncIterator[bytes]) -> None:
    raise AssertionError("nobody takes it")


async def each(pieces: list[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def outcome(append: Append) -> bool | None:
    """Whether it is committed; None while that is open."""
    return append.known if append.ended else None

"""Nodes with real shards, threads and gRPC, in this process or one of their own; only the map is in memory.

`python -m tests.cluster.real FOLDER` is node b, which learns from node a for as long as its stdin is open.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mailnode.clock import SystemClock
from mailnode.cluster import log_rows
from mailnode.cluster.hello import Hello
from mailnode.cluster.map import Map, Peer
from mailnode.cluster.partitions import Partitions
from mailnode.cluster.peers import Peers
from mailnode.cluster.replica_messages import Member, Row, Swap
from mailnode.cluster.replicas import Replicas
from mailnode.cluster.replication import Replication
from mailnode.cluster.sending import SERVICE
from mailnode.cluster.streams import Streams
from mailnode.limits import Limits, MiB
from mailnode.store import keys
from mailnode.store.shard import RocksShard, Shard, open_shard
from tests.cluster.nodes import PARTITION, Text, Texts
from tests.sim.etcd import Etcd

SHARD_OCTETS = 64 * MiB
A, B = Member("a", 1), Member("b", 1)
READY = b"ready\n"


class RealNode:
    """`etcd` is shared by the nodes of one process; in another it stands still."""

    def __init__(self, me: Member, folder: Path, etcd: Etcd, nodes: list[RealNode], limits: Limits) -> None:
        self.me = me
        self.run = int.from_bytes(os.urandom(8))
        self.shard = open_shard(folder / me.node, SHARD_OCTETS, os.urandom(16))
        self.writer, self.loads = ThreadPoolExecutor(1), ThreadPoolExecutor(2)
        self.etcd, self.nodes = etcd, nodes
        self.map = Map(me)
        for each in (A, B):
            address = f"unix:{folder / each.node}.socket"
            self.map.put_peer(Peer(each.node, each.node, "", "", 1.0, each.incarnation, address))
        self.peers = Peers(self.map, limits)
        clock = SystemClock()
        self.streams = Streams(self.peers, Hello("real", me, self.run), me, clock, limits)
        self.peers.add(self.streams.add_to)
        self.peers.add_near(SERVICE, self.streams.take_near)
        changes = Texts()
        found = log_rows.read(self.shard, me, self.run, changes)
        core = Replicas(me, self.run, time.monotonic(), found, return_seconds=0.0)
        self.replication = Replication(
            core,
            self.shard,
            changes,
            self.streams,
            self._swap,
            self.writer,
            self.loads,
            limits,
            time.monotonic,
        )
        self.failures: list[OSError] = []
        self.partitions = Partitions(
            self.shard, self.writer, limits, self.failures.append, replication=self.replication
        )
        self._woken = asyncio.Event()
        wake = self.replication.wake
        self.replication.wake = lambda: (self._woken.set(), wake())[1]

    def _swap(self, swaps: tuple[Swap, ...]) -> None:
        for swap in swaps:
            self.etcd.swap(swap)
        for node in self.nodes:
            asyncio.get_running_loop().call_soon(node._read)

    def _read(self) -> None:
        self.map.put(PARTITION, self.etcd.rows[PARTITION])

    async def start(self) -> None:
        self.nodes.append(self)
        self.etcd.leases[self.me] = self.run, 1e18
        self.map.put(PARTITION, self.etcd.rows[PARTITION])
        await self.peers.start()
        self.replication.mapped(self.map)
        self._running = asyncio.ensure_future(self.replication.run())

    async def stop(self) -> None:
        self.nodes.remove(self)
        self._running.cancel()
        await self.streams.stop()
        await self.replication.stop()
        await self.peers.stop()
        await self.partitions.idle()
        self.writer.shutdown()
        self.loads.shutdown()
        self.shard.close()

    async def append(self, data: bytes) -> None:
        await self.partitions.room()
        await self.partitions.append(Text(data)).wait()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """It is looked at whenever something happens here."""
        while not is_so():
            self._woken.clear()
            await self._woken.wait()

    async def until_in_sync(self, *members: Member) -> None:
        await self.until(lambda: set(self.etcd.rows[PARTITION].in_sync) == set(members))

    def leads(self) -> bool:
        return self.replication.leads(PARTITION)

    @property
    def applied(self) -> int:
        return self.replication.core.partitions[PARTITION].applied


def first_map() -> Etcd:
    """a is alone in sync, b should have a copy, too."""
    return Etcd({PARTITION: Row(1, 0, A, 0, (A,), ("a", "b"))})


def everything(shard: Shard) -> Iterator[tuple[str, bytes, bytes]]:
    for family in keys.OF_ACCOUNTS:
        for key, value in shard.scan(family, *keys.partition_range(family, PARTITION)):
            yield family, key, value


def opened(folder: Path, me: Member) -> RocksShard:
    return open_shard(folder / me.node, SHARD_OCTETS, b"")


async def _learn(folder: Path) -> None:
    node = RealNode(B, folder, first_map(), [], Limits())
    await node.start()
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await node.stop()


if __name__ == "__main__":
    asyncio.run(_learn(Path(sys.argv[1])))

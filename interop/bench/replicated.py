"""`python -m interop.bench.replicated`: entries of 2 KB from one process to another, durable in both.

Two nodes on a shard each, with the streams, the core and the writer of a node, over a unix socket; the map
stands still. So many appends are on their way at a time; each is counted when it is committed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import uvloop

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
from mailnode.limits import Limits
from mailnode.store.keys import Family
from mailnode.store.shard import Put, Shard, open_shard

PARTITIONS = 16
A, B = Member("a", 1), Member("b", 1)
READY = "ready"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m interop.bench.replicated", description=__doc__)
    parser.add_argument("--octets", type=int, default=2048, help="of an entry (2048)")
    parser.add_argument("--open", type=int, default=2000, help="appends on their way (2000)")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--folder", type=Path, default=None, help="on the disk to measure")
    parser.add_argument("--node", choices="ab", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.node == "b":
        uvloop.run(_follow(options.folder))
        return
    if options.node == "a":
        uvloop.run(_lead(options.folder, options.octets, options.open, options.seconds))
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        command = [sys.executable, "-m", __spec__.name, "--folder", folder]
        told = ["--octets", options.octets, "--open", options.open, "--seconds", options.seconds]
        follower = subprocess.Popen([*command, "--node", "b"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert follower.stdout is not None and follower.stdin is not None
        follower.stdout.readline()
        said = subprocess.run(
            [*command, "--node", "a", *map(str, told)], stdout=subprocess.PIPE, check=True, text=True
        )
        follower.stdin.close()
        _tell(json.loads(said.stdout), json.loads(follower.stdout.read()), options.octets)
        follower.wait()


def _tell(lead: dict[str, float], follow: dict[str, float], octets: int) -> None:
    count = lead["count"]
    print(
        f"{count / lead['seconds']:.0f} entries/s of {octets} octets; CPU each: "
        f"{1e6 * lead['cpu'] / count:.0f} µs primary, {1e6 * follow['cpu'] / count:.0f} µs follower"
    )


class Octets:
    """An entry is a number and octets: one row."""

    def rows(self, data: bytes, format: int) -> Iterable[Put]:
        return [(Family.BLOB, data[:17], data[17:])]

    def apart(self, data: bytes) -> tuple[bytes, list[Put]]:
        return data[:17], [(Family.BLOB, data[:17], data[17:])]

    def whole(self, data: bytes, get: object) -> bytes:
        raise NotImplementedError("nothing that is trimmed is asked for while it is measured")


class Entry:
    durable, large = True, False

    def __init__(self, bench: Bench, number: int, content: bytes) -> None:
        self.partition = number % PARTITIONS
        self.octets = len(content)
        self._bench = bench
        self._data = self.partition.to_bytes(2, "big") + number.to_bytes(15, "big") + content

    def encoded(self) -> bytes:
        return self._data

    def rows(self, format: int) -> Iterable[Put]:
        return ((Family.BLOB, self._data[:17], self._data[17:]),)

    def committed(self) -> None:
        self._bench.committed()


class Bench:
    """As soon as one is committed the next is appended."""

    def __init__(self, partitions: Partitions, octets: int) -> None:
        self._partitions = partitions
        self._content = os.urandom(octets)
        self._number = 0
        self.count = 0
        self.over = False

    def append(self) -> None:
        self._number += 1
        self._partitions.append(Entry(self, self._number, self._content))

    def committed(self) -> None:
        self.count += 1
        if not self.over:
            self.append()


class Node:
    def __init__(self, me: Member, folder: Path, shard: Shard, writer: ThreadPoolExecutor) -> None:
        limits, clock = Limits(), SystemClock()
        self.map = Map(me)
        for peer in (A, B):
            self.map.put_peer(Peer(peer.node, peer.node, "", "", 1.0, 1, f"unix:{folder / peer.node}.socket"))
        self.rows = {at: Row(1, 0, A, 0, (A, B), ("a", "b")) for at in range(PARTITIONS)}
        for at, row in self.rows.items():
            self.map.put(at, row)
        self.peers = Peers(self.map, limits)
        run = int.from_bytes(os.urandom(8))
        streams = Streams(self.peers, Hello("bench", me, run), me, clock, limits)
        self.peers.add(streams.add_to)
        self.peers.add_near(SERVICE, streams.take_near)
        changes = Octets()
        core = Replicas(me, run, time.monotonic(), log_rows.read(shard, me, run, changes))
        self.replication = Replication(
            core, shard, changes, streams, self._swap, writer, writer, limits, time.monotonic
        )
        self.partitions = Partitions(shard, writer, limits, _failed, replication=self.replication)

    def _swap(self, swaps: tuple[Swap, ...]) -> None:
        for swap in swaps:
            if self.map.me == A and swap.row.revision == self.map.row(swap.partition).revision:
                self.map.put(swap.partition, replace(swap.row, revision=swap.row.revision + 1))

    async def start(self) -> None:
        await self.peers.start()
        self.replication.mapped(self.map)
        self._running = asyncio.ensure_future(self.replication.run())


def _failed(error: OSError) -> None:
    raise SystemExit(f"the shard failed: {error}")


async def _follow(folder: Path) -> None:
    shard = open_shard(folder / "shard-b", Limits().shard_memory_octets, os.urandom(16))
    with ThreadPoolExecutor(1) as writer:
        node = Node(B, folder, shard, writer)
        await node.start()
        cpu = time.process_time()
        print(READY, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        print(json.dumps({"cpu": time.process_time() - cpu}), flush=True)
    os._exit(0)


async def _lead(folder: Path, octets: int, open_max: int, seconds: float) -> None:
    shard = open_shard(folder / "shard-a", Limits().shard_memory_octets, os.urandom(16))
    with ThreadPoolExecutor(1) as writer:
        node = Node(A, folder, shard, writer)
        begun: asyncio.Queue[int] = asyncio.Queue()
        node.partitions.follow(begun.put_nowait, lambda partition: None)
        await node.start()
        for _ in range(PARTITIONS):
            await begun.get()
        bench = Bench(node.partitions, octets)
        for _ in range(open_max):
            bench.append()
        await asyncio.sleep(1)
        count, start, cpu = bench.count, time.perf_counter(), time.process_time()
        await asyncio.sleep(seconds)
        count, took = bench.count - count, time.perf_counter() - start
        bench.over = True
        said = {"count": count, "seconds": took, "cpu": time.process_time() - cpu}
        print(json.dumps(said), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()

"""Snapshots between real shards, over gRPC: broken off at either end, killed, with entries meanwhile."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from mailnode.cluster import log_rows
from mailnode.cluster.replica_messages import Frame
from mailnode.limits import KiB, Limits, MiB
from mailnode.pb.row_pb2 import ReplicaRow
from mailnode.store import keys
from mailnode.store.keys import Family
from tests.cluster.nodes import PARTITION, Texts
from tests.cluster.real import READY, A, B, RealNode, everything, first_map, opened
from tests.sim.etcd import Etcd

LIMITS = Limits()
CONTENT = bytes(range(256)) * 256


def run(body: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await body()

    asyncio.run(bounded())


@asynccontextmanager
async def leading(
    folder: Path, etcd: Etcd, nodes: list[RealNode], entries: int = 100, limits: Limits = LIMITS
) -> AsyncIterator[RealNode]:
    """Node a with so many entries of 64 KiB, of which the log has none."""
    a = RealNode(A, folder, etcd, nodes, limits)
    await a.start()
    try:
        await a.until(a.leads)
        await asyncio.gather(*[a.append(b"%d|" % number + CONTENT) for number in range(entries)])
        a.replication.core.trim(PARTITION, 1 << 60)
        a.replication.wake()
        yield a
    finally:
        await a.stop()


@asynccontextmanager
async def learning(folder: Path, etcd: Etcd, nodes: list[RealNode]) -> AsyncIterator[RealNode]:
    b = RealNode(B, folder, etcd, nodes, LIMITS)
    await b.start()
    try:
        yield b
    finally:
        await b.stop()


def assert_equal(folder: Path, rows_min: int) -> None:
    shards = [opened(folder, each) for each in (A, B)]
    rows = [list(everything(shard)) for shard in shards]
    for shard in shards:
        shard.close()
    assert rows[0] == rows[1]
    assert len(rows[0]) > rows_min


def test_what_comes_in_meanwhile_follows_from_the_log(tmp_path: Path) -> None:
    async def body() -> None:
        etcd, nodes = first_map(), list[RealNode]()
        slow = replace(LIMITS, snapshot_octets_a_second=8 * MiB)
        async with leading(tmp_path, etcd, nodes, limits=slow) as a, learning(tmp_path, etcd, nodes) as b:
            adding = asyncio.ensure_future(a.until_in_sync(A, B))
            number = 0
            while not adding.done():
                number += 1
                await a.append(b"meanwhile %d|" % number + CONTENT[: 20 * KiB])
            await a.append(b"behind")
            assert number > 1
            await b.until(lambda: b.applied == a.applied)

    run(body)
    assert_equal(tmp_path, 200)


Give = Callable[[Frame, AsyncIterator[bytes]], Awaitable[None]]


def broken_at_the_source(give: Give, times: int) -> Give:
    """The first ones end after some chunks with an error of the disk."""
    left = times

    async def some(octets: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        for _ in range(2):
            yield await anext(octets)
        raise OSError("the disk")

    async def broken(frame: Frame, octets: AsyncIterator[bytes]) -> None:
        nonlocal left
        left -= 1
        await give(frame, some(octets) if left >= 0 else octets)

    return broken


def test_one_that_breaks_off_at_the_source_comes_again(tmp_path: Path) -> None:
    async def body() -> None:
        etcd, nodes = first_map(), list[RealNode]()
        async with leading(tmp_path, etcd, nodes) as a, learning(tmp_path, etcd, nodes):
            a.replication.giving.give = broken_at_the_source(a.replication.giving.give, 2)
            await a.until_in_sync(A, B)

    run(body)
    assert_equal(tmp_path, 200)


def test_one_whose_source_stops_in_the_middle_is_cleared(tmp_path: Path) -> None:
    async def body() -> None:
        etcd, nodes = first_map(), list[RealNode]()
        slow = replace(LIMITS, snapshot_octets_a_second=4 * MiB)
        async with AsyncExitStack() as stack, AsyncExitStack() as first:
            await first.enter_async_context(leading(tmp_path, etcd, nodes, limits=slow))
            b = await stack.enter_async_context(learning(tmp_path, etcd, nodes))
            await b.until(lambda: any(everything(b.shard)))
            await first.aclose()
            await b.until(lambda: not any(everything(b.shard)))
            assert not b.failures
            async with leading(tmp_path, etcd, nodes, entries=1) as a:
                await a.until_in_sync(A, B)

    run(body)
    assert_equal(tmp_path, 200)


def test_an_entry_as_large_as_any_goes_in_many_pieces(tmp_path: Path) -> None:
    async def body() -> None:
        etcd, nodes = first_map(), list[RealNode]()
        async with leading(tmp_path, etcd, nodes, entries=1) as a, learning(tmp_path, etcd, nodes) as b:
            await a.until_in_sync(A, B)
            content = CONTENT * (LIMITS.change_octets_max // len(CONTENT) - 1)
            await asyncio.gather(*[a.append(data) for data in (b"before", b"large|" + content, b"behind")])
            await a.until_in_sync(A, B)  # a busy machine takes so long for it that b may be removed first
            await b.until(lambda: b.applied == a.applied)

    run(body)
    assert_equal(tmp_path, 5)


def test_one_whose_taker_stops_in_the_middle_comes_again(tmp_path: Path) -> None:
    async def body() -> None:
        etcd, nodes = first_map(), list[RealNode]()
        slow = replace(LIMITS, snapshot_octets_a_second=4 * MiB)
        async with leading(tmp_path, etcd, nodes, limits=slow) as a:
            async with learning(tmp_path, etcd, nodes) as b:
                await b.until(lambda: any(everything(b.shard)))
            was_half(tmp_path)  # or cleared already
            a.streams.throttle.octets_a_second = 1 << 40
            async with learning(tmp_path, etcd, nodes):
                await a.until_in_sync(A, B)

    run(body)
    assert_equal(tmp_path, 200)


def was_half(folder: Path) -> bool:
    """There are rows of b, and a mark that they are not all; what it promised stays when they are cleared."""
    shard = opened(folder, B)
    key = keys.replica(PARTITION)
    mark = ReplicaRow.FromString(shard.get(Family.LOG, key) or b"")
    was_half = mark.installing and any(everything(shard))
    (replica,) = log_rows.read(shard, B, 1, Texts())
    cleared = ReplicaRow.FromString(shard.get(Family.LOG, key) or b"")
    assert not any(everything(shard))
    assert cleared == ReplicaRow(epoch=mark.epoch)
    assert replica.epoch == mark.epoch
    shard.close()
    return was_half


@asynccontextmanager
async def process(folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Node b as a process; it ends when its stdin does."""
    made = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.cluster.real",
        str(folder),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert made.stdout is not None and made.stdin is not None
    assert await made.stdout.readline() == READY
    try:
        yield made
    finally:
        if made.returncode is None:
            made.stdin.close()
        await made.wait()


@pytest.mark.parametrize("given", [0, 3])
def test_one_whose_taker_is_killed_in_the_middle_comes_again(tmp_path: Path, given: int) -> None:
    """`given`: MiB that it was sent before."""

    async def body() -> None:
        etcd, nodes = first_map(), list[RealNode]()
        slow = replace(LIMITS, snapshot_octets_a_second=4 * MiB)
        async with leading(tmp_path, etcd, nodes, limits=slow) as a:
            sent = asyncio.Event()
            give = a.replication.giving.give

            async def counted(octets: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
                count = 0
                async for chunk in octets:
                    if count >= given:
                        sent.set()
                    yield chunk
                    count += 1

            a.replication.giving.give = lambda frame, octets: give(frame, counted(octets))
            async with process(tmp_path) as b:
                await sent.wait()
                b.kill()
            if given:
                was_half(tmp_path)  # or cleared already
            a.streams.throttle.octets_a_second = 1 << 40
            async with process(tmp_path):
                await a.until_in_sync(A, B)
                await a.append(b"behind")

    run(body)
    shard = opened(tmp_path, B)
    (replica,) = log_rows.read(shard, B, 1, Texts())
    assert not replica.stopped and replica.log.last.seq == 102
    shard.close()

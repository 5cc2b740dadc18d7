"""Copies at real nodes, over gRPC: compared in passes that go on where they were, or when asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import grpc
import pytest

from mailnode.clock import SystemClock
from mailnode.cluster.append import Unavailable
from mailnode.cluster.aside import Aside
from mailnode.cluster.compare import FIRST, LAST, Range, place
from mailnode.cluster.comparing import Found
from mailnode.cluster.copies import Copies, Copy, Unreached
from mailnode.cluster.copies_elsewhere import CopiesElsewhere
from mailnode.cluster.copies_served import SERVICE, CopiesServed
from mailnode.cluster.hello import Hello
from mailnode.cluster.map import Peer
from mailnode.cluster.passes import Passes
from mailnode.cluster.points import Beyond
from mailnode.cluster.replica_messages import Member
from mailnode.http.gauges import compare_gauges
from mailnode.limits import Limits, MiB
from mailnode.pb import compare_pb2 as pb
from mailnode.store.keys import Family
from tests.cluster.looking import nothing_proven
from tests.cluster.nodes import PARTITION, _key
from tests.cluster.real import A, B, RealNode, everything, first_map
from tests.sim.etcd import Etcd

LIMITS = replace(
    Limits(), compare_reached_seconds_max=1.0, compare_octets_a_second=1 << 40, compare_first_seconds=1
)
ENTRIES = 300
STATE = Family.STATE
ROW = _key(b"%d" % 7)


class Compared(RealNode):
    """A node whose copies are compared."""

    def __init__(
        self, me: Member, folder: Path, etcd: Etcd, nodes: list[RealNode], limits: Limits = LIMITS
    ) -> None:
        super().__init__(me, folder, etcd, nodes, limits)
        self.limits = limits
        clock = SystemClock()
        self.hello = Hello("real", me, self.run)
        aside = Aside(folder / f"aside-{me.node}", clock, limits.aside_octets_max)
        self.copies = Copies(me.node, self.replication, nothing_proven, aside, self.loads, self.loads, limits)
        self.served = CopiesServed(self.copies, self.hello, clock, limits)
        self.peers.add(self.served.add_to)
        self.file = folder / f"compare-{me.node}.json"
        self.passes = self.make_passes()
        self.served.suspected = self.passes.suspect

    def make_passes(self) -> Passes:
        led = self.replication.led
        return Passes(self.copies, self.elsewhere, led, SystemClock(), self.limits, self.file)

    def elsewhere(self, member: Member) -> CopiesElsewhere:
        return CopiesElsewhere(member, self.peers, self.hello, self.limits)

    async def stop(self) -> None:
        await self.passes.stop()
        await self.served.stop()
        await super().stop()


@asynccontextmanager
async def two(folder: Path, limits: Limits = LIMITS) -> AsyncIterator[tuple[Compared, Compared]]:
    etcd, nodes = first_map(), list[RealNode]()
    a, b = (Compared(me, folder, etcd, nodes, limits) for me in (A, B))
    await a.start()
    await b.start()
    try:
        await a.until(a.leads)
        await a.until_in_sync(A, B)
        await asyncio.gather(*[a.append(b"%d|" % number + b"x" * 20_000) for number in range(ENTRIES)])
        yield a, b
    finally:
        await a.stop()
        await b.stop()


def run(body: Awaitable[None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await body

    asyncio.run(bounded())


async def spoil(node: Compared, key: bytes, value: bytes | None, family: str = STATE) -> None:
    write = partial(node.shard.write, [(family, key, value)], sync=False)
    await asyncio.get_running_loop().run_in_executor(node.writer, write)


async def asked(a: Compared, *, mends: bool = True) -> Found:
    a.passes.ask(None, mends=mends)
    assert a.passes.is_asked
    await until(lambda: not a.passes.is_asked)
    return a.passes.asked


async def until(is_so: Callable[[], bool]) -> None:
    while not is_so():
        later = asyncio.Event()
        asyncio.get_running_loop().call_later(0.01, later.set)
        await later.wait()


def test_what_differs_at_another_node_is_mended_when_asked_while_much_is_written(tmp_path: Path) -> None:
    async def body() -> None:
        async with two(tmp_path) as (a, b):
            assert (await asked(a)).differences == 0
            await spoil(b, ROW, b"other")
            await spoil(b, _key(b"8"), None)
            await spoil(b, _key(b"9"), None, Family.BLOB)
            found = await asked(a, mends=False)
            assert (found.differences, found.mended) == (3, 0)
            writing = asyncio.ensure_future(write(a))
            found = await asked(a)
            writing.cancel()
            assert (found.differences, found.mended, found.not_compared) == (3, 3, 0), found
            await until(lambda: a.applied == b.applied and not a.replication.octets)
            assert (await asked(a)).differences == 0
            assert list(everything(a.shard)) == list(everything(b.shard))

    run(body())


async def write(node: Compared) -> None:
    number = 1000
    while True:
        await asyncio.gather(*[node.append(b"%d|" % (number + each) + b"y" * 20_000) for each in range(20)])
        number += 20


def test_a_pass_goes_on_where_the_last_run_of_the_node_was_and_comes_again(tmp_path: Path) -> None:
    async def body() -> None:
        async with two(tmp_path) as (a, b):
            await spoil(b, ROW, b"other")
            await a.passes.go_on()
            assert a.passes.last.finished and a.passes.last.mended == 1 and a.passes.last.partitions == 1
            told = {gauge.name: gauge.values[()] for gauge in compare_gauges(a.passes)}
            assert told["mailnode_copies_differences"] == told["mailnode_copies_mended"] == 1
            assert told["mailnode_copies_finished_seconds"] > 1e9 and not told["mailnode_copies_not_compared"]
            again = a.make_passes()
            assert again.last.mended == 1 and again.last.told == a.passes.last.told
            again.now = Found(started=1, following=PARTITION + 1)
            await again.go_on()
            assert again.last.partitions == 0, "that one was done already"
            again.now.started -= LIMITS.compare_seconds * 1_000_000
            running = asyncio.ensure_future(again.run())
            await until(lambda: again.last.partitions == 1)
            running.cancel()
            a.file.write_text("{")
            never = a.make_passes()
            assert never.now == Found()
            running = asyncio.ensure_future(never.run())
            await until(lambda: never.last.partitions == 1)
            running.cancel()

    run(body())


def test_a_pass_reads_so_many_octets_a_second(tmp_path: Path) -> None:
    async def body() -> None:
        async with two(tmp_path, replace(LIMITS, compare_octets_a_second=10 * MiB)) as (a, _):
            loop = asyncio.get_running_loop()
            start = loop.time()
            await a.passes.go_on()
            reading = ENTRIES * 20_000 / (10 * MiB)
            assert loop.time() - start >= reading + a.limits.compare_pause_seconds

    run(body())


def test_who_finds_damage_in_its_copy_tells_who_leads_which_looks_at_once(tmp_path: Path) -> None:
    async def body() -> None:
        async with two(tmp_path) as (a, b):
            for node in (a, b):
                node.passes.now = Found(started=SystemClock().now_microseconds(), finished=1)
            running = [asyncio.ensure_future(node.passes.run()) for node in (a, b)]
            await spoil(b, ROW, b"other")
            b.passes.suspect(PARTITION)
            await until(lambda: b.shard.get(STATE, ROW) == b"7")
            await until(lambda: a.passes.now.mended == 1)  # which is counted behind the write
            await spoil(b, ROW, b"other")
            b.passes.suspect(PARTITION)
            await asyncio.sleep(0)
            assert b.shard.get(STATE, ROW) == b"other", "not so soon again"
            for each in running:
                each.cancel()

    run(body())


async def open(a: Compared, ahead: int = 0) -> Copy:
    return await a.elsewhere(B).open(PARTITION, a.applied + ahead, 0)


def test_another_nodes_copy_says_what_its_own_says(tmp_path: Path) -> None:
    async def body() -> None:
        async with two(tmp_path, replace(LIMITS, compare_values_octets_max=50_000)) as (a, b):
            await until(lambda: a.applied == b.applied)
            mine, theirs = await a.copies.open(PARTITION, a.applied, 0), await open(a)
            assert theirs.at == mine.at and theirs.node == "b"
            halves = [Range(FIRST, place(STATE, b"\0\3row2")), Range(place(STATE, b"\0\3row2"), LAST)]
            assert await theirs.hashes(halves) == await mine.hashes(halves)
            assert await theirs.rows(halves[1]) == await mine.rows(halves[1])
            blobs = [place(Family.BLOB, _key(b"%d" % number)) for number in range(9)]
            places = [*blobs, place(STATE, b"\0\3none")]
            values = await theirs.values(places)
            assert (
                values == await mine.values(places) and values[-1] is None and len(values[0] or b"") == 20_000
            )
            assert await theirs.wrong(places) == [""] * 10
            with pytest.raises(Unavailable):
                await theirs.mend([], [])
            for each in (mine, theirs):
                await each.close()
            with pytest.raises(Unavailable, match="closed"):
                await theirs.rows(halves[0])

    run(body())


def test_a_copy_that_is_beyond_or_does_not_come_there_says_so(tmp_path: Path) -> None:
    async def body() -> None:
        async with two(tmp_path, replace(LIMITS, compare_reached_seconds_max=0.1)) as (a, b):
            await until(lambda: a.applied == b.applied)
            with pytest.raises(Beyond) as beyond:
                await open(a, -1)
            assert beyond.value.seq == a.applied
            with pytest.raises(Unreached):
                await open(a, 1)

    run(body())


def test_views_for_others_are_bounded_and_closed_when_nobody_asks(tmp_path: Path) -> None:
    async def body() -> None:
        limits = replace(LIMITS, compare_views_open_max=2, compare_view_seconds_max=0.5)
        async with two(tmp_path, limits) as (a, b):
            await until(lambda: a.applied == b.applied)
            opened = [await open(a) for _ in range(2)]
            with pytest.raises(Unavailable, match="2 copies open"):
                await open(a)
            await until(lambda: not b.served._views)
            with pytest.raises(Unavailable, match="closed"):
                await opened[0].hashes([Range(FIRST, LAST)])
            await (await open(a)).close()

    run(body())


def test_a_node_that_says_nothing_is_waited_for_so_long(tmp_path: Path) -> None:
    async def body() -> None:
        async with two(tmp_path, replace(LIMITS, compare_answer_seconds_max=1)) as (a, _):
            silent = await asyncio.start_unix_server(lambda reader, writer: None, tmp_path / "silent")
            a.map.put_peer(Peer("c", "c", "", "", 1.0, 1, f"unix:{tmp_path}/silent"))
            with pytest.raises(Unavailable):
                await a.elsewhere(Member("c", 1)).open(PARTITION, 1, 0)
            silent.close()

    run(body())


@pytest.mark.parametrize(
    ("method", "request_", "code"),
    [
        ("Rows", pb.RowsRequest(range=pb.Range(start=b"", end=b"\xff")), grpc.StatusCode.INVALID_ARGUMENT),
        ("Hashes", pb.HashesRequest(view=b"none"), grpc.StatusCode.FAILED_PRECONDITION),
        ("Open", pb.OpenRequest(partition=77), grpc.StatusCode.FAILED_PRECONDITION),
    ],
)
def test_what_makes_no_sense_is_refused(
    tmp_path: Path, method: str, request_: pb.RowsRequest, code: grpc.StatusCode
) -> None:
    async def body() -> None:
        async with two(tmp_path) as (a, _):
            call = a.peers.channel("b").unary_unary(
                f"/{SERVICE}/{method}", request_serializer=lambda said: said.SerializeToString()
            )
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call(request_, metadata=a.hello.metadata(B))
            assert refused.value.code() == code
            with pytest.raises(grpc.aio.AioRpcError) as stranger:
                await call(request_, metadata=Hello("other", A, 1).metadata(B))
            assert stranger.value.code() == grpc.StatusCode.FAILED_PRECONDITION

    run(body())

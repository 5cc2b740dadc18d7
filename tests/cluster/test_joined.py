"""Nodes that join a cluster, with real shards and a real etcd: one map for all of them, made once."""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mailnode.cluster import etcd_rows as rows
from mailnode.cluster.etcd import Etcd, Put
from mailnode.cluster.etcd_rows import Cluster, Home, Keys
from mailnode.cluster.joined import Joined, joined
from mailnode.cluster.ring import SLOTS
from mailnode.clustered import EXAMPLE, ClusterAt
from mailnode.store.keys import Family
from mailnode.store.shard import RocksShard, open_shard
from mailnode.table import ConfigError
from tests.cluster.members import Member, members

MEMORY = 16 << 20


@pytest.fixture(scope="module")
def etcds() -> Iterator[Member]:
    with members(1) as made:
        yield made[0]


@pytest.fixture
def at(etcds: Member) -> ClusterAt:
    return replace(EXAMPLE, endpoints=(etcds.endpoint,), prefix=f"test-{secrets.token_hex(4)}")


def run(work: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await work

    asyncio.run(bounded())


class Told:
    """What a node says that it waits for."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self._more = asyncio.Event()

    def __call__(self, waits: str) -> None:
        self.said.append(waits)
        self._more.set()

    async def until(self, text: str) -> None:
        while not any(text in each for each in self.said):
            self._more.clear()
            await self._more.wait()


async def init(at: ClusterAt, copies: int) -> None:
    etcd, keys = Etcd(at.endpoints), Keys(at.prefix)
    puts = [
        Put(keys.cluster(), rows.cluster_octets(Cluster(at.prefix.encode(), "", 1, 0))),
        Put(keys.home(0), rows.home_octets(Home("", 1, copies, min(copies, 2)))),
    ]
    await etcd.transact([], puts)
    await etcd.close()


@asynccontextmanager
async def node(at: ClusterAt, name: str, shard: RocksShard, told: Told) -> AsyncIterator[Joined]:
    async with joined(replace(at, name=name), f"unix:/{name}", shard, 1, told) as made:
        yield made


def shard_of(path: Path, incarnation: bytes) -> closing[RocksShard]:
    return closing(open_shard(path, MEMORY, incarnation))


def test_the_first_map_is_made_once_as_many_hosts_have_joined_as_there_are_copies(
    at: ClusterAt, tmp_path: Path
) -> None:
    async def work() -> None:
        told = Told()
        with shard_of(tmp_path / "a", b"a" * 16) as a, shard_of(tmp_path / "b", b"b" * 16) as b:
            first = asyncio.create_task(held(node(at, "a", a, told)))
            await told.until("hold no cluster")
            await init(at, 2)
            await told.until("1 of 2 hosts")
            async with node(at, "b", b, Told()) as second:
                made = await first
                assert told.said[-1] == ""
                found = dict(second.map.rows())
                assert found == dict(made.map.rows())
                assert len(found) == SLOTS
                assert {frozenset(row.replicas) for row in found.values()} == {frozenset("ab")}
                assert {row.min_insync for row in found.values()} == {2}
                assert all(row.in_sync == (row.primary,) for row in found.values())
                led = Counter(row.primary.node for row in found.values())
                assert max(led.values()) - min(led.values()) <= 2
                assert set(second.map.peers) == {"a", "b"}
                assert second.map.peers["a"].address == "unix:/a"
                assert made.source.balancer == second.source.balancer != ""
                assert a.cluster == b.cluster == at.prefix.encode()
            release.set()
            await asyncio.gather(*holding)

    release, holding = asyncio.Event(), set[asyncio.Task[None]]()

    async def held(context: Any) -> Joined:
        """What it yields, while it stays open."""
        ready: asyncio.Future[Joined] = asyncio.get_running_loop().create_future()

        async def hold() -> None:
            async with context as made:
                ready.set_result(made)
                await release.wait()

        holding.add(asyncio.create_task(hold()))
        return await ready

    run(work())


def test_who_starts_again_finds_the_map_as_it_was_and_another_cluster_is_refused(
    at: ClusterAt, tmp_path: Path
) -> None:
    async def work() -> None:
        await init(at, 1)
        with shard_of(tmp_path / "a", b"a" * 16) as shard:
            async with node(at, "a", shard, Told()) as made:
                before = dict(made.map.rows())
            async with node(at, "a", shard, Told()) as made:
                assert dict(made.map.rows()) == before
            told = Told()
            other = replace(at, prefix=at.prefix + "-other")
            await init(other, 1)
            waiting = asyncio.create_task(node(other, "a", shard, told).__aenter__())
            await told.until(f"this shard belongs to cluster {at.prefix.encode().hex()}")
            waiting.cancel()
            await asyncio.wait([waiting])
        with shard_of(tmp_path / "a", b"fresh" + b"\0" * 11) as shard:
            assert (shard.incarnation, shard.cluster) == (b"a" * 16, at.prefix.encode())

    run(work())


def test_mail_that_the_map_does_not_know_of_is_not_hidden(at: ClusterAt, tmp_path: Path) -> None:
    async def work() -> None:
        await init(at, 1)
        with shard_of(tmp_path / "a", b"a" * 16) as shard:
            shard.write([(Family.STATE, b"\0" * 9, b"a row")], sync=True)
            with pytest.raises(ConfigError, match="mail of its own"):
                async with node(at, "a", shard, Told()):
                    pass
            assert shard.cluster == b""

    run(work())


def test_two_disks_of_one_name_do_not_both_serve(at: ClusterAt, tmp_path: Path) -> None:
    async def work() -> None:
        await init(at, 1)
        told = Told()
        with shard_of(tmp_path / "a", b"a" * 16) as one, shard_of(tmp_path / "b", b"b" * 16) as other:
            async with node(at, "a", one, Told()):
                following = node(at, "a", other, told)
                waiting = asyncio.create_task(following.__aenter__())
                await told.until("another node named a runs, with another disk")
                assert other.cluster == at.prefix.encode() and not waiting.done()
            made = await waiting  # once that one has gone
            assert made.map.primary(0) == "a" and made.map.row(0).primary != made.map.me
            await following.__aexit__(None, None, None)

    run(work())

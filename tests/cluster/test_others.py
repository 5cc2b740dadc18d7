"""Two data centres, each with a real etcd of its own."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

import pytest

from mailnode.cluster import etcd_rows as rows
from mailnode.cluster.etcd import Drop, Etcd, Put
from mailnode.cluster.etcd_map import EtcdMap
from mailnode.cluster.etcd_rows import Cluster, DomainText, Home, Keys
from mailnode.cluster.far_aims import far_asked
from mailnode.cluster.generations import Generations
from mailnode.cluster.hello import Hello, Stranger
from mailnode.cluster.joined import Joined, joined
from mailnode.cluster.layer import Node
from mailnode.cluster.map import Map
from mailnode.cluster.replica_messages import EPOCHS_OF_A_GENERATION, NOBODY, Far, Row
from mailnode.cluster.replica_messages import Member as Shard
from mailnode.cluster.ring import SLOTS
from mailnode.clustered import EXAMPLE, ClusterAt
from mailnode.store.shard import open_shard
from tests.cluster.members import Member, members

MEMORY = 16 << 20


@pytest.fixture(scope="module")
def etcds() -> Iterator[list[Member]]:
    with members(1) as one, members(1) as other:
        yield one + other


class Two:
    def __init__(self, etcds: list[Member], folder: Path) -> None:
        self.etcds = dict(zip(("dc1", "dc2"), etcds, strict=True))
        self.folder = folder
        self.prefix = f"test-{secrets.token_hex(4)}"
        self.keys = Keys(self.prefix)

    async def put(self, dc: str, *puts: Put | Drop) -> None:
        etcd = Etcd([self.etcds[dc].endpoint])
        await etcd.transact([], puts)
        await etcd.close()

    async def init(self, sync_dcs: tuple[str, ...] = ()) -> None:
        keys = self.keys
        for number, dc in enumerate(self.etcds):
            home = Home(dc, 1, 1, 1, sync_dcs if dc == "dc1" else ())
            await self.put(
                dc,
                Put(keys.cluster(), rows.cluster_octets(Cluster(self.prefix.encode(), dc, 1, 0))),
                Put(keys.home(number), rows.home_octets(home)),
                Put(keys.dc("dc1"), rows.dc_octets([self.etcds["dc1"].endpoint])),
            )
        await self.put("dc1", Put(keys.dc("dc2"), rows.dc_octets([self.etcds["dc2"].endpoint])))

    def at(self, dc: str, name: str) -> ClusterAt:
        endpoints = (self.etcds[dc].endpoint,)
        return replace(EXAMPLE, endpoints=endpoints, prefix=self.prefix, dc=dc, name=name, host=name)

    @asynccontextmanager
    async def node(self, dc: str, name: str) -> AsyncIterator[Joined]:
        with closing(open_shard(self.folder / name, MEMORY, name.encode() * 8)) as shard:
            async with joined(self.at(dc, name), f"unix:/{name}", shard, 1) as made:
                yield made


class Unreadable(Exception):
    pass


def test_a_data_centre_that_could_not_be_asked_by_a_mistake_is_asked_again(
    etcds: list[Member], tmp_path: Path
) -> None:
    async def scene() -> None:
        two = Two(etcds, tmp_path)
        await two.init()
        failures = [Unreadable("a file of TLS")]
        async with two.node("dc1", "a") as made, two.node("dc2", "b"):
            connect = made.others._connect

            def connected(endpoints: Sequence[str]) -> Etcd:
                if failures:
                    raise failures.pop()
                return connect(endpoints)

            made.others._connect = connected
            made.others._following.pop("dc2")[1].cancel()
            del made.source.others["dc2"]
            made.others._follow("dc2", (etcds[1].endpoint,))
            await until(made, lambda: "dc2" in made.source.others and bool(made.source.others["dc2"].nodes))
            assert not failures

    asyncio.run(scene())


async def until(made: Joined, holds: Callable[[], bool]) -> None:
    changes = -1
    async with asyncio.timeout(60):
        while not holds():
            changes = await made.source.changed(changes)


def is_everywhere(made: Joined) -> bool:
    """All rows of both homes are known, with a far copy each."""
    found = dict(made.map.rows())
    return len(found) == 2 * SLOTS and all(row.far for row in found.values())


def test_each_data_centre_leads_its_home_and_has_far_copies_of_the_other(
    etcds: list[Member], tmp_path: Path
) -> None:
    async def work() -> None:
        two = Two(etcds, tmp_path)
        await two.init(sync_dcs=("dc2",))
        async with AsyncExitStack() as stack:
            a, b = [await stack.enter_async_context(two.node(f"dc{at}", f"n{at}")) for at in (1, 2)]
            for made in a, b:
                await until(made, lambda made=made: is_everywhere(made))  # type: ignore[misc]
                assert made.map.primary(0) == "n1" and made.map.primary(SLOTS) == "n2"
                assert {row.far for at, row in made.map.rows() if at < SLOTS} == {(Far("n2", "dc2"),)}
                assert {row.far for at, row in made.map.rows() if at >= SLOTS} == {(Far("n1", "dc1"),)}
                assert made.map.row(5).sync_dcs == ("dc2",) and made.map.row(SLOTS + 5).sync_dcs == ()
                assert {peer.name for peer in made.map.peers.values()} == {"n1", "n2"}
                await until(made, lambda made=made: len(made.source.homes) == 2)  # type: ignore[misc]
            assert list(a.source.own_homes()) == [0] and list(b.source.own_homes()) == [1]
            await until(b, lambda: set(b.source.dcs) == {"dc1", "dc2"})

    asyncio.run(work())


def test_domains_are_those_of_the_data_centre_that_leads_home_0(etcds: list[Member], tmp_path: Path) -> None:
    async def work() -> None:
        two = Two(etcds, tmp_path)
        await two.init()
        row = rows.domain_octets(DomainText("name = 'example.test'", 7))
        await two.put("dc1", Put(two.keys.domain("example.test"), row))
        await two.put("dc2", Put(two.keys.domain("other.test"), row))
        async with two.node("dc1", "n1"), two.node("dc2", "n2") as b:
            await until(b, lambda: list(b.source.domains) == ["example.test"])
            await two.put("dc1", Drop(two.keys.domain("example.test")))
            await until(b, lambda: not b.source.domains)

    asyncio.run(work())


def test_the_higher_generation_of_a_home_wins_in_every_etcd(etcds: list[Member], tmp_path: Path) -> None:
    async def work() -> None:
        two = Two(etcds, tmp_path)
        await two.init()
        async with two.node("dc1", "n1") as a, two.node("dc2", "n2") as b:
            await until(a, lambda: is_everywhere(a))
            me = b.map.me
            taken = Row(0, EPOCHS_OF_A_GENERATION, me, 0, (me,), (me.node,))
            await two.put(
                "dc2",
                Put(two.keys.home(0), rows.home_octets(Home("dc2", 2, 1, 1))),
                Put(two.keys.row(7), rows.row_octets(taken)),
            )
            await until(a, lambda: a.source.homes[0].dc == "dc2" and a.map.primary(7) == "n2")
            assert not a.source.own_homes() and sorted(b.source.own_homes()) == [0, 1]

    asyncio.run(work())


def test_a_home_that_is_led_elsewhere_is_heard_of_from_a_node_alone(
    etcds: list[Member], tmp_path: Path
) -> None:
    async def work() -> None:
        two = Two(etcds, tmp_path)
        await two.init()
        async with two.node("dc1", "n1") as a:
            await until(a, lambda: bool(a.map.revision(0)))
            told = EtcdMap(a.source.etcd, a.source.keys, Map(Shard("n2", 1)), a.source.joined)
            told.hear({0: Home("dc2", 2, 1, 1)})
            hello = Hello("c", Shard("n2", 1), 1, Generations(told)).metadata(a.map.me)
            with pytest.raises(Stranger):
                Hello("other", a.map.me, 1, a.generations).met(hello)
            assert a.map.primary(0) == "n1"
            Hello("c", a.map.me, 1, a.generations).met(hello)
            assert a.map.row(0).primary == NOBODY and not a.source.own_homes()
            await until(a, lambda: a.source.homes[0] == Home("dc2", 2, 1, 1))
            row = await a.source.etcd.get(two.keys.home(0))
            assert row is not None and rows.home_of(row.value).generation == 2

    asyncio.run(work())


def test_a_far_copy_that_is_not_wanted_any_more_stays_named_behind_the_one_that_is() -> None:
    me = Shard("a", 1)
    nodes = {"dc2": tuple(Node(name, name, dc="dc2") for name in ("x", "y"))}
    before = {slot: Row(1, 0, me, 0, (me,), ("a",), far=(Far("z", "dc2"),)) for slot in range(SLOTS)}
    asked = dict(far_asked(before, Home("dc1", 1, 1, 1), nodes))
    assert len(asked) == SLOTS
    assert {row.far[0].node for row in asked.values()} == {"x", "y"}
    assert {row.far[1:] for row in asked.values()} == {(Far("z", "dc2"),)}
    done = {slot: replace(row, far=row.far[:1]) for slot, row in asked.items()}
    assert far_asked(done, Home("dc1", 1, 1, 1), nodes) == []

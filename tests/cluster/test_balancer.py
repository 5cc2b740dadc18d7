"""Copies follow the nodes of a real etcd, by whoever is elected; primaries do what rows ask of them."""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

import pytest

from mailnode.cluster import etcd_rows as rows
from mailnode.cluster.etcd import Etcd, Put
from mailnode.cluster.etcd_rows import Cluster, Home, Keys
from mailnode.cluster.etcd_swaps import SWAPS_MAX
from mailnode.cluster.joined import Joined, joined
from mailnode.cluster.replica_messages import Row, Swap
from mailnode.cluster.ring import SLOTS
from mailnode.clustered import EXAMPLE, ClusterAt
from mailnode.limits import Limits
from mailnode.store.shard import open_shard
from tests.cluster.members import Member, members

MEMORY = 16 << 20
AT_ONCE = Limits(moves_per_node_max=SLOTS, node_lost_seconds=1)


@pytest.fixture(scope="module")
def etcds() -> Iterator[Member]:
    with members(1) as made:
        yield made[0]


@pytest.fixture
def at(etcds: Member) -> ClusterAt:
    return replace(EXAMPLE, endpoints=(etcds.endpoint,), prefix=f"test-{secrets.token_hex(4)}")


async def init(at: ClusterAt, copies: int) -> None:
    etcd, keys = Etcd(at.endpoints), Keys(at.prefix)
    puts = [
        Put(keys.cluster(), rows.cluster_octets(Cluster(at.prefix.encode(), "", 1, 0))),
        Put(keys.home(0), rows.home_octets(Home("", 1, copies, 1))),
    ]
    await etcd.transact([], puts)
    await etcd.close()


@asynccontextmanager
async def node(at: ClusterAt, name: str, path: Path) -> AsyncIterator[Joined]:
    """With a core that learns and hands over in no time."""
    here = replace(at, name=name, host=name)
    with closing(open_shard(path / name, MEMORY, name.encode() * 16)) as shard:
        async with joined(here, f"unix:/{name}", shard, 1, limits=AT_ONCE) as made:
            working = asyncio.create_task(work(made))
            yield made
            working.cancel()
            await asyncio.wait([working])


async def work(made: Joined) -> None:
    """As `cluster/membership` asks for the rows that this node leads, or may take over."""
    touched, changes = {at for at, _ in made.map.rows()}, -1
    made.map.follow(lambda at, row: touched.add(at))
    made.source.follow_leases(lambda member, is_held: touched.update(at for at, _ in made.map.rows()))
    while True:
        changes = await made.source.changed(changes)
        looked = [(at, made.map.row(at)) for at in touched]
        touched.clear()
        wanted = [Swap(at, row) for at, known in looked if (row := next_row(made, known)) != known]
        for begin in range(0, len(wanted), SWAPS_MAX):
            await made.swaps.swap(wanted[begin : begin + SWAPS_MAX])


def next_row(made: Joined, row: Row) -> Row:
    me, alive = made.map.me, {member.node: member for member in made.source.leases}
    in_sync = tuple(member for member in row.in_sync if member.node in alive)
    if row.primary.node not in alive and in_sync[:1] == (me,):
        return replace(row, primary=me, epoch=row.epoch + 1, in_sync=in_sync)
    if row.primary != me:
        return row
    learning = [alive[name] for name in row.replicas if name in alive and alive[name] not in in_sync]
    if learning or in_sync != row.in_sync:
        return replace(row, in_sync=(*in_sync, *learning))
    staying = tuple(member for member in in_sync if member.node in row.replicas)
    first = next((member for member in staying if member.node == row.replicas[0]), me)
    if {member.node for member in staying} == set(row.replicas):
        return replace(row, in_sync=staying, primary=first, epoch=row.epoch + (in_sync != staying))
    return row


async def until(made: Joined, holds: Callable[[], bool]) -> None:
    changes = -1
    while not holds():
        changes = await made.source.changed(changes)


def copies_of(made: Joined) -> Counter[str]:
    return Counter(member.node for _, row in made.map.rows() for member in row.in_sync)


def is_whole(made: Joined) -> bool:
    return all(
        {member.node for member in row.in_sync} == set(row.replicas) and row.primary.node == row.replicas[0]
        for _, row in made.map.rows()
    )


def test_what_a_lost_node_had_is_copied_to_others_and_a_node_that_joins_gets_its_share(
    at: ClusterAt, tmp_path: Path
) -> None:
    async def scene() -> None:
        await init(at, 2)
        async with asyncio.timeout(60), AsyncExitStack() as stack:
            joining = asyncio.create_task(stack.enter_async_context(node(at, "a", tmp_path)))
            leaving = AsyncExitStack()
            await leaving.enter_async_context(node(at, "b", tmp_path))
            made = await joining
            await until(made, lambda: copies_of(made) == {"a": SLOTS, "b": SLOTS})
            await stack.enter_async_context(node(at, "c", tmp_path))
            shares = {"a": 2731, "b": 2731, "c": 2731}
            await until(made, lambda: is_whole(made) and near(copies_of(made), shares))
            await leaving.aclose()
            await until(made, lambda: is_whole(made) and copies_of(made) == {"a": SLOTS, "c": SLOTS})
            assert made.source.balancer in ("a", "c")

    asyncio.run(scene())


def near(found: Counter[str], wanted: dict[str, int]) -> bool:
    return found.keys() == wanted.keys() and all(abs(found[name] - wanted[name]) <= 1 for name in wanted)


def test_a_node_that_leaves_is_emptied_and_a_raised_promise_is_kept(at: ClusterAt, tmp_path: Path) -> None:
    async def scene() -> None:
        await init(at, 1)
        async with asyncio.timeout(60), AsyncExitStack() as stack:
            made = await stack.enter_async_context(node(at, "a", tmp_path))
            await stack.enter_async_context(node(at, "b", tmp_path))
            await until(made, lambda: is_whole(made) and copies_of(made) == {"a": SLOTS / 2, "b": SLOTS / 2})
            source, peer = made.source, made.source.nodes["b"]
            leaving = Put(source.keys.node("b"), rows.node_octets(replace(peer, is_leaving=True)))
            await source.etcd.transact([], [leaving])
            await until(made, lambda: is_whole(made) and copies_of(made) == {"a": SLOTS})
            home = Put(source.keys.home(0), rows.home_octets(Home("", 1, 2, 2)))
            await source.etcd.transact([], [Put(leaving.key, rows.node_octets(peer)), home])
            await until(made, lambda: is_whole(made) and copies_of(made) == {"a": SLOTS, "b": SLOTS})
            await until(made, lambda: all(row.min_insync == 2 for _, row in made.map.rows()))

    asyncio.run(scene())

"""Homes come to another data centre: rows in a real etcd."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from mailnode.cluster import etcd_rows as rows
from mailnode.cluster.etcd import Etcd, Put
from mailnode.cluster.etcd_map import EtcdMap
from mailnode.cluster.etcd_rows import Cluster, Home, Keys, Registered
from mailnode.cluster.map import Map, Peer
from mailnode.cluster.promoting import Copy, Promoting, best
from mailnode.cluster.replica_messages import EPOCHS_OF_A_GENERATION, Position, first_epoch
from mailnode.cluster.replica_messages import Member as Shard
from mailnode.cluster.ring import SLOTS
from mailnode.cluster.wishes import Refused
from tests.cluster.members import Member, members

X, Y = Shard("x", 1), Shard("y", 2)


@pytest.fixture(scope="module")
def etcd() -> Iterator[Member]:
    with members(1) as (member,):
        yield member


@asynccontextmanager
async def promoting(member: Member) -> AsyncIterator[Promoting]:
    """Of dc2, with two nodes on one host; home 0 is led in dc1, of which nothing is heard."""
    etcd, keys = Etcd([member.endpoint]), Keys(f"test-{secrets.token_hex(4)}")
    puts = [
        Put(keys.cluster(), rows.cluster_octets(Cluster(b"id", "dc2", 2, 0))),
        Put(keys.home(0), rows.home_octets(Home("dc1", 1, 3, 2, ("dc2", "dc3")))),
        Put(keys.home(1), rows.home_octets(Home("dc2", 1, 3, 2))),
        Put(keys.lease(X), rows.lease_octets(1)),
    ]
    for shard in (X, Y):
        peer = Peer(shard.node, "host", "", "dc2", 1.0, shard.incarnation, "")
        puts.append(Put(keys.node(shard.node), rows.node_octets(Registered(peer, 2))))
    await etcd.transact([], puts)
    source = EtcdMap(etcd, keys, Map(X), b"id")
    await source.read()
    watching = asyncio.ensure_future(source.run())
    try:
        yield Promoting(source)
    finally:
        watching.cancel()
        await etcd.close()


def copies(count: int = SLOTS) -> dict[int, Copy]:
    return {at: Copy(at, X, Position(5, 7), 9, 1.0, (Position(3, 1), Position(5, 4))) for at in range(count)}


def test_a_home_comes_with_all_its_rows_and_what_was_killed_half_way_goes_on(etcd: Member) -> None:
    async def work() -> None:
        async with promoting(etcd) as made:
            known = made.source.map
            (home,) = made.homes(["dc1"]).values()
            taken = await made.take(0, home)
            assert taken == Home("dc2", 2, 1, 1, ("dc3",)), "as many copies as there are hosts"
            assert await made.write(0, "dc1", taken, copies(250)) == 250
            assert made.homes(()) == {0: taken}, "it is half done"

            assert await made.take(0, taken) == taken
            revision = known.revision(0)
            assert await made.write(0, "dc1", taken, copies()) == SLOTS - 250
            assert await made.write(0, "dc1", taken, copies()) == 0
            assert known.revision(0) == revision and not made.homes(())
            row = known.row(SLOTS - 1)
            assert (row.epoch, row.primary, row.in_sync, row.replicas) == (first_epoch(2), X, (X,), ("x",))
            assert (row.since, row.sync_dcs, row.min_insync) == ((Position(5, 7),), ("dc3",), 1)

    asyncio.run(work())


def test_of_two_that_take_a_home_one_is_refused(etcd: Member) -> None:
    async def work() -> None:
        async with promoting(etcd) as made:
            (home,) = made.homes(["dc1"]).values()
            await made.take(0, home)
            with pytest.raises(Refused, match="has just come to data centre dc2"):
                await made.take(0, home)

    asyncio.run(work())


def test_what_nobody_has_begins_at_nodes_that_are_there(etcd: Member) -> None:
    async def work() -> None:
        async with promoting(etcd) as made:
            empty = made.empty(0, [3, 4])
            assert {at: (copy.member, copy.last) for at, copy in empty.items()} == {
                3: (X, Position(0, 0)),
                4: (X, Position(0, 0)),
            }

    asyncio.run(work())


def test_who_has_most_leads() -> None:
    fewer, more, later = (Copy(1, Y, Position(*at), 0, None) for at in ((1, 8), (1, 9), (2, 3)))
    assert best([fewer, later, more]) == {1: later}
    assert best([more, fewer]) == {1: more}


def test_a_copy_says_with_what_each_generation_began() -> None:
    second, third = EPOCHS_OF_A_GENERATION, 2 * EPOCHS_OF_A_GENERATION
    of_two = Copy(1, X, Position(second + 1, 12), 0, None, (Position(1, 1), Position(second, 10)))
    assert of_two.since(2) == (Position(1, 9),)
    assert of_two.since(3) == (Position(1, 9), Position(second + 1, 12))
    skipped = Copy(1, X, Position(third, 12), 0, None, (Position(1, 1), Position(third, 10)))
    assert skipped.since(3) == (Position(1, 9), Position(1, 9))
    assert Copy(1, X, Position(0, 0), 0, None).since(2) == (Position(0, 0),)

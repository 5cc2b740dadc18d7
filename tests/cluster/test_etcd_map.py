"""What nodes know of a cluster through a real etcd: one map for all, whatever becomes of etcd."""

import asyncio
import secrets
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from mailnode.cluster import etcd_rows as rows
from mailnode.cluster.etcd import Answer, Drop, Etcd, EtcdError, Put
from mailnode.cluster.etcd_lease import Lease
from mailnode.cluster.etcd_map import EtcdMap, OtherCluster
from mailnode.cluster.etcd_rows import Cluster, DomainText, Home, Keys, Registered, SealedKey
from mailnode.cluster.etcd_swaps import Swaps
from mailnode.cluster.map import Map, Peer
from mailnode.cluster.replica_messages import Far, Member, Row, Swap
from tests.cluster.members import Member as Etcds
from tests.cluster.members import members

A, B = Member("a", 1), Member("b", 1 << 120)
CLUSTER = Cluster(b"the cluster", "dc1", 1, 0)


@pytest.fixture(scope="module")
def etcds() -> Iterator[Etcds]:
    with members(1) as made:
        yield made[0]


@pytest.fixture
def keys() -> Keys:
    return Keys(f"test-{secrets.token_hex(4)}")


def run(work: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await work

    asyncio.run(bounded())


@dataclass
class Node:
    """One node's view, kept up by its tasks."""

    source: EtcdMap
    swaps: Swaps
    lease: Lease
    told: list[tuple[Member, bool]] = field(default_factory=list)
    may_renew: bool = True

    @property
    def map(self) -> Map:
        return self.source.map

    async def until(self, is_so: Callable[[], bool]) -> None:
        changes = self.source.changes
        while not is_so():
            changes = await self.source.changed(changes)


@asynccontextmanager
async def node(
    me: Member, endpoints: list[str], keys: Keys, is_alive: bool = True, run: int = 1
) -> AsyncIterator[Node]:
    etcd = Etcd(endpoints)
    known = Map(me)
    made = Node(EtcdMap(etcd, keys, known), Swaps(etcd, keys, known), Lease(etcd, keys, me, run))
    while True:
        try:
            await made.source.read()
            break
        except EtcdError:  # a leader is being elected
            await asyncio.sleep(0)
    made.source.follow_leases(lambda member, is_held: made.told.append((member, is_held)))
    works = [made.source.run(), made.swaps.run()]
    if is_alive:
        await made.lease.take()
        works.append(made.lease.keep(lambda: made.may_renew))
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield made
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(each, asyncio.CancelledError) for each in ended), ended
        await etcd.close()


async def prepare(endpoints: list[str], keys: Keys, *puts: Put | Drop) -> None:
    etcd = Etcd(endpoints)
    while True:
        try:
            await etcd.transact([], [Put(keys.cluster(), rows.cluster_octets(CLUSTER)), *puts])
            break
        except EtcdError:
            await asyncio.sleep(0)
    await etcd.close()


def row(revision: int = 0, epoch: int = 0, primary: Member = A) -> Row:
    far = (Far("x", "dc2"), Far("y", "dc3"))
    return Row(revision, epoch, primary, 7 << 100, (primary,), ("a", "b"), 2, far, ("dc3",))


def test_everything_is_read_at_the_start_and_watched_from_then_on(etcds: Etcds, keys: Keys) -> None:
    peer = Peer("b", "h", "r", "dc1", 2.5, B.incarnation, "unix:/b")
    at_start = [
        Put(keys.row(0x0A1B), rows.row_octets(row())),
        Put(keys.node("b"), rows.node_octets(Registered(peer, 1, hostname="mx2.example.test"))),
        Put(keys.home(0), rows.home_octets(Home("dc1", 1, 3, 2, ("dc3",)))),
        Put(keys.domain("example.test"), rows.domain_octets(DomainText("name = 'example.test'", 7))),
        Put(keys.key("example.test", "m1"), rows.key_octets(SealedKey(1, "rsa", "signing", 9, b"sealed"))),
        Put(keys.key("example.test", "no/key"), b""),
    ]

    async def work() -> None:
        ends = [etcds.endpoint]
        await prepare(ends, keys, *at_start)
        async with node(A, ends, keys) as a:
            found = a.map.row(0x0A1B)
            assert found == row(found.revision)
            assert a.map.peer("b") == peer and a.source.nodes["b"].format == 1
            assert a.source.hostnames() == {"mx2.example.test"}
            assert a.source.homes == {0: Home("dc1", 1, 3, 2, ("dc3",))}
            read = a.source.revision
            assert a.source.domains == {"example.test": DomainText("name = 'example.test'", 7, read)}
            assert a.source.signing == {
                "example.test": {"m1": SealedKey(1, "rsa", "signing", 9, b"sealed", read)}
            }
            moved = list[frozenset[str]]()
            a.source.follow_domains(moved.append)
            answer = await a.source.etcd.transact(
                [],
                [
                    Put(keys.row(0x0A1B), rows.row_octets(row(epoch=1, primary=B))),
                    Drop(keys.node("b")),
                    Drop(keys.domain("example.test")),
                    Put(keys.row(7), b"\xff no row"),
                ],
            )
            await a.source.reached(answer.revision)
            assert moved == [{"example.test"}]
            assert a.source.signing["example.test"]["m1"].revision == read  # it may come back
            assert a.map.primary(0x0A1B) == "b"
            assert a.map.peer("b") is None and not a.source.domains
            assert a.map.revision(7) == 0

    run(work())


def test_of_two_nodes_that_swap_the_same_rows_each_row_has_one_winner(etcds: Etcds, keys: Keys) -> None:
    partitions = range(100)

    async def work() -> None:
        ends = [etcds.endpoint]
        await prepare(ends, keys)
        async with node(A, ends, keys) as a, node(B, ends, keys) as b:
            assert await a.swaps.swap([Swap(at, row()) for at in partitions]) == 100
            assert len({a.map.revision(at) for at in partitions}) == 1
            await b.until(lambda: b.map.revision(99) > 0)
            for at in range(0, 100, 10):  # so that neither group can be written whole
                assert await a.swaps.swap([Swap(at, row(a.map.revision(at), 1))])
            stale = [Swap(at, replace(b.map.row(at), epoch=2, primary=B)) for at in partitions]
            first = [Swap(at, replace(a.map.row(at), epoch=2)) for at in partitions]
            won = await asyncio.gather(a.swaps.swap(first), b.swaps.swap(stale))
            assert sum(won) == 100
            for each in (a, b):
                await each.until(lambda each=each: all(each.map.row(at).epoch == 2 for at in partitions))
            assert list(a.map.rows()) == list(b.map.rows())
            assert sum(a.map.primary(at) == "b" for at in partitions) == won[1]

    run(work())


def test_a_group_that_is_refused_in_part_takes_two_transactions(etcds: Etcds, keys: Keys) -> None:
    async def work() -> None:
        ends = [etcds.endpoint]
        await prepare(ends, keys)
        async with node(A, ends, keys) as a, node(B, ends, keys) as b:
            assert await a.swaps.swap([Swap(at, row()) for at in range(100)]) == 100
            await b.until(lambda: b.map.revision(99) > 0 and A in b.source.leases)
            swaps = [Swap(at, row(b.map.revision(at), 1)) for at in range(100)]
            swaps[40:60] = [replace(swap, unless_leased=A) for swap in swaps[40:60]]
            await a.swaps.swap([Swap(at, row(a.map.revision(at), 1)) for at in range(10)])
            asked = []
            transact = b.source.etcd.transact

            async def counted(*words: Any) -> Answer:
                asked.append(words)
                return await transact(*words)

            b.source.etcd.transact = counted  # type: ignore[method-assign]
            assert await b.swaps.swap(swaps) == 70
            assert len(asked) == 2 and b.swaps.failed == 30
            assert all(b.map.row(at).epoch == 1 for at in [*range(40), *range(60, 100)])

    run(work())


def test_a_row_that_cannot_be_read_holds_up_no_swap_of_another(etcds: Etcds, keys: Keys) -> None:
    async def work() -> None:
        ends = [etcds.endpoint]
        await prepare(ends, keys)
        async with node(A, ends, keys) as a:
            assert await a.swaps.swap([Swap(1, row()), Swap(2, row())]) == 2
            etcd = Etcd(ends)
            await etcd.transact([], [Put(keys.row(1), b"\xff")])
            await etcd.close()
            swaps = [Swap(1, row(a.map.revision(1), 1)), Swap(2, row(a.map.revision(2), 1))]
            assert await a.swaps.swap(swaps) == 1
            assert a.map.row(2).epoch == 1

    run(work())


def test_who_is_leased_is_not_taken_over_from_until_the_lease_is_gone(etcds: Etcds, keys: Keys) -> None:
    async def work() -> None:
        ends = [etcds.endpoint]
        await prepare(ends, keys)
        async with node(B, ends, keys) as b:
            async with node(A, ends, keys, is_alive=False) as a:
                await a.lease.take()
                assert await b.swaps.swap([Swap(1, row()), Swap(2, row())]) == 2
                await b.until(lambda: (A, True) in b.told)
                take = Swap(1, row(b.map.revision(1), 1, B), unless_leased=A)
                assert await b.swaps.swap([take]) == 0
                # In one group, what depends on no lease goes all the same.
                assert await b.swaps.swap([take, Swap(2, row(b.map.revision(2), 1))]) == 1
            await b.until(lambda: b.told[-1] == (A, False))
            assert await b.swaps.swap([take]) == 1
            assert b.map.primary(1) == "b"

    run(work())


def test_a_shard_that_was_lost_before_is_told_as_lost(etcds: Etcds, keys: Keys) -> None:
    async def work() -> None:
        ends = [etcds.endpoint]
        await prepare(ends, keys, Put(keys.row(3), rows.row_octets(row(primary=A))))
        async with node(B, ends, keys) as b:
            assert (A, False) in b.told
            await b.until(lambda: (B, True) in b.told)

    run(work())


def test_a_run_that_follows_at_once_leaves_no_gap_in_its_lease(etcds: Etcds, keys: Keys) -> None:
    async def work() -> None:
        ends = [etcds.endpoint]
        await prepare(ends, keys)
        async with node(B, ends, keys) as b:
            async with node(A, ends, keys, is_alive=False) as killed:
                await killed.lease.take()
            async with node(A, ends, keys, run=2) as again:
                await b.until(lambda: b.source.leases.get(A) == 2)
                held = again.lease.number
                await killed.source.etcd.revoke(killed.lease.number)
                await again.source.etcd.transact([], [Put(keys.domain("after"), b"")])
                await b.until(lambda: "after" in b.source.domains)
                assert (A, False) not in b.told
                assert again.lease.number == held

    run(work())


def test_a_lease_that_may_not_be_renewed_lapses_and_is_taken_anew(etcds: Etcds, keys: Keys) -> None:
    async def work() -> None:
        ends = [etcds.endpoint]
        await prepare(ends, keys)
        async with node(A, ends, keys) as a, node(B, ends, keys) as b:
            await b.until(lambda: A in b.source.leases)
            held, a.may_renew = a.lease.number, False
            await b.until(lambda: (A, False) in b.told)
            assert a.lease.number == held  # it hears of it when it asks
            a.may_renew = True
            await b.until(lambda: A in b.source.leases)
            assert a.lease.number != held

    run(work())


def test_an_etcd_of_another_cluster_or_of_none_is_refused(etcds: Etcds, keys: Keys) -> None:
    async def work() -> None:
        etcd = Etcd([etcds.endpoint])
        with pytest.raises(OtherCluster, match=r"hold no cluster .*`mailnode cluster init` makes one"):
            await EtcdMap(etcd, keys, Map(A)).read()
        await prepare([etcds.endpoint], keys)
        source = EtcdMap(etcd, keys, Map(A), joined=b"\x01")
        with pytest.raises(OtherCluster, match="belongs to cluster 01, and etcd holds "):
            await source.read()
        assert source.cluster is None
        put_back = EtcdMap(etcd, keys, Map(A))
        await put_back.read()
        put_back.revision += 1000
        with pytest.raises(OtherCluster, match="it was put back"):
            await put_back.read()
        await etcd.close()

    run(work())


def test_what_etcd_compacted_while_it_was_away_is_read_anew() -> None:
    keys = Keys()

    async def work(one: Etcds) -> None:
        ends = [one.endpoint]
        await prepare(ends, keys, Put(keys.domain("gone"), b""), Put(keys.row(1), rows.row_octets(row())))
        async with node(A, ends, keys) as a, node(B, ends, keys, is_alive=False) as b:
            await b.until(lambda: A in b.source.leases)
            one.kill()
            assert b.map.primary(1) == "a"  # it is known all the same
            with pytest.raises(EtcdError):
                await b.swaps.swap([Swap(1, row(b.map.revision(1), 1, B))])
            b.source.revision -= 2  # as if it had missed some
            one.start()
            one.wait_until_ready()
            await prepare(ends, keys, Drop(keys.domain("gone")))
            one.compact((await a.source.etcd.transact([], [Put(keys.domain("new"), b"")])).revision)
            await b.until(lambda: "new" in b.source.domains and not b.source.ailment)
            assert "gone" not in b.source.domains
            assert await b.swaps.swap([Swap(1, row(b.map.revision(1), 1, B))]) == 1
            await a.until(lambda: a.map.primary(1) == "b")

    with members(1) as one:
        run(work(one[0]))


def test_one_member_of_three_killed_or_stopped_costs_no_lease_and_no_swap() -> None:
    keys = Keys()

    async def work(three: list[Etcds]) -> None:
        ends = [each.endpoint for each in three]
        await prepare(ends, keys)
        async with node(A, ends, keys) as a, node(B, ends[1:] + ends[:1], keys) as b:
            await swapped(a, 0)
            held = a.lease.number, b.lease.number
            for at, (fail, mend) in enumerate(
                ((three[0].kill, three[0].start), (stopped(three[1]), continued(three[1])))
            ):
                fail()
                await swapped(a, at + 1)
                await b.until(lambda at=at: b.map.revision(1) and b.map.row(1).epoch == at + 1)
                mend()
            assert (a.lease.number, b.lease.number) == held

    async def swapped(a: Node, epoch: int) -> None:
        """Asked as the core asks: again until the map says so."""
        while not a.map.revision(1) or a.map.row(1).epoch < epoch:
            a.swaps.ask([Swap(1, row(a.map.revision(1), epoch))])
            await asyncio.sleep(0.05)

    def stopped(member: Etcds) -> Callable[[], None]:
        return lambda: member.send(signal.SIGSTOP)

    def continued(member: Etcds) -> Callable[[], None]:
        return lambda: member.send(signal.SIGCONT)

    with members(3) as three:
        run(work(three))

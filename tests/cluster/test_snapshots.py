"""A replica that lacks what was trimmed gets all rows: whole, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace

import pytest

from mailnode.cluster.log_rows import APART_OCTETS_MIN
from mailnode.cluster.replica_messages import Frame, Position, Snapshot
from mailnode.cluster.snapshot import BadSnapshot, Unwanted, puts
from mailnode.limits import Limits
from mailnode.pb.row_pb2 import ReplicaRow
from mailnode.store import keys
from mailnode.store.keys import Family
from tests.cluster.nodes import PARTITION, Cluster, Node, each
from tests.store.faulty_shard import Fate, FaultyShard, Step


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    cluster = Cluster()
    yield cluster
    cluster.close()


def in_sync(cluster: Cluster) -> set[str]:
    return {member.node for member in cluster.etcd.rows[PARTITION].in_sync}


def behind_the_log(cluster: Cluster, names: str = "b") -> list[FaultyShard]:
    """They are away until nothing of what they lack is in the log; their shards."""
    a = cluster.nodes["a"]
    a.append(b"first")
    cluster.pass_time(1)
    shards = [cluster.crash(name) for name in names]
    cluster.pass_time(8)
    for number in range(5):
        a.append(b"%d|" % number + b"x" * APART_OCTETS_MIN)
        cluster.settle()
    a.do(lambda: a.replication.core.trim(PARTITION, 1 << 40))
    cluster.pass_time(0.5)
    assert len(a.log()) == 0
    return shards


def everything(node: Node) -> list[tuple[str, bytes, bytes]]:
    found = []
    for family in keys.OF_ACCOUNTS:
        start, end = keys.partition_range(family, PARTITION)
        found += [(family, key, value) for key, value in node.shard.scan(family, start, end)]
    return found


def promised(shard: FaultyShard) -> int:
    return ReplicaRow.FromString(shard.get(Family.LOG, keys.replica(PARTITION)) or b"").epoch


def epoch_of(node: Node) -> int:
    return node.replication.core.partitions[PARTITION].epoch


def test_one_who_lacks_what_was_trimmed_gets_all_rows_and_goes_on_with_the_log(cluster: Cluster) -> None:
    (shard,) = behind_the_log(cluster)
    shard.write([(Family.STATE, keys.state(PARTITION << 48, 99), b"of before")], sync=True)
    b, a = cluster.start("b", shard), cluster.nodes["a"]
    cluster.pass_time(8)
    assert [snapshot.exception() for snapshot in cluster.snapshots] == [None]
    assert in_sync(cluster) == {"a", "b"} and everything(b) == everything(a)
    a.append(b"behind")
    cluster.settle()
    cluster.crash("a")
    cluster.pass_time(8)
    assert b.begun == [PARTITION] and b"behind" in b.rows() and len(b.rows()) == 7


@pytest.mark.parametrize("lost", [0, 1, 2])
@pytest.mark.parametrize("writes", [1, 2, 3])
def test_half_a_snapshot_is_dropped_and_comes_again(cluster: Cluster, writes: int, lost: int) -> None:
    """`writes` of what comes in are made, and the last `lost` of them are not on the disk."""
    (shard,) = behind_the_log(cluster)
    before = promised(shard)
    steps = 0

    def plan(step: Step) -> Fate:
        nonlocal steps
        steps += step is Step.AFTER_WRITE and bool(cluster.snapshots)
        return Fate.DIE if steps >= writes else Fate.GO_ON

    b = cluster.start("b", shard)
    shard.plan = plan
    for _ in range(40):
        if shard.dead:
            break
        cluster.pass_time(0.25)
    assert shard.dead
    cluster.nodes.pop("b").hand.close()
    again = shard.reopen(kept=max(0, shard.unsynced - lost))
    b = cluster.start("b", again)
    assert b.rows() in ([], [b"first"]) or len(b.rows()) == 6
    assert promised(again) >= before > 0, "what it promised stays"
    cluster.pass_time(12)
    assert in_sync(cluster) == {"a", "b"} and everything(b) == everything(cluster.nodes["a"])


async def broken_off(pieces: list[bytes]) -> AsyncIterator[bytes]:
    yield pieces[0]
    raise OSError("the network")


async def spoiled(pieces: list[bytes]) -> AsyncIterator[bytes]:
    yield pieces[0]
    yield pieces[0][:-1]


@pytest.mark.parametrize(("spoil", "error"), [(broken_off, OSError), (spoiled, BadSnapshot)])
def test_what_came_of_one_that_breaks_off_goes_but_not_the_promise(
    cluster: Cluster, spoil: Callable[[list[bytes]], AsyncIterator[bytes]], error: type[Exception]
) -> None:
    (shard,) = behind_the_log(cluster)
    cluster.on_their_way = spoil
    b = cluster.start("b", shard)
    while not cluster.snapshots:
        cluster.pass_time(0.25)
    assert isinstance(cluster.snapshots[0].exception(), error)
    assert everything(b) == [] and promised(b.shard) == epoch_of(b) > 0
    cluster.on_their_way = each
    cluster.pass_time(8)
    assert in_sync(cluster) == {"a", "b"} and everything(b) == everything(cluster.nodes["a"])
    assert not b.failures


def test_a_write_that_fails_meanwhile_ends_the_node(cluster: Cluster) -> None:
    (shard,) = behind_the_log(cluster)
    b = cluster.start("b", shard)
    shard.plan = lambda step: Fate.FAIL if cluster.snapshots else Fate.GO_ON
    while not cluster.snapshots:
        cluster.pass_time(0.25)
    assert isinstance(cluster.snapshots[0].exception(), OSError) and len(b.failures) == 1


@pytest.mark.parametrize(
    ("at", "why"), [((9, 9), "in sync"), ((0, 0), "has what is in it")], ids=["in sync", "has all"]
)
def test_a_copy_that_counts_or_has_everything_is_not_replaced(
    cluster: Cluster, at: tuple[int, int], why: str
) -> None:
    a, b = cluster.nodes["a"], cluster.nodes["b"]
    a.append(b"one")
    cluster.pass_time(1)
    replica = b.replication.core.partitions[PARTITION]
    if at == (0, 0):
        assert replica.row is not None
        replica.row = replace(replica.row, in_sync=(a.me,))  # as it reads the map: an old row
        at = replica.log.last
    snapshot = Snapshot(PARTITION, epoch_of(a), Position(*at), ())
    cluster.give(Frame(a.me, 1, b.me, (snapshot,)), [])
    cluster.settle()
    assert b.rows() == [b"one"]
    error = cluster.snapshots[0].exception()
    assert isinstance(error, Unwanted) and why in str(error)


def test_a_full_disk_takes_none(cluster: Cluster) -> None:
    (shard,) = behind_the_log(cluster)
    b = cluster.start("b", shard)
    b.is_short = True
    cluster.pass_time(4)
    assert cluster.snapshots and len(b.log()) == 2
    assert {str(each.exception()) for each in cluster.snapshots} == {"the disk has no room for it"}
    b.is_short = False
    cluster.pass_time(4)
    assert everything(b) == everything(cluster.nodes["a"])


def test_so_many_are_given_at_a_time_and_meanwhile_none_again() -> None:
    cluster = Cluster("abc", limits=replace(Limits(), snapshots_at_once_max=1))
    shards = behind_the_log(cluster, "bc")
    a, asked = cluster.nodes["a"], list[str]()
    going_on = asyncio.Event()
    give = a.ways.give

    async def slow(frame: Frame, octets: AsyncIterator[bytes]) -> None:
        asked.append(frame.to.node)
        await going_on.wait()
        await give(frame, octets)

    a.replication.giving.give = slow
    for name, shard in zip("bc", shards, strict=True):
        cluster.start(name, shard)
    cluster.pass_time(10)
    assert len(asked) == 1
    a.append(b"meanwhile")
    cluster.settle()
    a.do(going_on.set)
    cluster.pass_time(10)
    assert sorted(asked) == ["b", "c"] and in_sync(cluster) == {"a", "b", "c"}
    assert everything(cluster.nodes["b"]) == everything(cluster.nodes["c"]) == everything(a)
    cluster.close()


def test_the_log_behind_one_that_is_given_stays_and_of_one_that_is_away_does_not() -> None:
    limits = replace(Limits(), log_kept_seconds=5)
    cluster = Cluster("abc", limits=limits)
    b_shard, _ = behind_the_log(cluster, "bc")
    a = cluster.nodes["a"]
    a.append(b"while both are away")
    cluster.settle()
    cluster.pass_time(15)
    assert len(a.log()) == 0
    going_on = asyncio.Event()
    give = a.ways.give

    async def slow(frame: Frame, octets: AsyncIterator[bytes]) -> None:
        await going_on.wait()
        await give(frame, octets)

    a.replication.giving.give = slow
    b = cluster.start("b", b_shard)
    cluster.pass_time(5)
    a.append(b"while it is given")
    cluster.settle()
    cluster.pass_time(20)
    assert len(a.log()) == 1
    a.do(going_on.set)
    cluster.pass_time(5)
    assert in_sync(cluster) == {"a", "b"} and everything(b) == everything(a)
    assert len(cluster.snapshots) == 1
    cluster.pass_time(15)
    assert len(a.log()) == 0
    cluster.close()


def test_rows_of_another_partition_or_cut_off_are_refused() -> None:
    row = b"\0\0\x02\0\0\0\x01" + PARTITION.to_bytes(2, "big") + b"v"
    assert list(puts(row, PARTITION)) == [(keys.OF_ACCOUNTS[0], PARTITION.to_bytes(2, "big"), b"v")]
    for octets, partition in ((row, PARTITION + 1), (row[:-1], PARTITION), (row[:3], PARTITION)):
        with pytest.raises(BadSnapshot):
            list(puts(octets, partition))
    with pytest.raises(BadSnapshot):
        list(puts(b"\xff" + row[1:], PARTITION))

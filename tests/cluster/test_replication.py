"""Replicated partitions on shards: an append ends when it is durable everywhere and its rows are written."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from mailnode.cluster.log_rows import APART_OCTETS_MIN
from mailnode.cluster.partitions import NotKnown, NotPrimary, Unavailable
from mailnode.cluster.replication import LARGE_OCTETS_MIN
from mailnode.limits import Limits
from mailnode.pb.row_pb2 import AppliedRow
from mailnode.store import keys
from mailnode.store.keys import Family
from tests.cluster.nodes import PARTITION, Cluster, Node, outcome
from tests.store.faulty_shard import Fate, FaultyShard, Step


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    cluster = Cluster()
    yield cluster
    cluster.close()


def in_sync(cluster: Cluster) -> set[str]:
    return {member.node for member in cluster.etcd.rows[PARTITION].in_sync}


def applied(shard: FaultyShard) -> tuple[int, int]:
    row = AppliedRow.FromString(shard.get(Family.STATE, keys.applied(PARTITION)) or b"")
    return row.epoch, row.seq


def a_and_b(cluster: Cluster) -> tuple[Node, Node]:
    assert in_sync(cluster) == {"a", "b"}
    return cluster.nodes["a"], cluster.nodes["b"]


def test_the_follower_writes_what_the_primary_writes(cluster: Cluster) -> None:
    a, b = a_and_b(cluster)
    appends = [a.append(b"one"), a.append(b"two")]
    cluster.settle()
    cluster.pass_time(1)
    assert [outcome(append) for append in appends] == [True, True]
    assert a.told == [b"one", b"two"] and b.told == []
    assert a.rows() == b.rows() == [b"one", b"two"]
    assert a.log() == b.log() and applied(a.shard) == applied(b.shard)


def test_it_is_committed_once_both_have_synced_and_no_sooner(cluster: Cluster) -> None:
    a, b = a_and_b(cluster)
    append = a.append(b"one")
    a.hand.settle()
    a.hand.writer.run()
    a.hand.writer.hear()
    a.hand.settle()
    assert a.shard.unsynced == 0 and a.rows() == [] and outcome(append) is None
    cluster._deliver(a)
    b.hand.writer.run()
    assert outcome(append) is None and b.rows() == []
    cluster.settle()
    assert outcome(append) is True and a.rows() == [b"one"]


def test_what_is_committed_is_there_after_the_primary_is_lost_at_once(cluster: Cluster) -> None:
    a, _ = a_and_b(cluster)
    append = a.append(b"one")
    cluster.settle()
    assert outcome(append) is True
    cluster.crash("a")
    cluster.pass_time(8)
    b = cluster.nodes["b"]
    assert b.begun == [PARTITION] and b.rows() == [b"one"]
    b.append(b"two")
    cluster.settle()
    assert b.told == [b"two"] and in_sync(cluster) == {"b"}


def test_one_that_comes_back_has_what_it_missed(cluster: Cluster) -> None:
    a, _ = a_and_b(cluster)
    a.append(b"one")
    cluster.settle()
    shard = cluster.crash("b")
    cluster.pass_time(8)
    a.append(b"two")
    cluster.settle()
    assert a.told == [b"one", b"two"], "who is alone in sync goes on"
    b = cluster.start("b", shard)
    cluster.pass_time(8)
    assert in_sync(cluster) == {"a", "b"} and b.rows() == [b"one", b"two"]
    assert applied(a.shard) == applied(b.shard)


def test_what_was_never_committed_is_truncated_with_its_content(cluster: Cluster) -> None:
    a, b = a_and_b(cluster)
    content = b"x" * APART_OCTETS_MIN
    cluster.cut.add("a")
    lost = a.append(b"lost|" + content)
    cluster.settle()
    assert outcome(lost) is None and a.contents() == [content] and a.rows() == []
    shard = cluster.crash("a")
    cluster.cut.clear()
    cluster.pass_time(8)
    b.append(b"kept")
    cluster.settle()
    a = cluster.start("a", shard)
    assert a.contents() == [content]
    cluster.pass_time(8)
    assert a.rows() == b.rows() == [b"kept"]
    assert a.contents() == b.contents() == []
    assert applied(a.shard) == applied(b.shard) and a.log() == b.log()


def test_a_long_content_lies_in_its_blob_row_alone_and_is_in_what_is_read_back(cluster: Cluster) -> None:
    a, _ = a_and_b(cluster)
    content = b"x" * APART_OCTETS_MIN
    shard = cluster.crash("b")
    cluster.pass_time(8)
    a.append(b"long|" + content)
    cluster.settle()
    assert a.contents() == [content]
    assert all(content not in value for _, value in a.shard.scan(Family.LOG, b"", keys.END))
    replica = a.replication.core.partitions[PARTITION]
    replica.release(replica.applied)
    b = cluster.start("b", shard)
    cluster.pass_time(8)
    assert b.contents() == [content] and b.rows() == [b"long"]


def test_an_entry_of_many_rows_is_written_in_parts_on_both_and_what_follows_waits(cluster: Cluster) -> None:
    a, b = a_and_b(cluster)
    name = b"n" * LARGE_OCTETS_MIN
    appends = [a.append(each) for each in (b"before", name + b"*7", b"behind")]
    seen = set()
    a.hand.settle()
    while any(node.hand.writer.waiting or node.ways.out for node in (a, b)):
        for node in (a, b):
            cluster._deliver(node)
            if node.hand.writer.waiting:
                node.hand.writer.run()
                node.hand.writer.hear()
                node.hand.settle()
            seen.add(len(node.rows()))
    assert [outcome(append) for append in appends] == [True, True, True]
    assert a.told == [b"before", name + b"*7", b"behind"]
    assert {1, 4, 7, 9} <= seen
    cluster.pass_time(1)
    assert a.rows() == b.rows() and len(b.rows()) == 9


def test_half_an_entry_of_many_rows_is_whole_after_the_next_start(cluster: Cluster) -> None:
    a, _ = a_and_b(cluster)
    a.append(b"n" * LARGE_OCTETS_MIN + b"*7")
    while len(a.rows()) < 3:
        for node in cluster.nodes.values():
            cluster._deliver(node)
            node.hand.settle()
            if node.hand.writer.waiting:
                node.hand.writer.run()
                node.hand.writer.hear()
                node.hand.settle()
    a.shard.write([], sync=True)
    a = cluster.start("a", cluster.crash("a"))
    assert len(a.rows()) == 3 and a.begun == []
    cluster.pass_time(8)
    assert a.begun == [PARTITION] and len(a.rows()) == 7


def test_another_node_says_who_leads(cluster: Cluster) -> None:
    _, b = a_and_b(cluster)
    with pytest.raises(NotPrimary) as refused:
        b.append(b"one")
    assert refused.value.owner == "a"
    with pytest.raises(NotPrimary):
        b.partitions.check_read(PARTITION)
    assert not b.partitions.leads(PARTITION) and cluster.nodes["a"].partitions.leads(PARTITION)


def test_who_was_cut_off_serves_nothing_and_what_waited_there_is_not_known(cluster: Cluster) -> None:
    a, b = a_and_b(cluster)
    a.partitions.check_read(PARTITION)
    cluster.cut.add("a")
    cluster.unmapped.add("a")
    waits = a.append(b"one")
    cluster.pass_time(3.5)
    with pytest.raises(Unavailable):
        a.partitions.check_read(PARTITION)
    cluster.lose_lease("a")
    cluster.pass_time(8)
    assert b.begun == [PARTITION] and outcome(waits) is None
    cluster.join("a")
    cluster.settle()
    assert a.begun == [] and outcome(waits) is False


def test_below_the_least_in_sync_writes_are_refused_and_reads_go_on() -> None:
    cluster = Cluster(min_insync=2)
    a, _ = a_and_b(cluster)
    cluster.crash("b")
    cluster.pass_time(8)
    with pytest.raises(Unavailable) as refused:
        a.append(b"one")
    assert not isinstance(refused.value, NotPrimary)
    a.partitions.check_read(PARTITION)
    cluster.close()


def test_one_that_leaves_is_asked_for_nothing_more_and_nobody_waits_meanwhile(cluster: Cluster) -> None:
    a, b = cluster.nodes["a"], cluster.nodes["b"]
    leaving = b.hand.start(b.replication.leave())
    b.hand.settle()
    one = a.append(b"one")
    cluster.settle()
    assert outcome(one) and not leaving.done()  # by both
    cluster.pass_time(1)
    assert [member.node for member in cluster.etcd.rows[PARTITION].in_sync] == ["a"]
    a.partitions.check_read(PARTITION)
    cluster.crash("b")
    two = a.append(b"two")
    cluster.settle()
    assert outcome(two)


def test_a_full_disk_of_a_follower_is_told_to_the_primary(cluster: Cluster) -> None:
    a, b = a_and_b(cluster)
    assert not a.partitions.is_short(PARTITION)
    b.is_short = True
    cluster.pass_time(1)
    assert a.partitions.is_short(PARTITION)


def test_the_log_is_trimmed_by_age_and_by_octets_but_not_of_what_a_follower_lacks() -> None:
    limits = replace(Limits(), log_kept_seconds=10, log_memory_octets=200)
    cluster = Cluster(limits=limits)
    a, b = a_and_b(cluster)
    for number in range(20):
        a.append(b"%d" % number)
        cluster.settle()
    log = a.replication.core.partitions[PARTITION].log
    assert log.trimmed == 0 and log.released > 10, "most of it is on the disk alone"
    cluster.pass_time(12)
    assert len(a.log()) <= 1 and len(b.log()) <= 1
    shard = cluster.crash("a")
    again = cluster.start("a", shard)
    cluster.pass_time(8)
    assert again.begun == [PARTITION] and len(again.rows()) == 20


def test_a_copy_that_stopped_while_its_node_goes_on_holds_no_log_for_ever() -> None:
    cluster = Cluster(limits=replace(Limits(), log_kept_seconds=10))
    a, b = a_and_b(cluster)
    b.replication.core.partitions[PARTITION].stop("damaged")
    a.append(b"one")
    cluster.pass_time(15)
    assert [member.node for member in cluster.etcd.rows[PARTITION].in_sync] == ["a"]
    for number in range(20):
        a.append(b"%d" % number)
        cluster.pass_time(1)
    cluster.pass_time(15)
    assert len(a.log()) <= 1
    cluster.close()


def test_after_a_failed_sync_nothing_is_known(cluster: Cluster) -> None:
    a, _ = a_and_b(cluster)
    a.shard.plan = lambda step: Fate.FAIL if step is Step.BEFORE_SYNC else Fate.GO_ON
    append = a.append(b"one")
    cluster.settle()
    assert outcome(append) is False and len(a.failures) == 1


def test_what_shall_have_more_copies_than_there_are_is_refused(cluster: Cluster) -> None:
    a, _ = a_and_b(cluster)
    two = a.append(b"two", copies=2)
    cluster.settle()
    assert outcome(two) is True
    with pytest.raises(Unavailable, match="has 2 in sync of 3 wanted"):
        a.append(b"three", copies=3)
    cluster.crash("b")
    cluster.pass_time(8)
    with pytest.raises(Unavailable, match="has 1 in sync of 2 wanted"):
        a.append(b"two again", copies=2)
    a.append(b"one", copies=1)
    cluster.settle()
    assert a.told == [b"two", b"one"]


def test_what_is_owed_a_copy_is_told_when_it_has_it_or_as_not_known_in_time(cluster: Cluster) -> None:
    a, _ = a_and_b(cluster)

    def waiting(copies: int) -> asyncio.Task[None]:
        return a.hand.start(a.partitions.have(PARTITION, copies))

    at_once = waiting(2)
    cluster.settle()
    assert at_once.done()
    shard = cluster.crash("b")
    append = a.append(b"owed", copies=2)
    cluster.pass_time(6)
    assert outcome(append) is True and in_sync(cluster) == {"a"}
    usual, owed, gone = waiting(1), waiting(2), waiting(2)
    cluster.settle()
    gone.cancel()
    cluster.pass_time(1)
    assert usual.done() and not owed.done()
    cluster.start("b", shard)
    cluster.pass_time(6)
    assert in_sync(cluster) == {"a", "b"} and owed.done() and owed.exception() is None
    cluster.crash("b")
    cluster.pass_time(6)
    late = waiting(2)
    cluster.pass_time(cluster.limits.copies_owed_seconds_max - 1)
    assert not late.done()
    cluster.pass_time(2)
    assert isinstance(late.exception(), NotKnown)


def test_what_is_owed_a_copy_is_not_known_where_the_partition_goes(cluster: Cluster) -> None:
    a, _ = a_and_b(cluster)
    cluster.cut.add("a")
    cluster.lose_lease("a")
    waiting = a.hand.start(a.partitions.have(PARTITION, 3))
    cluster.pass_time(8)
    assert cluster.nodes["b"].begun == [PARTITION] and not a.begun
    assert isinstance(waiting.exception(), NotKnown)

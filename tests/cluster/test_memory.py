"""How much lies in memory where another copy, or its disk, is slow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from mailnode.cluster.replicas import FRAME_OCTETS_MAX, LEARNED_OCTETS_MAX
from mailnode.limits import KiB, Limits, MiB
from tests.cluster.nodes import PARTITION, Cluster, Node

LIMITS = replace(Limits(), log_memory_octets=1 * MiB, group_pending_octets_max=2 * MiB)
ENTRY_OCTETS = 100 * KiB


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    cluster = Cluster(limits=LIMITS)
    yield cluster
    cluster.close()


def held(node: Node) -> int:
    """Octets of entries in memory: of the log, and of what waits to be sent."""
    log = node.replication.core.partitions[PARTITION].log
    waiting = [message for frame in node.ways.out for message in frame.messages]
    waiting += [message for messages in node.replication.core._outbox.values() for message in messages]
    entries = [entry for message in waiting for entry in getattr(message, "entries", ())]
    return sum([len(entry.data) for entry in (*entries, *log.after(log.released, log.last.seq))])


def append(cluster: Cluster, node: Node, count: int) -> None:
    for number in range(count):
        node.append(b"%d|" % number + bytes(ENTRY_OCTETS))
        cluster.settle()


def test_the_primary_holds_no_more_for_one_that_learns_slowly_nor_does_that_one(cluster: Cluster) -> None:
    a = cluster.nodes["a"]
    shard = cluster.crash("b")
    cluster.pass_time(8)
    append(cluster, a, 200)
    assert held(a) <= LIMITS.log_memory_octets
    b = cluster.start("b", shard)
    cluster.hung.add("b")
    most_a = most_b = 0
    for _ in range(40):
        cluster.pass_time(0.5)
        append(cluster, a, 1)
        most_a, most_b = max(most_a, held(a)), max(most_b, held(b))
    assert most_a <= LIMITS.log_memory_octets + FRAME_OCTETS_MAX
    assert LEARNED_OCTETS_MAX / 2 < most_b <= LEARNED_OCTETS_MAX + FRAME_OCTETS_MAX + ENTRY_OCTETS
    cluster.hung.clear()
    cluster.pass_time(8)
    assert {member.node for member in cluster.etcd.rows[PARTITION].in_sync} == {"a", "b"}
    assert len(b.contents()) == len(a.contents()) and b.rows() == a.rows()
    assert held(b) <= LIMITS.log_memory_octets


def test_a_slow_copy_in_sync_is_waited_for_by_those_who_append(cluster: Cluster) -> None:
    a, b = cluster.nodes["a"], cluster.nodes["b"]
    cluster.hung.add("b")
    count = 0
    while a.partitions.has_room():
        append(cluster, a, 1)
        count += 1
    pending = LIMITS.group_pending_octets_max + 2 * ENTRY_OCTETS
    assert count * ENTRY_OCTETS <= pending
    assert held(a) <= LIMITS.log_memory_octets + pending and held(b) <= pending
    cluster.hung.clear()
    cluster.pass_time(1)
    assert a.partitions.has_room() and len(b.rows()) == len(a.rows()) > 0

"""A data centre that did not hear that another one leads: what it had taken is set aside, and it follows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import pytest

from mailnode.cluster.append import Append, NotPrimary
from mailnode.cluster.replica_messages import NOBODY, Entry, Far, Position, Row, first_epoch
from tests.cluster.nodes import PARTITION, Cluster, outcome

HOME = "dc-a"


@contextmanager
def promoted(far: str = "a") -> Iterator[Cluster]:
    """x leads in the second generation; a and b are cut off and go on, each with two entries that x lacks."""
    cluster = Cluster("ab", far="x")
    try:
        cluster.nodes["a"].append(b"one")
        cluster.settle()
        cluster.cut.add("x")
        cluster.nodes["a"].append(b"two")
        cluster.settle()
        cluster.unmapped.update("ab")
        x = cluster.nodes["x"]
        before = cluster.etcd.rows[PARTITION]
        since = (x.replication.core.partitions[PARTITION].log.last,)
        named = (Far(far, HOME),) if far else ()
        row = Row(0, first_epoch(2), x.me, 0, (x.me,), ("x",), 1, named, since=since)
        cluster.etcd.rows[PARTITION] = replace(row, revision=before.revision + 1)
        tell(cluster, "x")
        cluster.pass_time(8)
        assert outcome(appended(cluster, "x", b"three")) is True
        assert outcome(appended(cluster, "a", b"also")) is True, "it has not heard of it"
        yield cluster
    finally:
        cluster.close()


def appended(cluster: Cluster, name: str, data: bytes) -> Append:
    append = cluster.nodes[name].append(data)
    cluster.settle()
    return append


def tell(cluster: Cluster, *names: str) -> None:
    for name in names:
        node, row = cluster.nodes[name], cluster.etcd.rows[PARTITION]
        node.do(partial(node.replication.read, PARTITION, row))
    cluster.settle()


def hear(cluster: Cluster) -> None:
    """The cut is over."""
    cluster.cut.clear()
    cluster.unmapped.clear()
    tell(cluster, "a", "b")
    cluster.pass_time(8)


def given_back(cluster: Cluster, name: str) -> list[bytes]:
    """What the copy has beyond, which then goes."""
    node = cluster.nodes[name]
    (after,) = node.replication.set_aside.beyond().values()
    found = list[Entry]()
    while True:
        reading = node.hand.start(
            node.replication.set_aside.tail(PARTITION, found[-1].position.seq if found else after)
        )
        cluster.settle()
        if not reading.result():
            break
        found += reading.result()
    going = node.hand.start(node.replication.set_aside.let_go(PARTITION))
    cluster.settle()
    going.result()
    return [entry.data for entry in found if entry.data]


@pytest.mark.parametrize("far", ["a", ""])
def test_each_copy_keeps_what_a_later_generation_lacks_until_it_is_given_back(far: str) -> None:
    with promoted(far) as cluster:
        hear(cluster)
        for name in "ab":
            node = cluster.nodes[name]
            assert not node.begun and node.replication.core.partitions[PARTITION].stopped
            assert given_back(cluster, name) == [b"two", b"also"]
        cluster.pass_time(8)
        x = cluster.nodes["x"].rows()
        assert x == [b"one", b"three"]
        assert cluster.nodes["a"].rows() == (x if far else [])
        assert cluster.nodes["b"].rows() == []
        assert not cluster.nodes["a"].replication.set_aside.beyond()


def test_what_was_set_aside_is_found_again_after_a_crash() -> None:
    with promoted() as cluster:
        hear(cluster)
        shard = cluster.crash("a")
        cluster.start("a", shard)
        cluster.pass_time(8)
        assert len(given_back(cluster, "a")) == 2
        cluster.pass_time(8)
        assert cluster.nodes["a"].rows() == cluster.nodes["x"].rows()


def test_who_hears_of_a_later_generation_alone_leads_no_more_and_drops_nothing() -> None:
    with promoted("") as cluster:
        row = cluster.etcd.rows[PARTITION]
        fenced = replace(row, revision=0, primary=NOBODY, in_sync=(), replicas=(), since=())
        a = cluster.nodes["a"]
        a.do(lambda: a.replication.read(PARTITION, fenced))
        cluster.settle()
        with pytest.raises(NotPrimary):
            a.append(b"four")
        assert not a.begun and a.rows() == [b"also", b"one", b"two"] and not a.replication.set_aside.beyond()


def test_a_copy_of_several_generations_before_knows_its_own_end() -> None:
    with promoted() as cluster:
        row = cluster.etcd.rows[PARTITION]
        later = Position(first_epoch(2) + 1, 999)
        cluster.etcd.rows[PARTITION] = replace(row, epoch=first_epoch(3), since=(*row.since, later))
        tell(cluster, "b")
        assert cluster.nodes["b"].replication.set_aside.beyond() == {PARTITION: row.since[0].seq}

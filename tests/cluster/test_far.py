"""Copies in other data centres, on shards: later than here, or waited for where the row says so."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from mailnode.cluster.append import NotKnown, Unavailable
from mailnode.cluster.far import MARKS_MAX, Lag, Marks
from mailnode.cluster.lag import FarLag, far_lags
from mailnode.cluster.partitions import Append
from mailnode.cluster.unconfirmed import CONFIRM_SECONDS_MAX
from tests.cluster.nodes import PARTITION, Cluster, Node, outcome


@contextmanager
def cluster_of(*sync_dcs: str) -> Iterator[Cluster]:
    """Two nodes, and x in another data centre."""
    cluster = Cluster("ab", far="x", sync_dcs=sync_dcs)
    try:
        yield cluster
    finally:
        cluster.close()


def lags(node: Node) -> list[Lag]:
    core = node.replication.core
    return core.partitions[PARTITION].lags(core.now)


def test_a_far_copy_gets_what_is_committed_and_is_never_in_sync() -> None:
    with cluster_of() as cluster:
        cluster.nodes["a"].append(b"one")
        cluster.settle()
        assert cluster.nodes["x"].rows() == cluster.nodes["a"].rows() == [b"one"]
        assert [member.node for member in cluster.etcd.rows[PARTITION].in_sync] == ["a", "b"]
        cluster.crash("a")
        cluster.crash("b")
        cluster.pass_time(20)
        assert cluster.nodes["x"].begun == [] and cluster.etcd.rows[PARTITION].primary.node == "a"


def test_mail_goes_on_while_another_data_centre_is_cut_off_and_its_lag_is_known() -> None:
    with cluster_of() as cluster:
        a = cluster.nodes["a"]
        assert lags(a) == [Lag("x", "dc-x", 0, 0.0)]
        assert far_lags(a.replication.core) == {"dc-x": FarLag(partition=PARTITION)}
        cluster.cut.add("x")
        append = a.append(b"one")
        cluster.settle()
        assert outcome(append) is True
        cluster.pass_time(60)
        a.append(b"two")
        cluster.settle()
        (lag,) = lags(a)
        assert lag.entries == 2 and 59 < lag.seconds <= 61
        assert far_lags(a.replication.core) == {"dc-x": FarLag(2, lag.seconds, PARTITION)}
        assert not a.replication.core.partitions[PARTITION].asked
        cluster.join("x")
        cluster.pass_time(2)
        assert lags(a) == [Lag("x", "dc-x", 0, 0.0)]
        assert cluster.nodes["x"].rows() == [b"one", b"two"]


def test_an_append_ends_once_the_data_centre_that_is_waited_for_has_it() -> None:
    with cluster_of("dc-x") as cluster:
        a, x = cluster.nodes["a"], cluster.nodes["x"]
        append = a.append(b"one")
        x_writes, x.work = x.work, lambda: False  # type: ignore[method-assign]
        cluster.settle()
        assert a.told == [b"one"] and outcome(append) is None  # readers at home see it
        x.work = x_writes  # type: ignore[method-assign]
        cluster.settle()
        assert outcome(append) is True and x.rows() == [b"one"]


def test_what_waits_for_a_data_centre_that_is_cut_off_is_not_known_and_no_more_is_taken() -> None:
    with cluster_of("dc-x") as cluster:
        a = cluster.nodes["a"]
        cluster.cut.add("x")
        append = a.append(b"one")
        cluster.pass_time(CONFIRM_SECONDS_MAX - 1)
        assert outcome(append) is None
        cluster.pass_time(2)
        assert outcome(append) is False and a.replication.octets == 0
        with pytest.raises(Unavailable, match="no copy that keeps up in dc-x"):
            a.append(b"two")
        a.partitions.check_read(PARTITION)
        cluster.join("x")
        cluster.pass_time(2)
        again = a.append(b"two")
        cluster.settle()
        assert outcome(again) is True and cluster.nodes["x"].rows() == [b"one", b"two"]


def _waiting_for_x(cluster: Cluster) -> tuple[Node, Append]:
    """Who leads, and what it has everywhere but in the data centre of x, which is cut off."""
    a = cluster.nodes["a"]
    cluster.cut.add("x")
    append = a.append(b"one")
    cluster.settle()
    return a, append


def test_what_waits_for_a_data_centre_ends_when_that_is_waited_for_no_more() -> None:
    with cluster_of("dc-x") as cluster:
        a, append = _waiting_for_x(cluster)
        row = cluster.etcd.rows[PARTITION]
        cluster.etcd.rows[PARTITION] = row = replace(row, revision=row.revision + 1, sync_dcs=())
        a.do(lambda: a.replication.read(PARTITION, row))
        cluster.settle()
        assert outcome(append) is True


def test_what_waits_for_another_data_centre_is_not_known_when_the_partition_is_led_elsewhere() -> None:
    with cluster_of("dc-x") as cluster:
        a, append = _waiting_for_x(cluster)
        a.do(lambda: a.replication.core.give(PARTITION, "b"))
        cluster.pass_time(2)
        assert outcome(append) is False and cluster.nodes["b"].begun == [PARTITION]
        assert cluster.nodes["b"].rows() == [b"one"]


def test_a_lag_is_since_the_oldest_that_is_missing_however_long_it_lasts() -> None:
    marks = Marks()
    for second in range(10 * MARKS_MAX):
        marks.mark(second + 1, float(second), everywhere=0)
    assert marks.seconds(0, 640.0) == 640.0
    assert len(marks._marks) <= MARKS_MAX
    assert marks.seconds(600, 640.0) <= 41
    marks.mark(700, 700.0, everywhere=700)
    assert marks.seconds(700, 710.0) == 0.0


def test_who_asks_for_a_data_centre_waits_until_it_has_it() -> None:
    with cluster_of() as cluster:
        a = cluster.nodes["a"]
        a.replication.dc = lambda: "dc-home"

        def waiting(*dcs: str) -> asyncio.Task[None]:
            return a.hand.start(a.partitions.have(PARTITION, 2, dcs))

        cluster.cut.add("x")
        append = a.append(b"one")
        cluster.settle()
        at_home, away = waiting("dc-home"), waiting("dc-x", "dc-home")
        cluster.settle()
        assert outcome(append) is True and at_home.done() and not away.done()
        cluster.join("x")
        cluster.pass_time(2)
        assert away.done() and away.exception() is None
        a.do(lambda: a.partitions.check(PARTITION, 2, ("dc-x", "dc-home")))


def test_a_data_centre_that_is_cut_off_is_not_waited_for_long() -> None:
    with cluster_of() as cluster:
        a = cluster.nodes["a"]
        cluster.cut.add("x")
        a.append(b"one")
        cluster.settle()
        late = a.hand.start(a.partitions.have(PARTITION, 2, ("dc-x",)))
        cluster.pass_time(cluster.limits.copies_owed_seconds_max + 1)
        assert isinstance(late.exception(), NotKnown)
        for dc in ("dc-x", "dc-y"):
            with pytest.raises(Unavailable, match=f"no copy that keeps up in {dc}"):
                a.partitions.check(PARTITION, 2, (dc,))
        a.partitions.check(PARTITION, 2)

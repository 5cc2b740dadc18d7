"""Views of a partition exactly as of one entry, and rows that are held there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mailnode.cluster.append import Unavailable
from mailnode.cluster.copies import Unreached
from mailnode.cluster.points import Beyond, Seen
from mailnode.cluster.replication import LARGE_OCTETS_MIN
from mailnode.limits import Limits
from mailnode.store import keys
from mailnode.store.keys import Family
from tests.cluster.looking import Looking
from tests.cluster.nodes import PARTITION, Cluster, Node, _key, outcome

LIMITS = replace(Limits(), part_rows_max=3, compare_reached_seconds_max=0.0)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    cluster = Cluster(limits=LIMITS)
    yield cluster
    cluster.close()


def reach(node: Node, ahead: int, holds: bool = False) -> asyncio.Task[Seen]:
    """So many entries from where its rows are."""
    points = node.replication.points
    seq = node.replication.core.partitions[PARTITION].applied + ahead
    return node.hand.start(points.reach(PARTITION, seq, holds=holds))


def names(seen: Seen) -> list[bytes]:
    return [value for _, value in seen.view.scan(Family.STATE, _key(b""), keys.after(_key(b"")))]


def test_a_view_has_the_rows_of_all_entries_up_to_its_own_and_of_none_behind(cluster: Cluster) -> None:
    a, b = cluster.nodes["a"], cluster.nodes["b"]
    looks = [reach(node, 2) for node in (a, b)]
    appends = [a.append(name) for name in (b"1", b"2", b"3", b"4")]
    cluster.settle()
    cluster.pass_time(1)
    assert [names(look.result()) for look in looks] == [[b"1", b"2"]] * 2
    assert looks[0].result().at == looks[1].result().at
    assert [entry.data for entry in looks[0].result().behind] == [b"3", b"4"]
    assert all(outcome(append) for append in appends) and len(b.rows()) == 4


def test_where_nothing_is_written_the_view_is_of_now(cluster: Cluster) -> None:
    a = cluster.nodes["a"]
    a.append(b"1")
    cluster.settle()
    look = reach(a, 0)
    cluster.settle()
    assert names(look.result()) == [b"1"]


def test_whose_rows_are_further_says_how_far(cluster: Cluster) -> None:
    a = cluster.nodes["a"]
    a.append(b"1")
    cluster.settle()
    look = reach(a, -1)
    cluster.settle()
    error = look.exception()
    assert isinstance(error, Beyond) and error.seq == a.replication.core.partitions[PARTITION].applied


def test_an_entry_of_many_rows_is_seen_whole_or_not(cluster: Cluster) -> None:
    a = cluster.nodes["a"]
    before, after = reach(a, 0), None
    a.append(b"n" * LARGE_OCTETS_MIN + b"*7")
    a.hand.settle()
    cluster.settle()
    assert names(before.result()) == []
    after = reach(a, 0)
    cluster.settle()
    assert len(names(after.result())) == 7


def test_rows_that_are_held_wait_and_their_entries_do_not(cluster: Cluster) -> None:
    a, b = cluster.nodes["a"], cluster.nodes["b"]
    held = reach(b, 1, holds=True)
    appends = [a.append(name) for name in (b"1", b"2", b"3")]
    cluster.settle()
    cluster.pass_time(1)
    assert [outcome(append) for append in appends] == [True] * 3, "the primary's rows are there"
    assert b.rows() == [b"1"] and len(b.log()) == len(a.log())
    mending = b.hand.start(b.replication.points.mend(held.result(), [(Family.STATE, _key(b"x"), b"x")]))
    cluster.settle()
    assert mending.done() and b.rows() == [b"1", b"x"] and b.shard.unsynced == 0
    b.do(lambda: b.replication.points.let_go(held.result()))
    cluster.settle()
    assert b.rows() == [b"1", b"2", b"3", b"x"]


def test_a_primary_that_is_held_ends_no_append_and_loses_none(cluster: Cluster) -> None:
    a = cluster.nodes["a"]
    held = reach(a, 0, holds=True)
    cluster.settle()
    append = a.append(b"1")
    cluster.settle()
    assert outcome(append) is None and a.rows() == []
    a.do(lambda: a.replication.points.let_go(held.result()))
    cluster.settle()
    assert outcome(append) is True and a.rows() == [b"1"]


def test_who_held_before_lets_go_of_nothing_that_another_holds_at_the_same_entry(cluster: Cluster) -> None:
    b = cluster.nodes["b"]
    first = reach(b, 0, holds=True)
    cluster.settle()
    second = reach(b, 0, holds=True)
    cluster.settle()
    assert first.result().at == second.result().at
    b.do(lambda: b.replication.points.let_go(first.result()))
    cluster.nodes["a"].append(b"1")
    cluster.settle()
    cluster.pass_time(1)
    assert b.rows() == [], "it is held for the second"
    late = b.hand.start(b.replication.points.mend(first.result(), [(Family.STATE, _key(b"x"), b"x")]))
    cluster.settle()
    assert isinstance(late.exception(), Unavailable)
    b.do(lambda: b.replication.points.let_go(second.result()))
    cluster.settle()
    assert b.rows() == [b"1"]


def test_what_is_held_goes_on_by_itself_after_some_time() -> None:
    cluster = Cluster(limits=replace(LIMITS, compare_held_seconds_max=0.0))
    a, b = cluster.nodes["a"], cluster.nodes["b"]
    held = reach(b, 0, holds=True)
    cluster.settle()
    a.append(b"1")
    cluster.settle()
    cluster.pass_time(1)
    assert b.rows() == [b"1"]
    mending = b.hand.start(b.replication.points.mend(held.result(), []))
    cluster.settle()
    assert isinstance(mending.exception(), Unavailable)
    cluster.close()


def test_nobody_waits_longer_for_an_entry(cluster: Cluster, tmp_path: Path) -> None:
    a = cluster.nodes["a"]
    opening = a.hand.start(Looking(cluster, tmp_path).copies(a).open(PARTITION, 1000, 0))
    cluster.settle()
    assert isinstance(opening.exception(), Unreached)


def test_a_copy_that_is_dropped_is_looked_at_no_more(cluster: Cluster) -> None:
    b = cluster.nodes["b"]
    held = reach(b, 0, holds=True)
    cluster.settle()
    row = cluster.etcd.rows[PARTITION]
    gone = replace(
        row, revision=row.revision + 1, epoch=row.epoch + 1, in_sync=row.in_sync[:1], replicas=("a",)
    )
    b.do(lambda: b.replication.read(PARTITION, gone))
    mending = b.hand.start(b.replication.points.mend(held.result(), [(Family.STATE, _key(b"x"), b"x")]))
    cluster.settle()
    assert isinstance(mending.exception(), Unavailable) and b.rows() == []


def test_after_a_failed_write_nobody_waits_for_a_view(cluster: Cluster) -> None:
    a = cluster.nodes["a"]
    look = reach(a, 5)
    cluster.settle()
    a.do(a.replication.fail)
    assert isinstance(look.exception(), Unavailable)

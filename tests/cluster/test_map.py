"""What a node knows of the map, in memory."""

import sys
from dataclasses import replace

import pytest

from mailnode.cluster.map import PARTITIONS, Map, NotMapped, Peer
from mailnode.cluster.replica_messages import EPOCHS_OF_A_GENERATION, NOBODY, Member, Row, first_epoch

A, B = Member("a", 1), Member("b", 2)


def row(revision: int, primary: Member = A) -> Row:
    return Row(revision, epoch=1, primary=primary, run=1, in_sync=(primary,), replicas=(primary.node,))


def test_a_node_alone_leads_every_partition_without_a_row_for_each() -> None:
    alone = Map.alone("one")
    assert {alone.primary(partition) for partition in range(PARTITIONS)} == {alone.me.node} == {"one"}
    assert alone.row(0) is alone.row(PARTITIONS - 1)
    assert alone.row(7).in_sync == (alone.me,)
    assert list(alone.peers) == ["one"]
    assert sys.getsizeof(alone._rows) < 100
    assert [partition for partition, _ in alone.rows()] == list(range(PARTITIONS))


def test_a_partition_that_no_source_knows_is_an_error_of_its_own() -> None:
    known = Map(A)
    known.put(3, row(1))
    assert known.primary(3) == "a"
    with pytest.raises(NotMapped, match="partition 4 "):
        known.row(4)
    with pytest.raises(NotMapped):
        known.primary(4)
    assert list(known.rows()) == [(3, row(1))]


def test_a_row_is_followed_by_later_revisions_alone() -> None:
    known = Map(A)
    told: list[tuple[int, Row]] = []
    known.follow(lambda partition, changed: told.append((partition, known.row(partition))))
    known.put(3, row(5))
    known.put(3, row(5, B))
    known.put(3, row(4, B))
    assert known.primary(3) == "a"
    known.put(3, row(6, B))
    assert known.primary(3) == "b"
    assert told == [(3, row(5)), (3, row(6, B))]


def test_a_row_of_a_later_generation_follows_whatever_the_revisions_of_two_maps_are() -> None:
    known = Map(A)
    later = replace(row(2, B), epoch=EPOCHS_OF_A_GENERATION)
    known.put(3, row(5))
    known.put(3, later)
    assert known.row(3) == later
    known.put(3, replace(row(9), epoch=8))
    assert known.row(3) == later


def test_peers_are_seen_as_the_registry_has_them() -> None:
    known = Map(A)
    seen = known.peers
    peer = Peer("b", host="h", rack="r", dc="d", weight=2.0, incarnation=2, address="unix:/b")
    known.put_peer(peer)
    assert known.peer("b") is seen["b"] is peer
    known.drop_peer("b")
    known.drop_peer("b")
    assert known.peer("b") is None and not seen


def test_no_row_of_an_earlier_generation_is_believed_once_a_home_is_led_elsewhere() -> None:
    known, told = Map(A), list[tuple[int, Row]]()
    known.put(3, row(9))
    known.follow(lambda partition, each: told.append((partition, each)))
    known.begin_generation(0, 2, "dc2")
    known.put(3, row(10))
    known.put(4, row(11))
    assert [(at, each.primary, each.replicas) for at, each in told] == [
        (3, NOBODY, ("a",)),
        (4, NOBODY, ("a",)),
    ]
    with pytest.raises(NotMapped, match="data centre dc2"):
        known.primary(3)
    later = replace(row(1, B), epoch=first_epoch(2) + 1)
    known.put(3, later)
    assert known.primary(3) == "b"
    known.begin_generation(0, 1, "dc1")
    assert known.row(3) == later

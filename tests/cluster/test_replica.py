"""What the simulator meets too rarely to be relied on, one message at a time."""

from __future__ import annotations

from mailnode.cluster.replica import FETCH_OCTETS_MAX, Replica
from mailnode.cluster.replica_log import Log
from mailnode.cluster.replica_messages import (
    Ack,
    Append,
    Drop,
    Entry,
    Join,
    Member,
    Mismatch,
    Position,
    Refused,
    Row,
    Snapshot,
)
from mailnode.cluster.replicas import FRAME_OCTETS_MAX
from mailnode.store.formats import FORMAT

A, B = Member("a", 1), Member("b", 1)


def replica_of(me: Member, epochs: list[int], applied: int) -> Replica:
    entries = [Entry(Position(epoch, seq), b"x") for seq, epoch in enumerate(epochs, 1)]
    log = Log()
    for entry in entries:
        log.append(entry)
    return Replica(0, me, 7, log, applied, epochs[-1])


def leading(epochs: list[int], applied: int) -> Replica:
    """In epoch 5, with an empty entry that is synced, and with b in sync."""
    replica = replica_of(A, epochs, applied)
    replica.read(Row(3, 5, A, 7, (A, B), ("a", "b")))
    replica.synced(5, replica.log.last.seq)
    replica.fill(B, 0, 1000)
    return replica


def test_an_acknowledgement_of_another_epoch_commits_nothing() -> None:
    replica = leading([1, 1], applied=1)
    replica.step(B, Ack(0, 4, 3), 1)
    assert replica.commit == 1
    replica.step(B, Ack(0, 5, 3), 1)
    assert replica.commit == 3


def test_a_tail_that_may_differ_is_not_applied_however_far_the_primary_committed() -> None:
    replica = replica_of(B, [1, 1, 1], applied=1)
    replica.step(A, Append(0, 2, Position(2, 5), (), 5), 0)
    assert [message for _, message in replica.sends] == [Mismatch(0, 2, Position(1, 3))]
    replica.learn(2, 5)
    assert replica.applicable() == ()
    entries = tuple(Entry(Position(2, seq), b"y") for seq in (2, 3))
    replica.step(A, Append(0, 2, Position(1, 1), entries, 5), 0)
    assert replica.applicable() == entries


def test_what_would_truncate_below_what_is_applied_stops_the_partition() -> None:
    replica = replica_of(B, [1, 1, 1], applied=2)
    replica.step(A, Append(0, 2, Position(1, 1), (Entry(Position(2, 2), b"y"),), 0), 0)
    assert "below what is applied" in replica.stopped
    assert replica.log.last == (1, 3)


def test_a_later_format_stops_the_partition() -> None:
    replica = replica_of(B, [1], applied=1)
    replica.step(A, Append(0, 1, Position(1, 1), (Entry(Position(1, 2), b"y", FORMAT + 1),), 0), 0)
    assert "format" in replica.stopped


def test_frames_of_an_older_epoch_are_refused() -> None:
    replica = replica_of(B, [1, 3], applied=1)
    replica.step(A, Append(0, 2, Position(1, 1), (Entry(Position(2, 2), b"y"),), 2), 0)
    assert replica.sends == [(A, Refused(0, 3))]
    assert replica.acks == []


def test_what_is_trimmed_comes_as_a_snapshot_of_what_is_applied() -> None:
    replica = leading([1, 1, 1], applied=3)
    replica.step(B, Ack(0, 5, 4), 1)
    replica.applicable()
    replica.trim(4)
    learner = Member("c", 1)
    replica.step(learner, Join(0, Position(0, 0)), 1)
    replica.sends.clear()
    replica.fill(learner, 1, 1000)
    assert replica.sends == [(learner, Snapshot(0, 5, Position(5, 4), (Position(1, 1), Position(5, 4))))]


def test_a_snapshot_of_what_is_here_already_changes_nothing() -> None:
    replica = replica_of(B, [1, 1, 1], applied=1)
    replica.step(A, Snapshot(0, 1, Position(1, 2), (Position(1, 1),)), 0)
    assert replica.writes == []
    assert (replica.log.last, replica.matched) == (Position(1, 3), 2)


def test_what_is_not_in_memory_is_read_once_for_who_lacks_it() -> None:
    replica = leading([1, 1, 1], applied=3)
    replica.release(3)
    replica.progress[B].next = 2
    replica.sends.clear()
    replica.fill(B, 0, 1000)
    replica.fill(B, 0, 1000)
    (fetch,) = replica.fetches
    assert (fetch.to, fetch.after, replica.lacks(B)) == (B, 1, False)
    entries = tuple(Entry(Position(1, seq), b"x") for seq in (2, 3))
    replica.fetched(fetch, entries)
    assert replica.sends == [(B, Append(0, 5, Position(1, 1), entries, replica.commit))]
    assert replica.progress[B].next == 4


def test_a_read_takes_a_small_part_of_a_frame_so_that_many_partitions_are_read_for_at_once() -> None:
    replica = leading([1, 1, 1], applied=3)
    replica.release(3)
    replica.progress[B].next = 2
    assert replica.fill(B, 0, FRAME_OCTETS_MAX) == FETCH_OCTETS_MAX <= FRAME_OCTETS_MAX // 16
    (fetch,) = replica.fetches
    assert fetch.octets_max == FETCH_OCTETS_MAX


def test_what_was_trimmed_while_it_was_read_comes_as_a_snapshot() -> None:
    replica = leading([1, 1, 1], applied=3)
    replica.release(3)
    replica.progress[B].next = 2
    replica.fill(B, 0, 1000)
    (fetch,) = replica.fetches
    replica.log.trim(3)
    replica.fetched(fetch, ())
    replica.sends.clear()
    replica.fill(B, 0, 1000)
    assert replica.sends == []
    replica.resend(2)
    replica.progress[B].next = 2
    replica.fill(B, 2, 1000)
    assert [type(message) for _, message in replica.sends] == [Snapshot]


def test_a_copy_that_should_not_be_is_dropped_once_what_it_acknowledged_counts_no_more() -> None:
    replica = replica_of(B, [1, 3], applied=2)
    replica.read(Row(7, 3, A, 9, (A,), ("a",)))
    assert replica.writes == [] and replica.log.last == (3, 2)
    replica.read(Row(8, 4, A, 9, (A,), ("a",)))
    assert replica.writes == [Drop(0)]
    assert (replica.log.last, replica.applied, replica.known_epoch()) == ((0, 0), 0, 4)
    replica.step(A, Append(0, 3, Position(3, 2), (), 2), 0)
    assert replica.sends == [(A, Refused(0, 4))]

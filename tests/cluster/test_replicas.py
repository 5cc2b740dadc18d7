"""Many partitions on one node: those with nothing under way cost a tick nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from mailnode.cluster.replica import Replica
from mailnode.cluster.replica_messages import (
    Append,
    Entry,
    Frame,
    Heartbeat,
    Join,
    Member,
    Position,
    Row,
    Swap,
)
from mailnode.cluster.replica_pair import Following
from mailnode.cluster.replicas import FRAME_OCTETS_MAX, Replicas

A, B = Member("a", 1), Member("b", 1)
PARTITIONS = 50


class Two:
    """Two nodes, nothing lost, all partitions led by a."""

    def __init__(self) -> None:
        self.now = 0.0
        self.asked = 0
        """Swaps."""
        self.joins = 0
        self.answer: Callable[[Swap], Row] = lambda swap: Row(2, 1, A, 1, (A, B), ("a", "b"))
        self.nodes = {A: Replicas(A, 1, 0.0), B: Replicas(B, 2, 0.0)}
        for core in self.nodes.values():
            for partition in range(PARTITIONS):
                core.read(partition, Row(1, 0, A, 0, (A, B), ("a", "b")))

    def settle(self) -> None:
        frames = [frame for core in self.nodes.values() for frame in self._work(core)]
        while frames:
            for frame in frames:
                self.joins += sum(isinstance(each, Join) for each in frame.messages)
                self.nodes[frame.sender].taken(frame.to)
                self.nodes[frame.to].step(frame)
            frames = [frame for core in self.nodes.values() for frame in self._work(core)]

    def _work(self, core: Replicas) -> Iterator[Frame]:
        ready = core.ready()
        core.synced(ready.number)
        for swap in [swap for group in ready.swaps for swap in group]:
            self.asked += 1
            row = self.answer(swap)
            for each in self.nodes.values():
                each.read(swap.partition, row)
        yield from ready.frames

    def tick(self) -> None:
        self.now += 0.5
        for core in self.nodes.values():
            core.tick(self.now)
        self.settle()


@pytest.fixture
def two() -> Two:
    two = Two()
    for _ in range(6):
        two.tick()
    return two


@pytest.fixture
def looked_at(two: Two, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    looked_at: list[tuple[str, int]] = []
    look_at = Replicas._look_at

    def noted(self: Replicas, replica: Replica) -> None:
        looked_at.append((self.me.node, replica.partition))
        look_at(self, replica)

    monkeypatch.setattr(Replicas, "_look_at", noted)
    return looked_at


def test_a_tick_looks_at_no_idle_partition(two: Two, looked_at: list[tuple[str, int]]) -> None:
    assert all(two.nodes[A].serves(partition, two.now) for partition in range(PARTITIONS))
    two.tick()
    assert looked_at == []
    two.nodes[A].propose(7, b"x")
    two.settle()
    two.tick()
    assert set(looked_at) == {("a", 7), ("b", 7)}


def test_claims_are_judged_anew_once_a_later_epoch_is_known_and_not_for_entries(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[Following] = []
    judge = Following._judge

    def noted(self: Following, known: Callable[[int], int | None], holds: dict[int, float]) -> bool:
        judged.append(self)
        return judge(self, known, holds)

    monkeypatch.setattr(Following, "_judge", noted)
    two.nodes[A].propose(7, b"x")
    two.settle()
    two.tick()
    assert judged == []
    assert two.nodes[A].serves(7, two.now)
    two.nodes[B].read(7, Row(3, 2, B, 2, (A, B), ("a", "b")))
    two.tick()
    assert judged
    assert not two.nodes[A].serves(7, two.now)


def test_all_are_looked_at_when_the_other_node_is_silent(two: Two, looked_at: list[tuple[str, int]]) -> None:
    for _ in range(10):
        two.now += 0.5
        two.nodes[A].tick(two.now)
    assert looked_at == []
    two.now += 0.5
    two.nodes[A].tick(two.now)
    assert {node for node, _ in looked_at} == {"a"} and len(looked_at) == PARTITIONS
    swaps = [swap for group in two.nodes[A].ready().swaps for swap in group]
    assert {swap.row.in_sync for swap in swaps} == {(A,)} and len(swaps) == PARTITIONS


def test_all_are_looked_at_when_the_lease_of_the_primary_falls(
    two: Two, looked_at: list[tuple[str, int]]
) -> None:
    two.nodes[B].lease(A, False)
    while not (swaps := two.nodes[B].ready().swaps):
        two.now += 0.5
        two.nodes[B].tick(two.now)
    assert len(swaps[0]) == PARTITIONS


def test_a_lease_that_falls_while_its_node_is_heard_changes_nothing(two: Two) -> None:
    two.nodes[B].lease(A, False)
    asked = two.asked
    for _ in range(20):
        two.tick()
    assert two.asked == asked
    assert all(two.nodes[A].serves(partition, two.now) for partition in range(PARTITIONS))


def test_who_hung_takes_nobody_for_silent_before_it_could_hear_them(two: Two) -> None:
    asked = two.asked
    two.nodes[B].lease(A, False)
    two.now += 30
    for core in two.nodes.values():
        core.tick(two.now)
        assert not core.ready().swaps
    two.settle()
    two.tick()
    assert two.asked == asked


def test_one_that_learns_asks_once_and_again_when_its_primary_counts_it_no_more(two: Two) -> None:
    two.nodes[A].lease(B, False)  # so it does not come in sync
    for core in two.nodes.values():
        core.read(7, Row(3, 1, A, 1, (A,), ("a", "b")))
    for _ in range(4):
        two.tick()
    assert two.nodes[A].partitions[7].progress.keys() == {B}
    asked = two.joins
    for _ in range(10):
        two.tick()
    assert two.joins == asked
    two.nodes[A].partitions[7].progress.clear()
    two.nodes[A].pairs.claim(two.nodes[A].partitions[7], two.now)
    for _ in range(4):
        two.tick()
    assert two.joins == asked + 1
    assert two.nodes[A].partitions[7].progress.keys() == {B}


def test_one_that_was_not_added_because_the_row_was_another_is_asked_for_again_at_once(two: Two) -> None:
    core = two.nodes[A]
    for each in two.nodes.values():
        each.read(7, Row(3, 1, A, 1, (A,), ("a", "b")))
    asked: list[Row] = []

    def refused(swap: Swap) -> Row:
        """By a change of something else."""
        asked.append(swap.row)
        return Row(3 + len(asked), 1, A, 1, (A,), ("a", "b"))

    two.answer = refused
    for _ in range(6):
        two.tick()
    assert len(asked) > 2 and {row.in_sync for row in asked} == {(A, B)}
    assert core.partitions[7].progress.keys() == {B}


def test_a_heartbeat_does_not_wait_for_a_large_entry_that_is_on_its_way(two: Two) -> None:
    core = two.nodes[A]
    core.propose(3, bytes(FRAME_OCTETS_MAX))
    (large,) = core.ready().frames
    assert isinstance(large.messages[0], Append)
    core.propose(4, b"waits")
    core.tick(two.now + 0.5)
    (beside,) = core.ready().frames
    assert [type(message) for message in beside.messages] == [Heartbeat]
    core.taken(B)
    (behind,) = core.ready().frames
    assert [message.partition for message in behind.messages if isinstance(message, Append)] == [4]
    core.tick(two.now + 1)
    assert not core.ready().frames, "behind a small one it waits"


def test_what_was_read_for_many_partitions_goes_in_frames_of_bounded_size(two: Two) -> None:
    """A peer takes no frame of more than the largest entry and a bit."""
    core = two.nodes[A]
    for partition in range(5):
        entry = Entry(Position(1, 2), bytes(FRAME_OCTETS_MAX * 2 // 3))
        core._say(B, Append(partition, 1, Position(1, 1), (entry,), 0))
    said: list[list[int]] = []
    while frames := core.ready().frames:
        (frame,) = frames
        said.append([message.partition for message in frame.messages if isinstance(message, Append)])
        core.taken(B)
    assert said == [[0, 1], [2, 3], [4]]

"""A large entry is durable whole before its first row; others are written between its parts."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import pytest

from mailnode.cluster.partitions import NotKnown
from mailnode.cluster.whole import finish
from mailnode.pb.row_pb2 import AppliedRow
from mailnode.store import keys
from mailnode.store.keys import Family
from mailnode.store.shard import Put
from tests.cluster.by_hand import HandLoop
from tests.cluster.test_partitions import LIMITS, Appended, House
from tests.store.faulty_shard import Died, Fate, FaultyShard, Step

ROWS = 7
WRITES = 4
"""The log row, synced, then 3 + 3 + 1 rows, the last with what ends it."""


@dataclass
class Large(Appended):
    large: bool = True

    def rows(self, format: int) -> list[Put]:
        return list(replay(self.name))


def replay(encoded: bytes) -> Iterable[Put]:
    return [(Family.STATE, b"row%b%d" % (encoded, number), encoded) for number in range(ROWS)]


def opened(shard: FaultyShard | None = None) -> House:
    return House(HandLoop(), shard or FaultyShard(), limits=replace(LIMITS, part_rows_max=3))


@pytest.fixture
def house() -> Iterator[House]:
    house = opened()
    yield house
    house.hand.close()


def test_it_is_written_in_parts_and_committed_after_the_last(house: House) -> None:
    (done,) = house.append(Large(b"a"))
    seen = []
    while house.hand.writer.waiting:
        assert not done.done()
        house.group()
        seen.append(len(house.written()))
    assert seen == [0, 3, 6, 7]
    assert done.done() and house.committed == [b"a"] and house.applied() == (1, 1)
    assert list(house.shard.scan(Family.LOG, b"", keys.END)) == []


def test_others_are_written_between_its_parts(house: House) -> None:
    house.append(Large(b"a"))
    for number in range(WRITES):
        house.append(Appended(b"%d" % number, partition=4))
    for number in range(WRITES):
        house.group()
        assert house.committed[:1] == ([b"0"] if number else []), "the first part was taken before it came"
        house.append(Appended(b"later", partition=4))
    while house.hand.writer.waiting:
        house.group()
    assert house.committed.index(b"a") > house.committed.index(b"later")


def test_what_follows_it_in_its_partition_waits_for_it_and_what_precedes_it_does_not(house: House) -> None:
    house.append(Appended(b"a"), Large(b"b"), Appended(b"c"), Large(b"d"), Appended(b"e"))
    while house.hand.writer.waiting:
        house.group()
    assert house.committed == [b"a", b"b", b"c", b"d", b"e"]
    assert house.applied() == (1, 5)


@pytest.mark.parametrize("step", [Step.BEFORE_LOG, Step.BEFORE_SYNC, Step.BEFORE_MEMORY, Step.AFTER_WRITE])
@pytest.mark.parametrize("count", range(1, WRITES + 1))
@pytest.mark.parametrize("kept", [0, 9])
def test_after_a_death_at_any_step_it_is_there_whole_or_not_at_all(step: Step, count: int, kept: int) -> None:
    steps = 0

    def plan(now: Step) -> Fate:
        nonlocal steps
        steps += now is step
        return Fate.DIE if now is step and steps == count else Fate.GO_ON

    house = opened()
    house.shard.plan = plan
    house.append(Large(b"a"))
    while house.hand.writer.waiting and not house.shard.dead:
        house.group()
    house.hand.close()
    shard = house.shard.reopen(kept=min(kept, house.shard.unsynced))
    there = count > 1 or step in (Step.BEFORE_MEMORY, Step.AFTER_WRITE) or (step is Step.BEFORE_SYNC and kept)
    finish(shard, replay, rows_max=3)
    assert len(list(shard.values(Family.STATE, b"row", b"rox"))) == (ROWS if there else 0)
    assert list(shard.scan(Family.LOG, b"", keys.END)) == []
    applied = AppliedRow.FromString(shard.get(Family.STATE, keys.applied(3)) or b"")
    assert applied.seq == (1 if there else 0)


def test_a_death_while_it_is_finished_is_finished_the_next_time() -> None:
    house = opened()
    house.append(Large(b"a"))
    house.group()
    house.hand.close()
    shard = house.shard.reopen()
    shard.plan = lambda step: Fate.DIE if step is Step.BEFORE_SYNC else Fate.GO_ON
    with pytest.raises(Died):
        finish(shard, replay, rows_max=3)
    shard = shard.reopen(kept=0)
    assert finish(shard, replay, rows_max=3) == 1 and finish(shard, replay, rows_max=3) == 0
    assert len(list(shard.values(Family.STATE, b"row", b"rox"))) == ROWS


@pytest.mark.parametrize("parts", range(1, 4))
def test_after_a_start_it_is_finished_in_parts_and_a_death_between_them_loses_nothing(parts: int) -> None:
    house = opened()
    house.append(Large(b"a"))
    house.group()
    house.hand.close()
    written: list[int] = []

    def plan(step: Step) -> Fate:
        if step is Step.AFTER_WRITE:
            written.append(len(list(shard.values(Family.STATE, b"row", b"rox"))))
        return Fate.DIE if len(written) == parts else Fate.GO_ON

    shard = house.shard.reopen()
    shard.plan = plan
    with pytest.raises(Died):
        finish(shard, replay, rows_max=3)
    assert written == [3, 6, 7][:parts]
    shard = shard.reopen(kept=parts)
    assert finish(shard, replay, rows_max=3) == (0 if parts == 3 else 1)
    assert len(list(shard.values(Family.STATE, b"row", b"rox"))) == ROWS


def test_a_disk_that_fails_between_parts_leaves_all_of_it_not_known(house: House) -> None:
    ended = house.append(Large(b"a"), Appended(b"b"), Appended(b"c", partition=4))
    house.group()
    house.group()
    house.shard.plan = lambda step: Fate.FAIL
    house.group()
    assert [type(each.exception()) for each in ended] == [NotKnown, NotKnown, type(None)]
    assert house.committed == [b"c"] and len(house.failures) == 1


def test_idle_waits_for_its_last_part(house: House) -> None:
    house.append(Large(b"a"))
    house.append(Appended(b"b", partition=4))
    idle = house.hand.start(house.partitions.idle())
    while house.hand.writer.waiting:
        assert not idle.done()
        house.group()
    assert idle.done() and set(house.committed) == {b"a", b"b"}

"""An append is committed once it is durable, in order, with what waited beside it; or it is not known."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from mailnode.cluster.partitions import NotKnown, Partitions
from mailnode.limits import Limits
from mailnode.metrics import Metrics
from mailnode.pb.row_pb2 import AppliedRow
from mailnode.store import keys
from mailnode.store.keys import Family
from mailnode.store.shard import Put
from tests.cluster.by_hand import HandLoop
from tests.store.faulty_shard import Fate, FaultyShard, Step

S = Family.STATE
LIMITS = replace(Limits(), group_octets_max=100, group_pending_octets_max=250)


@dataclass
class Appended:
    """An entry that writes one row, and notes its commit."""

    name: bytes
    committed_names: list[bytes] = field(default_factory=list)
    partition: int = 3
    octets: int = 10
    durable: bool = True
    large: bool = False
    broken_at_commit: bool = False

    def encoded(self) -> bytes:
        return self.name

    def rows(self, format: int) -> list[Put]:
        return [(S, b"row" + self.name, self.name)]

    def committed(self) -> None:
        if self.broken_at_commit:
            raise KeyError("our mistake")
        self.committed_names.append(self.name)


@dataclass
class House:
    hand: HandLoop
    shard: FaultyShard = field(default_factory=FaultyShard)
    failures: list[OSError] = field(default_factory=list)
    committed: list[bytes] = field(default_factory=list)
    limits: Limits = LIMITS

    def __post_init__(self) -> None:
        self.partitions = Partitions(self.shard, self.hand.writer, self.limits, self.failures.append)

    def append(self, *entries: Appended) -> list[asyncio.Future[None]]:
        """All in one turn of the loop."""

        async def appended() -> list[asyncio.Future[None]]:
            for entry in entries:
                entry.committed_names = self.committed
            return [self.partitions.append(entry).wait() for entry in entries]

        return self.hand.loop.run_until_complete(appended())

    def written(self) -> list[bytes]:
        return list(self.shard.values(S, b"row", b"rox"))

    def applied(self, partition: int = 3) -> tuple[int, int]:
        row = AppliedRow.FromString(self.shard.get(S, keys.applied(partition)) or b"")
        return row.epoch, row.seq

    def group(self) -> None:
        self.hand.settle()
        self.hand.writer.run()
        self.hand.writer.hear()
        self.hand.settle()


@pytest.fixture
def house() -> Iterator[House]:
    hand = HandLoop()
    yield House(hand)
    hand.close()


def test_an_append_is_done_only_when_its_sync_has_returned(house: House) -> None:
    (done,) = house.append(Appended(b"a"))
    assert house.hand.writer.waiting == 1 and not done.done() and house.committed == []
    house.hand.writer.run()
    assert house.written() == [b"a"] and house.committed == []
    house.hand.writer.hear()
    house.hand.settle()
    assert done.done() and house.committed == [b"a"]
    assert house.shard.unsynced == 0


def test_what_waits_at_one_moment_is_one_batch_and_commits_in_order(house: House) -> None:
    house.append(Appended(b"b"), Appended(b"a"), Appended(b"c"))
    house.group()
    assert house.committed == [b"b", b"a", b"c"]
    assert house.hand.writer.waiting == 0
    assert house.applied() == (1, 3)


def test_what_hangs_in_the_writer_can_be_seen_and_what_ended_is_measured(house: House) -> None:
    now = [100.0]
    metrics = Metrics()
    metrics.seconds = lambda: now[0]
    house.partitions = Partitions(
        house.shard, house.hand.writer, LIMITS, house.failures.append, metrics=metrics
    )
    assert house.partitions.waits_seconds == 0
    house.append(Appended(b"a"), Appended(b"b"))
    now[0] += 20
    assert house.partitions.waits_seconds == 20
    house.group()
    assert house.partitions.waits_seconds == 0
    applies, groups = metrics.applies.of(), metrics.groups.of()
    assert (applies.sum, sum(applies.counts)) == (40, 2)
    assert (groups.sum, sum(groups.counts)) == (2, 1)


def test_the_next_group_forms_while_one_is_written(house: House) -> None:
    house.append(Appended(b"a"))
    house.append(Appended(b"b"))
    house.append(Appended(b"c"))
    assert house.hand.writer.waiting == 1, "two groups would race"
    house.group()
    assert (house.committed, house.written()) == ([b"a"], [b"a"])
    house.group()
    assert house.committed == [b"a", b"b", b"c"]


def test_a_group_is_bounded_by_its_octets_but_takes_one_entry_of_any_size(house: House) -> None:
    house.append(Appended(b"a", octets=1000), *(Appended(name, octets=60) for name in (b"b", b"c", b"d")))
    sizes = []
    while house.hand.writer.waiting:
        house.group()
        sizes.append(len(house.committed))
    assert sizes == [1, 3, 4]


def test_each_partition_counts_its_own_entries_in_an_epoch_of_this_run(house: House) -> None:
    house.append(*(Appended(b"%d" % partition, partition=partition) for partition in (1, 2, 1)))
    house.group()
    assert (house.applied(1), house.applied(2)) == ((1, 2), (1, 1))
    later = House(house.hand, house.shard.reopen())
    later.append(Appended(b"d", partition=1))
    later.group()
    assert (later.applied(1), later.applied(2)) == ((2, 3), (1, 1))


def test_a_group_without_durable_entries_is_written_without_a_sync(house: House) -> None:
    house.append(Appended(b"a", durable=False))
    house.group()
    assert (house.committed, house.shard.unsynced) == ([b"a"], 1)
    house.append(Appended(b"b", durable=False), Appended(b"c"))
    house.group()
    assert (house.committed, house.shard.unsynced) == ([b"a", b"b", b"c"], 0)


def test_after_a_failed_sync_nothing_is_known_and_nothing_more_is_written(house: House) -> None:
    house.shard.plan = lambda step: Fate.FAIL if step is Step.BEFORE_SYNC else Fate.GO_ON
    ended = house.append(Appended(b"a"))
    ended += house.append(Appended(b"b"))
    house.group()
    ended += house.append(Appended(b"c"))
    assert [type(each.exception()) for each in ended] == [NotKnown] * 3
    assert house.committed == [] and house.hand.writer.waiting == 0
    assert [str(failure) for failure in house.failures] == ["the disk is gone"]


def test_a_commit_that_cannot_be_taken_into_memory_ends_everything(house: House) -> None:
    first, *ended = house.append(Appended(b"a"), Appended(b"b", broken_at_commit=True), Appended(b"c"))
    house.group()
    assert first.exception() is None
    assert [type(each.exception()) for each in ended] == [NotKnown] * 2
    assert len(house.failures) == 1


def test_a_caller_that_gave_up_holds_nobody_up(house: House) -> None:
    gone, other = house.append(Appended(b"a"), Appended(b"b"))
    gone.cancel()
    house.group()
    assert other.done() and house.committed == [b"a", b"b"]


def test_room_is_waited_for_while_too_much_is_pending(house: House) -> None:
    house.append(Appended(b"a"))
    house.append(*(Appended(name, octets=90) for name in (b"b", b"c", b"d")))
    waiting = house.hand.start(house.partitions.room())
    house.hand.settle()
    assert not house.partitions.has_room() and not waiting.done()
    house.group()
    assert house.partitions.has_room() and waiting.done()


def test_who_waits_for_room_is_let_go_when_all_is_over(house: House) -> None:
    house.shard.plan = lambda step: Fate.FAIL
    house.append(Appended(b"a"))
    house.append(*(Appended(name, octets=90) for name in (b"b", b"c", b"d")))
    waiting = house.hand.start(house.partitions.room())
    house.hand.settle()
    assert not waiting.done()
    house.group()
    assert waiting.done()


def test_idle_returns_when_everything_is_written(house: House) -> None:
    house.append(Appended(b"a"))
    house.append(Appended(b"b"))
    idle = house.hand.start(house.partitions.idle())
    house.group()
    assert not idle.done()
    house.group()
    assert idle.done() and house.committed == [b"a", b"b"]

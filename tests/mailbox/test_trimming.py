"""What is kept for its time is there for all of it, and gone at a look after it."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from mailnode.limits import Limits
from mailnode.mailbox.reads import Reads
from mailnode.mailbox.rows import FLAGGED, SEEN
from mailnode.mailbox.trimming import Trimming
from mailnode.mailbox.verbs import NotKnown, Resync, Unavailable
from mailnode.pb.change_pb2 import Intent, Result, Store, Touched
from mailnode.pb.row_pb2 import AccountRow
from mailnode.store import keys
from mailnode.store.keys import Family, Kind
from tests.mailbox import asks
from tests.mailbox.asks import ALL, add, message, store
from tests.mailbox.process import LIMITS, House, opened
from tests.store.faulty_shard import Fate, FaultyShard, Step

DAY = 86_400
LONG = 1_000_000 * Limits().touched_kept_seconds
RESULTS = 1_000_000 * Limits().results_kept_seconds


def intent_id(house: House, number: int) -> bytes:
    return house.clock.now_microseconds().to_bytes(8, "big") + number.to_bytes(8, "big")


def trim(house: House, limits: Limits = LIMITS) -> int:
    trimming = Trimming(house.shard, house.accounts, house.hand.loads, house.clock, limits)
    return house.hand.until(trimming.trim())


def touched(shard: FaultyShard) -> list[int]:
    start = keys.state(asks.ACCOUNT, Kind.TOUCHED)
    rows = shard.scan(Family.STATE, start, keys.after(start))
    return [Touched.FromString(value).position for _, value in rows]


def results(shard: FaultyShard) -> int:
    start = keys.state(asks.ACCOUNT, Kind.RESULT)
    return len(list(shard.scan(Family.STATE, start, keys.after(start))))


@pytest.fixture
def house() -> Iterator[House]:
    """Positions 1 to 4 (INBOX, three messages), a result of each message."""
    house = opened()
    for number in range(3):
        house.ask(add(message(message_id=b"<%d@x>" % number)), intent_id(house, number))
    yield house
    house.end()


def test_within_their_time_touched_rows_and_results_stay(house: House) -> None:
    house.clock.microseconds += RESULTS
    assert trim(house) == 0
    assert (touched(house.shard), results(house.shard)) == ([1, 2, 3, 4], 3)


def test_a_retry_within_the_time_finds_its_result_and_one_after_it_is_done_anew(house: House) -> None:
    ask, first = add(message(message_id=b"<new@x>")), intent_id(house, 9)
    uid = house.ask(ask, first).added[0].uid
    house.clock.microseconds += RESULTS
    trim(house)
    assert house.ask(ask, first, retry=True).added[0].uid == uid
    house.clock.microseconds += 1
    assert trim(house) == 1 and results(house.shard) == 0
    assert house.ask(ask, first, retry=True).added[0].uid == uid + 1


def test_newer_results_stay_when_older_ones_go(house: House) -> None:
    house.clock.microseconds += RESULTS // 2
    kept = intent_id(house, 4)
    result = house.ask(store(1, ALL, Store.ADD, SEEN), kept)
    house.clock.microseconds += RESULTS // 2 + 1
    trim(house)
    assert results(house.shard) == 1
    assert house.ask(store(1, ALL, Store.ADD, SEEN), kept, retry=True) == result


def test_touched_rows_go_at_a_floor_and_nothing_above_it_is_lost(house: House) -> None:
    house.clock.microseconds += LONG
    house.ask(store(1, ALL, Store.ADD, SEEN))
    house.ask(store(1, ALL, Store.ADD, FLAGGED))
    house.clock.microseconds += 1_000_000
    trim(house)
    above = touched(house.shard)
    assert above == sorted(above) and len(above) == 4 and min(above) == 5, "slices of two messages each"
    watch = house.hand.until(house.account.watch(4, 0))
    assert [each.position for each in watch.pending()] == above


def test_a_watch_from_below_the_floor_must_resync_and_one_from_it_need_not(house: House) -> None:
    house.clock.microseconds += LONG + 1_000_000
    trim(house)
    assert touched(house.shard) == []
    with pytest.raises(Resync):
        house.hand.until(house.account.watch(3, 0)).pending()
    assert house.hand.until(house.account.watch(4, 0)).pending() == []


def test_a_row_that_cannot_be_read_stops_no_trim_and_makes_a_watch_resync(house: House) -> None:
    house.shard.write([(Family.STATE, keys.touched(asks.ACCOUNT, 3), b"\xff")], sync=True)
    with pytest.raises(Resync):
        house.hand.until(house.account.watch(1, 0)).pending()
    assert len(house.hand.until(house.account.watch(3, 0)).pending()) == 1
    house.clock.microseconds += LONG + 1_000_000
    trim(house)
    assert touched(house.shard) == []


class Refusing:
    """Every account has too much to do, or its last change is not known."""

    error: Exception | None = None

    def leads(self, account: int) -> bool:
        return True

    async def open(self, account: int) -> "Refusing":
        return self

    async def apply(self, intent: Intent) -> Result:
        if self.error is not None:
            raise self.error
        return Result(refused="UNAVAILABLE")


@pytest.mark.parametrize("error", [None, NotKnown(), Unavailable("too few copies")])
def test_accounts_that_take_no_more_are_left_to_the_next_pass(house: House, error: Exception | None) -> None:
    house.clock.microseconds += LONG + 1_000_000
    limits = replace(LIMITS, trim_accounts=2, trim_rows_max=1)
    refusing = Refusing()
    refusing.error = error
    trimming = Trimming(house.shard, refusing, house.hand.loads, house.clock, limits)  # type: ignore[arg-type]
    assert house.hand.until(trimming.trim()) == 0
    assert touched(house.shard) == [1, 2, 3, 4]


def test_the_floor_outlives_a_restart(house: House) -> None:
    house.clock.microseconds += LONG + 1_000_000
    trim(house)
    later = House(house.shard.reopen(), house.clock)
    with pytest.raises(Resync):
        later.hand.until(later.account.watch(3, 0)).pending()
    assert later.flags() == {1: 0, 2: 0, 3: 0}
    later.end()


@pytest.mark.parametrize("step", [Step.BEFORE_LOG, Step.BEFORE_SYNC, Step.BEFORE_MEMORY])
def test_a_death_while_it_trims_leaves_floor_and_rows_together(house: House, step: Step) -> None:
    house.clock.microseconds += LONG + 1_000_000
    trimming = Trimming(house.shard, house.accounts, house.hand.loads, house.clock, LIMITS)
    house.hand.start(trimming.trim())
    house.hand.settle()
    house.load()
    house.shard.plan = lambda now: Fate.DIE if now is step else Fate.GO_ON
    house.hand.writer.run()
    later = House(house.shard.reopen(kept=0), house.clock)
    trimmed = step is Step.BEFORE_MEMORY
    assert (touched(later.shard) == []) == trimmed
    watch = later.hand.until(later.account.watch(0, 0))
    if trimmed:
        with pytest.raises(Resync):
            watch.pending()
    else:
        assert len(watch.pending()) == 4 and trim(later) == 1
    later.end()


def test_a_watch_that_reads_while_rows_go_must_resync(house: House) -> None:
    """The floor was below it when it began, its rows are gone when it reads, the trim is not told yet."""
    house.clock.microseconds += LONG + 1_000_000
    trimming = Trimming(house.shard, house.accounts, house.hand.loads, house.clock, LIMITS)
    house.hand.start(trimming.trim())
    house.hand.settle()
    house.load()
    watching = house.hand.start(house.account.watch(2, 0))
    house.hand.settle()
    house.hand.writer.run()
    house.load()
    watch = watching.result()
    with pytest.raises(Resync):
        watch.pending()


def test_much_is_trimmed_in_bounded_steps_and_every_account_is_looked_at(house: House) -> None:
    others = [asks.ACCOUNT + number for number in range(1, 6)]
    for number in others:
        account = house.hand.until(house.accounts.open(number))
        house.hand.until(account.apply(asks.intent(asks.create(), intent_id(house, number))))
    house.clock.microseconds += LONG + 1_000_000
    limits = replace(LIMITS, trim_accounts=2, trim_rows_max=1)
    assert trim(house, limits) == 4 + len(others), "one row a change"
    assert trim(house, limits) == 0
    assert touched(house.shard) == [] and results(house.shard) == 0
    for number in others:
        start = keys.state(number, Kind.TOUCHED)
        assert not list(house.shard.scan(Family.STATE, start, keys.after(start)))


def test_of_a_long_difference_only_what_a_reader_may_lag_behind_is_read(house: House) -> None:
    house.ask(store(1, [(1, 2)], Store.ADD, SEEN))
    house.ask(add(message("Other", message_id=b"<other@x>")))
    reads = Reads(house.shard, asks.ACCOUNT)
    assert [each.position for each in reads.touched(0, 0, 3)] == [1, 2, 3]
    assert [each.position for each in reads.touched(2, 2, 3)] == [6]
    for since, lost in ((0, True), (1, False)):
        watch = house.hand.until(house.account.watch(since, 0))
        if lost:
            with pytest.raises(Resync):
                watch.pending()
        else:
            assert [each.position for each in watch.pending()] == [2, 3, 4, 5, 6]


def test_an_account_whose_rows_are_damaged_is_trimmed_as_any_other(house: House) -> None:
    house.shard.write([(Family.STATE, keys.mailbox(asks.ACCOUNT - 1, 1), b"\xff")], sync=True)
    own = AccountRow(position=1, mailbox_last=1).SerializeToString()
    house.shard.write([(Family.STATE, keys.state(asks.ACCOUNT - 1, Kind.ACCOUNT), own)], sync=True)
    old = keys.state(asks.ACCOUNT - 1, Kind.RESULT, bytes(16))
    house.shard.write([(Family.STATE, old, b"")], sync=True)
    house.clock.microseconds += RESULTS + 1
    assert trim(house) == 2 and results(house.shard) == 0
    assert house.shard.get(Family.STATE, old) is None

"""An intent is done once, however often it is asked and whoever gives up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from mailnode.mailbox.orphans import sweep
from mailnode.mailbox.rows import FLAGGED, SEEN
from mailnode.mailbox.verbs import NotKnown
from mailnode.pb.change_pb2 import Add, Store
from mailnode.pb.row_pb2 import MailRow
from tests.mailbox import asks
from tests.mailbox.asks import ALL, add, copy, message, store, upload, uploaded
from tests.mailbox.found import check
from tests.mailbox.process import LIMITS, House, opened
from tests.store.faulty_shard import Fate, Step

pytestmark = pytest.mark.usefixtures("everywhere")


@pytest.fixture
def house(everywhere: None) -> Iterator[House]:
    house = opened(messages=4)
    yield house
    house.end()


ID = b"\0" * 15 + b"\1"


def test_a_retry_joins_what_is_on_its_way_and_later_finds_what_is_kept(house: House) -> None:
    first = house.start(add(message()), ID)
    joined = house.start(add(message()), ID, retry=True)
    assert not first.done() and not joined.done()
    house.hand.work()
    assert first.result() == joined.result() == house.ask(add(message()), ID, retry=True)
    assert len(house.flags()) == 5


def test_a_retry_joins_what_waits_for_its_turn(house: House) -> None:
    house.local.forget(1)
    first = house.start(copy(1, ALL, 2), ID)
    joined = house.start(copy(1, ALL, 2), ID, retry=True)
    house.hand.work()
    assert first.result() == joined.result()
    assert list(house.flags(2)) == [1, 2, 3, 4]


def test_two_retries_at_once_are_one(house: House) -> None:
    tasks = [house.start(add(message()), ID, retry=True) for _ in range(3)]
    house.hand.work()
    assert tasks[0].result() == tasks[1].result() == tasks[2].result()
    assert len(house.flags()) == 5


def test_a_retry_takes_over_from_one_who_gave_up_before_his_turn(house: House) -> None:
    house.local.forget(1)
    first = house.start(copy(1, ALL, 2), ID)
    joined = house.start(copy(1, ALL, 2), ID, retry=True)
    first.cancel()
    house.hand.work()
    assert first.cancelled() and not joined.result().refused
    assert list(house.flags(2)) == [1, 2, 3, 4]


def test_one_who_gives_up_after_the_append_undoes_nothing(house: House) -> None:
    house.flags()
    first = house.start(add(message()), ID)
    other = house.start(store(1, [(1, 4)], Store.REMOVE, SEEN))
    first.cancel()
    joined = house.start(add(message()), ID, retry=True)
    house.hand.work()
    assert other.result().refused == "", "it only rested on what the other appended"
    assert joined.result().added[0].uid == 5
    assert len(house.flags()) == 5


def test_whoever_waits_when_the_disk_fails_is_told_that_it_is_not_known(house: House) -> None:
    house.shard.plan = lambda step: Fate.FAIL if step is Step.BEFORE_SYNC else Fate.GO_ON
    tasks = [house.start(add(message()), ID), house.start(add(message()), ID, retry=True)]
    tasks.append(house.start(asks.subscribe("inbox")))
    house.hand.work()
    assert [type(task.exception()) for task in tasks] == [NotKnown] * 3
    assert len(house.failures) == 1


@pytest.mark.parametrize("kept", [0, 1])
def test_a_retry_after_a_restart_is_done_once_whether_it_was_kept_or_not(kept: int) -> None:
    house = opened(messages=2)
    house.shard.plan = lambda step: Fate.DIE if step is Step.BEFORE_SYNC else Fate.GO_ON
    house.start(add(message()), ID)
    house.hand.writer.run()
    house.end()
    later = House(house.shard.reopen(kept), house.clock)
    result = later.ask(add(message()), ID, retry=True)
    assert (result.added[0].uid, result.position) == (3, 4)
    assert list(later.flags()) == [1, 2, 3]
    check(later.shard, asks.ACCOUNT)
    later.end()


def test_a_retried_add_finds_its_result_though_its_upload_was_taken() -> None:
    """The same upload again, and one of its own, which is an orphan: only that one goes."""
    house = opened(messages=1)
    octets = b"Subject: long\r\n\r\n" + bytes(300)
    for number in (7, 8):
        house.ask(upload(number, 0, octets))
    first, again = (uploaded(whole(octets), number) for number in (7, 8))
    result = house.ask(add(first), ID)
    assert house.ask(add(first), ID, retry=True) == result
    assert house.ask(add(again), ID, retry=True) == result
    house.end()
    later = House(house.shard.reopen(), house.clock)
    assert later.ask(add(first), ID, retry=True) == result
    assert sweep(later.shard, later.clock.now_microseconds()) == 1
    assert later.hand.until(octets_of(later, result.added[0].mail, len(octets))) == octets
    assert later.ask(add(first), ID, retry=True) == result
    check(later.shard, asks.ACCOUNT)
    later.end()


def whole(octets: bytes) -> Add.Message:
    mail = MailRow(size=len(octets), header=octets.index(b"\r\n\r\n") + 4)
    return Add.Message(mailbox=1, mail=mail, octets=octets)


async def octets_of(house: House, mail: int, size: int) -> bytes:
    return b"".join([chunk async for chunk in house.account.octets(mail, 0, size)])


def test_a_long_store_is_several_changes_and_one_result_that_is_kept() -> None:
    house = opened(messages=5)
    since = house.ask(store(1, [(2, 2)], Store.ADD, FLAGGED)).position - 1
    result = house.ask(store(1, ALL, Store.ADD, SEEN, unchanged_since=since), ID)
    assert (result.first_position, result.position) == (since + 2, since + 4)
    assert [(r.first, r.last) for r in result.modified] == [(2, 2)]
    again = house.ask(store(1, ALL, Store.ADD, SEEN, unchanged_since=since), ID, retry=True)
    assert again == result
    assert house.flags() == {1: SEEN, 2: FLAGGED, 3: SEEN, 4: SEEN, 5: SEEN}
    house.end()


def test_the_slices_of_a_store_name_no_position_of_others() -> None:
    house = opened(messages=6)
    before = house.ask(store(1, [(1, 4)], Store.ADD, SEEN)).position
    result = house.ask(store(1, ALL, Store.ADD, SEEN))
    assert (result.first_position, result.position) == (before + 1, before + 1)
    assert house.ask(store(1, ALL, Store.ADD, SEEN)).first_position == 0
    house.end()


def test_a_long_store_whose_last_slice_changes_nothing_keeps_its_result_too() -> None:
    house = opened(messages=5)
    before = house.ask(store(1, [(5, 5)], Store.ADD, SEEN)).position
    result = house.ask(store(1, ALL, Store.ADD, SEEN), ID)
    assert (result.first_position, result.position) == (before + 1, before + 3)
    assert list(result.slices) == [before + 1, before + 2], "the third keeps the result alone"
    house.ask(store(1, ALL, Store.REMOVE, SEEN))
    assert house.ask(store(1, ALL, Store.ADD, SEEN), ID, retry=True) == result
    assert set(house.flags().values()) == {0}, "a retry did it again"
    check(house.shard, asks.ACCOUNT)
    house.end()


def test_others_come_between_the_slices_of_a_long_store_and_it_does_not_claim_their_positions() -> None:
    house = opened(messages=6)
    house.flags()
    long = house.start(store(1, ALL, Store.ADD, SEEN), ID)
    house.load()
    other = house.start(store(1, [(1, 1)], Store.REPLACE, FLAGGED))
    house.hand.work()
    result = long.result()
    assert result.first_position < other.result().position < result.position
    assert other.result().position not in result.slices
    assert house.flags() == {1: FLAGGED} | dict.fromkeys(range(2, 7), SEEN)
    house.end()


def test_what_comes_while_a_long_store_is_under_way_is_not_asked_for() -> None:
    house = opened(messages=4)
    house.flags()
    long = house.start(store(1, ALL, Store.ADD, SEEN))
    come = house.start(add(message()))
    house.hand.work()
    assert long.done() and come.done()
    assert house.flags() == dict.fromkeys(range(1, 5), SEEN) | {5: 0}
    house.end()


def test_a_copy_of_very_many_is_made_though_its_caller_gives_up() -> None:
    house = opened(messages=4)
    house.flags()
    task = house.start(copy(1, ALL, 2), ID)
    task.cancel()
    house.hand.work()
    assert task.cancelled() and list(house.flags(2)) == [1, 2, 3, 4]
    again = house.ask(copy(1, ALL, 2), ID, retry=True)
    assert [(r.first, r.last) for r in again.copied.target] == [(1, 4)]
    assert list(house.flags(2)) == [1, 2, 3, 4]
    house.end()


def test_an_upload_that_took_too_long_is_swept_and_one_that_is_coming_stays() -> None:
    house = opened(messages=1)
    octets = b"Subject: long\r\n\r\n" + bytes(300)
    for number in (1000, 2000):
        house.ask(upload(number, 0, octets))
    assert [sweep(house.shard, 2000) for _ in range(2)] == [1, 0]
    result = house.ask(add(uploaded(whole(octets), 2000)))
    assert house.hand.until(octets_of(house, result.added[0].mail, len(octets))) == octets
    house.end()


def test_more_intents_than_may_wait_are_sent_away() -> None:
    house = opened(messages=1, limits=replace(LIMITS, intents_queued_max=2))
    house.local.forget(1)
    tasks = [house.start(copy(1, ALL, 2)) for _ in range(5)]
    house.hand.work()
    refused = [task.result().refused for task in tasks]
    assert refused == ["", "", "", "UNAVAILABLE", "UNAVAILABLE"]
    house.end()

"""Arrays are loaded beside the writer, and show what is committed, whoever waits for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from mailnode.mailbox.rows import DELETED, SEEN
from mailnode.mailbox.said import Mistake
from mailnode.mailbox.verbs import ALL_UIDS, Want
from mailnode.pb.change_pb2 import Store
from tests.mailbox import asks
from tests.mailbox.asks import ALL, add, copy, expunge, message, move, store
from tests.mailbox.process import LIMITS, House, first_of, opened
from tests.store.faulty_shard import Fate, Step

pytestmark = pytest.mark.usefixtures("everywhere")


@pytest.fixture
def house(everywhere: None) -> Iterator[House]:
    house = opened(messages=4)
    yield house
    house.end()


def test_readers_see_nothing_before_it_is_durable_and_all_of_it_then(house: House) -> None:
    house.flags()
    under_way = [
        house.start(ask) for ask in (store(1, ALL, Store.ADD, SEEN), add(message()), move(1, [(2, 2)], 2))
    ]
    assert house.flags_now() == {1: 0, 2: 0, 3: 0, 4: 0}
    assert house.listed_now() == (4, 4, 5)
    house.hand.writer.run()
    assert house.flags_now() == {1: 0, 2: 0, 3: 0, 4: 0}, "written, but not told"
    house.hand.work()
    assert all(task.done() for task in under_way)
    assert house.flags_now() == {1: SEEN, 3: SEEN, 4: SEEN, 5: 0}
    assert house.listed_now() == (4, 1, 6)


def test_decisions_see_what_is_in_flight(house: House) -> None:
    house.flags()
    first = house.start(store(1, [(2, 3)], Store.ADD, DELETED))
    second = house.start(expunge(1, [(1, 3)], whatever_flags=False))
    third = house.start(store(1, [(2, 3)], Store.ADD, DELETED))
    assert not third.done(), "what it rests on is not durable yet"
    house.hand.work()
    assert [(r.first, r.last) for r in second.result().expunged] == [(2, 3)]
    assert third.result().position == second.result().position
    assert first.done() and house.flags() == {1: 0, 4: 0}


def test_a_load_while_a_change_is_written_shows_the_committed_state(house: House) -> None:
    """The expunge is on the disk when the arrays are read, and not committed; then it is."""
    tasks = [house.start(store(1, [(4, 4)], Store.ADD, SEEN)), house.start(expunge(1, [(3, 4)], True))]
    house.hand.work()
    house.local.forget(1)
    tasks = [house.start(ask) for ask in (add(message()), add(message()))]
    house.hand.writer.run()
    reading = house.hand.start(first_of(house.account.messages(1, ALL_UIDS, Want.UIDS)))
    house.hand.settle()
    house.load()
    house.hand.work()
    run = reading.result()
    assert run.uids[: run.count].tolist() == [1, 2, 5, 6]
    assert run.position == tasks[1].result().position


def test_a_message_expunged_while_its_mailbox_is_loaded_does_not_come_back(house: House) -> None:
    """Written when the arrays are read: STORE 4, EXPUNGE 3:4. Committed after it: one, then the other."""
    house.flags()
    stored = house.start(store(1, [(4, 4)], Store.ADD, SEEN))
    gone = house.start(expunge(1, [(3, 4)], True))
    house.local.forget(1)
    reading = house.hand.start(first_of(house.account.messages(1, ALL_UIDS, Want.UIDS)))
    house.hand.settle()
    house.hand.writer.run()
    house.hand.loads.run()
    house.hand.loads.hear()
    house.hand.settle()
    assert not reading.done(), "it would show what is not committed"
    house.hand.work()
    assert stored.done() and gone.done()
    run = reading.result()
    assert (run.uids.tolist(), run.position) == ([1, 2], gone.result().position)


def test_a_load_is_shared_and_outlives_the_reader_that_began_it(house: House) -> None:
    house.local.forget(1)
    first = house.hand.start(house._flags(1))
    house.hand.settle()
    second = house.hand.start(house._flags(1))
    asked = house.start(store(1, ALL, Store.ADD, SEEN))
    assert house.hand.loads.waiting == 1
    first.cancel()
    house.hand.work()
    assert first.cancelled()
    assert set(second.result()) == {1, 2, 3, 4}
    assert asked.result().position == 7


def test_a_load_that_fails_fails_for_all_and_the_next_one_works(house: House) -> None:
    house.local.forget(1)
    readers = [house.hand.start(house._flags(1)) for _ in range(2)]
    house.hand.settle()
    house.shard.plan = _failing_read
    house.hand.work()
    house.shard.plan = lambda step: Fate.GO_ON
    assert all(isinstance(reader.exception(), ValueError | Mistake) for reader in readers)
    assert set(house.flags()) == {1, 2, 3, 4}


def _failing_read(step: Step) -> Fate:
    raise ValueError("a row that nobody can read")


@pytest.mark.parametrize(
    "ask",
    [
        store(2, ALL, Store.ADD, SEEN),
        copy(2, ALL, 1),
        move(2, ALL, 1),
        expunge(2),
        asks.rename_mailbox(2, "x"),
    ],
    ids=lambda ask: type(ask).__name__,
)
def test_a_mailbox_that_goes_while_it_is_loaded_is_refused(house: House, ask: Any) -> None:
    house.ask(add(message(2)))
    house.flags(2)
    gone = house.start(asks.delete_mailbox(2))
    house.local.forget(2)
    asked = house.start(ask)
    house.hand.writer.run()
    house.hand.writer.hear()
    house.hand.work()
    assert gone.done()
    assert asked.result().refused == "NONEXISTENT"


def test_a_mailbox_can_be_used_before_its_making_is_committed(house: House) -> None:
    made = house.start(asks.create_mailbox("New"))
    tasks = [
        house.start(ask) for ask in (add(message("New")), store(3, ALL, Store.ADD, SEEN), copy(3, ALL, 1))
    ]
    house.hand.work()
    assert made.result().mailbox == 3
    assert [task.result().refused for task in tasks] == [""] * 3
    assert (house.flags(3), house.flags(1)[5]) == ({1: SEEN}, SEEN)


def test_reading_a_mailbox_that_is_not_there_says_so(house: House) -> None:
    with pytest.raises(KeyError):
        house.flags(9)


def test_uids_that_a_session_holds_stay_when_messages_go(house: House) -> None:
    run = house.hand.until(first_of(house.account.messages(1, ALL_UIDS, Want.UIDS)))
    house.ask(expunge(1, [(2, 3)], True))
    house.ask(add(message()))
    assert run.uids[: run.count].tolist() == [1, 2, 3, 4]
    assert list(house.flags()) == [1, 4, 5]


def test_large_changes_of_many_accounts_are_made_few_at_once() -> None:
    house = opened(messages=4, limits=replace(LIMITS, large_at_once_max=2))
    house.flags()
    accounts = [house.account]
    for number in (1, 2):
        house.account = house.hand.until(house.accounts.open(asks.ACCOUNT + number))  # type: ignore[assignment]
        house.ask(asks.create("Other"))
        house.ask(add(*(message() for _ in range(4))))
        house.flags()
        accounts.append(house.account)
    moves = []
    for house.account in accounts:
        moves.append(house.start(move(1, ALL, 2)))
    assert house.hand.loads.waiting == 2, "the third holds no thread and makes nothing yet"
    house.hand.work()
    assert [len(task.result().expunged) for task in moves] == [1, 1, 1]
    house.end()

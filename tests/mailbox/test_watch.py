"""A reader of what happened: first the difference, then what commits; nothing lost, nothing twice."""

import asyncio
from collections.abc import Iterator

import pytest

from mailnode.mailbox.verbs import Resync
from mailnode.mailbox.watch import Follower
from mailnode.pb.change_pb2 import Touched, TouchedMailbox
from tests.cluster.by_hand import HandLoop


def touched(position: int, *mailboxes: int) -> Touched:
    return Touched(position=position, mailboxes=[TouchedMailbox(mailbox=each) for each in mailboxes])


def follower(mailbox: int = 0, position: int = 0, pending_max: int = 3) -> Follower:
    return Follower(mailbox, position, pending_max, lambda _: None)


def positions(reader: Follower) -> list[int]:
    return [each.position for each in reader.pending()]


@pytest.fixture
def hand() -> Iterator[HandLoop]:
    hand = HandLoop()
    yield hand
    hand.close()


async def woken(reader: Follower) -> None:
    await reader.wait()


def test_what_was_offered_is_given_once_in_order() -> None:
    reader = follower()
    for position in (1, 2):
        reader.offer(touched(position, 1))
    assert positions(reader) == [1, 2]
    assert positions(reader) == []


def test_what_came_before_the_first_offer_comes_before_it() -> None:
    reader = follower(position=2)
    reader.offer(touched(3))
    reader.precede([touched(1), touched(2)])
    assert positions(reader) == [1, 2, 3]


def test_what_the_difference_has_is_not_offered_again() -> None:
    reader = follower(position=2)
    reader.offer(touched(2))
    reader.precede([touched(1), touched(2)])
    assert positions(reader) == [1, 2]


def test_a_reader_of_one_mailbox_hears_of_that_alone() -> None:
    reader = follower(mailbox=7)
    for position, mailboxes in ((1, (7,)), (2, (8,)), (3, (8, 7)), (4, ())):
        reader.offer(touched(position, *mailboxes))
    assert positions(reader) == [1, 3]
    reader = follower(mailbox=7, position=9)
    reader.precede([touched(8, 8), touched(9, 7)])
    assert positions(reader) == [9]


def test_a_reader_that_falls_behind_must_read_anew_and_then_hears_what_follows() -> None:
    reader = follower(pending_max=3)
    for position in range(1, 6):
        reader.offer(touched(position))
    with pytest.raises(Resync):
        reader.pending()
    assert positions(reader) == []
    reader.offer(touched(6))
    assert positions(reader) == [6]


def test_a_difference_too_long_is_a_resync() -> None:
    reader = follower(position=9, pending_max=3)
    reader.precede([touched(position) for position in range(1, 5)])
    with pytest.raises(Resync):
        reader.pending()
    assert positions(reader) == []


def test_a_difference_that_comes_after_the_reader_fell_behind_is_too_late() -> None:
    reader = follower(position=2, pending_max=2)
    for position in (3, 4, 5):
        reader.offer(touched(position))
    reader.precede([touched(1), touched(2)])
    with pytest.raises(Resync):
        reader.pending()
    assert positions(reader) == []


def test_waiting_ends_when_there_is_something_to_hear(hand: HandLoop) -> None:
    reader = follower(mailbox=1)
    waiting = hand.start(woken(reader))
    hand.turn(2)
    reader.offer(touched(1, 2))
    hand.turn(2)
    assert not waiting.done()
    reader.offer(touched(2, 1))
    hand.turn(2)
    assert waiting.done()
    assert hand.until(woken(reader)) is None, "still there to be heard"


def test_waiting_ends_when_the_reader_fell_behind(hand: HandLoop) -> None:
    reader = follower()
    waiting = hand.start(woken(reader))
    hand.turn(2)
    reader.lose()
    hand.turn(2)
    assert waiting.done()


def test_a_wait_that_was_given_up_loses_nothing(hand: HandLoop) -> None:
    reader = follower()
    waiting: asyncio.Task[None] = hand.start(woken(reader))
    hand.turn(2)
    waiting.cancel()
    hand.turn(2)
    reader.offer(touched(1))
    hand.until(woken(reader))
    assert positions(reader) == [1]


def test_a_reader_leaves_when_it_closes() -> None:
    left: list[Follower] = []
    reader = Follower(0, 0, 3, left.append)
    reader.close()
    assert left == [reader]

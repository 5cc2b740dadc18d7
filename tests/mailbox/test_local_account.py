"""What one account shows: runs, octets, watches, small rows, \\Recent; and that it is one object."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from mailnode.mailbox.verbs import Expunged, Resync, Want
from mailnode.pb.change_pb2 import Intent, Trim
from mailnode.store.keys import Kind
from tests.cluster.by_hand import HandClock
from tests.mailbox import asks
from tests.mailbox.asks import ALL, add, copy, create, expunge, message
from tests.mailbox.process import LIMITS, House, first_of, opened
from tests.store.faulty_shard import FaultyShard

pytestmark = pytest.mark.usefixtures("everywhere")


@pytest.fixture
def house(everywhere: None) -> Iterator[House]:
    house = opened(messages=4)
    yield house
    house.end()


def test_runs_are_bounded_and_together_all_that_was_asked_for() -> None:
    house = opened(messages=11)

    async def runs(want: Want, *uids: tuple[int, int]) -> list[list[int]]:
        return [run.uids[: run.count].tolist() async for run in house.account.messages(1, uids, want)]

    until = house.hand.until
    assert until(runs(Want.ENTRIES, (1, 2**32 - 1))) == [[1, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11]]
    assert until(runs(Want.ENTRIES, (1, 1), (3, 4), (6, 7), (20, 30))) == [[1, 3, 4], [6, 7]]
    assert until(runs(Want.MAILS, (2, 3), (5, 5), (7, 9))) == [[2, 3], [5, 7], [8, 9]]
    assert until(runs(Want.UIDS, (2, 3), (9, 20))) == [[2, 3, 9, 10, 11]]
    assert until(runs(Want.ENTRIES, (40, 50))) == []
    house.end()


def test_runs_of_octets_are_bounded_by_their_octets_too() -> None:
    limits = replace(LIMITS, messages_run_max=10, run_octets_max=250, messages_octets_max=120)
    house = opened(limits=limits)
    house.ask(create())
    for size in (80, 80, 80, 300, 10, 200, 98):
        house.ask(add(message(message_id=b"<m@x>", body=bytes(size))))

    async def runs() -> list[list[tuple[int, int]]]:
        want = Want.ENTRIES | Want.OCTETS
        found = []
        async for run in house.account.messages(1, [(1, 2), (3, 9)], want):
            assert len(run.octets) == run.count
            found.append([(uid, len(octets)) for uid, octets in zip(run.uids, run.octets, strict=True)])
        return found

    head = len(message(message_id=b"<m@x>", body=b"").octets)
    assert [[uid for uid, _ in run] for run in house.hand.until(runs())] == [[1, 2], [3, 4, 5, 6], [7]]
    assert all(
        octets in (0, head + 80, head + 10, head + 300, head + 200, head + 98)
        for run in house.hand.until(runs())
        for _, octets in run
    )
    house.end()


def test_a_long_content_is_read_by_chunks_from_anywhere() -> None:
    house = opened()
    house.ask(create())
    octets = bytes(range(251)) * 3000
    chunks = [octets[start : start + 262_144] for start in range(0, len(octets), 262_144)]
    for number, chunk in enumerate(chunks):
        house.ask(asks.upload(5, number, chunk))
    ask = add(message())
    ask.messages[0].mail.size, ask.messages[0].mail.upload = len(octets), 5
    ask.messages[0].head, ask.messages[0].octets = octets[: ask.messages[0].mail.header], b""
    mail = house.ask(ask).added[0].mail

    async def read(start: int, end: int) -> bytes:
        return b"".join([part async for part in house.account.octets(mail, start, end)])

    for start, end in ((0, 0), (0, 10), (262_140, 262_150), (5, len(octets)), (524_288, 524_289)):
        assert house.hand.until(read(start, end)) == octets[start:end]
    with pytest.raises(Expunged):
        house.hand.until(first_of(house.account.octets(mail + 1, 0, 5)))
    house.end()


def test_a_watch_begun_while_changes_commit_misses_none_and_doubles_none(house: House) -> None:
    begin = house.hand.start(house.account.watch(2, 0))
    house.hand.settle()
    under_way = house.start(add(message()))
    house.write()
    assert under_way.done() and not begin.done()
    house.hand.work()
    watch = begin.result()
    assert [touched.position for touched in watch.pending()] == [3, 4, 5, 6]
    house.ask(add(message()))
    assert [touched.position for touched in watch.pending()] == [7]
    watch.close()
    house.ask(add(message()))
    assert watch.pending() == []


def test_a_watch_below_the_floor_must_resync() -> None:
    house = opened(messages=2)
    house.ask(Trim(touched=2))
    with pytest.raises(Resync):
        house.hand.until(house.account.watch(1, 0)).pending()
    assert len(house.hand.until(house.account.watch(2, 0)).pending()) == 1
    house.end()


def test_a_watch_that_is_given_up_before_it_began_leaves_nothing_behind(house: House) -> None:
    begin = house.hand.start(house.account.watch(1, 0))
    house.hand.settle()
    begin.cancel()
    house.hand.work()
    assert house.local._committed.followers == []


def test_small_rows_wake_no_reader(house: House) -> None:
    watch = house.hand.until(house.account.watch(5, 0))
    house.ask(asks.put_row(Kind.CREDENTIAL, b"k", b"v"))
    assert watch.pending() == []


def test_a_row_is_put_if_absent_by_one_alone(house: House) -> None:
    tasks = [house.start(asks.put_row(Kind.DIRECTORY, b"k", b"%d" % n, if_absent=True)) for n in range(3)]
    house.hand.work()
    assert [task.result().refused for task in tasks] == ["", "ALREADYEXISTS", "ALREADYEXISTS"]
    assert house.hand.until(house.account.row(Kind.DIRECTORY, b"k")) == b"0"
    house.ask(asks.put_row(Kind.DIRECTORY, b"k", b""))
    assert house.hand.until(house.account.row(Kind.DIRECTORY, b"k")) == b""
    assert house.ask(asks.put_row(Kind.DIRECTORY, b"k", b"new", if_absent=True)).refused == ""


def test_recent_is_claimed_once_though_changes_are_in_flight(house: House) -> None:
    until = house.hand.until
    assert until(house.account.claim_recent(1)) == (1, 5)
    under_way = house.start(add(message()))
    assert house.now(house.account.claim_recent(1)) == (5, 5)
    house.hand.work()
    assert under_way.done()
    assert until(house.account.claim_recent(1)) == (5, 6)
    assert until(house.account.claim_recent(1)) == (6, 6)


def test_what_was_claimed_is_written_with_the_next_change_and_writes_nothing_itself(house: House) -> None:
    house.hand.until(house.account.claim_recent(1))
    assert house.hand.writer.waiting == 0
    house.ask(add(message()))
    later = House(house.shard.reopen(), house.clock)
    assert later.hand.until(later.account.claim_recent(1)) == (5, 6)
    later.end()


def test_how_many_are_recent_is_known_without_the_arrays(house: House) -> None:
    """STATUS asks for it, of mailboxes that nobody reads."""

    def asked_after(*asks_: Any) -> tuple[House, int]:
        for ask in asks_:
            house.ask(ask)
        later = House(house.shard.reopen(), house.clock)
        house.end()
        count = later.hand.until(later.account.recent(1))
        assert not later.local._committed.arrays
        return later, count

    house, count = asked_after()
    assert count == 4
    house, count = asked_after(expunge(1, [(2, 2)], whatever_flags=True))
    assert count == 3
    house.hand.until(house.account.claim_recent(1))
    assert house.now(house.account.recent(1)) == 0
    house, count = asked_after(add(message(), message(message_id=b"<2@x>"), message(message_id=b"<3@x>")))
    assert count == 3
    house, count = asked_after(expunge(1, [(6, 6)], whatever_flags=True))
    assert count == 2
    house.flags()
    assert house.now(house.account.recent(1)) == 2, "from memory"
    house.end()


def test_there_is_one_object_of_an_account_as_long_as_anything_of_it_is_under_way() -> None:
    house = House(FaultyShard(), HandClock(), replace(LIMITS, accounts_kept_max=1))
    other = asks.ACCOUNT + 1
    opening = [house.hand.start(house.accounts.here(other)) for _ in range(2)]
    house.hand.work()
    one, two = (task.result() for task in opening)
    assert one is two
    house.ask(create())
    under_way = house.hand.start(house.local.apply(Intent(add=add(message()))))
    house.hand.settle()
    number = id(house.local)
    del house.local, house.account
    assert house.now(house.accounts.here(other)) is one, "now the only one that is kept"
    assert id(house.now(house.accounts.here(asks.ACCOUNT))) == number
    house.hand.work()
    assert under_way.result().added[0].uid == 1
    house.end()


def test_arrays_not_used_for_long_are_forgotten_when_memory_is_short() -> None:
    house = opened(messages=4, limits=replace(LIMITS, arrays_octets_max=300))
    house.ask(copy(1, ALL, 2))
    house.flags(1)
    house.flags(2)
    assert set(house.local._committed.arrays) == {2}
    assert house.flags(1) == house.flags(2)
    house.end()


def test_an_account_at_rest_goes_on_from_what_is_committed(house: House) -> None:
    house.ask(add(message()))
    house.local.forget(1)
    assert house.local._deciding is None
    task = house.start(add(message()))
    house.hand.settle()
    house.local.forget(1)
    assert house.local._deciding is not None, "what is on its way is not committed yet"
    house.hand.work()
    assert [added.uid for added in task.result().added] == [6]
    assert [added.uid for added in house.ask(add(message())).added] == [7]


@pytest.mark.parametrize(("small_octets", "kept"), [(1 << 20, set()), (100, {1})])
def test_small_arrays_that_nobody_used_for_a_while_are_forgotten(small_octets: int, kept: set[int]) -> None:
    limits = replace(LIMITS, arrays_idle_seconds=0, arrays_small_octets=small_octets)
    house = opened(messages=4, limits=limits)
    flags = house.flags()
    house.hand.work()
    assert set(house.local._committed.arrays) == kept
    assert house.flags() == flags
    house.end()

"""What the client was told, against what it must believe of its mailbox."""

import re
import tracemalloc
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.fault import Fault
from protocols.imap.search import Key, Op
from protocols.imap.sequence import SAVED, STAR, SequenceSet
from protocols.imap.view import View


def view(*uids: int) -> View:
    return View(array("I", uids), len(uids))


def numbers(*ranges: tuple[int, int]) -> SequenceSet:
    return SequenceSet(ranges)


NUMBERS = [
    ([(1, 2)], [(4, 6)]),
    ([(2, 1), (4, 4)], [(4, 6), (9, 9)]),
    ([(STAR, STAR)], [(9, 9)]),
    ([(3, STAR)], [(7, 9)]),
    ([(9, STAR)], [(9, 9)]),
    ([(1, STAR)], [(4, 9)]),
]


@pytest.mark.parametrize(("asked", "uids"), NUMBERS)
def test_sequence_numbers_are_those_of_what_was_told(
    asked: list[tuple[int, int]], uids: list[tuple[int, int]]
) -> None:
    assert list(view(4, 6, 7, 9).ranges(numbers(*asked), by_uid=False)) == uids


@pytest.mark.parametrize("asked", [(5, 5), (1, 5), (5, 1)])
def test_a_sequence_number_beyond_the_last_is_a_mistake(asked: tuple[int, int]) -> None:
    with pytest.raises(Fault, match="no message of that number"):
        view(4, 6, 7, 9).ranges(numbers(asked), by_uid=False)


def test_uids_end_with_what_was_told() -> None:
    told = view(4, 6)
    told.uids.append(8)
    assert told.ranges(numbers((5, 100)), by_uid=True) == ((5, 6),)
    assert told.ranges(numbers((7, 100)), by_uid=True) == ()
    assert told.ranges(numbers((100, STAR)), by_uid=True) == ((6, 6),)
    assert view().ranges(numbers((1, STAR)), by_uid=True) == ()
    assert view().ranges(numbers((1, STAR)), by_uid=False) == ()


def test_uids_have_numbers() -> None:
    told = view(4, 6, 7, 9)
    assert told.numbers([6, 7]) == range(2, 4)
    assert list(told.numbers([4, 9])) == [1, 4]
    assert told.numbers([]) == ()
    assert [told.number(uid) for uid in (4, 5, 9, 10)] == [1, 0, 4, 0]
    assert told.within([(1, 6), (8, 100)]) == 3


def test_a_search_key_is_bound_to_uids() -> None:
    told = view(4, 6, 7, 9)
    told.claim(7, 10)
    key = Key(Op.OR, (Key(Op.NUMBERS, numbers=numbers((2, STAR))), Key(Op.NOT, (Key(Op.RECENT),))))
    recent = Key(Op.UIDS, numbers=numbers((7, 9)))
    bound = Key(Op.OR, (Key(Op.UIDS, numbers=numbers((6, 9))), Key(Op.NOT, (recent,))))
    assert told.bind(key) == bound
    nobody = Key(Op.NUMBERS, numbers=numbers((9, 9), (5, 8)))
    assert told.bind(nobody) == Key(Op.UIDS, numbers=numbers())


def test_expunges_count_down_as_they_are_told() -> None:
    told = view(1, 2, 3, 4, 5, 6)
    told.note(1, [], [], [(2, 3), (6, 6)])
    assert told.expunges() == b"* 2 EXPUNGE\r\n* 2 EXPUNGE\r\n* 4 EXPUNGE\r\n"
    assert list(told.uids) == [1, 4, 5]
    assert told.expunges() == b""


def test_arrivals_are_told_and_the_recent_among_them_counted() -> None:
    account = array("I", [1, 2])
    told = View(account, 2)
    told.claim(2, 3)
    account.append(7)
    told.claim(7, 8)
    told.note(1, [(7, 7)], [], [])
    assert told.has_grown
    assert told.arrivals(account, 3) == b"* 3 EXISTS\r\n"
    assert told.within(told.recent) == 2
    assert not told.has_grown
    assert told.arrivals(account, 3) == b""


def test_uids_that_follow_one_another_are_held_as_a_range_while_they_do() -> None:
    account = array("I", range(5, 1005))
    told = View(account, 1000)
    account.append(1005)
    told.note(1, [(1005, 1005)], [], [])
    told.arrivals(account, 1001)
    assert told.uids == range(5, 1006)
    account.append(1007)
    told.note(2, [(1007, 1007)], [], [])
    told.arrivals(account, 1002)
    assert told.uids is account
    told.note(3, [], [], [(1007, 1007)])
    assert told.expunges() == b"* 1002 EXPUNGE\r\n"
    assert told.uids == range(5, 1006)


def test_what_another_session_was_told_first_is_not_recent() -> None:
    told = view(1, 2, 3, 4, 5)
    for first, following in ((2, 2), (2, 3), (4, 5), (5, 7)):
        told.claim(first, following)
    assert told.recent == ((2, 2), (4, 6))
    assert told.within(told.recent) == 3


def test_of_ever_more_gaps_in_what_is_recent_the_latest_are_remembered() -> None:
    told = view(1)
    for first in range(1, 5001, 2):
        told.claim(first, first + 1)
    assert len(told.recent) == 1001 and told.recent[-1] == (4999, 4999)


def test_the_list_of_the_account_is_shared_again_once_an_expunge_was_told() -> None:
    account = array("I", [1, 2, 3])
    told = View(account, 3)
    after = array("I", [1, 3, 4])
    told.note(1, [], [], [(2, 2)])
    told.note(2, [(4, 4)], [], [])
    told.arrivals(after, 3)
    assert list(told.uids) == [1, 2, 3, 4] and told.uids is not account
    told.expunges()
    told.arrivals(after, 3)
    assert told.uids is after
    assert account.tolist() == [1, 2, 3]


def test_a_change_of_its_own_is_not_told_again_and_that_of_another_is() -> None:
    told = view(*range(1, 11))
    told.answered(5, 6, ((2, 4), (8, 8)))
    told.note(4, [], [(3, 3)], [])
    told.note(5, [], [(1, 9)], [])
    assert list(told.changed) == [(1, 1), (3, 3), (5, 7), (9, 9)]
    told.told_changes()
    told.note(6, [], [(4, 4)], [])
    assert list(told.changed) == []
    told.note(7, [], [(4, 4)], [])
    assert list(told.changed) == [(4, 4)]


def test_after_missed_changes_all_is_looked_at_anew() -> None:
    told = view(1, 2, 3)
    now = array("I", [1, 3, 5])
    told.note_unknown(now, 3)
    assert told.expunges() == b"* 2 EXPUNGE\r\n"
    assert told.arrivals(now, 3) == b"* 3 EXISTS\r\n"
    assert told.changed == ((1, 3),)


class Client:
    """Believes what it is told, as RFC 9051 §7.5.1 and §7.4.1 say; a message it does not know yet is None."""

    def __init__(self, count: int) -> None:
        self.count = count

    def hear(self, octets: bytes) -> None:
        for number, word in re.findall(rb"\* (\d+) ([A-Z]+)\r\n", octets):
            if word == b"EXPUNGE":
                assert 1 <= int(number) <= self.count
                self.count -= 1
            elif word == b"EXISTS":
                assert int(number) >= self.count
                self.count = int(number)


STEP = st.one_of(
    st.just(("add", 0)),
    st.tuples(st.just("expunge"), st.integers(0, 30)),
    st.tuples(st.just("modify"), st.integers(0, 30)),
    st.just(("tell", 0)),
    st.just(("tell all", 0)),
)


@given(st.integers(0, 5), st.lists(STEP, max_size=40))
@settings(max_examples=200)
def test_the_client_ends_with_the_mailbox_as_it_is(count: int, steps: list[tuple[str, int]]) -> None:
    account = array("I", range(1, count + 1))
    told = View(account, count)
    client = Client(count)
    uid_next, changed = count + 1, set[int]()
    for position, (step, which) in enumerate([*steps, ("tell all", 0)]):
        if step == "add":
            account.append(uid_next)
            told.note(position, [(uid_next, uid_next)], [], [])
            uid_next += 1
        elif step == "expunge" and account:
            uid = account[which % len(account)]
            account = array("I", [u for u in account if u != uid])
            told.note(position, [], [], [(uid, uid)])
        elif step == "modify" and account:
            uid = account[which % len(account)]
            told.note(position, [], [(uid, uid)], [])
            changed.add(uid)
        elif step.startswith("tell"):
            client.hear(told.expunges() if step == "tell all" else b"")
            client.hear(told.arrivals(account, len(account)))
            assert client.count == told.count
            said = {u for a, b in told.changed for u in range(a, b + 1)}
            assert said == {u for u in changed if u <= told.last_uid}
            told.told_changes()
            changed.clear()
    assert list(told.uids[: told.count]) == list(account)
    assert list(told.numbers(account)) == list(range(1, len(account) + 1))


def test_uids_of_the_view_are_its_own_while_it_withholds() -> None:
    account = array("I", [1, 2, 3])
    told = View(account, 3)
    told.note(1, [], [], [(1, 1)])
    for uid in (4, 5):
        account = array("I", [*account[-2:], uid])
        told.note(uid, [(uid, uid)], [], [])
        told.arrivals(account, 3)
    assert list(told.uids) == [1, 2, 3, 4, 5]


def test_what_a_search_saved_is_held_in_a_few_octets_a_message() -> None:
    """A client may keep a result in which nothing is next to anything for as long as it is there."""
    told = view()
    tracemalloc.start()
    try:
        told.saved = tuple((uid, uid) for uid in range(1001, 101_001, 2))
        held, _ = tracemalloc.get_traced_memory()
        assert held < 50_000 * 20
        assert told.ranges(SAVED, by_uid=True)[:2] == ((1001, 1001), (1003, 1003))
    finally:
        tracemalloc.stop()

"""What a client says that it knows (RFC 7162 §3.2.5), and what it is told of what went."""

from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.imap import parameters
from protocols.imap.grammar import Grammar
from protocols.imap.resync import Known
from protocols.imap.sequence import SequenceSet, common, ranges_of, without
from protocols.imap.view import View
from tests.protocols.imap.peer import LIMITS


def read(octets: bytes) -> tuple[bool, Known | None]:
    return parameters.parameters(Grammar(octets, 0, LIMITS, b"t", by_uid=False))


def numbers(*ranges: tuple[int, int]) -> SequenceSet:
    return SequenceSet(ranges)


@pytest.mark.parametrize(
    ("octets", "value"),
    [
        (b"", (False, None)),
        (b" (CONDSTORE)", (True, None)),
        (b" (QRESYNC (7 9))", (True, Known(7, 9, None))),
        (b" (condstore qresync (7 9 1:3,8))", (True, Known(7, 9, numbers((1, 3), (8, 8))))),
        (
            b" (QRESYNC (7 9 (1,3 4,9)))",
            (True, Known(7, 9, None, numbers((1, 1), (3, 3)), numbers((4, 4), (9, 9)))),
        ),
    ],
)
def test_parameters_of_select_are_read(octets: bytes, value: tuple[bool, Known | None]) -> None:
    assert read(octets) == value


def test_a_client_asks_for_what_it_knows_or_for_all() -> None:
    assert Known(7, 9, None).asked(1) == ()
    assert Known(7, 9, None).asked(10) == ((1, 9),)
    assert Known(7, 9, numbers((8, 20), (2, 3))).asked(10) == ((2, 3), (8, 9))


def test_pairs_match_up_to_the_first_that_does_not() -> None:
    """The example of RFC 7162 §3.2.5.2: the fourth message has UID 8, the twelfth not 24."""
    there = [1, 4, 6, 8, 9, 11, 13, 15, 17, 19, 21, 25]
    assert Known(7, 9, None, numbers((4, 4), (12, 12)), numbers((8, 8), (24, 24))).matched(there) == 8
    assert Known(7, 9, None, numbers((4, 4), (12, 12)), numbers((8, 8), (25, 25))).matched(there) == 25
    assert Known(7, 9, None, numbers((4, 5)), numbers((8, 9))).matched(there) == 9
    assert Known(7, 9, None, numbers((1, 4294967295)), numbers((1, 4294967295))).matched(there) == 1
    assert Known(7, 9, None, numbers((13, 13)), numbers((25, 25))).matched(there) == 0
    assert Known(7, 9, None).matched(there) == 0


class Looked(tuple[tuple[int, int], ...]):
    """Ranges that count how many of them were looked at."""

    looked = 0

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        self.looked += len(found) if isinstance(at, slice) else 1
        return found


def test_what_many_ranges_lack_of_many_others_costs_a_few_looks_a_range() -> None:
    """A client that names every second UID of a mailbox with gaps holds up nobody."""
    taken = Looked((uid, uid) for uid in range(1, 4000, 2))
    asked = [(uid, uid + 1) for uid in range(1, 4000, 2)]
    assert without(asked, taken) == [(uid, uid) for uid in range(2, 4001, 2)]
    assert taken.looked < 20 * len(asked)


@given(st.sets(st.integers(1, 40)), st.sets(st.integers(1, 40)))
def test_what_two_sets_of_uids_have_in_common(one: set[int], other: set[int]) -> None:
    assert common(ranges_of(sorted(one)), ranges_of(sorted(other))) == ranges_of(sorted(one & other))


@given(st.sets(st.integers(1, 40), min_size=1), st.sets(st.integers(1, 50)))
def test_vanished_names_what_the_client_knew_and_expunge_counts_it(told: set[int], gone: set[int]) -> None:
    left = sorted(told - gone)
    views = [View(array("I", sorted(told)), len(told)) for _ in range(2)]
    for view in views:
        view.note(1, [], [], ranges_of(sorted(gone)))
    vanished, expunges = views[0].vanished(), views[1].expunges()
    assert all(list(view.uids[: view.count]) == left for view in views)
    counted = sorted(told)
    for line in expunges.splitlines():
        counted.pop(int(line.split()[1]) - 1)
    assert counted == left
    expected = b"* VANISHED " if told & gone else b""
    assert vanished.startswith(expected) and bool(vanished) is bool(expected)
    listed = vanished.removeprefix(expected).strip().decode()
    uids = {u for r in listed.split(",") if r for u in range(int(r.split(":")[0]), int(r.split(":")[-1]) + 1)}
    assert uids == told & gone

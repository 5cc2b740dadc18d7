"""The tree of hashes: what differs is found, and nothing else, with few questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mailnode.cluster.compare import (
    FANOUT,
    FIRST,
    LAST,
    LEAF_OCTETS,
    LEAF_ROWS,
    Differences,
    Leaves,
    Place,
    Range,
    Tree,
    damage_hash,
    place,
    row_hash,
    spans,
    summed,
)
from mailnode.cluster.repairs import Held, Row, Rows, Table, judge
from mailnode.store import keys
from mailnode.store.keys import Family

Stored = Mapping[Place, bytes]


def stored(count: int) -> dict[Place, bytes]:
    return {place(Family.STATE, number.to_bytes(8, "big")): b"v%d" % number for number in range(count)}


def tree(rows: Stored) -> Tree:
    leaves = Leaves(FIRST, 1 << 40)
    for at, value in sorted(rows.items()):
        leaves.add(at, len(value), row_hash(at, value))
    return leaves.tree(LAST)


def found(mine: Stored, theirs: Stored) -> tuple[list[Range], int]:
    """And with how many questions."""
    looking, questions = Differences(tree(mine)), 0
    while asked := looking.ask():
        questions += 1
        looking.told(
            [summed(row_hash(at, v) for at, v in theirs.items() if r.start <= at < r.end) for r in asked]
        )
    return looking.leaves, questions


def holds(leaves: Sequence[Range], at: Place) -> bool:
    return any(leaf.start <= at < leaf.end for leaf in leaves)


@given(
    count=st.integers(0, 3000),
    changes=st.dictionaries(st.integers(0, 3100), st.sampled_from([b"other", b"v1", None]), max_size=5),
)
def test_the_leaves_that_differ_hold_all_that_differs_and_each_has_some_of_it(
    count: int, changes: dict[int, bytes | None]
) -> None:
    mine, theirs = stored(count), stored(count)
    for number, value in changes.items():
        at = place(Family.STATE, number.to_bytes(8, "big"))
        if value is None:
            theirs.pop(at, None)
        else:
            theirs[at] = value
    differing = {at for at in mine.keys() | theirs.keys() if mine.get(at) != theirs.get(at)}
    leaves, _ = found(mine, theirs)
    assert all(holds(leaves, at) for at in differing)
    assert all(any(leaf.start <= at < leaf.end for at in differing) for leaf in leaves)


def test_equal_copies_are_told_in_one_question_and_a_row_among_many_in_two() -> None:
    count = LEAF_ROWS * FANOUT * 2
    mine = stored(count)
    assert found(mine, mine) == ([], 1)
    theirs = dict(mine)
    del theirs[place(Family.STATE, (12345).to_bytes(8, "big"))]
    leaves, questions = found(mine, theirs)
    assert questions == 2 and len(leaves) == 1
    rows = [at for at in mine if holds(leaves, at)]
    assert len(rows) == LEAF_ROWS


def test_a_tree_is_bounded_in_rows_octets_and_questions_and_has_no_gaps() -> None:
    rows = stored(LEAF_ROWS * (FANOUT + 1))
    made = tree(rows)
    assert [len(level) for level in made.levels] == [FANOUT + 2, 2]
    leaves = [node.range for node in made.levels[0]]
    assert leaves[0].start == FIRST and leaves[-1].end == LAST
    assert all(one.end == other.start for one, other in pairwise(leaves))
    large = Leaves(FIRST, 3 * LEAF_OCTETS)
    for number in range(9):
        assert not large.are_enough
        large.add(place(Family.BLOB, bytes((number,))), LEAF_OCTETS // 3, 1)
    assert large.are_enough and len(large.tree().levels[0]) == 3


def test_what_cannot_be_read_is_like_no_row_and_like_no_other_node() -> None:
    at = place(Family.STATE, b"key")
    assert len({damage_hash("a", at), damage_hash("b", at), row_hash(at, b""), 0}) == 4


def test_ranges_of_places_are_scans_of_the_families_within_the_partition() -> None:
    whole = list(spans(3, Range(FIRST, LAST)))
    assert [family for family, _, _ in whole] == list(keys.OF_ACCOUNTS)
    assert all((first, end) == keys.partition_range(family, 3) for family, first, end in whole)
    start, end = place(Family.HEAD, b"\0\3x"), place(Family.MAIL, b"\0\3y")
    families = [(family, first) for family, first, _ in spans(3, Range(start, end))]
    assert families[0] == (Family.HEAD, b"\0\3x")
    assert list(spans(3, Range(start, end)))[-1][2] == b"\0\3y"
    assert not list(spans(3, Range(start, start)))


def test_whose_row_is_right() -> None:
    one, other, none = Held(1), Held(2), Held()
    unread, wrong = Held(is_unread=True), Held(3, wrong="its octets are not those of its checksum")
    assert judge([unread, one]).right == 1 and judge([wrong, one]).right == 1
    assert judge([one, other]).right == 0 and not judge([one, other]).is_certain
    assert judge([one, other, other]).right == 1 and judge([one, none, none]).right == 1
    assert judge([one, other, none]).right == 0
    assert judge([wrong, other, none]).right == 1
    assert judge([one, unread, one]).is_certain
    assert judge([unread, wrong]).right is None


def test_a_row_before_what_cannot_be_read_is_written_anew_and_what_is_a_copys_own_is_no_difference() -> None:
    places = [place(Family.STATE, bytes((0, 3, number))) for number in range(5)]
    sound = [Row(at, number, is_own=False) for number, at in enumerate(places)]
    asked = Range(FIRST, LAST)
    unread = Range(places[1], places[3])
    table = Table(asked, [Rows(sound, [], LAST), Rows([*sound[:2], *sound[3:]], [unread], LAST)])
    assert table.differing == places[1:3]
    table.proven([["", ""], ["", ""]])
    assert table.lost(1) == [unread] and table.lost(0) == [] == table.needed(0)
    assert table.needed(1) == [(places[1], 0), (places[2], 0)]
    own = Table(asked, [Rows([Row(places[0], 7, is_own=True)], [], LAST), Rows([], [], LAST)])
    assert own.is_equal

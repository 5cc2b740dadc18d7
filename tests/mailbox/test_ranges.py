"""Sets of UIDs as ranges, against Python's sets."""

from array import array

from hypothesis import given
from hypothesis import strategies as st

from mailnode.mailbox.ranges import packed, pairs, sliced
from mailnode.pb.change_pb2 import UidRange

UIDS = st.sets(st.integers(1, 40), max_size=20).map(sorted)
RANGES = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=6)


def uids_in(ranges: list[tuple[int, int]]) -> set[int]:
    return {uid for first, last in ranges for uid in range(first, last + 1)}


@given(UIDS)
def test_packed_uids_are_the_fewest_ranges_and_come_back(uids: list[int]) -> None:
    ranges = packed(uids)
    assert [uid for each in ranges for uid in range(each.first, each.last + 1)] == uids
    assert len(ranges) == sum(uid - 1 not in uids for uid in uids)


def test_the_last_uid_of_all_can_be_packed() -> None:
    assert packed([2**32 - 2, 2**32 - 1]) == [UidRange(first=2**32 - 2, last=2**32 - 1)]


@given(RANGES)
def test_pairs_are_ascending_apart_and_the_same_uids(ranges: list[tuple[int, int]]) -> None:
    found = pairs([UidRange(first=first, last=last) for first, last in ranges])
    assert uids_in(found) == uids_in(ranges)
    assert all(first <= last for first, last in found)
    assert all(found[n][1] + 1 < found[n + 1][0] for n in range(len(found) - 1))


@given(UIDS, RANGES, st.integers(1, 5), st.integers(1, 3))
def test_slices_together_ask_for_the_same_and_hold_no_more_than_allowed(
    uids: list[int], ranges: list[tuple[int, int]], entries_max: int, ranges_max: int
) -> None:
    asked = pairs([UidRange(first=first, last=last) for first, last in ranges])
    parts = sliced(asked, array("I", uids), entries_max, ranges_max)
    assert [uid for part in parts for uid in sorted(uids_in(list(part)))] == sorted(uids_in(asked))
    assert all(len(uids_in(list(part)) & set(uids)) <= entries_max for part in parts)
    assert all(len(part) <= ranges_max + 1 for part in parts)
    few = 1 + len(uids_in(asked) & set(uids)) // entries_max
    assert len(parts) <= few + len(asked) // ranges_max

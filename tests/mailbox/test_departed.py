"""Entries that are gone, as long as somebody may ask for them."""

from collections.abc import Iterator
from typing import Any

from mailnode.mailbox.departed import Departed
from mailnode.mailbox.rows import ENTRY, MAIL, longs
from mailnode.pb.change_pb2 import Change, Dropped


def dropped(mailbox: int, *uids: int, position: int = 5) -> Change:
    entries = b"".join(ENTRY.pack(uid * 10, 1, 1, 0, 0, 5, 0, uid) for uid in uids)
    return Change(position=position, entries_dropped=[Dropped(mailbox=mailbox, entries=entries)])


def test_what_went_out_of_a_watched_mailbox_is_kept_in_order_of_uids() -> None:
    departed = Departed(100)
    departed.keep(dropped(1, 5, 9), {1: 4, 0: 4})
    departed.keep(dropped(1, 2, 7), {1: 4})
    departed.keep(dropped(2, 3), {1: 4})
    found = departed.entries(1, [(2, 5), (7, 8)])
    assert found.uids.tolist() == [2, 5, 7]
    assert longs(found.entries, MAIL).tolist() == [20, 50, 70]
    assert not departed.entries(1, [(3, 4)]).uids
    assert not departed.entries(2, [(1, 9)]).uids


def test_what_nobody_watches_any_more_is_forgotten() -> None:
    departed = Departed(100)
    departed.keep(dropped(1, 5), {1: 4})
    departed.forget(1)
    departed.forget(2)
    assert not departed.entries(1, [(1, 9)]).uids


def test_the_oldest_go_where_there_are_too_many() -> None:
    departed = Departed(3)
    departed.keep(dropped(1, 1, 2), {1: 4})
    departed.keep(dropped(1, 3), {1: 4})
    departed.keep(dropped(1, 4), {1: 4})
    assert departed.entries(1, [(1, 9)]).uids.tolist() == [3, 4]


def test_what_all_readers_told_goes_when_the_next_ones_come() -> None:
    departed = Departed(100)
    departed.keep(dropped(1, 1, position=5), {1: 4})
    departed.keep(dropped(1, 2, position=6), {1: 4})
    departed.keep(dropped(1, 3, position=9), {1: 5})
    assert departed.entries(1, [(1, 9)]).uids.tolist() == [2, 3]
    departed.keep(dropped(1, 4, position=10), {1: 9})
    assert departed.entries(1, [(1, 9)]).uids.tolist() == [4]


class Counted(list[tuple[int, int]]):
    """Ranges that count how often one is looked at."""

    looks = 0

    def __iter__(self) -> Iterator[tuple[int, int]]:
        for each in super().__iter__():
            self.looks += 1
            yield each

    def __getitem__(self, at: Any) -> Any:
        self.looks += 1
        return super().__getitem__(at)


def test_many_ranges_are_not_looked_through_for_each_of_many_that_went_one_by_one() -> None:
    departed = Departed(1_000)
    for uid in range(1, 601):
        departed.keep(dropped(1, uid, position=4 + uid), {1: 4})
    asked = Counted((uid, uid) for uid in range(1, 601, 2))
    assert departed.entries(1, asked).uids.tolist() == list(range(1, 601, 2))
    assert asked.looks < 600 * 20

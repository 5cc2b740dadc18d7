"""Entries that are gone, as long as somebody may ask for them."""

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

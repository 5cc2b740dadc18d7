"""What came from another server keeps its UIDs and unique-ids, and comes once."""

import pytest

from mailnode.mailbox.decided import UID_NEXT_MAX
from mailnode.pb.change_pb2 import Add, Adopt
from mailnode.store import keys
from mailnode.store.keys import Family, Kind
from tests.mailbox import asks
from tests.mailbox.asks import add, message
from tests.mailbox.decider import Decider, account


def kept(mailbox: int = 1, uid: int = 0, unique_id: str = "", origin: bytes = b"") -> Add.Message:
    made = message(mailbox)
    made.uid, made.unique_id, made.origin = uid, unique_id, origin
    return made


def rows_of(it: Decider, kind: int) -> int:
    start = keys.state(asks.ACCOUNT, kind)
    return len(list(it.shard.scan(Family.STATE, start, keys.after(start))))


def test_a_mailbox_takes_over_what_clients_know_of_it() -> None:
    it = account("Sent")
    before = it.state.mailboxes[2].mailbox_id
    it.ask(Adopt(mailbox=2, uid_validity=77))
    it.ask(add(kept(2, 5), kept(2, 9)))
    it.ask(Adopt(mailbox=2, uid_next=40))
    row = it.found().mailboxes[2]
    assert (row.uid_validity, row.uid_next, it.uids(2)) == (77, 40, [5, 9])
    assert row.mailbox_id != before
    assert it.ask(add(message(2))).result.added[0].uid == 40


def test_gaps_between_uids_are_not_told_as_messages() -> None:
    it = account()
    change = it.ask(add(kept(uid=3), kept(uid=4), kept(uid=9)))
    created = [(each.first, each.last) for each in change.touched.mailboxes[0].created]
    assert created == [(3, 4), (9, 9)]


@pytest.mark.parametrize("uids", [(4,), (5,), (9, 9), (9, 8)])
def test_a_uid_is_never_given_twice_nor_before_one_that_was(uids: tuple[int, ...]) -> None:
    it = account()
    it.ask(add(kept(uid=5)))
    assert it.refused(add(*(kept(uid=uid) for uid in uids))) == "UIDTAKEN"
    assert it.uids(1) == [5]


def test_the_last_uid_is_refused_since_none_could_follow() -> None:
    it = account()
    assert it.refused(add(kept(uid=UID_NEXT_MAX))) == "LIMIT"
    it.ask(add(kept(uid=UID_NEXT_MAX - 1)))
    assert it.refused(add(message())) == "LIMIT"


def test_uid_validity_stays_once_a_uid_was_given() -> None:
    it = account("Sent")
    it.ask(add(message(2)))
    it.ask(asks.expunge(2, asks.ALL, whatever_flags=True))
    assert it.refused(Adopt(mailbox=2, uid_validity=77)) == "UIDTAKEN"
    assert it.refused(Adopt(mailbox=9, uid_validity=77)) == "NONEXISTENT"
    assert it.refused(Adopt(mailbox=1, uid_validity=0xFFFFFFFF)) == "LIMIT"


def test_a_mailbox_made_later_has_a_higher_uid_validity_than_an_adopted_one() -> None:
    it = account("Sent")
    it.ask(Adopt(mailbox=2, uid_validity=4_000_000_000))
    it.ask(asks.delete_mailbox(2))
    it.ask(asks.create_mailbox("Sent"))
    assert it.state.mailboxes[3].uid_validity > 4_000_000_000


def test_a_uid_validity_is_adopted_once_whatever_becomes_of_its_mailbox() -> None:
    it = account("Work", "Other")
    it.ask(Adopt(mailbox=2, uid_validity=77))
    it.ask(add(kept(2, 5)))
    assert it.refused(Adopt(mailbox=3, uid_validity=77)) == "UIDTAKEN"
    it.ask(asks.delete_mailbox(2))
    it.ask(asks.create_mailbox("Work"))
    assert it.refused(Adopt(mailbox=4, uid_validity=77)) == "UIDTAKEN"
    assert rows_of(it, Kind.ADOPTED) == 1


def test_a_mailbox_of_the_same_uid_validity_gets_another_unless_it_gave_uids() -> None:
    it = account("Work", "Other")
    inbox, other = it.state.mailboxes[1].uid_validity, it.state.mailboxes[3].uid_validity
    it.ask(add(message(1)))
    assert it.refused(Adopt(mailbox=2, uid_validity=inbox)) == "UIDTAKEN"
    it.ask(Adopt(mailbox=2, uid_validity=other))
    found = it.found().mailboxes
    assert found[2].uid_validity == other
    assert len({each.uid_validity for each in found.values()}) == len(found)


def test_a_special_use_moves_from_a_mailbox_that_never_had_a_message() -> None:
    it = account("Sent", "Sent Items", "Other")
    it.state.mailboxes[2].special_use = "\\Sent"
    it.ask(Adopt(mailbox=3, special_use="\\Sent"))
    assert {each.mailbox: each.special_use for each in it.found().mailboxes.values()}[3] == "\\Sent"
    assert it.found().mailboxes[2].special_use == ""
    it.ask(add(message(3)))
    assert it.refused(Adopt(mailbox=4, special_use="\\Sent")) == "USEATTR"


def test_what_came_before_is_left_out_even_when_it_is_gone() -> None:
    it = account()
    change = it.ask(add(kept(origin=b"a" * 16), kept(origin=b"b" * 16), kept(origin=b"a" * 16)))
    assert [added.uid for added in change.result.added] == [1, 2]
    it.ask(asks.expunge(1, asks.ALL, whatever_flags=True))
    assert it.refused(add(kept(origin=b"a" * 16))) == ""
    change = it.ask(add(kept(origin=b"a" * 16), kept(), kept(origin=b"c" * 16)))
    assert it.uids(1) == [3, 4] and len(change.result.added) == 2


def test_one_on_its_way_to_disk_is_left_out_too() -> None:
    it = account()
    change = it.leave_open(add(kept(origin=b"a" * 16)))
    assert it.refused(add(kept(origin=b"a" * 16))) == ""
    it.commit(change)
    assert it.reads.known([b"a" * 16, b"b" * 16]) == [True, False]


def test_unique_ids_go_with_their_messages() -> None:
    it = account("Sent")
    it.ask(add(kept(unique_id="x1"), kept(), kept(unique_id="x3"), kept(2, unique_id="y1")))
    assert it.reads.unique_ids(1) == {1: "x1", 3: "x3"}
    it.ask(asks.expunge(1, [(1, 1)], whatever_flags=True))
    assert it.reads.unique_ids(1) == {3: "x3"}
    it.ask(asks.move(1, [(3, 3)], 2))
    assert it.reads.unique_ids(1) == {}
    it.ask(asks.delete_mailbox(2))
    assert rows_of(it, Kind.UNIQUE_ID) == 0

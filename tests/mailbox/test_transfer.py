"""COPY and MOVE are all or nothing; EXPUNGE takes what is \\Deleted."""

import pytest

from mailnode.mailbox.rows import DELETED, ENTRY_OCTETS, SEEN
from mailnode.pb.change_pb2 import Store
from tests.mailbox import asks
from tests.mailbox.asks import ALL, add, copy, expunge, message, move, store
from tests.mailbox.decider import Decider, account


def with_messages(count: int = 3, **limits: int) -> Decider:
    """INBOX with messages that have a flag and a keyword each, and two empty mailboxes 2 and 3."""
    it = account("Other", "Third", **limits)
    it.ask(
        add(
            *(
                message(flags=SEEN * (n % 2), keywords=[f"k{n}"], message_id=b"<%d@x>" % n)
                for n in range(1, count + 1)
            )
        )
    )
    return it


def pairs(ranges: object) -> list[tuple[int, int]]:
    return [(r.first, r.last) for r in ranges]  # type: ignore[attr-defined]


def tags(it: Decider, mailbox: int) -> dict[int, bytes]:
    found = it.found()
    return {uid: found.message(number, uid).tag for number, uid in found.entries if number == mailbox}


def test_a_copy_enters_behind_the_last_with_flags_and_keywords_of_its_own() -> None:
    it = with_messages()
    it.ask(add(message(2, keywords=["other"])))
    change = it.ask(copy(1, [(1, 1), (3, 8)], 2))
    assert pairs(change.result.copied.source) == [(1, 1), (3, 3)]
    assert pairs(change.result.copied.target) == [(2, 3)]
    assert change.result.copied.uid_validity == it.state.mailboxes[2].uid_validity
    assert tags(it, 2) == {1: b"", 2: b"<1@x>", 3: b"<3@x>"}
    assert [it.flags(2, uid) for uid in (2, 3)] == [(SEEN, {"k1"}), (SEEN, {"k3"})]
    found = it.found()
    assert found.entries[2, 2].mail == found.entries[1, 1].mail, "octets are not copied"
    assert found.entries[2, 2].created == found.entries[2, 2].modified == change.position
    assert pairs(change.touched.mailboxes[0].created) == [(2, 3)] and len(change.touched.mailboxes) == 1


def test_a_mailbox_may_hold_a_mail_twice() -> None:
    it = with_messages()
    it.ask(copy(1, ALL, 1))
    assert tags(it, 1) == {1: b"<1@x>", 2: b"<2@x>", 3: b"<3@x>", 4: b"<1@x>", 5: b"<2@x>", 6: b"<3@x>"}


def test_a_move_leaves_the_source_in_the_same_change() -> None:
    it = with_messages()
    change = it.ask(move(1, [(2, 9)], 2))
    assert pairs(change.result.expunged) == [(2, 3)]
    assert (tags(it, 1), tags(it, 2)) == ({1: b"<1@x>"}, {1: b"<2@x>", 2: b"<3@x>"})
    assert it.state.mailboxes[1].highest_modseq == it.state.mailboxes[2].highest_modseq == change.position
    touched = {t.mailbox: (pairs(t.created), pairs(t.destroyed)) for t in change.touched.mailboxes}
    assert touched == {1: ([], [(2, 3)]), 2: ([(1, 2)], [])}


def test_a_move_within_a_mailbox_gives_new_uids() -> None:
    it = with_messages()
    it.ask(move(1, [(1, 2)], 1))
    assert tags(it, 1) == {3: b"<3@x>", 4: b"<1@x>", 5: b"<2@x>"}
    assert it.found().mailboxes[1].uid_next == 6


def test_keywords_that_find_no_bit_in_the_target_go_along_beside_them() -> None:
    it = with_messages()
    it.ask(add(message(2, keywords=[f"other{n}" for n in range(57)])))
    it.ask(copy(1, ALL, 2))
    assert [it.flags(2, uid)[1] for uid in (2, 3, 4)] == [{"k1"}, {"k2"}, {"k3"}]
    assert it.found().overflow == {(2, 3): ("k2",), (2, 4): ("k3",)}
    it.ask(move(2, ALL, 3))
    assert [it.flags(3, uid)[1] for uid in (2, 3, 4)] == [{"k1"}, {"k2"}, {"k3"}]
    it.ask(asks.delete_mailbox(3))
    assert it.found().overflow == {}


@pytest.mark.parametrize("how", [copy, move])
def test_who_may_not_be_asked(how: object) -> None:
    it = account("Work", "Work/Old")
    it.ask(add(message(1)))
    it.ask(asks.delete_mailbox(2))
    assert it.refused(how(9, ALL, 1)) == "NONEXISTENT"  # type: ignore[operator]
    assert it.refused(how(1, ALL, 9)) == "TRYCREATE"  # type: ignore[operator]
    assert it.refused(how(1, ALL, 2)) == "TRYCREATE"  # type: ignore[operator]
    assert it.refused(how(1, [(5, 9)], 3)) == ""  # type: ignore[operator]


def test_a_change_too_large_is_refused_whole() -> None:
    it = with_messages(3, change_octets_max=2 * ENTRY_OCTETS)
    assert it.refused(copy(1, ALL, 2)) == "LIMIT"
    it.ask(copy(1, [(1, 2)], 2))
    assert it.uids(2) == [1, 2]


def test_a_copy_that_says_how_many_copies_all_of_them_or_none() -> None:
    it = with_messages(3)
    it.ask(expunge(1, [(2, 2)], whatever_flags=True))
    asked = copy(1, [(1, 3)], 2)
    asked.messages = 3
    assert it.refused(asked) == "EXPUNGEISSUED"
    assert it.uids(2) == []
    asked.messages = 2
    it.ask(asked)
    assert it.uids(2) == [1, 2]


def test_expunge_takes_what_is_deleted_of_what_is_asked_for() -> None:
    it = with_messages(5)
    it.ask(store(1, [(1, 1), (3, 5)], Store.ADD, DELETED))
    change = it.ask(expunge(1, [(1, 4)]))
    assert pairs(change.result.expunged) == pairs(change.touched.mailboxes[0].destroyed) == [(1, 1), (3, 4)]
    assert it.uids(1) == [2, 5]
    assert it.state.mailboxes[1].highest_modseq == change.position


def test_expunge_takes_whatever_is_asked_for_where_flags_do_not_count() -> None:
    it = with_messages(3)
    it.ask(expunge(1, [(2, 2)], whatever_flags=True))
    assert it.uids(1) == [1, 3]


def test_expunge_without_anything_to_take_changes_nothing() -> None:
    it = with_messages(3)
    assert it.refused(expunge(1)) == ""
    assert it.refused(expunge(9)) == "NONEXISTENT"


def test_uids_are_not_given_again_after_an_expunge() -> None:
    it = with_messages(3)
    it.ask(expunge(1, ALL, whatever_flags=True))
    it.ask(add(message(1)))
    assert it.uids(1) == [4]

"""The tree of mailboxes, RFC 9051 §6.3.4 - §6.3.7."""

import pytest

from mailnode.pb.change_pb2 import Change
from tests.mailbox.asks import (
    add,
    create,
    create_mailbox,
    delete_mailbox,
    message,
    rename_mailbox,
    subscribe,
)
from tests.mailbox.decider import Decider, account


def names(it: Decider) -> set[str]:
    return set(it.found().names())


def number(it: Decider, name: str) -> int:
    return it.found().names()[name]


# -- CREATE


def test_an_account_is_made_once_with_inbox_and_what_is_asked_subscribed() -> None:
    it = account("Sent", "Lists/Python")
    assert names(it) == {"INBOX", "Sent", "Lists", "Lists/Python"}
    assert it.state.subscribed == {"INBOX", "Sent", "Lists/Python"}
    assert it.refused(create("More")) == "ALREADYEXISTS"


def test_an_account_that_has_an_inbox_keeps_it() -> None:
    it = Decider()
    it.ask(create_mailbox("INBOX"))
    it.ask(add(message(1)))
    row = it.found().mailboxes[1]
    it.ask(create())
    assert it.found().mailboxes[1] == row


def test_missing_parents_are_made_too() -> None:
    it = account()
    change = it.ask(create_mailbox("a/b/c"))
    assert names(it) == {"INBOX", "a", "a/b", "a/b/c"}
    assert change.result.mailbox == number(it, "a/b/c")
    assert change.touched.list
    assert not any(row.noselect for row in it.found().mailboxes.values())


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("inbox", "ALREADYEXISTS"),
        ("Sent", "ALREADYEXISTS"),
        ("", "CANNOT"),
        ("a//b", "CANNOT"),
        ("/a", "CANNOT"),
        ("a/", "CANNOT"),
        ("a\r\nb", "CANNOT"),
        ("a\x7f", "CANNOT"),
        ("x" * 21, "CANNOT"),
        ("a/b/c/d", "CANNOT"),
        ("sent", ""),
        ("INBOX/Sub", ""),
        ("Süß/✓", ""),
    ],
)
def test_names_that_may_be_created(name: str, word: str) -> None:
    it = account("Sent", mailbox_depth_max=3, mailbox_name_octets_max=20)
    assert word == (it.refused(create_mailbox(name)) if word else it.ask(create_mailbox(name)).result.refused)


def test_mailboxes_are_bounded_parents_included() -> None:
    it = account("Sent", mailboxes_max=4)
    assert it.refused(create_mailbox("a/b/c")) == "LIMIT"
    it.ask(create_mailbox("a/b"))
    assert it.refused(create_mailbox("c")) == "LIMIT"


def test_a_special_use_has_one_mailbox() -> None:
    it = account()
    it.ask(create_mailbox("Sent", "\\Sent"))
    assert it.refused(create_mailbox("Gone", "\\Sent")) == "USEATTR"
    assert it.found().mailboxes[2].special_use == "\\Sent"


def test_uid_validities_rise_even_when_the_clock_falls() -> None:
    it = account("a", "b")
    it.now_microseconds -= 10**12
    it.ask(create_mailbox("c"))
    validities = [row.uid_validity for _, row in sorted(it.found().mailboxes.items())]
    assert validities == sorted(set(validities))


def test_a_name_that_comes_back_has_another_id_and_uid_validity() -> None:
    it = account("a")
    it.ask(add(message("a")))
    before = it.found().mailboxes[2]
    it.ask(delete_mailbox(2))
    it.ask(create_mailbox("a"))
    after = it.found().mailboxes[number(it, "a")]
    assert after.mailbox != before.mailbox and after.mailbox_id != before.mailbox_id
    assert after.uid_validity > before.uid_validity
    assert after.messages == 0


# -- DELETE


def test_a_mailbox_goes_with_its_messages() -> None:
    it = account("a")
    it.ask(add(message("a"), message("a"), message(1)))
    change = it.ask(delete_mailbox(2))
    assert names(it) == {"INBOX"} and len(it.found().entries) == 1
    assert [(t.mailbox, t.destroyed[0].first, t.destroyed[0].last) for t in change.touched.mailboxes] == [
        (2, 1, 2)
    ]
    assert it.refused(delete_mailbox(2)) == "NONEXISTENT"


def test_inbox_stays() -> None:
    assert account().refused(delete_mailbox(1)) == "CANNOT"


def test_a_mailbox_with_children_stays_as_a_name_that_cannot_be_selected() -> None:
    it = account("a", "a/b")
    it.ask(add(message("a")))
    change = it.ask(delete_mailbox(2))
    row = it.found().mailboxes[2]
    assert row.noselect and row.messages == 0 and row.highest_modseq == change.position
    assert it.refused(delete_mailbox(2)) == "HASCHILDREN"
    it.ask(delete_mailbox(3))
    it.ask(delete_mailbox(2))
    assert names(it) == {"INBOX"}


def test_a_name_that_cannot_be_selected_becomes_a_mailbox_again_without_its_past() -> None:
    it = account("a", "a/b")
    it.ask(add(message("a")))
    before = it.found().mailboxes[2]
    it.ask(delete_mailbox(2))
    it.ask(create_mailbox("a"))
    after = it.found().mailboxes[2]
    assert not after.noselect and after.uid_validity > before.uid_validity
    assert after.uid_next >= before.uid_next


# -- RENAME


def test_a_tree_moves_with_the_row_of_its_root() -> None:
    it = account("a", "a/b", "a/b/c", "ab")
    it.ask(add(message("a/b")))
    before = it.found().mailboxes[number(it, "a/b")]
    change = it.ask(rename_mailbox(number(it, "a"), "x/y"))
    assert names(it) == {"INBOX", "x", "x/y", "x/y/b", "x/y/b/c", "ab"}
    assert it.found().mailboxes[number(it, "x/y/b")] == before
    assert len(change.mailboxes) == 2, "the new parent and the root"


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("b", "ALREADYEXISTS"),
        ("a", "ALREADYEXISTS"),
        ("Inbox", "ALREADYEXISTS"),
        ("a/below", "CANNOT"),
        ("a/sub/below", "CANNOT"),
        ("x//y", "CANNOT"),
        ("", "CANNOT"),
        ("ab", ""),
        ("b/a", ""),
        ("INBOX/a", ""),
    ],
)
def test_names_that_a_mailbox_may_get(name: str, word: str) -> None:
    it = account("a", "b", "a/sub")
    ask = rename_mailbox(2, name)
    assert word == (it.refused(ask) if word else it.ask(ask).result.refused)


def test_a_missing_mailbox_is_not_renamed() -> None:
    assert account().refused(rename_mailbox(9, "x")) == "NONEXISTENT"


def test_no_tree_grows_deeper_or_longer_than_a_name_may_be() -> None:
    it = account("a/b/c", "x/y", mailbox_depth_max=4, mailbox_name_octets_max=12)
    assert it.refused(rename_mailbox(number(it, "a"), "x/y/a")) == "CANNOT"
    it.ask(rename_mailbox(number(it, "a"), "x/a"))
    assert "x/a/b/c" in names(it)
    assert it.refused(rename_mailbox(number(it, "x"), "1234567")) == "CANNOT"
    it.ask(rename_mailbox(number(it, "x"), "123456"))


@pytest.mark.parametrize("mailbox", [1, 2])
def test_mailboxes_are_bounded_when_one_is_renamed(mailbox: int) -> None:
    it = account("a", mailboxes_max=4)
    assert it.refused(rename_mailbox(mailbox, "x/y/z/w")) == "LIMIT"
    it.ask(rename_mailbox(mailbox, "x/y"))
    assert len(names(it)) == (4 if mailbox == 1 else 3)


def test_renaming_inbox_moves_its_messages_to_a_new_mailbox() -> None:
    it = account("INBOX/Sub")
    it.ask(add(message(1, keywords=["k"], message_id=b"<1@x>"), message(1, message_id=b"<2@x>")))
    before = it.found().mailboxes[1]
    change = it.ask(rename_mailbox(1, "Old/Mail"))
    found = it.found()
    assert set(found.names()) == {"INBOX", "INBOX/Sub", "Old", "Old/Mail"}
    target = number(it, "Old/Mail")
    assert [found.message(target, uid).tag for uid in it.uids(target)] == [b"<1@x>", b"<2@x>"]
    assert it.flags(target, 1)[1] == {"k"}
    assert it.uids(1) == []
    inbox = found.mailboxes[1]
    assert (inbox.uid_validity, inbox.uid_next, inbox.mailbox_id) == (
        before.uid_validity,
        before.uid_next,
        before.mailbox_id,
    )
    touched = {t.mailbox: t for t in change.touched.mailboxes}
    assert (touched[1].destroyed[0].first, touched[1].destroyed[0].last) == (1, 2)
    assert (touched[target].created[0].first, touched[target].created[0].last) == (1, 2)


def test_renaming_an_empty_inbox_makes_an_empty_mailbox() -> None:
    it = account()
    it.ask(rename_mailbox(1, "Old"))
    assert names(it) == {"INBOX", "Old"}
    assert it.refused(rename_mailbox(1, "inbox/below")) == "CANNOT"


# -- SUBSCRIBE


def test_a_name_is_subscribed_whether_it_is_there_or_not() -> None:
    it = account()
    it.ask(subscribe("Nowhere"))
    it.ask(subscribe("inbox/Sub"))
    assert it.found().subscribed == {"INBOX", "Nowhere", "INBOX/Sub"}
    it.ask(subscribe("Inbox", False))
    assert it.found().subscribed == {"Nowhere", "INBOX/Sub"}


def test_what_is_so_already_takes_no_position() -> None:
    it = account()
    assert it.refused(subscribe("inbox")) == ""
    assert it.refused(subscribe("Nowhere", False)) == ""


def test_subscriptions_are_bounded_and_names_valid() -> None:
    it = account(mailboxes_max=1)
    assert it.refused(subscribe("a//b")) == "CANNOT"
    it.ask(subscribe("a"))
    assert it.refused(subscribe("b")) == "LIMIT"


def test_a_subscription_outlives_its_mailbox() -> None:
    it = account("a")
    it.ask(delete_mailbox(2))
    assert "a" in it.found().subscribed


def test_changes_of_the_list_are_told_as_such() -> None:
    it = account("a")
    asks = (create_mailbox("b"), rename_mailbox(2, "c"), delete_mailbox(2), subscribe("x"))
    assert [it.ask(ask).touched.list for ask in asks] == [True] * 4
    assert not it.ask(add(message(1))).touched.list


def test_mailboxes_in_flight_can_be_used() -> None:
    it = account()
    changes: list[Change] = [it.leave_open(create_mailbox("new"))]
    changes.append(it.leave_open(add(message("new"))))
    assert it.refused(create_mailbox("new")) == "ALREADYEXISTS"
    changes.append(it.leave_open(rename_mailbox(2, "newer")))
    changes.append(it.leave_open(delete_mailbox(2)))
    assert it.refused(add(message("newer"))) == "TRYCREATE"
    for change in changes:
        it.commit(change)
    assert names(it) == {"INBOX"} and it.found().entries == {}

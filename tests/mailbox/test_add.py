"""What enters an account: all messages or none, in order, under names and threads that last."""

import pytest

from mailnode.mailbox.rows import ANSWERED, DELETED, DRAFT, FLAGGED, OVERFLOW, SEEN
from mailnode.store import keys
from mailnode.store.keys import Due, Family
from tests.mailbox import asks
from tests.mailbox.asks import add, message
from tests.mailbox.decider import NOW, account


def test_uids_rise_in_the_order_of_the_messages_by_mailbox() -> None:
    it = account("Sent")
    boxes: list[int | str] = [1, 2, 1, "Sent"]
    change = it.ask(add(*(message(box, message_id=b"<%d@x>" % n) for n, box in enumerate(boxes))))
    assert [(added.mailbox, added.uid) for added in change.result.added] == [(1, 1), (2, 1), (1, 2), (2, 2)]
    found = it.found()
    assert {found.message(*at).tag for at in found.entries} == {b"<0@x>", b"<1@x>", b"<2@x>", b"<3@x>"}
    assert [(t.mailbox, t.created[0].first, t.created[0].last) for t in change.touched.mailboxes] == [
        (1, 1, 2),
        (2, 1, 2),
    ]


def test_a_name_of_inbox_counts_in_any_case() -> None:
    it = account("INBOX/Sub")
    it.ask(add(message("inBox"), message("inbox/Sub")))
    assert (it.uids(1), it.uids(2)) == ([1], [1])


@pytest.mark.parametrize("target", [7, "Nowhere", "Sent/Nowhere", ""])
def test_a_missing_mailbox_refuses_all_messages(target: int | str) -> None:
    it = account("Sent")
    assert it.refused(add(message(1), message(target))) == "TRYCREATE"
    assert it.uids(1) == []


def test_inbox_stands_in_for_a_missing_mailbox_where_that_is_asked() -> None:
    it = account()
    it.ask(add(message("Nowhere", inbox_stands_in=True), message(9, inbox_stands_in=True)))
    assert it.uids(1) == [1, 2]


def test_inbox_stands_in_for_a_mailbox_that_cannot_be_selected() -> None:
    it = account("Work", "Work/Old")
    it.ask(asks.delete_mailbox(2))
    assert it.refused(add(message(2))) == "TRYCREATE"
    it.ask(add(message("Work", inbox_stands_in=True)))
    assert it.uids(1) == [1]


def test_an_account_that_was_never_made_takes_nothing() -> None:
    it = account()
    it.state.mailboxes.clear()
    it.state.tree.clear()
    assert it.refused(add(message("INBOX", inbox_stands_in=True))) == "TRYCREATE"


def test_only_system_flags_come_from_the_flags_of_a_message() -> None:
    it = account()
    it.ask(add(message(flags=2**64 - 1)))
    assert it.flags(1, 1) == (ANSWERED | FLAGGED | DELETED | SEEN | DRAFT, set())


def test_keywords_keep_their_case_and_match_without_it() -> None:
    it = account()
    it.ask(add(message(keywords=["$Junk", "Work"]), message(keywords=["WORK", "$junk", "$JUNK"])))
    assert it.flags(1, 2) == (0, {"$Junk", "Work"})


def test_a_keyword_without_a_bit_is_kept_beside_the_entry_once() -> None:
    it = account()
    it.ask(add(message(keywords=[f"k{n}" for n in range(58)])))
    it.ask(add(message(keywords=["k1", "Late", "LATE", "later"])))
    assert it.flags(1, 2) == (0, {"k1", "Late", "later"})
    assert it.found().entries[1, 2].flags & OVERFLOW


def test_dates_are_those_asked_for_or_now() -> None:
    it = account()
    ask = add(message(), message())
    ask.messages[0].internal_date = 99
    it.ask(ask)
    entries = it.found().entries
    assert [entries[1, uid].internal_date for uid in (1, 2)] == [99, NOW]
    assert [entries[1, uid].save_date for uid in (1, 2)] == [NOW, NOW]


def test_a_mail_without_a_date_was_sent_when_it_came() -> None:
    it = account()
    ask = add(message(), message())
    ask.messages[0].mail.sent = 99
    it.ask(ask)
    assert [mail.sent for _, mail in sorted(it.found().mails.items())] == [99, NOW]


def test_mail_ids_rise_even_when_the_clock_falls() -> None:
    it = account()
    ids = [it.ask(add(message(), message())).result.added[n].mail for n in (0, 1)]
    it.now_microseconds -= 10**9
    ids.append(it.ask(add(message())).result.added[0].mail)
    assert ids[0] >= NOW * 1_000_000
    assert len(it.found().mails) == 5
    assert sorted(it.found().mails)[-1] == ids[-1] == it.state.row.mail_last


def test_a_message_that_came_in_chunks_is_due_no_more() -> None:
    it = account()
    upload = it.decide(asks.upload(77, 0, message(body=b"long").octets))
    it.commit(upload)  # type: ignore[arg-type]
    due = keys.due(asks.ACCOUNT, Due.UPLOAD, 77, b"")
    assert it.shard.get(Family.DUE, due) == b""
    assert it.state.row.position == 1, "a chunk takes no position"
    it.ask(add(asks.uploaded(message(body=b"long"), 77)))
    assert it.shard.get(Family.DUE, due) is None
    it.found()


THREADS = [
    pytest.param([(b"a", ()), (b"b", (b"a",))], [0, 0], id="an answer joins"),
    pytest.param([(b"a", ()), (b"b", ())], [0, 1], id="strangers do not"),
    pytest.param([(b"b", (b"a",)), (b"a", ())], [0, 0], id="what was answered comes later"),
    pytest.param([(b"b", (b"x",)), (b"c", (b"x",))], [0, 0], id="both answer what never came"),
    pytest.param([(b"a", ()), (b"b", ()), (b"c", (b"a", b"b"))], [0, 1, 1], id="the nearest decides"),
    pytest.param([(b"a", (b"a",))], [0], id="one answers itself"),
    pytest.param([(b"a", (b"x", b"x", b"a")), (b"", (b"x",))], [0, 0], id="one is named twice"),
    pytest.param([(b"", ()), (b"", ())], [0, 1], id="no Message-ID, no thread"),
    pytest.param([(b"a", ()), (b"a", ())], [0, 0], id="the same mail again"),
]


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(("mails", "threads"), THREADS)
def test_a_mail_joins_the_thread_of_its_nearest_known_relative(
    mails: list[tuple[bytes, tuple[bytes, ...]]], threads: list[int], at_once: bool
) -> None:
    it = account()
    messages = [message(message_id=tag, references=references) for tag, references in mails]
    for part in [messages] if at_once else [[each] for each in messages]:
        it.ask(add(*part))
    found = [mail for _, mail in sorted(it.found().mails.items())]
    assert [mail.thread for mail in found] == [found[thread].mail for thread in threads]


def test_mails_in_flight_are_relatives_too() -> None:
    it = account()
    first = it.leave_open(add(message(message_id=b"a")))
    second = it.leave_open(add(message(message_id=b"b", references=[b"a"])))
    it.commit(first)
    it.commit(second)
    assert len({mail.thread for mail in it.found().mails.values()}) == 1

"""A mailbox whose UIDs come to their end (RFC 9051 §2.3.1.1) takes no more, and what it has stays usable."""

from typing import Any

import pytest

from mailnode.mailbox.rows import DELETED, SEEN
from mailnode.pb.change_pb2 import Store
from tests.mailbox.asks import ALL, add, copy, expunge, message, move, store
from tests.mailbox.decider import Decider, account

LAST = 2**32 - 2
"""UIDNEXT must be a UID that could come: the very last number is never given."""


def with_uids_left(count: int) -> Decider:
    """INBOX has so many left; Other, mailbox 2, has three messages."""
    it = account("Other")
    it.ask(add(*(message("Other", message_id=b"<%d@x>" % number) for number in range(3))))
    it.state.mailboxes[1].uid_next = LAST - count
    it.ask(add(message()))
    it.ask(expunge(1, ALL, whatever_flags=True))
    return it


def test_the_last_uids_are_given_and_then_none() -> None:
    it = with_uids_left(2)
    for uid in (LAST - 1, LAST):
        assert it.ask(add(message())).result.added[0].uid == uid
    assert it.refused(add(message())) == "LIMIT"
    assert it.state.mailboxes[1].uid_next == LAST + 1 == 2**32 - 1
    assert it.uids(1) == [LAST - 1, LAST]


@pytest.mark.parametrize("ask", [add(message(), message()), copy(2, ALL, 1), move(2, ALL, 1)])
def test_more_than_are_left_are_refused_whole(ask: Any) -> None:
    it = with_uids_left(1)
    assert it.refused(ask) == "LIMIT"
    assert (it.uids(1), it.uids(2)) == ([], [1, 2, 3])
    it.ask(copy(2, [(2, 2)], 1))
    assert it.uids(1) == [LAST]


def test_messages_with_the_last_uids_are_stored_moved_and_expunged() -> None:
    it = with_uids_left(3)
    it.ask(move(2, ALL, 1))
    change = it.ask(store(1, [(LAST, 2**32 - 1)], Store.ADD, SEEN))
    assert [(r.first, r.last) for r in change.touched.mailboxes[0].modified] == [(LAST, LAST)]
    it.ask(store(1, ALL, Store.ADD, DELETED))
    it.ask(move(1, [(LAST - 2, LAST - 2)], 2))
    it.ask(expunge(1, [(LAST, LAST)]))
    assert (it.uids(1), it.uids(2)) == ([LAST - 1], [4])


def test_those_in_flight_count() -> None:
    it = with_uids_left(2)
    open_changes = [it.leave_open(add(message())), it.leave_open(copy(2, [(1, 1)], 1))]
    assert it.refused(add(message())) == "LIMIT"
    for change in open_changes:
        it.commit(change)
    assert it.uids(1) == [LAST - 1, LAST]

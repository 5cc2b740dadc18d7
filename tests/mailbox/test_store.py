"""STORE, RFC 9051 §6.4.6, with keywords that find a bit, or none, and UNCHANGEDSINCE, RFC 7162 §3.1.3."""

from collections.abc import Sequence

import pytest

from mailnode.mailbox.rows import DELETED, FLAGGED, OVERFLOW, SEEN
from mailnode.pb.change_pb2 import Result, Store
from tests.mailbox.asks import ALL, add, copy, expunge, message, move, store
from tests.mailbox.decider import Decider, account

REPLACE, ADD, REMOVE = Store.REPLACE, Store.ADD, Store.REMOVE
BITS = [f"k{n}" for n in range(58)]
"""A keyword for each bit."""


def with_messages(*flags: int, keywords: Sequence[str] = ()) -> Decider:
    it = account("Other")
    it.ask(add(*(message(flags=each, keywords=keywords, message_id=b"<m>") for each in flags)))
    return it


MODES = [
    (SEEN, ["a", "b"], REPLACE, FLAGGED, ["c"], FLAGGED, {"c"}),
    (SEEN, ["a", "b"], REPLACE, 0, [], 0, set()),
    (SEEN, ["a", "b"], ADD, FLAGGED, ["B", "c"], SEEN | FLAGGED, {"a", "b", "c"}),
    (SEEN, ["a", "b"], REMOVE, SEEN | FLAGGED, ["A", "z"], 0, {"b"}),
    (SEEN, ["a"], ADD, OVERFLOW | 1 << 62, [], None, None),
    (SEEN, ["a"], REPLACE, SEEN, ["A"], None, None),
    (SEEN, ["a"], ADD, SEEN, ["A"], None, None),
    (SEEN, ["a"], REMOVE, FLAGGED, ["z"], None, None),
]


@pytest.mark.parametrize(("old", "named", "mode", "flags", "keywords", "new", "left"), MODES)
def test_flags_after_a_store(
    old: int,
    named: list[str],
    mode: Store.Mode,
    flags: int,
    keywords: list[str],
    new: int | None,
    left: set[str] | None,
) -> None:
    it = with_messages(old, keywords=named)
    ask = store(1, ALL, mode, flags, keywords)
    if new is None:
        assert it.refused(ask) == ""
        new, left = old, set(named)
    else:
        it.ask(ask)
    assert it.flags(1, 1) == (new, left)


def test_only_messages_that_differ_are_stamped_and_told() -> None:
    it = with_messages(SEEN, 0, SEEN, 0, 0)
    change = it.ask(store(1, [(4, 9), (1, 3)], ADD, SEEN))
    assert [(r.first, r.last) for r in change.touched.mailboxes[0].modified] == [(2, 2), (4, 5)]
    entries = it.found().entries
    assert [entries[1, uid].modified for uid in range(1, 6)] == [2, 3, 2, 3, 3]
    assert it.state.mailboxes[1].highest_modseq == change.position == 3


def test_counters_follow() -> None:
    it = with_messages(0, SEEN, DELETED, SEEN | DELETED)
    it.ask(store(1, ALL, REPLACE, SEEN))
    assert (it.found().mailboxes[1].unseen, it.found().mailboxes[1].deleted) == (0, 0)
    it.ask(store(1, [(2, 3)], REPLACE, DELETED))
    assert (it.found().mailboxes[1].unseen, it.found().mailboxes[1].deleted) == (2, 2)


@pytest.mark.parametrize("uids", [[], [(7, 9)], [(3, 2)]])
def test_nothing_asked_for_is_there(uids: list[tuple[int, int]]) -> None:
    it = with_messages(0)
    assert it.refused(store(1, uids, ADD, SEEN)) == ""


def test_a_missing_mailbox_is_refused() -> None:
    assert account().refused(store(9, ALL, ADD, SEEN)) == "NONEXISTENT"


def test_a_store_without_effect_gives_back_the_bits_that_it_took() -> None:
    it = with_messages()
    assert it.refused(store(1, ALL, ADD, 0, ["new"])) == ""
    assert list(it.state.mailboxes[1].keywords) == []


def test_bits_that_no_entry_carries_are_taken_for_new_keywords() -> None:
    it = with_messages(0, 0, keywords=BITS)
    it.ask(store(1, ALL, REMOVE, 0, ["k3", "k7"]))
    it.ask(store(1, [(1, 1)], ADD, 0, ["fresh", "fresher"]))
    assert it.flags(1, 1)[1] == set(BITS) - {"k3", "k7"} | {"fresh", "fresher"}
    assert it.flags(1, 2)[1] == set(BITS) - {"k3", "k7"}


def test_bits_that_messages_in_flight_carry_are_not_taken() -> None:
    it = with_messages(0, keywords=BITS)
    open_changes = [
        it.leave_open(add(message(keywords=["k3"]))),
        it.leave_open(store(1, [(1, 1)], REMOVE, 0, ["k3", "k4"])),
        it.leave_open(store(1, [(1, 1)], ADD, 0, ["fresh"])),
    ]
    assert it.refused(store(1, [(1, 1)], ADD, 0, ["one more"])) == "LIMIT"
    for change in open_changes:
        it.commit(change)
    assert it.flags(1, 2)[1] == {"k3"}


def test_without_a_bit_left_a_store_is_refused_and_changes_nothing() -> None:
    it = with_messages(0, 0, keywords=BITS)
    before = list(it.state.mailboxes[1].keywords)
    for mode in (ADD, REPLACE):
        assert it.refused(store(1, [(1, 1)], mode, SEEN, ["k1", "new"])) == "LIMIT"
    assert list(it.state.mailboxes[1].keywords) == before
    assert it.flags(1, 1) == (0, set(BITS))


def overflowing() -> Decider:
    """All bits of INBOX are taken; message 2 has two keywords beside them."""
    it = with_messages(0, keywords=BITS)
    it.ask(add(message(keywords=["k0", "Extra", "Other"])))
    return it


def test_a_keyword_beside_the_bits_can_be_taken_away() -> None:
    it = overflowing()
    it.ask(store(1, [(2, 2)], REMOVE, 0, ["eXtra"]))
    assert it.flags(1, 2)[1] == {"k0", "Other"}
    it.ask(store(1, [(2, 2)], REMOVE, 0, ["other"]))
    assert it.flags(1, 2)[1] == {"k0"}
    assert not it.found().entries[1, 2].flags & OVERFLOW


def test_replacing_flags_takes_keywords_beside_the_bits_away_too() -> None:
    it = overflowing()
    it.ask(store(1, [(2, 2)], REPLACE, SEEN, ["k5"]))
    assert it.flags(1, 2) == (SEEN, {"k5"})


def test_other_flags_leave_keywords_beside_the_bits_alone() -> None:
    it = overflowing()
    it.ask(store(1, [(2, 2)], ADD, SEEN, ["k9"]))
    assert it.flags(1, 2) == (SEEN, {"k0", "k9", "Extra", "Other"})


@pytest.mark.parametrize("mode", [ADD, REPLACE])
def test_a_keyword_beside_the_bits_moves_to_its_bit_when_it_is_stored(mode: Store.Mode) -> None:
    it = overflowing()
    it.ask(store(1, [(1, 1)], REMOVE, 0, ["k7"]))
    it.ask(store(1, ALL, mode, 0, ["Extra"]))
    kept = {"k0", "Other"} if mode == ADD else set()
    assert it.flags(1, 2)[1] == kept | {"Extra"}, "twice"


def test_unchanged_since_passes_over_what_changed_later_and_names_it() -> None:
    it = with_messages(0, 0, 0, 0)
    it.ask(store(1, [(2, 3)], ADD, FLAGGED))
    change = it.ask(store(1, ALL, ADD, SEEN, unchanged_since=2))
    assert [(r.first, r.last) for r in change.result.modified] == [(2, 3)]
    assert [it.flags(1, uid)[0] for uid in (1, 2, 3, 4)] == [SEEN, FLAGGED, FLAGGED, SEEN]


def test_unchanged_since_may_leave_nothing_to_do() -> None:
    it = with_messages(0, 0)
    result = it.decide(store(1, ALL, ADD, SEEN, unchanged_since=0))
    assert isinstance(result, Result) and not result.refused
    assert [(r.first, r.last) for r in result.modified] == [(1, 2)]
    assert result.position == 2


def test_what_is_in_flight_counts() -> None:
    it = with_messages(0)
    open_changes = [
        it.leave_open(add(message(message_id=b"new"))),
        it.leave_open(store(1, ALL, ADD, SEEN)),
        it.leave_open(store(1, [(2, 2)], ADD, FLAGGED)),
        it.leave_open(expunge(1, [(1, 1)], whatever_flags=True)),
    ]
    assert it.refused(store(1, ALL, ADD, SEEN | FLAGGED)) == ""
    open_changes.append(it.leave_open(move(1, ALL, 2)))
    assert it.refused(copy(1, ALL, 2)) == ""
    for change in open_changes:
        it.commit(change)
    assert (it.uids(1), it.uids(2), it.flags(2, 1)) == ([], [1], (SEEN | FLAGGED, set()))

"""The judge itself: each broken promise is seen, and nothing else is."""

from collections.abc import Callable

import pytest

from tests.crash.ledger import Change, Copy, Entry, Key, Ledger, Observation, Promise, Seen
from tests.crash.tree import Rearrangement, moved, with_parents

ACCOUNT = "a@example.test"
CONTENT = b"Message-ID: <m>\r\n\r\nhello\r\n"
M, N = Key(ACCOUNT, "m"), Key(ACCOUNT, "n")
INBOX, TRASH, SEEN = Copy("INBOX"), Copy("Trash"), Copy("INBOX", frozenset({"\\Seen"}))


def shown(*mailboxes: tuple[str, dict[int, Entry]], validity: int = 9, uid_next: int = 50) -> Observation:
    return {ACCOUNT: {name: Seen(validity, uid_next, entries) for name, entries in mailboxes}}


def entry(copy: Copy, message_id: str = "m", octets: bytes = b"") -> Entry:
    return Entry(message_id, copy.flags, octets)


def delivered(ledger: Ledger, *keys: Key) -> None:
    for key in keys:
        ledger.acknowledge(ledger.attempt("deliver", [key], CONTENT, INBOX, exact=False))


def under_way(ledger: Ledger, kind: str, changes: dict[Key, Change]) -> None:
    ledger.begin(Promise(kind, changes, atomic=kind in ("copy", "move")))


def done(ledger: Ledger, kind: str, changes: dict[Key, Change]) -> None:
    ledger.acknowledge(ledger.begin(Promise(kind, changes, atomic=False)))


STORED = Change(frozenset({INBOX}), frozenset({SEEN}))
MOVED = Change(frozenset({INBOX}), frozenset({TRASH}))
COPIED = Change(frozenset(), frozenset({TRASH}))
EXPUNGED = Change(frozenset({INBOX}), frozenset())

EMPTY = shown(("INBOX", {}), ("Trash", {}))
IN_INBOX = shown(("INBOX", {1: entry(INBOX)}), ("Trash", {}))
IN_INBOX_SEEN = shown(("INBOX", {1: entry(SEEN)}), ("Trash", {}))
IN_TRASH = shown(("INBOX", {}), ("Trash", {1: entry(TRASH)}))
IN_BOTH = shown(("INBOX", {1: entry(INBOX)}), ("Trash", {1: entry(TRASH)}))
TWICE = shown(("INBOX", {1: entry(INBOX), 2: entry(INBOX)}), ("Trash", {}))


def judged(observation: Observation, *acts: Callable[[Ledger], None]) -> list[str]:
    ledger = Ledger()
    delivered(ledger, M)
    for act in acts:
        act(ledger)
    ledger.judge(observation)
    return ledger.violations


@pytest.mark.parametrize(
    ("kind", "change", "answered", "kept"),
    [
        ("store", STORED, True, [IN_INBOX_SEEN]),
        ("store", STORED, False, [IN_INBOX, IN_INBOX_SEEN]),
        ("move", MOVED, True, [IN_TRASH]),
        ("move", MOVED, False, [IN_INBOX, IN_TRASH]),
        ("copy", COPIED, True, [IN_BOTH]),
        ("copy", COPIED, False, [IN_INBOX, IN_BOTH]),
        ("expunge", EXPUNGED, True, [EMPTY]),
        ("expunge", EXPUNGED, False, [IN_INBOX, EMPTY]),
    ],
)
def test_an_answered_command_leaves_one_world_and_a_cut_off_one_two(
    kind: str, change: Change, answered: bool, kept: list[Observation]
) -> None:
    act = done if answered else under_way
    for observation in (EMPTY, IN_INBOX, IN_INBOX_SEEN, IN_TRASH, IN_BOTH, TWICE):
        violations = judged(observation, lambda ledger: act(ledger, kind, {M: change}))
        assert bool(violations) == (observation not in kept), observation


def test_an_unanswered_delivery_may_be_there_once() -> None:
    for observation, wrong in ((EMPTY, 0), (IN_INBOX, 0), (TWICE, 1)):
        ledger = Ledger()
        ledger.attempt("deliver", [M], CONTENT, INBOX, exact=False)
        ledger.judge(observation)
        assert len(ledger.violations) == wrong, ledger.violations


def test_an_unanswered_delivery_that_a_client_was_shown_must_stay() -> None:
    ledger = Ledger()
    ledger.attempt("deliver", [M], CONTENT, INBOX, exact=False)
    ledger.saw_arrival(ACCOUNT, "INBOX", 1, "m")
    ledger.judge(EMPTY)
    assert "nowhere" in ledger.violations[0]


def test_an_unanswered_move_that_a_client_was_shown_must_stay() -> None:
    for mailbox, uid, wrong in (("Trash", 7, 1), ("INBOX", 1, 0), ("Trash", 6, 0)):
        ledger = Ledger()
        delivered(ledger, M)
        ledger.saw(ACCOUNT, "INBOX", 1, "m")
        ledger.saw(ACCOUNT, "Trash", 6, "m")  # it was there once, a session may not know that it left
        under_way(ledger, "move", {M: MOVED})
        ledger.saw_arrival(ACCOUNT, mailbox, uid, "m")
        ledger.judge(IN_INBOX)
        assert len(ledger.violations) == wrong


def test_what_was_found_after_one_kill_is_promised_at_the_next() -> None:
    ledger = Ledger()
    ledger.attempt("deliver", [M], CONTENT, INBOX, exact=False)
    ledger.judge(IN_INBOX)
    ledger.judge(IN_INBOX)
    assert not ledger.violations
    ledger.judge(EMPTY)
    assert len(ledger.violations) == 1


@pytest.mark.parametrize(
    ("second", "told"),
    [
        (shown(("INBOX", {1: entry(INBOX, "n"), 2: entry(INBOX)})), "UID 1 was <m>, now it is <n>"),
        (shown(("INBOX", {1: entry(INBOX), 4: entry(INBOX, "n")})), "UID 4 is new below 50"),
        (shown(("INBOX", {1: entry(INBOX), 50: entry(INBOX, "n")}), uid_next=49), "UIDNEXT fell"),
        (shown(("INBOX", {1: entry(INBOX), 50: entry(INBOX, "n")}), uid_next=50), "UIDNEXT fell"),
        (shown(("INBOX", {1: entry(INBOX), 50: entry(INBOX, "n")}), validity=8, uid_next=51), "UIDVALIDITY"),
        (shown(("INBOX", {1: entry(INBOX), 50: entry(INBOX, "x")}), uid_next=51), "<x> was never sent"),
    ],
)
def test_uids_mean_the_same_for_ever(second: Observation, told: str) -> None:
    ledger = Ledger()
    delivered(ledger, M)
    ledger.judge(shown(("INBOX", {1: entry(INBOX)})))
    assert not ledger.violations
    delivered(ledger, N)
    ledger.judge(second)
    assert any(told in violation for violation in ledger.violations), ledger.violations


def test_a_uid_of_an_expunged_message_is_never_given_again() -> None:
    ledger = Ledger()
    delivered(ledger, M, N)
    ledger.saw(ACCOUNT, "INBOX", 1, "m")
    done(ledger, "expunge", {M: EXPUNGED})
    ledger.judge(shown(("INBOX", {1: entry(INBOX, "n")})))
    assert "UID 1 was <m>, now it is <n>" in ledger.violations[0]


def test_a_copy_or_move_is_done_for_all_or_for_none() -> None:
    for kind, wrong in (("move", 1), ("store", 0)):
        ledger = Ledger()
        delivered(ledger, M, N)
        under_way(ledger, kind, {M: MOVED, N: MOVED})
        ledger.judge(shown(("INBOX", {1: entry(INBOX)}), ("Trash", {1: entry(TRASH, "n")})))
        assert len(ledger.violations) == wrong
        assert ledger.unanswered[f"{kind}: torn"] == 1


def test_octets_are_those_that_were_sent_and_stay_so() -> None:
    for first, second, wrong in (
        (b"Received: x\r\n" + CONTENT, b"Received: x\r\n" + CONTENT, 0),
        (b"Received: x\r\n" + CONTENT, b"Received: y\r\n" + CONTENT, 1),
        (CONTENT[:-1], CONTENT[:-1], 1),
    ):
        ledger = Ledger()
        delivered(ledger, M)
        ledger.judge(shown(("INBOX", {1: entry(INBOX, octets=first)})))
        ledger.judge(shown(("INBOX", {1: entry(INBOX, octets=second)})))
        assert len(ledger.violations) == wrong, ledger.violations


CREATED = Rearrangement("create", ACCOUNT, come=frozenset({"Own"}))
RENAMED = Rearrangement("rename", ACCOUNT, moved={"Own": "New"})
DELETED = Rearrangement("delete", ACCOUNT, gone=frozenset({"Own"}))
OWN, NEW = Copy("Own"), Copy("New")
IN_OWN = shown(("INBOX", {}), ("Own", {1: entry(OWN)}))
IN_NEW = shown(("INBOX", {}), ("New", {1: entry(NEW)}))
EMPTIED = shown(("INBOX", {}), ("Own", {}))
NO_OWN = shown(("INBOX", {}))


def rearranging(ledger: Ledger, change: Rearrangement, messages: dict[Key, Change]) -> Promise:
    return ledger.begin(Promise(change.kind, messages, atomic=True, rearrangement=change))


@pytest.mark.parametrize(
    ("change", "message", "answered", "kept"),
    [
        (RENAMED, Change(frozenset({OWN}), frozenset({NEW})), True, [IN_NEW]),
        (RENAMED, Change(frozenset({OWN}), frozenset({NEW})), False, [IN_OWN, IN_NEW]),
        (DELETED, Change(frozenset({OWN}), frozenset()), True, [NO_OWN]),
        (DELETED, Change(frozenset({OWN}), frozenset()), False, [IN_OWN, NO_OWN]),
    ],
)
def test_a_mailbox_is_renamed_or_deleted_with_all_that_is_in_it_or_not_at_all(
    change: Rearrangement, message: Change, answered: bool, kept: list[Observation]
) -> None:
    for observation in (IN_OWN, IN_NEW, EMPTIED, NO_OWN):
        ledger = Ledger()
        ledger.acknowledge(rearranging(ledger, CREATED, {}))
        ledger.acknowledge(ledger.attempt("append", [M], CONTENT, OWN, exact=True))
        ledger.saw_status(ACCOUNT, "Own", 9, 1)
        promise = rearranging(ledger, change, {M: message})
        if answered:
            ledger.acknowledge(promise)
        ledger.judge(observation)
        assert bool(ledger.violations) == (observation not in kept), (observation, ledger.violations)


def test_a_mailbox_that_was_created_stays_and_one_cut_off_may() -> None:
    for answered, wrong in ((True, 1), (False, 0)):
        ledger = Ledger()
        promise = rearranging(ledger, CREATED, {})
        if answered:
            ledger.acknowledge(promise)
        ledger.judge(NO_OWN)
        assert len(ledger.violations) == wrong


def test_another_mailbox_of_a_name_has_another_uid_validity() -> None:
    for validity, wrong in ((9, 1), (10, 0)):
        ledger = Ledger()
        ledger.acknowledge(rearranging(ledger, CREATED, {}))
        ledger.saw_status(ACCOUNT, "Own", 9, 1)
        ledger.acknowledge(rearranging(ledger, DELETED, {}))
        ledger.acknowledge(rearranging(ledger, CREATED, {}))
        ledger.judge({ACCOUNT: {"Own": Seen(validity, 1, {})}})
        assert len(ledger.violations) == wrong, ledger.violations


def test_renaming_takes_what_is_below_along_and_creating_makes_what_is_above() -> None:
    names = frozenset({"Own", "Own/x", "Owner"})
    assert moved(names, "Own", "New/y") == {"Own": "New/y", "Own/x": "New/y/x"}
    assert with_parents("a/b/c") == {"a", "a/b", "a/b/c"}

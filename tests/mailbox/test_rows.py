"""Rows are a pure function of a change, and all changes together make the account that is read back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailnode.mailbox.rows import ENTRY, ENTRY_OCTETS, longs, rows, uids_of, words
from mailnode.mailbox.rows import MAIL as MAIL_COLUMN
from mailnode.mailbox.rows import SIZE as SIZE_COLUMN
from mailnode.mailbox.rows import UID as UID_COLUMN
from mailnode.pb.change_pb2 import Change, Trim
from mailnode.store import keys
from mailnode.store.formats import FORMAT
from mailnode.store.keys import FAMILIES, Family
from mailnode.store.shard import DropTo
from tests.mailbox import asks
from tests.mailbox.asking import Asking
from tests.mailbox.decider import Decider
from tests.mailbox.found import check
from tests.store.faulty_shard import FaultyShard


class Known:
    """As much as `Asking` wants to know."""

    def __init__(self) -> None:
        self.position = 0
        self.tags: list[bytes] = []


def decided(seed_dice: object, count: int) -> Decider:
    """An account after that many intents of all kinds."""
    known = Known()
    it = Decider()
    asking = Asking(seed_dice, known, it.expunged)  # type: ignore[arg-type]
    for number in range(1, count + 1):
        intent = asking.draw(number)
        decision = it.decide(getattr(intent, intent.WhichOneof("ask") or ""))
        known.position = it.state.row.position
        if isinstance(decision, Change):
            it.commit(decision)
    return it


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 60))
def test_rows_of_all_changes_make_the_account_that_was_decided(dice: object, count: int) -> None:
    it = decided(dice, count)
    copy = FaultyShard()
    for change in it.changes:
        as_stored = Change.FromString(change.SerializeToString())
        assert list(rows(as_stored, FORMAT)) == list(rows(change, FORMAT)), "a function of the change alone"
        copy.write(rows(as_stored, FORMAT), sync=True)
    found = check(copy, asks.ACCOUNT)
    assert found.row == it.state.row
    assert found.mailboxes == it.state.mailboxes
    assert found.subscribed == it.state.subscribed
    for mailbox in found.mailboxes:
        arrays = it.reads.arrays(mailbox)
        assert [(mailbox, uid) for uid in arrays.uids] == [at for at in found.entries if at[0] == mailbox]
        assert {(mailbox, uid): tuple(k.names) for uid, k in arrays.overflow.items()} == {
            at: names for at, names in found.overflow.items() if at[0] == mailbox
        }


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 40))
def test_rows_lie_in_the_account_of_the_change_and_are_octets(dice: object, count: int) -> None:
    for change in decided(dice, count).changes:
        for family, key, value in rows(change, FORMAT):
            assert family in FAMILIES
            assert keys.account_of(key) == asks.ACCOUNT
            assert value is None or isinstance(value, bytes)


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(5, 40))
def test_writing_a_change_twice_is_the_same_as_once(dice: object, count: int) -> None:
    it = decided(dice, count)
    copy = FaultyShard()
    for change in it.changes:
        copy.write(rows(change, FORMAT), sync=True)
        copy.write(rows(change, FORMAT), sync=True)
    for family in FAMILIES:
        assert list(copy.scan(family, b"", keys.END)) == list(it.shard.scan(family, b"", keys.END))


@pytest.mark.parametrize(
    ("trim", "kinds"),
    [
        (Trim(touched=3), [keys.Kind.TOUCHED]),
        (Trim(results=5), [keys.Kind.RESULT]),
        (Trim(touched=3, results=5), [keys.Kind.TOUCHED, keys.Kind.RESULT]),
    ],
)
def test_a_trim_drops_no_range_in_which_there_is_nothing(trim: Trim, kinds: list[int]) -> None:
    dropped = [key for _, key, value in rows(Change(trimmed=trim), FORMAT) if isinstance(value, DropTo)]
    assert [keys.kind_of(key) for key in dropped] == kinds


def test_long_octets_are_cut_into_chunks_that_are_read_back() -> None:
    it = Decider()
    it.ask(asks.create())
    it.ask(asks.add(asks.message(body=bytes(range(256)) * 3000)))
    start = keys.account_id(asks.ACCOUNT)
    chunks = list(it.shard.values(Family.BLOB, start, keys.after(start)))
    assert [len(chunk) for chunk in chunks] == [262_144, 262_144, len(b"".join(chunks)) - 524_288]
    (mail,) = it.found().mails.values()
    for first, last in ((0, 5), (262_140, 262_150), (262_144, 524_288), (700_000, mail.size)):
        assert it.reads.octets(mail, first, last) == b"".join(chunks)[first:last]


ENTRIES = st.lists(st.tuples(*[st.integers(0, 2**64 - 1)] * 4, *[st.integers(0, 2**32 - 1)] * 4), max_size=5)


@given(ENTRIES)
def test_columns_are_cut_from_joined_entries(entries: list[tuple[int, ...]]) -> None:
    joined = b"".join(ENTRY.pack(*entry) for entry in entries)
    assert len(joined) == ENTRY_OCTETS * len(entries)
    assert longs(joined, MAIL_COLUMN).tolist() == [entry[0] for entry in entries]
    assert words(joined, SIZE_COLUMN).tolist() == [entry[5] for entry in entries]
    assert words(joined, UID_COLUMN).tolist() == [entry[7] for entry in entries] == uids_of(joined).tolist()

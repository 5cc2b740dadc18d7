"""Keys order as what they name, begin with their account, and never stand for two rows."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailnode.store import keys
from mailnode.store.keys import Blob, Due, Kind

few = settings(max_examples=30)

U32 = st.one_of(st.integers(0, 3), st.integers(0, 2**32 - 1), st.just(2**32 - 1))
U64 = st.one_of(st.integers(0, 3), st.integers(0, 2**64 - 1), st.just(2**64 - 1))
ACCOUNT = U64

# What a row is named by, in the order in which its rows lie.
FAMILY_STATE: dict[str, tuple[Callable[..., bytes], int, tuple[st.SearchStrategy[int], ...]]] = {
    "mailbox": (keys.mailbox, Kind.MAILBOX, (U32,)),
    "entry": (keys.entry, Kind.ENTRY, (U32, U32)),
    "overflow": (keys.overflow, Kind.OVERFLOW, (U32, U32)),
    "place": (keys.place, Kind.PLACE, (U64, U32, U32)),
    "touched": (keys.touched, Kind.TOUCHED, (U64,)),
}


@pytest.mark.parametrize("name", FAMILY_STATE)
@few
@given(data=st.data())
def test_rows_of_a_kind_lie_in_the_order_of_what_names_them(name: str, data: st.DataObject) -> None:
    key, kind, parts = FAMILY_STATE[name]
    one, other = (data.draw(st.tuples(ACCOUNT, *parts)) for _ in range(2))
    assert (key(*one) < key(*other)) == (one < other)
    assert key(*one).startswith(keys.state(one[0], kind))


@few
@given(st.tuples(ACCOUNT, U64), st.tuples(ACCOUNT, U64))
def test_mails_lie_in_the_order_of_accounts_and_ids(one: tuple[int, int], other: tuple[int, int]) -> None:
    assert (keys.mail(*one) < keys.mail(*other)) == (one < other)


@few
@given(*[st.tuples(ACCOUNT, st.sampled_from((Blob.MAIL, Blob.UPLOAD)), U64, U32)] * 2)
def test_chunks_lie_in_order(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> None:
    assert (keys.blob(*one) < keys.blob(*other)) == (one < other)


@few
@given(*[st.tuples(ACCOUNT, st.sampled_from((Due.UPLOAD, Due.CREATION)), U64, st.binary(max_size=3))] * 2)
def test_due_rows_lie_in_the_order_of_their_times(
    one: tuple[int, int, int, bytes], other: tuple[int, int, int, bytes]
) -> None:
    assert (keys.due(*one) < keys.due(*other)) == (one < other)
    assert keys.account_of(keys.due(*one)) == one[0]
    assert keys.kind_of(keys.due(*one)) == one[1]
    assert keys.time_of_due(keys.due(*one)) == one[2]


@few
@given(*[st.tuples(ACCOUNT, st.integers(1, 12), st.binary(max_size=6))] * 2)
def test_no_two_rows_of_the_state_family_share_a_key(
    one: tuple[int, int, bytes], other: tuple[int, int, bytes]
) -> None:
    assert (keys.state(*one) == keys.state(*other)) == (one == other)


def test_kinds_are_different_numbers_of_one_octet() -> None:
    for kinds in (Kind, Blob, Due):
        numbers = [number for name, number in vars(kinds).items() if not name.startswith("_")]
        numbers = [number for number in numbers if isinstance(number, int)]
        assert len(set(numbers)) == len(numbers) > 0
        assert all(0 < number < 256 for number in numbers)


@few
@given(st.binary(max_size=6).filter(lambda prefix: bool(prefix.rstrip(b"\xff"))), st.binary(max_size=6))
def test_after_lies_behind_what_begins_with_a_prefix_and_before_all_else(prefix: bytes, key: bytes) -> None:
    end = keys.after(prefix)
    assert prefix + key < end
    assert (prefix <= key < end) == key.startswith(prefix)


@pytest.mark.parametrize("prefix", [b"", b"\xff", b"\xff" * 9])
def test_nothing_lies_behind_the_last_prefix(prefix: bytes) -> None:
    with pytest.raises(ValueError):
        keys.after(prefix)


@few
@given(ACCOUNT)
def test_a_partition_is_one_range_of_accounts(account: int) -> None:
    partition = keys.partition(account)
    assert 0 <= partition < 2**16
    first, last = keys.directory_account(partition), keys.directory_account(partition) | (2**48 - 1)
    assert first <= account <= last
    assert keys.account_id(account) == keys.state(account, 1)[:8] == keys.mail(account, 7)[:8]


def test_the_row_of_a_partition_lies_in_its_directory_account() -> None:
    assert keys.applied(0x1234) == keys.state(0x1234_0000_0000_0000, Kind.APPLIED)


@few
@given(ACCOUNT, U32, U32)
def test_an_entrys_key_tells_its_uid(account: int, mailbox: int, uid: int) -> None:
    assert keys.uid_of_entry(keys.entry(account, mailbox, uid)) == uid
    assert keys.uid_of_entry(keys.overflow(account, mailbox, uid)) == uid


def test_the_end_lies_behind_the_last_home() -> None:
    assert keys.mail(15 << 60, 2**64 - 1) < keys.END

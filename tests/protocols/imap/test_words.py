"""Sequence sets, modified UTF-7, dates, flags: there and back."""

import calendar
import datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.imap import date, flags, utf7
from protocols.imap.flags import SYSTEM, FlagNames
from protocols.imap.sequence import STAR, SequenceSet, normalise, ranges_of, text

Pairs = list[tuple[int, int]]

SETS: list[tuple[Pairs, int, Pairs]] = [
    ([(1, 1)], 10, [(1, 1)]),
    ([(3, 1), (4, 4), (9, 8)], 10, [(1, 4), (8, 9)]),
    ([(STAR, STAR)], 10, [(10, 10)]),
    ([(5, STAR)], 10, [(5, 10)]),
    ([(50, STAR)], 10, [(10, 50)]),
    ([(STAR, 2)], 10, [(2, 10)]),
    ([(1, STAR)], 0, []),
    ([(1, 5), (3, STAR)], 0, [(1, 5)]),
    ([(7, 9), (1, 20), (2, 3)], 10, [(1, 20)]),
]


@pytest.mark.parametrize(("given_", "largest", "resolved"), SETS)
def test_a_sequence_set_is_resolved(given_: Pairs, largest: int, resolved: Pairs) -> None:
    assert list(SequenceSet(tuple(given_)).resolve(largest)) == resolved


@given(st.sets(st.integers(1, 60)))
def test_ranges_hold_the_very_numbers(numbers: set[int]) -> None:
    ranges = ranges_of(sorted(numbers))
    assert [n for a, b in ranges for n in range(a, b + 1)] == sorted(numbers)
    assert normalise((n, n) for n in numbers) == ranges
    assert all(after[0] > before[1] + 1 for before, after in pairwise(ranges))


def test_a_sequence_set_is_written_short() -> None:
    assert text([(1, 1), (3, 5), (4294967295, 4294967295)]) == "1,3:5,4294967295"


NAMES = [
    ("INBOX", b"INBOX"),
    ("a&b", b"a&-b"),
    ("~peter/mail/台北/日本語", b"~peter/mail/&U,BTFw-/&ZeVnLIqe-"),  # RFC 3501 §5.1.3
    ("été", b"&AOk-t&AOk-"),
    ("\U0001f600", b"&2D3eAA-"),
    ("a\tb", b"a&AAk-b"),
    ("", b""),
]


@pytest.mark.parametrize(("name", "octets"), NAMES)
def test_a_name_is_written_in_modified_utf7(name: str, octets: bytes) -> None:
    assert utf7.encode(name) == octets
    assert utf7.decode(octets) == name


@given(st.text())
def test_any_name_comes_back(name: str) -> None:
    octets = utf7.encode(name)
    assert octets.decode("ascii").isprintable()
    assert utf7.decode(octets) == name


@given(st.binary())
def test_any_octets_are_the_only_spelling_of_a_name_or_none(octets: bytes) -> None:
    name = utf7.decode(octets)
    assert name is None or utf7.encode(name) == octets


@pytest.mark.parametrize(
    "octets",
    [b"&", b"a&b", b"&AOk", b"&!-", b"\xc3\xa9", b"&2D0-", b"&A-", b"&AGE-", b"&AOk-&AOk-", b"&AOl-"],
)
def test_what_is_no_modified_utf7_is_told(octets: bytes) -> None:
    assert utf7.decode(octets) is None


def test_what_utf16_cannot_hold_is_replaced() -> None:
    assert utf7.decode(utf7.encode("a\ud800b")) == "a\ufffdb"


DATES: list[tuple[bytes, tuple[int, ...] | None]] = [
    (b"17-Jul-1996 02:44:25 -0700", (1996, 7, 17, 9, 44, 25)),
    (b" 1-jan-1970 00:00:00 +0000", (1970, 1, 1, 0, 0, 0)),
    (b"1-Jan-1970 00:00:00 +0000", (1970, 1, 1, 0, 0, 0)),
    (b"29-Feb-2024 23:59:59 +1400", (2024, 2, 29, 9, 59, 59)),
    (b"30-Feb-2024 00:00:00 +0000", None),
    (b"01-Foo-2024 00:00:00 +0000", None),
    (b"01-Jan-0000 00:00:00 +0000", None),
    (b"01-Jan-2024 24:00:00 +0000", None),
    (b"01-Jan-2024 00:00:00", None),
    (b"01-Jan-2024 00:00:00 UTC", None),
    (b"", None),
]


@pytest.mark.parametrize(("octets", "parts"), DATES)
def test_a_date_time_is_read(octets: bytes, parts: tuple[int, ...] | None) -> None:
    assert date.seconds_of(octets) == (None if parts is None else calendar.timegm(parts))


@given(st.lists(st.integers(0, 0xFFFFFFFF), max_size=5))
def test_any_time_is_written_and_read_back(seconds: list[int]) -> None:
    written = date.texts(seconds)
    assert [date.seconds_of(text) for text in written] == seconds
    assert all(len(text) == 26 for text in written)


def test_a_day_is_written_as_the_rfc_does() -> None:
    moment = datetime.datetime(1994, 2, 7, 5, 6, 7, tzinfo=datetime.UTC)
    assert date.texts([int(moment.timestamp())]) == [b" 7-Feb-1994 05:06:07 +0000"]


def test_flags_are_given_once_and_in_the_case_of_the_rfc() -> None:
    assert flags.each_once(["\\SEEN", "a", "\\seen", "A", "b"]) == ("\\Seen", "a", "b")


def test_flag_lists_are_rendered_alike_for_few_and_many_values() -> None:
    names = FlagNames((*SYSTEM, "", "$a"))
    assert names.list(0) == b""
    assert names.list(0b1001000) == b"\\Seen $a"
    assert list(names.lists([8, 0, 8, 64])) == [b"\\Seen", b"", b"\\Seen", b"$a"]
    many = [n << 7 for n in range(20_000)]
    assert set(names.lists(many)) == {b""}

"""Keywords and the bits that stand for them, against a list of names."""

from hypothesis import given, settings
from hypothesis import strategies as st

from mailnode.mailbox.keywords import bit_of, free_bits, names_of, take_bits
from mailnode.mailbox.rows import KEYWORD_BIT_FIRST, KEYWORD_BITS, KEYWORD_MASK, OVERFLOW, SYSTEM_FLAGS
from mailnode.pb.row_pb2 import MailboxRow

NAMES = st.integers(0, 70).map(lambda number: f"k{number}")
CASED = st.builds(lambda name, up: name.upper() if up else name, NAMES, st.booleans())


def test_keyword_bits_are_none_of_the_others() -> None:
    assert KEYWORD_MASK & (SYSTEM_FLAGS | OVERFLOW) == 0
    assert KEYWORD_MASK | SYSTEM_FLAGS | OVERFLOW == 2**64 - 1


@settings(max_examples=60)
@given(st.lists(st.lists(CASED, max_size=30), max_size=6), st.data())
def test_a_bit_means_one_keyword_as_long_as_an_entry_carries_it(
    stores: list[list[str]], data: st.DataObject
) -> None:
    row = MailboxRow()
    carried: list[tuple[int, set[str]]] = []
    for names in stores:
        bits, left = take_bits(row, names)
        folded = {name.lower() for name in names}
        over = {name.lower() for name in left}
        assert len(over) == len(left) and over <= folded
        assert not over or len([name for name in row.keywords if name]) == KEYWORD_BITS
        carried.append((bits, folded - over))
        if data.draw(st.booleans()):
            carried.pop(data.draw(st.integers(0, len(carried) - 1)))
            used = 0
            for each, _ in carried:
                used |= each
            free_bits(row, used)
        for each, expected in carried:
            assert {name.lower() for name in names_of(row.keywords, each)} == expected
    known = [name.lower() for name in row.keywords if name]
    assert len(known) == len(set(known)) <= KEYWORD_BITS


def test_a_keyword_keeps_the_case_of_its_first_use() -> None:
    row = MailboxRow()
    take_bits(row, ["$Forwarded"])
    bits, _ = take_bits(row, ["$FORWARDED"])
    assert names_of(row.keywords, bits) == ["$Forwarded"]
    assert bit_of(row, "$forwarded") == bits == 1 << KEYWORD_BIT_FIRST
    assert bit_of(row, "other") == 0

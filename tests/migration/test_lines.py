import re

from hypothesis import given
from hypothesis import strategies as st

from mailnode.migration.lines import replaced, with_crlf, with_lf

TEXT = st.lists(st.sampled_from([b"a", b"\r", b"\n", b"\r\n", b"From ", b">From "])).map(b"".join)
FROM = re.compile(rb"^(>*From )", re.MULTILINE)
QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)


def cut(octets: bytes, sizes: list[int]) -> list[bytes]:
    pieces = []
    for size in sizes:
        pieces.append(octets[:size])
        octets = octets[size:]
    return [*pieces, octets]


SIZES = st.lists(st.integers(0, 5))


@given(TEXT, SIZES, SIZES)
def test_lf_in_a_file_and_crlf_in_an_account_are_the_same_message(
    text: bytes, one: list[int], other: list[int]
) -> None:
    stored = b"".join(with_crlf(cut(text, one)))
    assert not re.search(rb"(?<!\r)\n", stored)
    filed = b"".join(with_lf(cut(stored, other)))
    assert not re.search(rb"(?<!\r)\r\n", filed)
    assert b"".join(with_crlf(cut(filed, one))) == stored
    if b"\r\n" not in text:
        assert filed == text


@given(TEXT, SIZES, SIZES)
def test_what_is_quoted_in_an_mbox_comes_back_wherever_it_is_cut(
    text: bytes, one: list[int], other: list[int]
) -> None:
    quoted = b"".join(replaced(cut(text, one), FROM, rb">\1"))
    assert quoted == FROM.sub(rb">\1", text)
    assert not re.search(rb"(?m)^From ", quoted)
    assert b"".join(replaced(cut(quoted, other), QUOTED, rb"\1")) == text


def test_a_line_that_is_too_long_to_hold_is_quoted_at_its_begin_alone() -> None:
    pieces = [b"From " + b"x" * 70_000, b"From ", b"y\nFrom z"]
    assert b"".join(replaced(pieces, FROM, rb">\1")) == b">" + b"".join(pieces[:2]) + b"y\n>From z"

"""Untagged responses and response codes."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.imap import response
from protocols.imap.answer import Bad, Bye, No, Ok
from protocols.imap.event import Search
from protocols.imap.search import Key, Op, Return

STRINGS = [
    (b"a", b'"a"', b"a"),
    (b"", b'""', b'""'),
    (b"nil", b'"nil"', b'"nil"'),
    (b"a]b", b'"a]b"', b'"a]b"'),
    (b"a b", b'"a b"', b'"a b"'),
    (b'a"\\', b'"a\\"\\\\"', b'"a\\"\\\\"'),
    (b"a\r\nb", b"{4}\r\na\r\nb", b"{4}\r\na\r\nb"),
    (b"\xff", b"{1}\r\n\xff", b"{1}\r\n\xff"),
    (b"a%", b'"a%"', b'"a%"'),
    (b"x" * 2000, b"{2000}\r\n" + b"x" * 2000, b"x" * 2000),
]


@pytest.mark.parametrize(("octets", "string", "astring"), STRINGS)
def test_a_string_is_quoted_where_it_may_be(octets: bytes, string: bytes, astring: bytes) -> None:
    assert response.string(octets) == string
    assert response.astring(octets) == astring


SEARCHES = [
    (None, False, [2, 3, 9], b"* SEARCH 2 3 9\r\n"),
    (None, True, [], b"* SEARCH\r\n"),
    (Return.ALL, False, [2, 3, 9], b'* ESEARCH (TAG "t") ALL 2:3,9\r\n'),
    (Return.ALL | Return.MIN, True, [], b'* ESEARCH (TAG "t") UID\r\n'),
    (Return.MIN | Return.MAX, True, [2, 3, 9], b'* ESEARCH (TAG "t") UID MIN 2 MAX 9\r\n'),
    (Return.COUNT, False, [], b'* ESEARCH (TAG "t") COUNT 0\r\n'),
]


@pytest.mark.parametrize(("returns", "by_uid", "numbers", "said"), SEARCHES)
def test_a_search_is_answered_as_it_asked(
    returns: Return | None, by_uid: bool, numbers: list[int], said: bytes
) -> None:
    search = Search(b"t", Key(Op.ALL), by_uid, returns)
    assert response.found(search, array("I", numbers)) == said


LINES = [
    (response.condition(b"a", Ok("done")), b"a OK done\r\n"),
    (response.condition(b"a", No("no", "TRYCREATE")), b"a NO [TRYCREATE] no\r\n"),
    (response.condition(b"*", Bad("two\r\nlines é")), b"* BAD two  lines ?\r\n"),
    (response.bye(Bye("bye", "UNAVAILABLE")), b"* BYE [UNAVAILABLE] bye\r\n"),
    (
        response.status(response.mailbox("a b"), {"MESSAGES": 1, "MAILBOXID": "(x)"}),
        b'* STATUS "a b" (MESSAGES 1 MAILBOXID (x))\r\n',
    ),
    (response.namespace("", ["user/"]), b'* NAMESPACE (("" "/")) NIL (("user/" "/"))\r\n'),
    (response.identified({}), b"* ID NIL\r\n"),
    (response.permanent_flags([], more=False), b"* OK [PERMANENTFLAGS ()] Read-only\r\n"),
    (response.enabled(["UTF8=ACCEPT"]), b"* ENABLED UTF8=ACCEPT\r\n"),
]


@pytest.mark.parametrize(("said", "line"), LINES)
def test_a_response_is_a_line(said: bytes, line: bytes) -> None:
    assert said == line


def test_codes_name_uids_in_the_order_of_the_copies() -> None:
    assert response.append_uid(38505, [(3955, 3955)]) == "APPENDUID 38505 3955"
    assert response.copy_uid(7, [(304, 304), (319, 320)], [(3956, 3958)]) == "COPYUID 7 304,319:320 3956:3958"


@given(
    numbers=st.sets(st.integers(1, 60), min_size=1).map(sorted),
    cuts=st.lists(st.integers(1, 5), min_size=60, max_size=60),
    returns=st.sampled_from((None, Return.ALL, Return.MIN | Return.MAX | Return.ALL | Return.COUNT)),
)
def test_a_result_in_pieces_is_the_same_result(
    numbers: list[int], cuts: list[int], returns: Return | None
) -> None:
    search = Search(b"t", Key(Op.ALL), False, returns)
    slices, at = [], 0
    while at < len(numbers):
        slices.append(numbers[at : at + cuts[len(slices)]])
        at += cuts[len(slices) - 1]
    ends = (numbers[0], numbers[-1])
    said = b"".join(response.found_in_pieces(search, slices, len(numbers), ends))
    assert said == response.found(search, numbers)
    if returns is None:
        assert said == b"* SEARCH " + b" ".join(b"%d" % number for number in numbers) + b"\r\n"

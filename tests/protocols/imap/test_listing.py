"""LIST and LSUB over the names of an account."""

from functools import lru_cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.imap import listing
from protocols.imap.event import List, Lsub

MAILBOXES: dict[str, tuple[str, ...]] = {
    "INBOX": (),
    "Drafts": ("\\Drafts",),
    "a": ("\\Noselect",),
    "a/b": (),
    "a/b/c": ("\\Sent",),
    "d": (),
}
SUBSCRIBED = frozenset({"INBOX", "a/b/c", "gone/x"})


def listed(event: List) -> list[bytes]:
    rows = listing.answer(event, MAILBOXES, SUBSCRIBED)
    return [row.octets.removeprefix(b"* LIST ").removesuffix(b"\r\n") for row in rows]


CASES = [
    (List("", ("%",)), [b"Drafts", b"INBOX", b"a", b"d"]),
    (List("", ("*",)), [b"Drafts", b"INBOX", b"a", b"a/b", b"a/b/c", b"d"]),
    (List("a/", ("%",)), [b"a/b"]),
    (List("a", ("/%",)), []),
    (List("a/b", ("*",)), [b"a/b", b"a/b/c"]),
    (List("", ("inBox",)), [b"INBOX"]),
    (List("", ("%/%",)), [b"a/b"]),
    (List("", ("d", "*b*")), [b"a/b", b"a/b/c", b"d"]),
    (List("", ("*B*", "i*")), [b"INBOX"]),
    (List("", ("",), extended=True), []),
    (List("", ("", "d"), extended=True), [b"d"]),
    (List("", ("*",), frozenset({"SUBSCRIBED"})), [b"INBOX", b"a/b/c", b"gone/x"]),
    (List("", ("*",), frozenset({"SPECIAL-USE"})), [b"Drafts", b"a/b/c"]),
    (List("", ("*",), frozenset({"SPECIAL-USE", "SUBSCRIBED"})), [b"a/b/c"]),
]


@pytest.mark.parametrize(("event", "names"), CASES)
def test_the_names_that_match_are_listed(event: List, names: list[bytes]) -> None:
    assert [row.rpartition(b" ")[2] for row in listed(event)] == names


def test_attributes_follow_from_the_tree() -> None:
    assert listed(List("", ("*",), returns=frozenset({"SUBSCRIBED"}))) == [
        b'(\\Drafts \\HasNoChildren) "/" Drafts',
        b'(\\HasNoChildren \\Subscribed) "/" INBOX',
        b'(\\Noselect \\HasChildren) "/" a',
        b'(\\HasChildren) "/" a/b',
        b'(\\Sent \\HasNoChildren \\Subscribed) "/" a/b/c',
        b'(\\HasNoChildren) "/" d',
    ]


def test_recursivematch_tells_of_parents_that_match_the_pattern() -> None:
    """RFC 5258 §5, example 8 and the ones after it."""
    select = frozenset({"SUBSCRIBED", "RECURSIVEMATCH"})
    assert listed(List("", ("%",), select)) == [
        b'(\\HasNoChildren \\Subscribed) "/" INBOX',
        b'(\\Noselect \\HasChildren) "/" a ("CHILDINFO" ("SUBSCRIBED"))',
        b'(\\NonExistent \\HasNoChildren) "/" gone ("CHILDINFO" ("SUBSCRIBED"))',
    ]


def test_a_parent_is_not_told_of_again_when_its_children_are_there_themselves() -> None:
    """RFC 5258 §3.5: redundant CHILDINFO responses are suppressed."""
    select = frozenset({"SUBSCRIBED", "RECURSIVEMATCH"})
    assert listed(List("", ("*",), select)) == [
        b'(\\HasNoChildren \\Subscribed) "/" INBOX',
        b'(\\Sent \\HasNoChildren \\Subscribed) "/" a/b/c',
        b'(\\NonExistent \\HasNoChildren \\Subscribed) "/" gone/x',
    ]
    assert listed(List("", ("a/%",), select)) == [b'(\\HasChildren) "/" a/b ("CHILDINFO" ("SUBSCRIBED"))']
    both = select | {"SPECIAL-USE", "REMOTE"}
    assert listed(List("", ("%",), both)) == [
        b'(\\Noselect \\HasChildren) "/" a ("CHILDINFO" ("SUBSCRIBED" "SPECIAL-USE"))'
    ]


def test_status_is_for_what_can_be_selected() -> None:
    rows = listing.answer(List("", ("a*", "gone*"), frozenset({"SUBSCRIBED"})), MAILBOXES, SUBSCRIBED)
    assert [(row.name, row.selectable) for row in rows] == [("a/b/c", True), ("gone/x", False)]
    rows = listing.answer(List("", ("%",)), MAILBOXES, SUBSCRIBED)
    assert [row.name for row in rows if not row.selectable] == ["a"]


def test_lsub_shows_parents_of_subscribed_names_where_percent_asks() -> None:
    """RFC 3501 §6.3.9."""
    said = listing.subscriptions(Lsub("", "%"), MAILBOXES, SUBSCRIBED)
    assert said == (b'* LSUB () "/" INBOX\r\n* LSUB (\\Noselect) "/" a\r\n* LSUB (\\Noselect) "/" gone\r\n')
    said = listing.subscriptions(Lsub("", "*"), MAILBOXES, SUBSCRIBED)
    assert said == b'* LSUB () "/" INBOX\r\n* LSUB () "/" a/b/c\r\n* LSUB () "/" gone/x\r\n'


@given(st.text("ab/%*", max_size=10), st.text("ab/", max_size=10))
def test_a_pattern_matches_as_its_definition_says(pattern: str, name: str) -> None:
    @lru_cache
    def matches(at: int, rest: int) -> bool:
        if at == len(pattern):
            return rest == len(name)
        if pattern[at] in "%*":
            longer = rest < len(name) and (pattern[at] == "*" or name[rest] != "/")
            return matches(at + 1, rest) or (longer and matches(at, rest + 1))
        return rest < len(name) and pattern[at] == name[rest] and matches(at + 1, rest + 1)

    assert listing.matcher("", [pattern])(name) is matches(0, 0)


def test_a_pattern_of_many_wildcards_takes_no_longer_than_its_length() -> None:
    assert not listing.matcher("", ["*a%" * 300])("a" * 299 + "b" * 700)

"""LIST and LSUB over the names of an account: RFC 9051 §6.3.9, RFC 3501 §6.3.9, RFC 5258."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from protocols.imap import response
from protocols.imap.event import List, Lsub

SEPARATOR = "/"

Attributes = Sequence[str]
"""Of a mailbox: `\\Noselect`, and special uses as `\\Sent`; what follows from the tree is added here."""

Names = Callable[[str], bytes]
"""How the names of mailboxes are said in this session: `response.mailbox`, or `response.mailbox_utf8`."""


@dataclass(frozen=True, slots=True)
class Row:
    """One LIST response; `selectable`: LIST-STATUS says its STATUS after it (RFC 5819 §2)."""

    name: str
    octets: bytes
    selectable: bool


def answer(
    event: List,
    mailboxes: Mapping[str, Attributes],
    subscribed: frozenset[str],
    names: Names = response.mailbox,
) -> Iterator[Row]:
    """The responses in order of names; `mailboxes` has every full name, parents too.

    An empty pattern asks for the separator alone, but in an extended LIST, where it matches nothing (RFC 5258
    §3).
    """
    if event.patterns == ("",) and not event.extended:
        yield Row("", response.separator(), False)
        return
    tree = _Tree(mailboxes, subscribed)
    matches = matcher(event.reference, [p for p in event.patterns if p])
    for name, child_info in _selected(event.select, tree, matches):
        attributes = tree.attributes(name, "SUBSCRIBED" in event.select | event.returns)
        selectable = not {"\\Noselect", "\\NonExistent"}.intersection(attributes)
        yield Row(name, response.listed(attributes, names(name), child_info), selectable)


def _selected(
    select: frozenset[str], tree: _Tree, matches: Callable[[str], bool]
) -> Iterator[tuple[str, Sequence[str]]]:
    """Names in order, with the options that descendants of theirs meet.

    With RECURSIVEMATCH a name is there too for the sake of a descendant that meets the options and does not
    match the pattern itself (RFC 5258 §3.3, 2B).
    """
    meeting = tree.meeting(select)
    if "RECURSIVEMATCH" not in select:
        yield from ((name, ()) for name in sorted(filter(matches, meeting)))
        return
    above = {parent for name in meeting for parent in parents(name)}
    hidden = {parent for name in meeting if not matches(name) for parent in parents(name)}
    options = sorted(select - {"RECURSIVEMATCH", "REMOTE"}, reverse=True)
    for name in sorted(filter(matches, meeting | hidden)):
        yield name, options if name in above else ()


def subscriptions(
    event: Lsub,
    mailboxes: Mapping[str, Attributes],
    subscribed: frozenset[str],
    names: Names = response.mailbox,
) -> bytes:
    """LSUB: a name with `%` that is not subscribed but has children that are is shown as \\Noselect."""
    matches = matcher(event.reference, (event.pattern,))
    found = {name: _selectability(name, mailboxes) for name in subscribed if matches(name)}
    if "%" in event.pattern:
        for name in subscribed:
            for parent in parents(name):
                if parent not in subscribed and matches(parent):
                    found[parent] = ("\\Noselect",)
    return b"".join(response.subscribed(found[name], names(name)) for name in sorted(found))


def _selectability(name: str, mailboxes: Mapping[str, Attributes]) -> Attributes:
    return tuple(a for a in mailboxes.get(name, ()) if a == "\\Noselect")


def parents(name: str) -> Iterator[str]:
    """`a/b/c`: a/b, a."""
    while SEPARATOR in name:
        name = name.rpartition(SEPARATOR)[0]
        yield name


def matcher(reference: str, patterns: Iterable[str]) -> Callable[[str], bool]:
    """Whether a full name matches one of the patterns: `*` any octets, `%` any but the separator.

    A first level INBOX, in any case, is that of the name INBOX; a wildcard stands for the upper-case
    letters of that name (RFC 3501 §6.3.8). Each pattern is taken after the reference as it stands (RFC 9051
    §6.3.9), or alone where it begins with the separator.
    """
    compiled = [_matching(p if p.startswith(SEPARATOR) else reference + p) for p in patterns]
    return lambda name: any(matches(name) for matches in compiled)


def _matching(pattern: str) -> Callable[[str], bool]:
    """Names are matched in time of their length, whatever the wildcards."""
    simple = re.sub("%+", "%", re.sub(r"[*%]*\*[*%]*", "*", pattern))
    head, slash, rest = simple.partition(SEPARATOR)
    if head.upper() == "INBOX":
        simple = "INBOX" + slash + rest
    return _compiled(simple)


def _compiled(pattern: str) -> Callable[[str], bool]:
    """Of a pattern without wildcards side by side."""
    if sum(map(pattern.count, "*%")) > 1:
        return _States(pattern).match
    source = re.escape(pattern).replace(r"\*", ".*").replace("%", "[^/]*")
    expression = re.compile(source, re.DOTALL)
    return lambda name: expression.fullmatch(name) is not None


class _States:
    """All states that a name read so far can have reached, as bits of one number: backtracking would be
    polynomial in the number of wildcards."""

    __slots__ = ("_any", "_end", "_letters", "_level")

    def __init__(self, pattern: str) -> None:
        self._any = self._level = 0  # states at "*", at "%"
        self._letters: dict[str, int] = {}
        self._end = 1 << len(pattern)
        for at, letter in enumerate(pattern):
            if letter == "*":
                self._any |= 1 << at
            elif letter == "%":
                self._level |= 1 << at
            else:
                self._letters[letter] = self._letters.get(letter, 0) | 1 << at

    def match(self, name: str) -> bool:
        wild = self._any | self._level
        states = 1 | (1 & wild) << 1
        for letter in name:
            staying = self._any if letter == SEPARATOR else wild
            states = (states & staying) | (states & self._letters.get(letter, 0)) << 1
            states |= (states & wild) << 1
            if not states:
                return False
        return bool(states & self._end)


class _Tree:
    """The names, and what follows from one being above another."""

    __slots__ = ("_with_children", "mailboxes", "subscribed")

    def __init__(self, mailboxes: Mapping[str, Attributes], subscribed: frozenset[str]) -> None:
        self.mailboxes = mailboxes
        self.subscribed = subscribed
        self._with_children = {parent for name in mailboxes for parent in parents(name)}

    def meeting(self, select: frozenset[str]) -> set[str]:
        """Names that meet the options: subscribed ones need not exist (RFC 5258 §3.1)."""
        names = set(self.subscribed if "SUBSCRIBED" in select else self.mailboxes)
        return {name for name in names if self._is_special(name)} if "SPECIAL-USE" in select else names

    def _is_special(self, name: str) -> bool:
        return any(a != "\\Noselect" for a in self.mailboxes.get(name, ()))

    def attributes(self, name: str, with_subscribed: bool) -> list[str]:
        said = list(self.mailboxes.get(name, ("\\NonExistent",)))
        said.append("\\HasChildren" if name in self._with_children else "\\HasNoChildren")
        if with_subscribed and name in self.subscribed:
            said.append("\\Subscribed")
        return said

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


@dataclass(frozen=True, slots=True)
class Row:
    """One LIST response; `selectable`: LIST-STATUS says its STATUS after it (RFC 5819 §2)."""

    name: str
    octets: bytes
    selectable: bool


def answer(event: List, mailboxes: Mapping[str, Attributes], subscribed: frozenset[str]) -> Iterator[Row]:
    """The responses in order of names; `mailboxes` has every full name, parents too.

    An empty pattern asks for the separator alone.
    """
    if event.patterns == ("",):
        yield Row("", response.separator(), False)
        return
    tree = _Tree(mailboxes, subscribed)
    matches = matcher(event.reference, event.patterns)
    for name in tree.candidates(event.select):
        if matches(name):
            row = _row(event, tree, name)
            if row is not None:
                yield row


def subscriptions(event: Lsub, mailboxes: Mapping[str, Attributes], subscribed: frozenset[str]) -> bytes:
    """LSUB: a name with `%` that is not subscribed but has children that are is shown as \\Noselect."""
    matches = matcher(event.reference, (event.pattern,))
    names = {name: _selectability(name, mailboxes) for name in subscribed if matches(name)}
    if "%" in event.pattern:
        for name in subscribed:
            for parent in parents(name):
                if parent not in subscribed and matches(parent):
                    names[parent] = ("\\Noselect",)
    return b"".join(response.subscribed(names[name], name) for name in sorted(names))


def _selectability(name: str, mailboxes: Mapping[str, Attributes]) -> Attributes:
    return tuple(a for a in mailboxes.get(name, ()) if a == "\\Noselect")


def parents(name: str) -> Iterator[str]:
    """`a/b/c`: a/b, a."""
    while SEPARATOR in name:
        name = name.rpartition(SEPARATOR)[0]
        yield name


def matcher(reference: str, patterns: Iterable[str]) -> Callable[[str], bool]:
    """Whether a full name matches one of the patterns: `*` any octets, `%` any but the separator.

    The first level INBOX matches in any case. Each pattern is taken after the reference as it stands
    (RFC 9051 §6.3.9), or alone where it begins with the separator.
    """
    compiled = [_Pattern(p if p.startswith(SEPARATOR) else reference + p) for p in patterns]
    return lambda name: any(p.matches(name) for p in compiled)


class _Pattern:
    """A pattern; names are matched in time of their length, whatever its wildcards."""

    __slots__ = ("_folded", "_match")

    def __init__(self, pattern: str) -> None:
        simple = re.sub("%+", "%", re.sub(r"[*%]*\*[*%]*", "*", pattern))
        head, slash, rest = simple.partition(SEPARATOR)
        if head.upper() == "INBOX":
            simple = "INBOX" + slash + rest
        self._match = _compiled(simple)
        self._folded = _compiled(simple.upper())

    def matches(self, name: str) -> bool:
        return self._match(name) or (name == "INBOX" and self._folded(name))


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

    __slots__ = ("mailboxes", "subscribed", "with_children", "with_special", "with_subscribed")

    def __init__(self, mailboxes: Mapping[str, Attributes], subscribed: frozenset[str]) -> None:
        self.mailboxes = mailboxes
        self.subscribed = subscribed
        self.with_children = {p for name in mailboxes for p in parents(name)}
        self.with_subscribed = {p for name in subscribed for p in parents(name)}
        self.with_special = {p for name in mailboxes if self.is_special(name) for p in parents(name)}

    def is_special(self, name: str) -> bool:
        return any(a != "\\Noselect" for a in self.mailboxes.get(name, ()))

    def candidates(self, select: frozenset[str]) -> list[str]:
        """Names that can match: subscribed ones need not exist (RFC 5258 §3.1)."""
        names = set(self.mailboxes)
        if "SUBSCRIBED" in select:
            names |= self.subscribed
            if "RECURSIVEMATCH" in select:
                names |= self.with_subscribed
        return sorted(names)

    def meets(self, name: str, select: frozenset[str]) -> bool:
        if "SUBSCRIBED" in select and name not in self.subscribed:
            return False
        return "SPECIAL-USE" not in select or self.is_special(name)

    def child_info(self, name: str, select: frozenset[str]) -> tuple[str, ...]:
        """Selection options that a child meets, when RECURSIVEMATCH asks for them."""
        if "RECURSIVEMATCH" not in select:
            return ()
        info = []
        if "SUBSCRIBED" in select and name in self.with_subscribed:
            info.append("SUBSCRIBED")
        if "SPECIAL-USE" in select and name in self.with_special:
            info.append("SPECIAL-USE")
        return tuple(info)

    def attributes(self, name: str, with_subscribed: bool) -> list[str]:
        said = list(self.mailboxes.get(name, ("\\NonExistent",)))
        said.append("\\HasChildren" if name in self.with_children else "\\HasNoChildren")
        if with_subscribed and name in self.subscribed:
            said.append("\\Subscribed")
        return said


def _row(event: List, tree: _Tree, name: str) -> Row | None:
    child_info = tree.child_info(name, event.select)
    if not child_info and not tree.meets(name, event.select):
        return None
    attributes = tree.attributes(name, "SUBSCRIBED" in event.select | event.returns)
    selectable = not {"\\Noselect", "\\NonExistent"}.intersection(attributes)
    return Row(name, response.listed(attributes, name, child_info), selectable)

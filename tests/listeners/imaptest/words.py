"""IMAP responses as trees of words, and whether one is what a script expects (imaptest's rules)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

Word = "str | list[Word]"
Tree = list["str | Tree"]

_LITERAL = re.compile(rb"~?\{(\d+)\}\r\n")
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_SECTION = re.compile(rb"[A-Za-z.]+\[[^\]]*\](?:<\d+>)?")
_ATOM = re.compile(rb"[^ ()]+")
_VARIABLE = re.compile(r"\$\$|\$\{(\w+)\}|\$([A-Za-z]\w*)")
_DIRECTIVE = "$!"
_DEFAULTS: dict[str, tuple[str, ...]] = {
    "fetch": ("$!unordered=2",),
    "flags": ("$!unordered", "$!noextra", "$!ignore=\\recent"),
    "list": ("$!unordered",),
    "lsub": ("$!unordered",),
    "status": ("$!unordered=2",),
}


def tree(octets: bytes) -> Tree:
    """Atoms, strings and literals alike are words; `BODY[HEADER.FIELDS (X)]<0>` is one word."""
    words, at = _words(octets, 0)
    assert at >= len(octets), octets[at:]
    return words


def _words(octets: bytes, at: int) -> tuple[Tree, int]:
    words: Tree = []
    while at < len(octets):
        first = octets[at : at + 1]
        if first == b"(":
            inner, at = _words(octets, at + 1)
            words.append(inner)
        elif first == b")":
            return words, at + 1
        elif first in (b" ", b"\r", b"\n"):
            at += 1
        else:
            word, at = _word(octets, at)
            words.append(word.decode("latin-1"))
    return words, at


def _word(octets: bytes, at: int) -> tuple[bytes, int]:
    literal = _LITERAL.match(octets, at)
    if literal:
        end = literal.end() + int(literal[1])
        return octets[literal.end() : end], end
    quoted = _QUOTED.match(octets, at)
    if quoted:
        return re.sub(rb"\\(.)", rb"\1", quoted[1], flags=re.DOTALL), quoted.end()
    plain = _SECTION.match(octets, at) or _ATOM.match(octets, at)
    assert plain is not None
    return plain[0], plain.end()


@dataclass
class Matcher:
    """`variables` grow by what the server said where a script names one that is not known yet."""

    variables: dict[str, str]

    def expanded(self, text: str) -> str:
        """A command with its variables."""
        return _VARIABLE.sub(lambda m: "$" if m[0] == "$$" else self.variables[m[1] or m[2]], text)

    def response(self, expected: Tree, said: Tree, original: int) -> bool:
        """`original`: which message of the beginning of the command it is about (`$3 expunge`)."""
        before = dict(self.variables)
        head = expected[0] if expected else ""
        if isinstance(head, str) and re.fullmatch(r"\$\d+", head):
            if int(head[1:]) != original:
                return False
            expected, said = expected[1:], said[1:]
        is_condition = isinstance(head, str) and head.lower() in ("ok", "no", "bad", "bye")
        if is_condition:
            said = said[: len(expected)]
        kind = next((w.lower() for w in expected[:2] if isinstance(w, str) and w.lower() in _DEFAULTS), "")
        matched = self._ordered(expected, said, _DEFAULTS.get(kind, ()))
        if not matched:
            self.variables.clear()
            self.variables.update(before)
        return matched

    def _ordered(self, expected: Tree, said: Tree, defaults: tuple[str, ...] = ()) -> bool:
        if len(expected) != len(said):
            return False
        return all(self._one(e, s, defaults) for e, s in zip(expected, said, strict=True))

    def _one(self, expected: str | Tree, said: str | Tree, defaults: tuple[str, ...] = ()) -> bool:
        if expected == "$":
            return True
        if isinstance(expected, str) or isinstance(said, str):
            return isinstance(expected, str) and isinstance(said, str) and self._text(expected, said)
        given = [w for w in expected if isinstance(w, str) and w.startswith(_DIRECTIVE)]
        rest = [w for w in expected if w not in given]
        return self._list(rest, said, given or list(defaults))

    def _list(self, expected: Tree, said: Tree, directives: Sequence[str]) -> bool:
        unordered = next((d for d in directives if d.startswith("$!unordered")), None)
        if unordered is None:
            return self._ordered(expected, said)
        size = int(unordered.partition("=")[2] or 1)
        chains = [said[at : at + size] for at in range(0, len(said), size)]
        banned = {d.partition("=")[2].lower() for d in directives if d.startswith("$!ban=")}
        ignored = {d.partition("=")[2].lower() for d in directives if d.startswith("$!ignore=")}
        for at in range(0, len(expected), size):
            found = next((c for c in chains if self._chain(expected[at : at + size], c)), None)
            if found is None:
                return False
            chains.remove(found)
        left = {str(chain[0]).lower() for chain in chains}
        return not left & banned and not ("$!noextra" in directives and left - ignored)

    def _chain(self, expected: Tree, said: Tree) -> bool:
        head = str(expected[0]).lower()
        defaults = _DEFAULTS["flags"] if head == "flags" and len(expected) == 2 else ()
        before = dict(self.variables)
        if len(expected) == len(said) and all(
            self._one(e, s, defaults) for e, s in zip(expected, said, strict=True)
        ):
            return True
        self.variables.clear()
        self.variables.update(before)
        return False

    def _text(self, expected: str, said: str) -> bool:
        pattern, at, free = "", 0, list[str]()
        for variable in _VARIABLE.finditer(expected):
            pattern += re.escape(expected[at : variable.start()])
            at = variable.end()
            name = variable[1] or variable[2]
            if variable[0] == "$$":
                pattern += re.escape("$")
            elif name in self.variables:
                pattern += re.escape(self.variables[name])
            else:
                pattern += "(.*)"
                free.append(name)
        pattern += re.escape(expected[at:])
        match = re.fullmatch(pattern, said, re.IGNORECASE | re.DOTALL)
        if match is None:
            return False
        self.variables.update(zip(free, match.groups(), strict=True))
        return True

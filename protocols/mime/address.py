"""Address lists: RFC 5322 §3.4 with the obsolete syntax of §4.4, as the address structures of IMAP.

What is no address still gives something to show: a mailbox without a host, a name without a mailbox.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from protocols.mime.limits import MIME_LIMITS, MimeLimits


class Address(NamedTuple):
    """An address structure of RFC 9051 §7.5.2; `b""` as mailbox or host: it is missing in the header.

    A group is `(None, None, name, None)`, its members, `(None, None, None, None)`.
    """

    name: bytes | None
    route: bytes | None
    mailbox: bytes | None
    host: bytes | None


GROUP_END = Address(None, None, None, None)

_SPECIALS = b"<>,;:@"
_NO_ANGLE, _IN_ANGLE, _AFTER_ANGLE = range(3)

_ATEXT = rb"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]"
# A mailbox as nearly all headers have it: [display-name] "<" local-part "@" domain ">", or a bare addr-spec.
# A group of several items is not possessive: up to Python 3.11.4 one that fails half-way stays half taken.
_MAILBOX = re.compile(
    rb"[ \t]*+(?:(?:\"([^\"\\]*+)\"|(%b++(?: %b++)*))?+[ \t]*+<(%b++)@([\w.-]++)>"
    rb"|(%b++)@([\w.-]++))[ \t]*+(?:,|\Z)" % (_ATEXT, _ATEXT, _ATEXT, _ATEXT),
    re.ASCII,
)
# One token outside of quoted strings and comments; an encoded word is one even with specials inside (seen).
_TOKEN = re.compile(rb"=\?[^?\s]++\?[bBqQ]\?[^?\s]*+\?=|[^ \t\r\n\"()<>,;:@\[]++|\[[^\]\[]*+\]|.", re.DOTALL)
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*+)"', re.DOTALL)
_COMMENT_STEP = re.compile(rb"[^()\\]++|\\.|.", re.DOTALL)
_QUOTED_PAIR = re.compile(rb"\\(.)", re.DOTALL)


def read_addresses(value: bytes, limits: MimeLimits = MIME_LIMITS) -> list[Address]:
    """The addresses of an unfolded field value."""
    addresses_max = limits.addresses_max
    addresses: list[Address] = []
    offset = 0
    while offset < len(value) and len(addresses) < addresses_max:
        mailbox = _MAILBOX.match(value, offset)
        if mailbox is None:
            return _read_broken_or_rare(value, limits)
        quoted, words, local, host, bare_local, bare_host = mailbox.groups()
        if local is None:
            addresses.append(Address(None, None, bare_local, bare_host))
        else:
            addresses.append(Address(quoted or words or None, None, local, host))
        offset = mailbox.end()
    return addresses


def _read_broken_or_rare(value: bytes, limits: MimeLimits) -> list[Address]:
    reader = _Reader()
    for token in islice(_tokens(value), limits.address_tokens_max):
        reader.take(token)
        if len(reader.addresses) >= limits.addresses_max:
            break
    return reader.end()


class _Token(NamedTuple):
    """`kind` is a special of RFC 5322 §3.2.3, `(` for a comment, empty for a word."""

    kind: bytes
    text: bytes
    glued: bool  # neither white space nor a comment stands before it


def _tokens(value: bytes) -> Iterator[_Token]:
    offset, glued, quotes = 0, False, True
    while offset < len(value):
        octet = value[offset : offset + 1]
        if octet in b" \t\r\n":
            offset, glued = offset + 1, False
        elif octet == b"(":
            offset, text = _comment(value, offset)
            glued = False
            yield _Token(b"(", text, glued)
        elif octet == b'"' and quotes and (quoted := _QUOTED.match(value, offset)):
            yield _Token(b"", _unquoted(quoted[1]), glued)
            offset, glued = quoted.end(), True
        else:
            quotes = quotes and octet != b'"'  # nothing closes it: from here on quotes are text
            token = _TOKEN.match(value, offset)
            assert token is not None
            yield _Token(octet if octet in _SPECIALS else b"", token[0], glued)
            offset, glued = token.end(), True


def _comment(value: bytes, start: int) -> tuple[int, bytes]:
    """comment: RFC 5322 §3.2.2; its end and its text. One that never ends reaches to the end of the field."""
    depth = 0
    for step in _COMMENT_STEP.finditer(value, start):
        depth += (step[0] == b"(") - (step[0] == b")")
        if depth == 0:
            return step.end(), _unquoted(value[start + 1 : step.start()])
    return len(value), _unquoted(value[start + 1 :])


def _unquoted(text: bytes) -> bytes:
    return _QUOTED_PAIR.sub(rb"\1", text) if b"\\" in text else text


class _Reader:
    """The whole grammar, a token at a time."""

    def __init__(self) -> None:
        self.addresses: list[Address] = []
        self._in_group = False
        self._words: list[_Token] = []
        self._angle: list[_Token] = []
        self._angle_state = _NO_ANGLE
        self._comment = b""

    def take(self, token: _Token) -> None:
        if token.kind == b"(":
            self._comment = token.text
        elif self._angle_state is _IN_ANGLE:
            self._take_in_angle(token)
        else:
            self._take_outside(token)

    def _take_in_angle(self, token: _Token) -> None:
        """angle-addr: RFC 5322 §3.4; Leniency: a bracket that nothing closes ends at a comma."""
        if token.kind == b">":
            self._angle_state = _AFTER_ANGLE
        elif token.kind == b"," and not (self._angle and self._angle[0].kind == b"@"):
            self._end_address()
        elif token.kind != b"<":
            self._angle.append(token)
        elif self._angle:
            self._end_address()
            self._angle_state = _IN_ANGLE

    def _take_outside(self, token: _Token) -> None:
        if token.kind == b",":
            self._end_address()
        elif token.kind == b"<":
            if self._angle_state is _AFTER_ANGLE:  # Leniency: a comma is missing
                self._end_address()
            self._angle_state = _IN_ANGLE
        elif token.kind == b";":
            self._end_group()
        elif token.kind == b":" and self._words and not self._in_group and self._angle_state is _NO_ANGLE:
            self._begin_group()
        elif token.kind != b">":
            self._words.append(token)

    def _begin_group(self) -> None:
        self.addresses.append(Address(None, None, _phrase(self._words), None))
        self._in_group = True
        self._clear()

    def _end_group(self) -> None:
        """Leniency: outside of a group a semicolon separates like a comma; seen from Outlook."""
        self._end_address()
        if self._in_group:
            self.addresses.append(GROUP_END)
        self._in_group = False

    def _end_address(self) -> None:
        if self._angle_state is not _NO_ANGLE:
            route, mailbox, host = _angle_addr(self._angle)
            name = _phrase(self._words) or self._comment
            self.addresses.append(Address(name or None, route, mailbox, host))
        elif self._words:
            self.addresses.append(_bare(self._words, self._comment))
        self._clear()

    def _clear(self) -> None:
        self._words = []
        self._angle = []
        self._angle_state = _NO_ANGLE
        self._comment = b""

    def end(self) -> list[Address]:
        self._end_group()
        return self.addresses


def _phrase(words: list[_Token]) -> bytes:
    """phrase: RFC 5322 §3.2.5, its quoting removed."""
    return b"".join(word.text if word.glued else b" " + word.text for word in words).strip(b" ")


def _text(words: list[_Token]) -> bytes:
    """Words of an addr-spec. Leniency: what is not joined keeps a space; seen from Outlook Express."""
    return b"".join(
        [b" " + word.text if at and not _joined(words, at) else word.text for at, word in enumerate(words)]
    )


def _last_at(words: list[_Token]) -> int:
    return max((index for index, word in enumerate(words) if word.kind == b"@"), default=-1)


def _angle_addr(words: list[_Token]) -> tuple[bytes | None, bytes, bytes]:
    """Route, mailbox, host: RFC 5322 §3.4 and, for obs-route, §4.4."""
    route = None
    if words and words[0].kind == b"@":
        colon = next((index for index, word in enumerate(words) if word.kind == b":"), -1)
        if colon > 0:
            route = _text(words[:colon])
            words = words[colon + 1 :]
    at = _last_at(words)
    if at < 0:
        return route, _text(words), b""
    return route, _text(words[:at]), _text(words[at + 1 :])


def _bare(words: list[_Token], comment: bytes) -> Address:
    """addr-spec: RFC 5322 §3.4.1; words around it, and words without any `@`, are a name."""
    at = _last_at(words)
    if at < 0:
        if _run_end(words, 0) == len(words):
            return Address(comment or None, None, _text(words), b"")
        return Address(_phrase(words), None, b"", b"")
    start = at
    while start > 0 and _joined(words, start):
        start -= 1
    end = _run_end(words, at)
    name = _phrase(words[:start] + words[end:]) or comment
    return Address(name or None, None, _text(words[start:at]), _text(words[at + 1 : end]))


def _run_end(words: list[_Token], start: int) -> int:
    end = start + 1
    while end < len(words) and _joined(words, end):
        end += 1
    return end


def _joined(words: list[_Token], index: int) -> bool:
    """Whether a word belongs to the one before: RFC 5322 §4.4 allows white space around `.` and `@`."""
    before, word = words[index - 1], words[index]
    return word.glued or b"@" in (before.kind, word.kind) or word.text[:1] == b"." or before.text[-1:] == b"."

"""Reads the scripts of imaptest (its "Scripted Testing"): header, commands, what they must bring."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tests.listeners.imaptest.words import Tree, tree

_STATUS = ("ok", "no", "bad", '""')


@dataclass(frozen=True)
class Expected:
    """`mark` *: a response must be so; !: none may be; ?: one may be."""

    mark: str
    words: Tree


@dataclass
class Command:
    """`status` empty: any; `prefix`: how the text of the tagged answer begins."""

    connection: int
    text: bytes
    status: str = ""
    prefix: Tree = field(default_factory=list)
    expected: list[Expected] = field(default_factory=list)
    tag: str = ""


@dataclass
class Script:
    header: dict[str, str]
    groups: list[list[Command]]
    """Commands that are sent before the first answer is awaited; one each but where tags are given."""

    @property
    def connections(self) -> int:
        return int(self.header.get("connections", "1"))

    @property
    def state(self) -> str:
        return self.header.get("state", "selected")


@dataclass(frozen=True)
class Mail:
    date: bytes
    octets: bytes


def mails(path: Path) -> list[Mail]:
    """The messages of an mbox file, with CRLF; the date of the "From " line as a date-time."""
    found = []
    for part in re.split(rb"^From ", path.read_bytes(), flags=re.MULTILINE)[1:]:
        line, _, octets = part.partition(b"\n")
        found.append(Mail(_date(line.decode()), octets.replace(b"\n", b"\r\n")))
    return found


def _date(line: str) -> bytes:
    date = line.split(maxsplit=1)[1]
    form = "%a %b %d %H:%M:%S %Y %z" if re.search(r" [+-]\d{4}$", date) else "%a %b %d %H:%M:%S %Y"
    moment = datetime.strptime(date.strip(), form)
    zone = moment.strftime("%z") or "+0000"
    return moment.strftime("%d-%b-%Y %H:%M:%S ").encode() + zone.encode()


def needed(path: Path) -> frozenset[str]:
    """The capabilities that a script needs."""
    line = re.search(rb"^capabilities: (.*)$", path.read_bytes(), re.MULTILINE)
    return frozenset(line[1].decode().upper().split()) if line else frozenset()


def read(path: Path) -> Script:
    header: dict[str, str] = {}
    rows = list(_rows(path.read_bytes()))
    while re.match(rb"#|[a-z_]+: ", rows[0]):
        key, _, value = rows.pop(0).partition(b": ")
        if not key.startswith(b"#"):
            header[key.decode()] = value.decode()
    script = Script(header, [])
    for row in rows:
        if row and not row.startswith(b"#"):
            _take(script, row)
    return script


def _rows(octets: bytes) -> Iterator[bytes]:
    """Lines, with the texts that stand between `{{{` and `}}}` as IMAP literals in them."""
    lines = iter(octets.split(b"\n"))
    for line in lines:
        row = line
        while row.endswith(b"{{{"):
            is_raw = row.endswith(b"~{{{")
            row = row.removesuffix(b"{{{")
            text = []
            while not (line := next(lines)).startswith(b"}}}"):
                text.append(line)
            literal = (b"\n" if is_raw else b"\r\n").join(text)
            row += b"{%d}\r\n%b%b" % (len(literal), literal, line.removeprefix(b"}}}"))
        yield row


def _take(script: Script, row: bytes) -> None:
    mark = row[:2]
    last = script.groups[-1][-1] if script.groups else None
    if mark in (b"* ", b"! ", b"? ") or row == b"* search":
        assert last is not None
        last.expected.append(Expected(mark[:1].decode(), tree(row[2:])))
        return
    connection = 1
    if script.connections > 1:
        number, _, row = row.partition(b" ")
        connection = int(number)
    word, _, rest = row.partition(b" ")
    status = word.decode().lower()
    tag = status if re.fullmatch(r"tag\d+", status) else ""
    if tag:
        _take_tagged(script, connection, tag, rest)
    elif status not in _STATUS:
        script.groups.append([Command(connection, row)])
    elif last is not None and not last.status and not last.tag and _is_answer(last, connection):
        last.status, last.prefix = status, tree(rest)
    else:
        script.groups.append([Command(connection, rest, status)])


def _is_answer(last: Command, connection: int) -> bool:
    return last.connection == connection


def _take_tagged(script: Script, connection: int, tag: str, rest: bytes) -> None:
    word = rest.partition(b" ")[0].decode().lower()
    if word in _STATUS:
        command = next(c for c in reversed(script.groups[-1]) if c.tag == tag)
        command.status = word
        return
    if not script.groups or not script.groups[-1][-1].tag or script.groups[-1][-1].status:
        script.groups.append([])
    script.groups[-1].append(Command(connection, rest, tag=tag))

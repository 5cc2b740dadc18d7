"""The scripts of imaptest, played against the node; what each expects is what a client may rely on."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path

import pytest

from mailnode.limits import Limits
from protocols.imap.capability import CAPABILITIES
from tests.listeners.imap_dialogue import HOST, house
from tests.listeners.imaptest.script import Command, Mail, Script, mails, needed, read
from tests.listeners.imaptest.words import Matcher, Tree, tree
from tests.listeners.loop import run

SCRIPTS = Path(__file__).parents[2].parent / "shared" / "vectors" / "imap" / "imaptest"
NAMES = sorted(p.name for p in SCRIPTS.glob("*") if p.is_file() and p.suffix != ".mbox")
OFFERED = frozenset(word.upper() for word, _ in CAPABILITIES)
LATER = {
    "CATENATE": {"catenate", "catenate-multiappend"},
    "CONTEXT=SEARCH": {
        "search-context-update",
        "search-context-update2",
        "search-context-update3",
        "search-partial",
    },
    "CONTEXT=SORT": {"sort-partial"},
    "ESORT": {"esort"},
    "NOTIFY": {"notify"},
    "SORT": {"sort-addresses", "sort-arrival", "sort-date", "sort-size", "sort-subject"},
    "SORT=DISPLAY": {"sort-display-from", "sort-display-to"},
    "THREAD=ORDEREDSUBJECT": {"thread-orderedsubject", "thread-orderedsubject2"},
    "THREAD=REFERENCES": {"thread", *(f"thread{number}" for number in range(2, 9))},
    "URLAUTH": {"urlauth", "urlauth-binary", "urlauth2"},
}
"""Scripts that wait for an extension that is not offered yet."""
WRONG = {"append-binary"}
"""Its last literal lacks a line end that its size counts; tests/cases/imap/binary.cases says it right."""
WAITING = {name: word for word, names in LATER.items() for name in names}
ANSWER_SECONDS_MAX = 20.0
LITERAL_AT_END = re.compile(rb"\{(\d+)\}\r\n\Z")


@dataclass
class Player:
    """One connection of a script."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    tag: int = 0
    alive: list[int] = field(default_factory=list)
    heard: list[tuple[Tree, int]] = field(default_factory=list)

    async def response(self) -> bytes:
        octets = b""
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            while True:
                octets += await self.reader.readuntil(b"\r\n")
                literal = LITERAL_AT_END.search(octets)
                if literal is None:
                    return octets[:-2]
                octets += await self.reader.readexactly(int(literal[1]))

    def send(self, text: bytes) -> str:
        """A command, its literals unasked for (RFC 7888); gives its tag."""
        self.tag += 1
        self.alive = list(range(1, len(self.alive) + 1))
        self.writer.write(b"t%d %b\r\n" % (self.tag, re.sub(rb"\{(\d+)\}\r\n", rb"{\1+}\r\n", text)))
        return f"t{self.tag}"

    async def answer(self, tag: str) -> Tree:
        """The tagged answer; what came before it is `heard`."""
        while True:
            words = tree(await self.response())
            if words[0] == tag:
                return words[1:]
            self.heard.append((words[1:], self._original(words)))

    def _original(self, words: Tree) -> int:
        """The number that the message had at the beginning of the command; 0: it is about none."""
        kind = str(words[2]).lower() if len(words) > 2 else ""
        if kind == "exists":
            self.alive.extend(range(len(self.alive) + 1, int(str(words[1])) + 1))
        if kind not in ("expunge", "fetch"):
            return 0
        at = int(str(words[1])) - 1
        return self.alive.pop(at) if kind == "expunge" else self.alive[at]

    async def do(self, text: bytes) -> Tree:
        self.heard.clear()
        return await self.answer(self.send(text))

    async def succeed(self, text: bytes) -> None:
        answer = await self.do(text)
        assert str(answer[0]).lower() == "ok", (text, answer)


async def connected(port: int) -> Player:
    player = Player(*await asyncio.open_connection(HOST, port, limit=1 << 20))
    await player.response()
    return player


async def play(script: Script, stock: list[Mail], port: int) -> None:
    players = [await connected(port) for _ in range(script.connections)]
    source = cycle(stock)
    await prepare(script, players, stock, source)
    matcher = Matcher({"mailbox": "imaptest", "user": "ann@example.test", "password": "secret"})
    for group in script.groups:
        await play_group(group, players[group[0].connection - 1], matcher, source)
    for player in players:
        player.writer.close()


async def prepare(script: Script, players: list[Player], stock: list[Mail], source: cycle[Mail]) -> None:
    """Bring about the state that the script begins in."""
    states = ["nonauth", "auth", "created", "appended", "selected"]
    level = states.index(script.state)
    for player in players if level >= 1 else ():
        await player.succeed(b"LOGIN ann@example.test secret")
    if level >= 2:
        await players[0].succeed(b"CREATE imaptest")
    wanted = script.header.get("messages", "all")
    count = len(stock) if wanted == "all" else int(wanted)
    for mail in islice(source, count if level >= 3 else 0):
        await players[0].succeed(b'APPEND imaptest "%b" ' % mail.date + literal(mail.octets))
    for player in players if level >= 4 else ():
        await player.succeed(b"SELECT imaptest")


def literal(octets: bytes) -> bytes:
    return b"{%d}\r\n%b" % (len(octets), octets)


async def play_group(group: list[Command], player: Player, matcher: Matcher, source: cycle[Mail]) -> None:
    player.heard.clear()
    tags = [player.send(text_of(command, matcher, source)) for command in group]
    matcher.variables["tag"] = tags[0]
    answers = [await player.answer(tag) for tag in tags]
    heard = list(player.heard)
    for command, answer in zip(group, answers, strict=True):
        status = command.status.strip('"')
        assert not status or str(answer[0]).lower() == status, (command, answer)
        assert matcher.response(command.prefix, answer[1 : 1 + len(command.prefix)], 0), (command, answer)
        for expected in command.expected:
            met = any(matcher.response(expected.words, *one) for one in heard)
            assert expected.mark == "?" or met is (expected.mark == "*"), (command.text, expected, heard)


def text_of(command: Command, matcher: Matcher, source: cycle[Mail]) -> bytes:
    """The command with its variables; APPEND without a message takes the next one there is."""
    text = matcher.expanded(command.text.decode("latin-1")).encode("latin-1")
    name, _, rest = text.partition(b" ")
    if name.lower() != b"append" or b"{" in text:
        return text
    mail = next(source)
    return b'APPEND %b "%b" ' % (rest or b"imaptest", mail.date) + literal(mail.octets)


@pytest.mark.skipif(not NAMES, reason="the scripts of imaptest are not here")
@pytest.mark.parametrize("name", [name for name in NAMES if name not in WRONG | WAITING.keys()])
def test_a_script_goes_as_written(tmp_path: Path, name: str) -> None:
    script = read(SCRIPTS / name)
    own = SCRIPTS / f"{name}.mbox"
    stock = mails(own if own.exists() else SCRIPTS / "default.mbox")

    async def body() -> None:
        async with house(tmp_path, Limits()) as served:
            await play(script, stock, served.port)

    run(body())


@pytest.mark.skipif(not NAMES, reason="the scripts of imaptest are not here")
def test_a_script_waits_only_for_what_is_not_offered() -> None:
    for name in NAMES:
        assert (needed(SCRIPTS / name) <= OFFERED) is (name not in WAITING), name
    assert not OFFERED.intersection(LATER)
    assert set(WAITING) <= set(NAMES)

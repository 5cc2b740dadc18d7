"""Plays what several IMAP clients and a server say to each other, over real sockets and a real account.

A dialogue is text:

    A: a SELECT INBOX          client A sends this line; before its first one it connects and logs in
    A> * 1 EXISTS              client A must be told exactly this line next; "..." stands for any text
    A= a SELECT INBOX          client A sends this line and is told anything, then OK: the scene is set
    A: a APPEND INBOX <one>    <one> stands for a literal, the message of that name; <one+> for a LITERAL+

A literal in what the server says is written out as its lines. At the end every client logs out, which must
bring nothing that was not expected.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mailnode.cluster.partitions import Partitions
from mailnode.limits import Limits
from mailnode.listeners import imap
from mailnode.listeners.admission import Admission
from mailnode.listeners.listening import Listening
from mailnode.listeners.tls import Certificate
from mailnode.listeners.wheel import Wheel
from mailnode.mailbox.accounts import Accounts
from mailnode.mailbox.connections import Connections
from mailnode.mailbox.content import UploadIds
from mailnode.mailbox.quota import Quotas
from mailnode.mailbox.verbs import Account
from mailnode.pb.change_pb2 import Create, Intent
from mailnode.store.shard import Shard, open_shard
from tests.listeners.loop import REACTOR, run
from tests.listeners.users import Users
from tests.mailbox.house import ACCOUNT, Ticking

HOST = "127.0.0.1"
LINE_SECONDS_MAX = 20.0  # a line that never comes fails the test
MESSAGES: Mapping[str, bytes] = {
    "one": b"From: Ann <ann@example.test>\r\nTo: bob@example.test\r\nSubject: First\r\n"
    b"Date: Mon, 5 Jan 2026 10:00:00 +0000\r\nMessage-ID: <1@example.test>\r\n\r\nHello world\r\n",
    "two": b"From: Bob <bob@example.test>\r\nSubject: Second\r\n\r\nGoodbye\r\n",
}
_MESSAGE = re.compile(r"<(\w+)(\+?)>\Z")


@dataclass(frozen=True, slots=True)
class House:
    """A listener at a port, and the account behind it."""

    port: int
    account: Account
    listening: Listening[Any]
    shard: Shard


@asynccontextmanager
async def house(
    directory: Path, limits: Limits, time: Any = None, certificate: Certificate | None = None
) -> AsyncIterator[House]:
    """On the loop of `loop`; the account has an INBOX and nothing else. `time`: Twisted's IReactorTime.

    With a certificate passwords are taken in TLS only.
    """
    shard = open_shard(directory, limits.shard_memory_octets_min, bytes(16))
    clock = Ticking()
    failures: list[OSError] = []
    with ThreadPoolExecutor(1) as writer, ThreadPoolExecutor(2) as loads:
        accounts = Accounts(
            shard, Partitions(shard, writer, limits, failures.append), loads, clock, limits, Quotas({})
        )
        account = await accounts.open(ACCOUNT)
        await account.apply(Intent(id=bytes(16), create=Create(address="ann@example.test")))
        listening = _listening(accounts, clock, limits, time, certificate)
        try:
            yield House(listening.open(HOST, 0), account, listening, shard)
        finally:
            await listening.stop()
    shard.close()
    assert not failures


def _listening(
    accounts: Accounts, clock: Ticking, limits: Limits, time: Any, certificate: Certificate | None
) -> Listening[Any]:
    listener = imap.listener(
        Users(ACCOUNT, {"ann@example.test": "secret"}),
        Connections.alone(),
        accounts,
        UploadIds(clock),
        clock,
        limits,
        mechanisms=("PLAIN", "LOGIN", "SCRAM-SHA-256"),
        auth_needs_tls=certificate is not None,
    )
    return Listening(
        REACTOR,
        listener,
        limits=limits,
        clock=clock,
        wheel=Wheel(time or REACTOR),
        admission=Admission(limits),
        certificate=certificate,
        implicit=False,
    )


class Wire:
    """The octets of one client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, line: str, messages: Mapping[str, bytes]) -> None:
        octets = line.encode()
        named = _MESSAGE.search(line)
        if named:
            message = messages[named[1]]
            octets = line[: named.start()].encode() + b"{%d%b}\r\n" % (len(message), named[2].encode())
            octets += message
        self._writer.write(octets + b"\r\n")

    def write(self, octets: bytes) -> None:
        self._writer.write(octets)

    async def read(self, octets_max: int) -> bytes:
        return await self._reader.read(octets_max)

    async def line(self) -> str:
        """The next line; an empty one at the end of the connection."""
        async with asyncio.timeout(LINE_SECONDS_MAX):
            return (await self._reader.readline()).decode().removesuffix("\r\n")

    async def succeed(self, tag: str) -> None:
        """All lines up to the tagged OK."""
        line = ""
        while not line.startswith(tag + " "):
            line = await self.line()
            assert line, "the connection ended"
        assert line.startswith(tag + " OK"), line

    async def octets(self, count: int) -> bytes:
        async with asyncio.timeout(LINE_SECONDS_MAX):
            return await self._reader.readexactly(count)

    async def rest(self) -> list[str]:
        """All lines up to the end of the connection."""
        async with asyncio.timeout(LINE_SECONDS_MAX):
            return (await self._reader.read()).decode().split("\r\n")[:-1]

    async def start_tls(self, context: ssl.SSLContext) -> None:
        await self._writer.start_tls(context, server_hostname="localhost")

    def close(self) -> None:
        self._writer.close()


async def connect(port: int) -> Wire:
    """Connected and greeted."""
    wire = Wire(*await asyncio.open_connection(HOST, port))
    greeting = await wire.line()
    assert greeting.startswith("* OK [CAPABILITY IMAP4rev1 "), greeting
    return wire


async def logged_in(port: int) -> Wire:
    wire = await connect(port)
    wire.send("login LOGIN ann@example.test secret", {})
    answer = await wire.line()
    assert answer.startswith("login OK [CAPABILITY IMAP4rev1 "), answer
    return wire


async def talk(port: int, text: str, messages: Mapping[str, bytes]) -> None:
    """Play a dialogue."""
    wires: dict[str, Wire] = {}
    for number, row in enumerate(text.splitlines(), 1):
        line = row.strip()
        if not line or line.startswith("#"):
            continue
        name, kind, rest = line[0], line[1], line[3:]
        if name not in wires:
            wires[name] = await logged_in(port)
        if kind in ":=":
            wires[name].send(rest, messages)
        if kind == "=":
            await wires[name].succeed(rest.partition(" ")[0])
        elif kind == ">":
            said = await wires[name].line()
            assert _matches(rest, said), f"line {number}: expected {rest!r}, was told {said!r}"
    for name, wire in wires.items():
        wire.send("logout LOGOUT", {})
        end = await wire.rest()
        assert len(end) == 2 and end[0].startswith("* BYE") and end[1].startswith("logout OK"), (name, end)
        wire.close()


def _matches(expected: str, line: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, expected.split("..."))), line) is not None


def play(
    directory: Path, text: str, messages: Mapping[str, bytes] = MESSAGES, limits: Limits | None = None
) -> None:
    """Play a dialogue against a new account."""

    async def body() -> None:
        async with house(directory, limits or Limits()) as served:
            await talk(served.port, text, messages)

    run(body())

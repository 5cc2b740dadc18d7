"""Clients that go on whatever fails: after a broken connection or a "not now" they try again.

What they send, and what they are promised, is as in tests/crash. A message whose command was not answered is
left alone from then on: it may be as before the command, or as after it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import TypeVar

from tests.crash.ledger import Ledger, Observation, Promise
from tests.crash.load import GONE, Session, Writer, deliver
from tests.crash.observe import observe
from tests.wire import imap, smtp

T = TypeVar("T")

ANSWER_SECONDS_MAX = 30.0  # beyond a failover: the client of a person gives up
SERVED_SECONDS_MAX = 120.0  # until the clients together are promised something again
POP3_MESSAGES = 20  # the latest of a maildrop, which a session fetches
AGAIN_SECONDS = 0.1  # between two attempts of one client


@dataclass(frozen=True, slots=True)
class Door:
    """A node as clients see it."""

    name: str
    host: str
    ports: Mapping[str, int]
    """By service: smtp, imaps, pop3."""
    accounts: Mapping[str, str]
    certificate: Path

    def port(self, service: str) -> int:
        return self.ports[service]


@dataclass(slots=True)
class Load:
    """What the clients share. `acknowledge` is what tests.crash.load asks of it."""

    doors: tuple[Door, ...]
    ledger: Ledger
    seed: int
    over: asyncio.Event = field(default_factory=asyncio.Event)
    _waiting: list[tuple[int, asyncio.Future[None]]] = field(default_factory=list)

    @property
    def server(self) -> Door:
        return self.doors[0]

    @property
    def accounts(self) -> Mapping[str, str]:
        return self.server.accounts

    def acknowledge(self, promise: Promise) -> None:
        self.ledger.acknowledge(promise)
        count = self.count
        for each in [each for each in self._waiting if each[0] <= count]:
            self._waiting.remove(each)
            each[1].set_result(None)

    @property
    def count(self) -> int:
        """Of what was promised."""
        return sum(self.ledger.acknowledged.values())

    async def more(self, count: int) -> None:
        """Until so many more promises were made; raises TimeoutError: the cluster serves nobody any more."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((self.count + count, waiter))
        await asyncio.wait_for(waiter, SERVED_SECONDS_MAX)


async def run(load: Load, faults: Callable[[], Awaitable[None]]) -> None:
    """Until `faults` has done its worst and returned."""
    async with asyncio.TaskGroup() as clients:
        for number, _ in enumerate(load.doors):
            writer = Writer(f"smtp{number}.{load.seed}", load.seed)
            clients.create_task(_again(load, number, _sending(load, writer)))
        for number, account in enumerate(load.accounts):
            writer = Writer(f"{account.partition('@')[0]}.{load.seed}", load.seed)
            clients.create_task(_again(load, number, _mutating(load, account, writer)))
            clients.create_task(_again(load, number + 1, _reading(load, account)))
            if "pop3s" in load.server.ports:
                fetched = Fetched(load, account)
                clients.create_task(_again(load, number + 2, fetched.fetch))
        try:
            await faults()
        finally:
            load.over.set()


def observed(door: Door) -> Observation:
    """What is there in the end, seen by a client that comes again where an account is not at hand yet."""
    while True:
        try:
            return asyncio.run(observe(door, lambda account, message_id: True))
        except imap.ImapFault as fault:
            assert "UNAVAILABLE" in str(fault), fault


async def _again(load: Load, first: int, work: Callable[[Door], Awaitable[None]]) -> None:
    """Each attempt at the next node."""
    doors: Iterator[Door] = cycle(
        (*load.doors[first % len(load.doors) :], *load.doors[: first % len(load.doors)])
    )
    while not load.over.is_set():
        with _forgiving(load.ledger):
            await work(next(doors))
        with suppress(TimeoutError):
            await asyncio.wait_for(load.over.wait(), AGAIN_SECONDS)


@contextmanager
def _forgiving(ledger: Ledger) -> Iterator[None]:
    """What a client of a failing cluster may meet; anything else is a broken promise."""
    try:
        yield
    except (*GONE, asyncio.IncompleteReadError, TimeoutError):
        pass
    except smtp.SmtpFault as fault:
        if not str(fault).startswith("4"):
            ledger.refused(f"smtp: {fault}")
    except imap.ImapFault as fault:
        if "UNAVAILABLE" not in str(fault) and "BYE" not in str(fault):
            ledger.refused(f"imap: {fault}")


def _sending(load: Load, writer: Writer) -> Callable[[Door], Awaitable[None]]:
    """Deliver to one or two accounts, again and again."""

    async def work(door: Door) -> None:
        connection = await _soon(smtp.connect(door.host, door.ports["smtp"]))
        try:
            await _soon(connection.greet(b"EHLO"))
            while not load.over.is_set():
                await _soon(deliver(load, connection, "smtp", writer))
        finally:
            connection.close()

    return work


def _mutating(load: Load, account: str, writer: Writer) -> Callable[[Door], Awaitable[None]]:
    async def work(door: Door) -> None:
        connection = await logged_in(load, door, account)
        try:
            session = Session(load, account, connection, writer)
            await _soon(session.select("INBOX"))
            while not load.over.is_set():
                await _soon(session.step())
        finally:
            connection.close()

    return work


def _reading(load: Load, account: str) -> Callable[[Door], Awaitable[None]]:
    """Someone who waits in IDLE for news: a failover is a pause to it."""

    async def work(door: Door) -> None:
        connection = await logged_in(load, door, account)
        try:
            await _soon(connection.ok(b"EXAMINE INBOX"))
            while not load.over.is_set():
                await _soon(connection.ok(b"NOOP"))
                with suppress(TimeoutError):
                    await asyncio.wait_for(load.over.wait(), 1.0)
        finally:
            connection.close()

    return work


@dataclass(slots=True)
class Fetched:
    """What a POP3 client fetched of a maildrop, by unique-id: that names the same message for good (RFC 1939
    §7), and what was there stays, in its place, as long as the session lasts."""

    load: Load
    account: str
    known: dict[bytes, bytes] = field(default_factory=dict)

    async def fetch(self, door: Door) -> None:
        trust = imap.trust(door.certificate)
        opening = asyncio.open_connection(door.host, door.ports["pop3s"], ssl=trust)
        reader, writer = await _soon(opening)
        try:
            client = Pop3(reader, writer)
            await client.ok(b"")
            await client.ok(b"USER " + self.account.encode())
            await client.ok(b"PASS " + self.load.accounts[self.account].encode())
            listed = [line.split() for line in await client.lines(b"UIDL")]
            for number, unique_id in listed[-POP3_MESSAGES:]:
                octets = b"".join(await client.lines(b"RETR " + number))
                if self.known.setdefault(unique_id, octets) != octets:
                    self.load.ledger.refused(f"pop3: {unique_id!r} of {self.account} is another message now")
            await client.ok(b"QUIT")
        finally:
            writer.close()


class Pop3:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ok(self, command: bytes) -> None:
        """Nothing is said before the greeting. Raises ConnectionError where the server says "not now"."""
        if command:
            self._writer.write(command + b"\r\n")
        line = await _soon(self._reader.readline())
        if not line.startswith(b"+OK"):
            raise ConnectionError(line)

    async def lines(self, command: bytes) -> list[bytes]:
        """Of the answer, without its last."""
        await self.ok(command)
        lines = []
        while (line := await _soon(self._reader.readuntil(b"\r\n"))) != b".\r\n":
            lines.append(line)
        return lines


async def logged_in(load: Load, door: Door, account: str) -> imap.ImapConnection:
    trust = imap.trust(door.certificate)
    connection = await _soon(imap.connect(door.host, door.ports["imaps"], trust))
    try:
        await _soon(connection.login(account, load.accounts[account]))
    except BaseException:
        connection.close()
        raise
    return connection


async def _soon(waiting: Awaitable[T]) -> T:
    return await asyncio.wait_for(waiting, ANSWER_SECONDS_MAX)

"""Thousands of connections, and those that hold one as long as they may."""

from __future__ import annotations

import asyncio
import random
import resource
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from tests.limits.bystander import tuned
from tests.wire import imap
from tests.wire.imap import ImapConnection
from tests.wire.node import Node
from tests.wire.server import DOMAIN, HOST, free_base_port

ANN, WORD = f"ann@{DOMAIN}", "secret"
CROWD = 10_000
PER_ADDRESS = 1000
AT_ONCE = 200  # connecting: the kernel's backlog is not what is tested
SLOW = 1000
PATIENCE_SECONDS = 10
MESSAGE = b"Subject: x\r\n\r\nbody\r\n"

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2 * CROWD and hard != resource.RLIM_INFINITY:
        pytest.skip(f"this machine lets a process open {hard} files only")
    node = Node(tmp_path / "node", free_base_port(random.Random()), {ANN: WORD})
    node.init()
    yield node
    node.stop()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def bounded(node: Node, **limits: int) -> None:
    """Start it with these limits."""
    tuned(node, **limits)
    node.start()


def playing(work: Awaitable[None]) -> None:
    async def body() -> None:
        async with asyncio.timeout(120):
            await work

    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    asyncio.run(body())


async def crowd(count: int, opened: Callable[[int], Awaitable[Streams]]) -> list[Streams]:
    """So many, each with its number."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> Streams:
        async with turn:
            return await opened(number)

    return await asyncio.gather(*map(one, range(count)))


async def is_served(ann: ImapConnection) -> None:
    """She does what she likes meanwhile."""
    for _ in range(5):
        await ann.ok(b"APPEND INBOX", MESSAGE)
        await ann.ok(b"SELECT INBOX")
        await ann.ok(b"FETCH 1:* BODY.PEEK[]")


def test_ten_thousand_connections_are_held_and_one_more_hears_that_it_is_too_much(node: Node) -> None:
    bounded(node, connections_max=CROWD, connections_per_address_max=PER_ADDRESS)

    async def opened(number: int) -> Streams:
        source = f"127.0.1.{1 + number // PER_ADDRESS}"
        streams = await asyncio.open_connection(HOST, node.port("imap"), local_addr=(source, 0))
        assert (await streams[0].readline()).startswith(b"* OK ")
        return streams

    async def work() -> None:
        ann = await imap.connect(HOST, node.port("imap"), None)
        await ann.login(ANN, WORD)
        there = await crowd(CROWD - 1, opened)
        await is_served(ann)
        for service, refusal in (("imap", b"* BYE "), ("pop3", b"-ERR "), ("smtp", b"421 ")):
            reader, writer = await asyncio.open_connection(HOST, node.port(service))
            assert (await reader.read()).startswith(refusal), service
            writer.close()
        there.pop()[1].close()
        await ann.ok(b"NOOP")
        for _, writer in there:
            writer.close()
        ann.close()

    playing(work())


def test_an_address_has_only_so_many_connections_and_others_have_theirs(node: Node) -> None:
    bounded(node, connections_per_address_max=20)

    async def work() -> None:
        there = [await asyncio.open_connection(HOST, node.port("smtp")) for _ in range(20)]
        for reader, _ in there:
            assert (await reader.readline()).startswith(b"220 ")
        reader, _ = await asyncio.open_connection(HOST, node.port("smtp"))
        assert (await reader.read()).startswith(b"421 4.7.0 ")
        reader, other = await asyncio.open_connection(HOST, node.port("smtp"), local_addr=("127.0.0.2", 0))
        assert (await reader.readline()).startswith(b"220 ")
        for _, writer in (*there, (reader, other)):
            writer.close()

    playing(work())


def test_a_thousand_that_say_an_octet_at_a_time_are_sent_away_and_hold_up_nobody(node: Node) -> None:
    """Slow-loris: a command whose end never comes keeps a connection no longer than silence would."""
    bounded(node, smtp_command_seconds_max=PATIENCE_SECONDS, connections_per_address_max=2 * SLOW)

    async def opened(_: int) -> Streams:
        streams = await asyncio.open_connection(HOST, node.port("smtp"))
        await streams[0].readline()
        return streams

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        """An octet whenever it may hope for more time, until it is told to go."""
        farewell = asyncio.ensure_future(reader.read())
        while not farewell.done():
            writer.write(b"A")
            await asyncio.wait((farewell,), timeout=1)
        writer.close()
        return farewell.result()

    async def work() -> None:
        there = await crowd(SLOW, opened)
        slow = [asyncio.ensure_future(drip(*streams)) for streams in there]
        ann = await imap.connect(HOST, node.port("imap"), None)
        await ann.login(ANN, WORD)
        await is_served(ann)
        assert all(said.startswith(b"421 4.4.2 ") for said in await asyncio.gather(*slow))
        await ann.ok(b"NOOP")
        ann.close()

    playing(work())

"""Streams between nodes of one host, over real sockets."""

from __future__ import annotations

import asyncio
import socket
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from mailnode.cluster.near import Doors, Near, connect
from mailnode.limits import Limits

LIMITS = Limits()
SOON = replace(LIMITS, peer_silence_seconds_max=1)


async def echo(near: Near) -> None:
    while True:
        await near.write(await near.read())


@asynccontextmanager
async def listening(
    where: Path, service: Callable[[Near], Awaitable[None]] = echo, limits: Limits = LIMITS
) -> AsyncIterator[None]:
    doors = Doors({"echo": service}, limits)
    await doors.open(where)
    try:
        yield
    finally:
        await doors.close()


@pytest.fixture
def where(tmp_path: Path) -> Path:
    return tmp_path / "one.near"


def test_messages_of_any_length_come_whole_and_in_order(where: Path) -> None:
    async def scenario() -> None:
        async with listening(where):
            near = await connect(where, "echo", LIMITS)
            said = [bytes([length % 251]) * length for length in (1, 2, 70_000, 3, 1_000_000, 262_144, 5)]

            async def say() -> None:
                for each in said:
                    await near.write(each)

            writing = asyncio.ensure_future(say())
            assert [await near.read() for _ in said] == said
            await writing
            near.close()

    asyncio.run(scenario())


def test_only_its_user_may_come(where: Path) -> None:
    async def mode() -> int:
        async with listening(where):
            return (await asyncio.to_thread(where.stat)).st_mode

    assert stat.S_IMODE(asyncio.run(mode())) == 0o600


def test_octets_that_come_one_by_one_are_a_message(where: Path) -> None:
    async def scenario() -> None:
        async with listening(where):
            reader, writer = await asyncio.open_unix_connection(str(where))
            for octet in b"\0\0\0\4echo" + b"\0\0\0\0" + b"\0\0\0\2hi":
                writer.write(bytes([octet]))
                await writer.drain()
            assert await reader.readexactly(4 + 5 + 6) == b"\0\0\0\0\0\0\0\1+\0\0\0\2hi"
            writer.close()

    asyncio.run(scenario())


def test_who_does_not_read_holds_who_writes(where: Path) -> None:
    async def scenario() -> None:
        reads = asyncio.Event()

        async def slow(near: Near) -> None:
            await reads.wait()
            await echo(near)

        async with listening(where, slow):
            near = await connect(where, "echo", LIMITS)
            message, sent = bytes(100_000), 0
            while True:
                writing = asyncio.ensure_future(near.write(message))
                done, _ = await asyncio.wait((writing,), timeout=0.5)
                if not done:
                    break
                sent += 1
            assert sent < 100, "what is under way is bounded"
            reads.set()
            for _ in range(sent):
                assert await near.read() == message
            await writing
            near.close()

    asyncio.run(scenario())


def test_a_service_that_is_not_there_and_nobody_there_are_errors(where: Path) -> None:
    async def scenario() -> None:
        with pytest.raises(OSError):
            await connect(where, "echo", LIMITS)
        async with listening(where):
            with pytest.raises(OSError):
                await connect(where, "other", LIMITS)

    asyncio.run(scenario())


def test_both_ends_hear_of_the_end(where: Path) -> None:
    async def scenario() -> None:
        ended = asyncio.Event()

        async def until_the_end(near: Near) -> None:
            with pytest.raises(OSError):
                await near.read()
            with pytest.raises(OSError):
                await near.write(b"too late")
            ended.set()

        async with listening(where, until_the_end):
            near = await connect(where, "echo", LIMITS)
            near.close()
            await ended.wait()
            with pytest.raises(OSError):
                await near.read()
        async with listening(where):
            near = await connect(where, "echo", LIMITS)
        with pytest.raises(OSError):
            await near.read()

    asyncio.run(scenario())


def test_octets_that_are_no_message_end_their_stream_alone(where: Path) -> None:
    async def scenario() -> None:
        async with listening(where):
            near = await connect(where, "echo", LIMITS)
            reader, writer = await asyncio.open_unix_connection(str(where))
            writer.write(b"\xff\xff\xff\xff")
            assert await reader.read(4) == bytes(4)
            with suppress(ConnectionError):
                assert await reader.read() == b""
            writer.close()
            await near.write(b"still here")
            assert await near.read() == b"still here"
            near.close()

    asyncio.run(scenario())


def test_who_has_nothing_to_say_shows_that_it_is_there(where: Path) -> None:
    async def scenario() -> None:
        async with listening(where, limits=SOON):
            reader, writer = await asyncio.open_unix_connection(str(where))
            for _ in range(3):  # one at once, and one each half of the silence
                assert await reader.readexactly(4) == bytes(4)
            writer.close()

    asyncio.run(scenario())


def test_a_node_that_hangs_is_noticed(where: Path) -> None:
    """Its kernel takes what we say, but nobody answers: not one who comes, nor one who was there."""

    async def scenario() -> None:
        with socket.socket(socket.AF_UNIX) as deaf:
            deaf.bind(str(where))
            deaf.listen()
            with pytest.raises(OSError):
                await connect(where, "echo", SOON)

        async def hangs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"\0\0\0\1+")

        server = await asyncio.start_unix_server(hangs, f"{where}.later")
        near = await connect(Path(f"{where}.later"), "echo", SOON)
        with pytest.raises(OSError, match="silent"):
            await near.read()
        server.close()

    asyncio.run(scenario())

"""COMPRESS=DEFLATE over real sockets (RFC 4978)."""

from __future__ import annotations

import asyncio
import tracemalloc
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from mailnode.limits import Limits, MiB
from tests.listeners.imap_dialogue import LINE_SECONDS_MAX, Wire, house, logged_in
from tests.listeners.loop import run

LIMITS = Limits()
BOMB_OCTETS = 64 * MiB


class Deflated:
    """A client behind COMPRESS."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._deflate = zlib.compressobj(wbits=-15)
        self._inflate = zlib.decompressobj(-15)
        self._heard = b""
        self.received = 0

    def write(self, octets: bytes) -> None:
        self.write_folded(self.folded(octets))

    def folded(self, octets: bytes) -> bytes:
        return self._deflate.compress(octets) + self._deflate.flush(zlib.Z_SYNC_FLUSH)

    def write_folded(self, octets: bytes) -> None:
        self._wire.write(octets)

    async def line(self) -> bytes:
        async with asyncio.timeout(LINE_SECONDS_MAX):
            while b"\r\n" not in self._heard:
                octets = await self._wire.read(65536)
                assert octets, "the connection ended"
                self.received += len(octets)
                self._heard += self._inflate.decompress(octets)
        line, _, self._heard = self._heard.partition(b"\r\n")
        return line

    async def answer(self, command: bytes) -> list[bytes]:
        """The lines of its answer, the last one tagged."""
        self.write(command + b"\r\n")
        lines = [await self.line()]
        while not lines[-1].startswith(command.split(b" ")[0] + b" "):
            lines.append(await self.line())
        return lines


async def deflated(port: int) -> Deflated:
    wire = await logged_in(port)
    wire.write(b"z COMPRESS DEFLATE\r\n")
    assert (await wire.line()).startswith("z OK ")
    return Deflated(wire)


def played(
    directory: Path, test: Callable[[Deflated, Wire], Awaitable[None]], limits: Limits = LIMITS
) -> None:
    """`test` has a client behind COMPRESS, and another one."""

    async def body() -> None:
        async with house(directory, limits) as served:
            await test(await deflated(served.port), await logged_in(served.port))

    run(body())


def test_commands_and_answers_are_deflated_after_the_tagged_ok(tmp_path: Path) -> None:
    async def test(client: Deflated, other: Wire) -> None:
        client.write(
            b"a APPEND INBOX {16000+}\r\n" + b"Subject: x\r\n\r\n" + b"abcdefgh\r\n" * 1598 + b"123456\r\n"
        )
        assert (await client.line()).startswith(b"a OK [APPENDUID ")
        assert (await client.answer(b"b EXAMINE INBOX"))[-1].startswith(b"b OK ")
        client.received = 0
        lines = await client.answer(b"c FETCH 1 BODY.PEEK[]")
        assert lines.count(b"abcdefgh") == 1598
        assert client.received < 1000

    played(tmp_path, test)


def test_compress_is_once_and_deflate_alone(tmp_path: Path) -> None:
    async def test(client: Deflated, other: Wire) -> None:
        assert await client.answer(b"a COMPRESS DEFLATE") == [
            b"a BAD [COMPRESSIONACTIVE] DEFLATE is active already"
        ]
        other.write(b"b COMPRESS LZW\r\n")
        assert (await other.line()).startswith("b BAD ")
        other.write(b"c NOOP\r\n")
        assert (await other.line()).startswith("c OK ")

    played(tmp_path, test)


def test_a_bomb_fills_no_memory_and_holds_up_nobody(tmp_path: Path) -> None:
    async def test(client: Deflated, other: Wire) -> None:
        bomb = client.folded(b"a NOOP " + b"x" * BOMB_OCTETS + b"\r\n")
        tracemalloc.start()
        client.write_folded(bomb)
        waits = asyncio.ensure_future(client.line())
        answered = 0
        while not waits.done():
            other.write(b"b NOOP\r\n")
            assert (await other.line()).startswith("b OK ")
            answered += 1
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert waits.result().startswith(b"a BAD [TOOBIG] ")
        assert answered > 10
        assert peak < 4 * MiB
        assert (await client.answer(b"c NOOP"))[-1].startswith(b"c OK ")

    played(tmp_path, test)


def test_appends_in_a_pipeline_are_read_no_further_than_they_are_answered(tmp_path: Path) -> None:
    async def test(client: Deflated, other: Wire) -> None:
        append = b"%d APPEND INBOX {50000+}\r\nSubject: x\r\n\r\n" + b"y" * 49986 + b"\r\n"
        client.write(b"".join(append % (1000 + number) for number in range(100)))
        for number in range(100):
            assert (await client.line()).startswith(b"%d OK " % (1000 + number))

    played(tmp_path, test)


def test_what_is_no_deflate_ends_the_connection_and_no_other(tmp_path: Path) -> None:
    async def body() -> None:
        async with house(tmp_path, LIMITS) as served:
            wire, other = await logged_in(served.port), await logged_in(served.port)
            wire.write(b"z COMPRESS DEFLATE\r\n")
            await wire.succeed("z")
            wire.write(b"\xff\xff\xffa NOOP\r\n")
            assert await wire.line() == ""
            other.write(b"b NOOP\r\n")
            assert (await other.line()).startswith("b OK ")

    run(body())


def test_news_come_deflated_in_idle_and_the_goodbye_too(tmp_path: Path) -> None:
    async def test(client: Deflated, other: Wire) -> None:
        await client.answer(b"a SELECT INBOX")
        client.write(b"b IDLE\r\n")
        assert await client.line() == b"+ idling"
        for count in (b"1", b"2"):
            other.send("c APPEND INBOX <one+>", {"one": b"Subject: x\r\n\r\ny\r\n"})
            await other.succeed("c")
            assert await client.line() == b"* " + count + b" EXISTS"
            assert (await client.line()).endswith(b" RECENT")
        assert (await client.line()).startswith(b"* BYE Autologout")

    played(tmp_path, test, replace(LIMITS, imap_idle_seconds_max=2))

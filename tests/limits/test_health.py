"""The port of /metrics and /healthz: it says when a write hangs, and waits for nobody without end."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from mailnode import node as built
from mailnode.clock import SystemClock
from mailnode.config import MetricsAt, load
from mailnode.limits import Limits
from mailnode.listeners.ports import Ports
from mailnode.node.doors import Doors
from mailnode.pb.change_pb2 import Create, Intent
from tests.listeners.door import until
from tests.listeners.loop import REACTOR, run
from tests.wire.node import Node
from tests.wire.server import HOST, free_base_port

ACCOUNT = 1 << 48 | 7
REQUEST = b"GET /healthz HTTP/1.0\r\n\r\n"


@asynccontextmanager
async def opened(directory: Path, limits: Limits) -> AsyncIterator[tuple[built.House, int]]:
    """What a node is, and its port."""
    port = free_base_port(random.Random())
    Node(directory / "node", port, {}).init()
    config = replace(
        load(directory / "node"),
        listeners=(),
        lmtp_socket=None,
        metrics=MetricsAt(HOST, port, ""),
        limits=limits,
    )
    async with built.house(config, SystemClock()) as parts:
        doors = Doors(config, parts, REACTOR)
        doors.open(Ports({}))
        yield parts, port
        await doors.stop()


async def health(port: int) -> bytes:
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(REQUEST)
    said = await reader.read()
    writer.close()
    return said.split(b" ", 2)[1] + b" " + said.rpartition(b"\r\n")[2]


def test_a_write_that_hangs_is_told_until_it_is_over(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path, replace(Limits(), write_hangs_seconds=0.0)) as (parts, port):
            account = await parts.accounts.open(ACCOUNT)
            assert await health(port) == b"200 ok\n"
            disk = threading.Event()
            parts.pools.writer.submit(disk.wait)
            write = asyncio.ensure_future(account.apply(Intent(create=Create(address="a@example.test"))))
            await until(lambda: parts.others.partitions.waits_seconds)
            assert await health(port) == b"503 writes to the disk hang\n"
            assert not (await account.mailboxes()).rows
            disk.set()
            await write
            assert (await account.mailboxes()).rows
            assert await health(port) == b"200 ok\n"

    run(work())


def test_who_begins_a_request_and_says_no_more_is_sent_away(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path, replace(Limits(), http_silence_seconds_max=1)) as (_, port):
            silent = [await asyncio.open_connection(HOST, port) for _ in range(50)]
            for _, writer in silent:
                writer.write(REQUEST[:-2])
            assert await health(port) == b"200 ok\n"
            assert {await reader.read() for reader, _ in silent} == {b""}
            assert await health(port) == b"200 ok\n"

    run(work())


def test_only_so_many_may_read_at_the_same_time(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path, replace(Limits(), http_connections_max=3)) as (_, port):
            there = [await asyncio.open_connection(HOST, port) for _ in range(3)]
            for _, writer in there:
                writer.write(REQUEST[:5])
            reader, beyond = await asyncio.open_connection(HOST, port)
            assert await reader.read() == b""
            beyond.close()
            reader, writer = there.pop()
            writer.write(REQUEST[5:])  # who was there is served, and leaves room
            assert b" 200 " in await reader.read()
            writer.close()
            assert await health(port) == b"200 ok\n"
            for _, writer in there:
                writer.close()

    run(work())

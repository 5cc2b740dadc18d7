"""A disk on which a write hangs: /healthz says so, who reads is served, and then all is well."""

from __future__ import annotations

import asyncio
import random
import threading
from dataclasses import replace
from pathlib import Path

from mailnode import node as built
from mailnode.clock import SystemClock
from mailnode.config import MetricsAt, load
from mailnode.pb.change_pb2 import Create, Intent
from tests.listeners.door import until
from tests.listeners.loop import REACTOR, run
from tests.wire.node import Node
from tests.wire.server import HOST, free_base_port

ACCOUNT = 1 << 48 | 7


async def health(port: int) -> bytes:
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(b"GET /healthz HTTP/1.0\r\n\r\n")
    said = await reader.read()
    writer.close()
    return said.split(b" ", 2)[1] + b" " + said.rpartition(b"\r\n")[2]


def test_a_write_that_hangs_is_told_at_healthz_until_it_is_over(tmp_path: Path) -> None:
    port = free_base_port(random.Random())
    Node(tmp_path / "node", port, {}).init()
    config = load(tmp_path / "node")
    config = replace(
        config,
        listeners=(),
        lmtp_socket=None,
        metrics=MetricsAt(HOST, port, ""),
        limits=replace(config.limits, write_hangs_seconds=0.0),
    )

    async def work() -> None:
        async with built.house(config, SystemClock()) as parts:
            doors = built.Doors(config, parts, REACTOR)
            doors.open({})
            account = await parts.accounts.open(ACCOUNT)
            assert await health(port) == b"200 ok\n"
            disk = threading.Event()
            parts.writer.submit(disk.wait)
            write = asyncio.ensure_future(account.apply(Intent(create=Create(address="a@example.test"))))
            await until(lambda: parts.partitions.waits_seconds)
            assert await health(port) == b"503 writes to the disk hang\n"
            assert not (await account.mailboxes()).rows
            disk.set()
            await write
            assert (await account.mailboxes()).rows
            assert await health(port) == b"200 ok\n"
            await doors.stop()

    run(work())

"""A report that another server sends comes in at a running node, and an operator reads it."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from protocols.reports import aggregate
from protocols.reports.letter import Letter, Part, write
from protocols.reports.packed import packed
from tests.node.several import wait_for
from tests.protocols.reports.samples import AGGREGATE
from tests.wire import smtp
from tests.wire.node import Node, program
from tests.wire.server import HOST, free_base_port

DAY_SECONDS = 86_400


def report() -> bytes:
    """Of yesterday, as a mail."""
    begin = int(time.time()) // DAY_SECONDS * DAY_SECONDS - DAY_SECONDS
    policy = replace(AGGREGATE.policy, domain="example.test")
    metadata = replace(AGGREGATE.metadata, begin=begin, end=begin + DAY_SECONDS - 1)
    told = replace(AGGREGATE, metadata=metadata, policy=policy)
    letter = Letter("r@receiver.example", "postmaster@example.test", "x", "d", "7f", "receiver.example")
    return write(letter, "A report.", [Part("application/gzip", packed(aggregate.write(told)), "r.xml.gz")])


async def deliver(node: Node, content: bytes) -> None:
    connection = await smtp.connect(HOST, node.port("smtp"))
    await connection.greet(b"EHLO")
    envelope = smtp.envelope("r@receiver.example", "postmaster@example.test")
    (reply,) = await connection.deliver(envelope, smtp.stuffed(content))
    assert reply.code == 250, reply
    connection.close()


def test_an_aggregate_report_is_listed_shown_and_told_by_source(tmp_path: Path) -> None:
    node = Node(tmp_path / "node", free_base_port(random.Random()), {"alice@example.test": "secret"})
    node.start()

    def asked(*words: str) -> str:
        command = [*program(), "reports", *words, "--dir", str(node.directory)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def listed() -> list[dict[str, Any]]:
        return list(json.loads(asked("list", "--json")))

    assert listed() == []
    asyncio.run(deliver(node, report()))
    wait_for(listed)
    (one,) = listed()
    assert (one["kind"], one["domain"], one["messages"], one["failed"]) == ("dmarc", "example.test", 107, 7)
    shown = asked("show", one["report"])
    assert "2001:db8::1" in shown and "192.0.2.1" in shown
    assert "2001:db8::1" in asked("sources") and "192.0.2.1" not in asked("sources")
    assert "192.0.2.1" in asked("sources", "--all")
    node.stop()

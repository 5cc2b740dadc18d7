"""A node sends: from its user's submission to another server's content, over sockets and kill -9."""

from __future__ import annotations

import asyncio
import json
import random
import smtplib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import dkim
import pytest

from mailnode.config import FILE
from tests.node.test_node import ALICE, PASSWORD, inbox, mailnode
from tests.relay.host import HOST, Scripted, listening
from tests.wire.nameserver import Nameserver
from tests.wire.node import Node
from tests.wire.server import free_base_port

SECONDS_MAX = 30
MESSAGE = (
    b"From: alice@example.test\r\nSubject: out\r\nDate: Mon, 5 Jan 2026 10:00:00 +0000\r\n\r\n.hello\r\n"
)
NAMES = {
    "there.test": {"MX": ["10 mx.there.test."]},
    "mx.there.test": {"A": [HOST]},
    "nomail.test": {"MX": ["0 ."]},
}


@pytest.fixture
def nameserver() -> Iterator[Nameserver]:
    with Nameserver(NAMES) as server:
        yield server


@pytest.fixture
def node(tmp_path: Path) -> Node:
    """Not started: first it is told where other domains are."""
    base_port, options = free_base_port(random.Random()), ("--allow-plaintext-auth",)
    made = Node(tmp_path / "node", base_port, {ALICE: PASSWORD}, options=options)
    made.init()
    return made


def point(node: Node, port: int, dns: int) -> None:
    """Other domains' servers are at this port, as this DNS server says."""
    file = node.directory / FILE
    text = file.read_text()
    assert "\nport = 25 " in text and "\nservers = [] " in text and "\nloopback = false " in text
    text = text.replace("\nloopback = false ", "\nloopback = true ")
    text = text.replace("\nport = 25 ", f"\nport = {port} ").replace(
        "\nservers = [] ", f'\nservers = ["{HOST}:{dns}"] '
    )
    file.write_text(text)


def submit(node: Node, *recipients: str) -> None:
    with smtplib.SMTP(HOST, node.port("submission")) as client:
        client.login(ALICE, PASSWORD)
        assert client.sendmail(ALICE, recipients, MESSAGE, ["BODY=8BITMIME"]) == {}


@asynccontextmanager
async def world(host: Scripted, node: Node, nameserver: Nameserver) -> AsyncIterator[None]:
    async with listening(host) as port:
        point(node, port, nameserver.port)
        await asyncio.to_thread(node.start)
        try:
            yield
        finally:
            if node.is_running:
                await asyncio.to_thread(node.stop)


def published(node: Node) -> bytes:
    """What `mailnode dns` says of the key."""
    done = mailnode("dns", "example.test", "--dir", str(node.directory))
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("m1._domainkey.example.test.")]
    return "".join(line.split('"')[1::2]).encode()


def played(work: Callable[[], Coroutine[None, None, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(SECONDS_MAX):
            await work()

    asyncio.run(bounded())


async def reports(node: Node, count: int) -> list[bytes]:
    """What came into alice's INBOX, once that many have."""
    found: list[bytes] = []
    while len(found) < count:  # each look is a whole IMAP session: it takes its time
        found = await asyncio.to_thread(inbox, node)
    return found


def test_a_submitted_message_goes_to_the_host_of_its_domain(node: Node, nameserver: Nameserver) -> None:
    host = Scripted()

    async def work() -> None:
        async with world(host, node, nameserver):
            await asyncio.to_thread(submit, node, "bob@there.test", "carol@There.Test", ALICE)
            await host.came.acquire()
            assert len(await asyncio.to_thread(inbox, node)) == 1

    played(work)
    content = host.contents[0].replace(b"\r\n..", b"\r\n.")
    record = published(node)
    assert dkim.verify(content, dnsfunc=lambda name, timeout=5: record)
    signature, _, rest = content.partition(b"Received: from ")
    assert signature.startswith(
        b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.test; s=m1;"
    )
    rest = rest.partition(b"+0000\r\n")[2]
    assert rest.partition(b"From: ")[2].endswith(b"\r\n\r\n.hello\r\n")
    assert rest.startswith(b"Message-ID: <")
    assert [line for line in host.lines if line.startswith(("MAIL", "RCPT"))] == [
        f"MAIL FROM:<alice@example.test> SIZE={len(content)} BODY=8BITMIME",
        "RCPT TO:<bob@there.test>",
        "RCPT TO:<carol@There.Test>",
    ]


def test_one_id_follows_a_message_from_the_socket_to_the_other_server(
    node: Node, nameserver: Nameserver
) -> None:
    host = Scripted()
    file = node.directory / FILE
    file.write_text(file.read_text().replace('log_format = "text"', 'log_format = "json"'))

    async def work() -> None:
        async with world(host, node, nameserver):
            await asyncio.to_thread(submit, node, "bob@there.test", ALICE)
            while '"message": "sent"' not in await asyncio.to_thread(node.log.read_text):
                assert node.is_running

    played(work)
    lines = [json.loads(line) for line in node.log.read_text().splitlines()]
    taken, sent = ([line for line in lines if line["message"] == said] for said in ("message taken", "sent"))
    assert len(taken) == 1 and len(sent) == 1
    name = taken[0]["transaction"]
    assert sent[0]["transaction"] == name and sent[0]["recipient"] == "bob@there.test"
    assert f" id {name}".encode() in host.contents[0]


def test_who_is_refused_is_reported_to_the_sender(node: Node, nameserver: Nameserver) -> None:
    host = Scripted({"RCPT TO:<gone@there.test>": "550 5.1.1 no such user"})

    async def work() -> None:
        async with world(host, node, nameserver):
            await asyncio.to_thread(submit, node, "gone@there.test", "bob@there.test", "x@nomail.test")
            (report,) = await reports(node, 1)
            assert report.startswith(b"Return-Path: <>\r\n")
            assert b"Content-Type: multipart/report; report-type=" in report
            assert b"Final-Recipient: rfc822; gone@there.test\r\n" in report
            assert b"Final-Recipient: rfc822; x@nomail.test\r\n" in report
            assert b"bob@there.test" not in report
            await host.came.acquire()

    played(work)


def test_what_was_acknowledged_goes_out_after_kill_9(node: Node, nameserver: Nameserver) -> None:
    """The first connection is held without a greeting while the node is killed."""
    host = Scripted(silent_connections=1)

    async def work() -> None:
        async with world(host, node, nameserver):
            await asyncio.to_thread(submit, node, "bob@there.test")
            await host.connected.acquire()
            await asyncio.to_thread(node.kill)
            await asyncio.to_thread(node.start)
            await host.came.acquire()

    played(work)
    assert len(host.contents) == 1


def test_an_operator_sees_what_waits_and_has_it_tried(node: Node, nameserver: Nameserver) -> None:
    host = Scripted({"RCPT": "451 4.7.1 greylisted", "DATA": "554 5.5.1 nobody"})

    async def queue(*words: str) -> str:
        done = await asyncio.to_thread(mailnode, "queue", *words, "--dir", str(node.directory))
        assert done.returncode == 0, done.stderr
        return done.stdout

    async def tried() -> dict[str, Any]:
        """The one item, once it waits again: while it is tried it is not listed."""
        while not (items := json.loads(await queue("list", "--json"))):
            pass
        item: dict[str, Any] = items[0]
        return item

    async def work() -> None:
        async with world(host, node, nameserver):
            await asyncio.to_thread(submit, node, "bob@there.test")
            await host.left.acquire()
            item = await tried()
            assert (item["sender"], item["attempts"], item["held"]) == (ALICE, 1, False)
            assert item["recipients"] == [{"address": "bob@there.test", "reply": "451 4.7.1 greylisted"}]
            assert await queue("hold", item["item"]) == "1 on hold\n"
            assert "on hold" in await queue("list")
            shown = await queue("show", item["item"])
            assert "bob@there.test" in shown and "451 4.7.1 greylisted" in shown
            host.says = {}
            assert await queue("retry", "--all") == "1 due now\n"
            await host.came.acquire()

    played(work)
    assert len(host.contents) == 1


def test_what_an_operator_removes_is_sent_and_reported_to_nobody(node: Node, nameserver: Nameserver) -> None:
    host = Scripted({"MAIL": "451 4.3.0 later"})

    async def work() -> None:
        async with world(host, node, nameserver):
            await asyncio.to_thread(submit, node, "bob@there.test")
            await host.left.acquire()
            await asyncio.to_thread(node.stop)
            for words, said in ((("remove", "--all"), "1 removed\n"), (("list", "--json"), "[]\n")):
                done = await asyncio.to_thread(mailnode, "queue", *words, "--dir", str(node.directory))
                assert (done.returncode, done.stdout) == (0, said), done.stderr
            await asyncio.to_thread(node.start)
            assert await asyncio.to_thread(inbox, node) == []

    played(work)

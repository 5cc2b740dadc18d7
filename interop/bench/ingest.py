"""SMTP ingest: messages over C connections, until the last 250 and until all are visible over IMAP.

One recipient a message, the accounts in turn. `python -m interop.bench.ingest` is the client.
"""

import asyncio
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from interop.bench.client import Figures, connected, drive, latency_figures, own_cpu_seconds, serve
from interop.bench.cpu import Meter
from interop.bench.messages import Template, alternative, attached, plain
from interop.bench.row import Benched, Row, Scale, accounts
from interop.peers.postfix_dovecot import PostfixDovecot
from tests.wire import imap, smtp
from tests.wire.server import HOST, Server

TEMPLATES = {"2k": plain(2048), "20k": alternative(20480), "200k": attached(204800)}
SHARES = {"2k": 1, "20k": 2, "200k": 8}  # of the count, since the big ones take longer
CONNECTIONS = (1, 10, 50)
POLL_SECONDS = 0.01  # between two STATUS of one account; the resolution of "visible"


@dataclass(frozen=True, slots=True)
class Ingest:
    """A workload: `count` messages of one size over `connections`."""

    size: str
    connections: int
    count: int

    @property
    def label(self) -> str:
        return f"ingest {self.size} C={self.connections}"

    def run(self, server: Server, meter: Meter) -> Figures:
        order = {
            "size": self.size,
            "connections": self.connections,
            "count": self.count,
            "smtp_port": server.port("smtp"),
            "imap_port": server.port("imap"),
            "accounts": list(server.accounts.items()),
        }
        return drive(__spec__.name, order, meter, self.count)


COUNT, QUICK_COUNT = 2000, 300
WARM_UP_COUNT = 100


def row(scale: Scale) -> Row:
    def warmed(server: Benched, meter: Meter) -> None:
        Ingest("2k", 10, WARM_UP_COUNT).run(server, meter)

    count = QUICK_COUNT if scale.quick else COUNT
    return Row((PostfixDovecot,), accounts(20), warmed, _workloads(count), fresh=True)


def _workloads(count: int) -> list[Ingest]:
    """2, 20 and 200 KB over 1, 10 and 50 connections; one alone has a quarter of the messages."""
    return [
        Ingest(size, connections, count // SHARES[size] // (4 if connections == 1 else 1))
        for size in TEMPLATES
        for connections in CONNECTIONS
    ]


@dataclass(frozen=True, slots=True)
class _Order:
    """What the client process is told."""

    size: str
    connections: int
    count: int
    smtp_port: int
    imap_port: int
    accounts: list[tuple[str, str]]


async def _client(fields: dict[str, Any]) -> Figures:
    order = _Order(**fields)
    readers = [await _login(order.imap_port, *account) for account in order.accounts]
    before = [await _messages(reader) for reader in readers]
    senders = [await smtp.connect(HOST, order.smtp_port) for _ in range(order.connections)]
    await asyncio.gather(*(sender.greet(b"EHLO") for sender in senders))
    connected()

    run = uuid.uuid4().hex.encode()
    envelopes = [smtp.envelope("sender@client.example.test", address) for address, _ in order.accounts]
    latencies: list[float] = []
    numbers = iter(range(order.count))
    cpu_before, start = own_cpu_seconds(), time.perf_counter()
    await asyncio.gather(
        *(_send(each, numbers, envelopes, TEMPLATES[order.size], run, latencies) for each in senders)
    )
    accepted, cpu = time.perf_counter() - start, own_cpu_seconds() - cpu_before
    for at, reader in enumerate(readers):
        share = len(range(at, order.count, len(readers)))
        await _await_messages(reader, before[at] + share)
    visible = time.perf_counter() - start
    await asyncio.gather(*(sender.quit() for sender in senders))
    return {
        "accepted msg/s": order.count / accepted,
        "visible msg/s": order.count / visible,
        **latency_figures(latencies),
        "client CPU ms/msg": 1000 * cpu / order.count,
    }


async def _login(port: int, address: str, password: str) -> imap.ImapConnection:
    connection = await imap.connect(HOST, port, None)
    await connection.login(address, password)
    return connection


async def _messages(reader: imap.ImapConnection) -> int:
    """MESSAGES of INBOX."""
    answer = await reader.ok(b"STATUS INBOX (MESSAGES)")
    (status,) = [each for each in answer.untagged if each.startswith(b"* STATUS")]
    return int(status.rpartition(b"MESSAGES ")[2].rstrip(b")"))


async def _await_messages(reader: imap.ImapConnection, count: int) -> None:
    """One account at a time is asked, so that asking costs the server little."""
    while True:
        if await _messages(reader) >= count:
            return
        await asyncio.sleep(POLL_SECONDS)


async def _send(
    sender: smtp.SmtpConnection,
    numbers: Iterator[int],
    envelopes: Sequence[smtp.Envelope],
    template: Template,
    run: bytes,
    latencies: list[float],
) -> None:
    """Take the next number, send its message, until there is none."""
    for number in numbers:
        message = template.message(b"%d.%s@client.example.test" % (number, run))
        content = smtp.stuffed(message)
        start = time.perf_counter()
        (reply,) = await sender.deliver(envelopes[number % len(envelopes)], content)
        latencies.append(time.perf_counter() - start)
        if reply.code != 250:
            raise smtp.SmtpFault(f"{reply.code} {reply.lines!r}")


if __name__ == "__main__":
    serve(_client)

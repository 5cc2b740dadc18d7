"""One node and two in one directory, doing the same work: what a second core is worth.

The client needs processors too: on a machine of two cores it takes part of what the second node would have.
So beside the measured rate stands what the nodes' cores allow: as many processors as nodes, divided by the
processor time of a message or command. That falls with the load, for what comes together shares a turn of the
loop and a sync: so two nodes are given the connections that the one has, each the half of them, and as many
each as the one has. `python -m interop.bench.nodes` is the client that reads.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interop.bench.client import Figures, connected, drive, latency_figures, own_cpu_seconds, serve
from interop.bench.cpu import Meter
from interop.bench.ingest import Ingest
from interop.bench.row import Benched, Row, Scale, accounts
from tests.wire import imap
from tests.wire.node import Node
from tests.wire.server import HOST, Server

USERS, MAILS = 20, 100
READERS, SENDERS = 20, 20
COUNT, QUICK_COUNT = 3000, 300
FETCH = b"UID FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE)"


class TwoNodes(Node):
    name = "two nodes"
    nodes = 2

    def __init__(
        self, directory: Path, base_port: int, users: Mapping[str, str], prefix: Sequence[str] = ()
    ) -> None:
        options = ("--allow-plaintext-auth", "--local-only", "--nodes", str(self.nodes))
        super().__init__(directory, base_port, users, prefix, options)


@dataclass(frozen=True, slots=True)
class Shared:
    """A workload, with the rate that the cores allow."""

    label: str
    work: "Callable[[int], Ingest | Reading]"
    """For so many nodes."""
    rate: str

    def run(self, server: Benched, meter: Meter) -> Figures:
        nodes = server.nodes if isinstance(server, TwoNodes) else 1
        figures = self.work(nodes).run(server, meter)
        return figures | {f"{self.rate}, by CPU": 1000 * nodes / figures["server CPU ms/msg"]}


@dataclass(frozen=True, slots=True)
class Reading:
    """`count` times an answer of 100 messages, by so many sessions of each user at the same time."""

    count: int
    sessions: int = 1

    def run(self, server: Server, meter: Meter) -> Figures:
        order = {
            "port": server.port("imap"),
            "count": self.count,
            "users": self.sessions * list(server.accounts.items()),
        }
        return drive(__spec__.name, order, meter, self.count)


def row(scale: Scale) -> Row:
    def filled(server: Benched, meter: Meter) -> None:
        Ingest("2k", SENDERS, USERS * MAILS).run(server, meter)

    count = QUICK_COUNT if scale.quick else COUNT
    sent, read = f"delivery 2k, {SENDERS} senders", f"FETCH of {MAILS} messages, {READERS} sessions"
    workloads = [
        Shared(sent, lambda nodes: Ingest("2k", SENDERS, count), "accepted msg/s"),
        Shared(f"{sent} a node", lambda nodes: Ingest("2k", SENDERS * nodes, count), "accepted msg/s"),
        Shared(read, lambda nodes: Reading(count), "answers/s"),
        Shared(f"{read} a node", lambda nodes: Reading(count, nodes), "answers/s"),
    ]
    return Row((TwoNodes,), accounts(USERS), filled, workloads, fresh=True)


async def _client(order: dict[str, Any]) -> Figures:
    sessions = [await _opened(order["port"], *user) for user in order["users"]]
    connected()
    numbers = iter(range(order["count"]))
    latencies: list[float] = []
    cpu_before, start = own_cpu_seconds(), time.perf_counter()
    await asyncio.gather(*(_read(session, numbers, latencies) for session in sessions))
    seconds, cpu = time.perf_counter() - start, own_cpu_seconds() - cpu_before
    return {
        "answers/s": order["count"] / seconds,
        **latency_figures(latencies),
        "client CPU ms/msg": 1000 * cpu / order["count"],
    }


async def _opened(port: int, address: str, password: str) -> imap.ImapConnection:
    session = await imap.connect(HOST, port, None)
    await session.login(address, password)
    await session.ok(b"SELECT INBOX")
    return session


async def _read(session: imap.ImapConnection, numbers: Iterator[int], latencies: list[float]) -> None:
    for _ in numbers:
        start = time.perf_counter()
        await session.ok(FETCH.replace(b"1:*", b"1:%d" % MAILS))
        latencies.append(time.perf_counter() - start)


if __name__ == "__main__":
    serve(_client)

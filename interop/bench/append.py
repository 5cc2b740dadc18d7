"""APPEND of 2 KB messages over some connections, each waiting for its answer before the next."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from interop.bench.client import latency_figures
from interop.bench.cpu import Meter, await_quiet
from interop.bench.filling import multiappend
from interop.bench.messages import plain
from interop.bench.row import Benched, Figures, Row, Scale, accounts
from interop.bench.session import Session, logged_in
from interop.peers.dovecot import DovecotMaildir, DovecotMdbox

COUNT, QUICK_COUNT = 2000, 200
CONNECTIONS = (1, 10)


@dataclass(frozen=True, slots=True)
class Appending:
    """`count` messages in all; a connection an account."""

    connections: int
    count: int

    @property
    def label(self) -> str:
        return f"APPEND 2 KB C={self.connections}"

    def run(self, server: Benched, meter: Meter) -> Figures:
        addresses = list(server.accounts)[: self.connections]
        sessions = [logged_in(server, address) for address in addresses]
        command = multiappend(b"INBOX", [plain(2048).message(b"append@client.example.test")])
        share = self.count // self.connections

        def appended(session: Session) -> list[float]:
            return [session.ask(command).seconds for _ in range(share)]

        with ThreadPoolExecutor(self.connections) as threads:
            cpu_before, start = await_quiet(meter), time.perf_counter()
            seconds = [each for one in threads.map(appended, sessions) for each in one]
            elapsed = time.perf_counter() - start
        cpu = await_quiet(meter) - cpu_before
        for session in sessions:
            session.close()
        return {
            "msg/s": len(seconds) / elapsed,
            **latency_figures(seconds),
            "server CPU ms/msg": 1000 * cpu / len(seconds),
        }


def row(scale: Scale) -> Row:
    def filled(server: Benched, meter: Meter) -> None:
        for workload in workloads:
            Appending(workload.connections, 10 * workload.connections).run(server, meter)

    count = QUICK_COUNT if scale.quick else COUNT
    workloads = [Appending(connections, count) for connections in CONNECTIONS]
    return Row((DovecotMaildir, DovecotMdbox), accounts(max(CONNECTIONS)), filled, workloads)

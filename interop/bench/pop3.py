"""POP3: a session that lists a maildrop of 1,000 and retrieves all of it, without pipelining."""

import socket
import time
from dataclasses import dataclass

from interop.bench.cpu import Meter, await_quiet
from interop.bench.filling import fill, mixed
from interop.bench.row import PASSWORD, Benched, Figures, Row, Scale, accounts
from interop.peers.dovecot import DovecotMaildir, DovecotMdbox
from tests.wire.server import HOST

MESSAGES, QUICK_MESSAGES = 1000, 100
ADDRESS = next(iter(accounts(1)))
SECONDS_MAX = 60.0


class Maildrop:
    """One connection; raises RuntimeError for -ERR."""

    def __init__(self, server: Benched) -> None:
        self._socket = socket.create_connection((HOST, server.port("pop3")), SECONDS_MAX)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._until(b"\r\n")

    def ask(self, command: bytes, *, lines: bool = False) -> int:
        """The octets of the answer, with `lines` to the line that is a dot."""
        self._socket.sendall(command + b"\r\n")
        return self._until(b"\r\n.\r\n" if lines else b"\r\n")

    def _until(self, end: bytes) -> int:
        octets, tail = 0, b""
        while not tail.endswith(end):
            part = self._socket.recv(1 << 20)
            if not part or part.startswith(b"-ERR"):
                raise RuntimeError(f"{part[:80]!r}")
            octets += len(part)
            tail = (tail + part)[-len(end) :]
        return octets

    def close(self) -> None:
        self._socket.close()


@dataclass(frozen=True, slots=True)
class Retrieving:
    messages: int

    @property
    def label(self) -> str:
        return f"POP3 login, STAT, LIST, UIDL, RETR of {self.messages:,}"

    def run(self, server: Benched, meter: Meter) -> Figures:
        cpu_before, start = await_quiet(meter), time.perf_counter()
        maildrop = Maildrop(server)
        for command in (b"USER " + ADDRESS.encode(), b"PASS " + PASSWORD.encode(), b"STAT"):
            maildrop.ask(command)
        maildrop.ask(b"LIST", lines=True)
        maildrop.ask(b"UIDL", lines=True)
        listed = time.perf_counter() - start
        octets = sum(maildrop.ask(b"RETR %d" % (at + 1), lines=True) for at in range(self.messages))
        maildrop.ask(b"QUIT")
        seconds = time.perf_counter() - start
        maildrop.close()
        cpu = await_quiet(meter) - cpu_before
        return {
            "ms to UIDL": 1000 * listed,
            "ms": 1000 * seconds,
            "MB/s": octets / 1e6 / seconds,
            "server CPU ms": 1000 * cpu,
        }


def row(scale: Scale) -> Row:
    messages = QUICK_MESSAGES if scale.quick else MESSAGES

    def filled(server: Benched, meter: Meter) -> None:
        fill(server, ADDRESS, mixed(messages))
        Retrieving(messages).run(server, meter)

    return Row((DovecotMaildir, DovecotMdbox), accounts(1), filled, [Retrieving(messages)], repetitions=5)

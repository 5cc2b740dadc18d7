"""How soon a session in IDLE is told of a message: from the end of APPEND or LMTP to EXISTS."""

import random
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from interop.bench.cpu import Meter
from interop.bench.filling import multiappend
from interop.bench.messages import plain
from interop.bench.row import PASSWORD, Benched, Figures, Row, Scale, accounts
from interop.bench.session import logged_in
from interop.peers.dovecot import DovecotHibernate, DovecotMaildir, DovecotMdbox
from tests.wire.server import HOST, Server

ADDRESS = next(iter(accounts(1)))
COUNT, QUICK_COUNT = 60, 10
WARM_UP_COUNT = 3
SECONDS_MAX = 10.0
PAUSE_SECONDS_MAX = 0.1  # between messages, at random, so that no timer of the server falls in step
MESSAGE = plain(2048).message(b"notify@client.example.test")


class Idler:
    """A session in IDLE that counts the octets it is told."""

    def __init__(self, server: Server) -> None:
        self._socket = socket.create_connection((HOST, server.port("imap")), SECONDS_MAX)
        self._read(b"* OK")
        for command in (f"LOGIN {ADDRESS} {PASSWORD}", "SELECT INBOX"):
            self._socket.sendall(b"a " + command.encode() + b"\r\n")
            self._read(b"a OK")
        self._socket.sendall(b"a IDLE\r\n")
        self._read(b"+")

    def told(self) -> float:
        """When EXISTS came."""
        self._read(b" EXISTS")
        return time.perf_counter()

    def settle(self) -> None:
        """Read what else comes, until nothing does."""
        while select.select([self._socket], [], [], PAUSE_SECONDS_MAX * random.random())[0]:
            self._socket.recv(1 << 16)

    def close(self) -> None:
        self._socket.close()

    def _read(self, what: bytes) -> None:
        octets = b""
        while what not in octets:
            part = self._socket.recv(1 << 16)
            if not part:
                raise RuntimeError(f"the server hung up after {octets[-200:]!r}")
            octets += part


class Lmtp:
    """A sender on one connection."""

    def __init__(self, server: Server) -> None:
        self._socket = socket.create_connection((HOST, server.port("lmtp")), SECONDS_MAX)
        self._reply(1)
        self._ask(b"LHLO client.example.test", 1)

    def send(self) -> None:
        self._ask(b"MAIL FROM:<sender@client.example.test>", 1)
        self._ask(b"RCPT TO:<" + ADDRESS.encode() + b">", 1)
        self._ask(b"DATA", 1)
        self._ask(MESSAGE + b".", 1)

    def close(self) -> None:
        self._socket.close()

    def _ask(self, line: bytes, replies: int) -> None:
        self._socket.sendall(line + b"\r\n")
        self._reply(replies)

    def _reply(self, count: int) -> None:
        octets = b""
        while not octets.endswith(b"\r\n") or octets.splitlines()[-1][3:4] == b"-":
            octets += self._socket.recv(4096)
        if octets[:1] not in (b"2", b"3"):
            raise RuntimeError(f"{octets!r}")


@dataclass(frozen=True, slots=True)
class Notified:
    way: str
    count: int

    @property
    def label(self) -> str:
        return f"{self.way} to EXISTS in IDLE"

    def run(self, server: Benched, meter: Meter) -> Figures:
        close, send = _sender(server, self.way)
        idler = Idler(server)
        seconds = [_once(idler, send) for _ in range(WARM_UP_COUNT + self.count)][WARM_UP_COUNT:]
        idler.close()
        close()
        seconds.sort()
        return {
            "p50 ms": 1000 * seconds[len(seconds) // 2],
            "p95 ms": 1000 * seconds[len(seconds) * 95 // 100],
        }


def _sender(server: Benched, way: str) -> tuple[Callable[[], None], Callable[[], object]]:
    """How to close it, and how to send one."""
    if way == "LMTP":
        sender = Lmtp(server)
        return sender.close, sender.send
    session = logged_in(server, ADDRESS)
    return session.close, lambda: session.ask(multiappend(b"INBOX", [MESSAGE]))


def _once(idler: Idler, send: Callable[[], object]) -> float:
    """From the answer to EXISTS; below zero never: what came before the answer counts as no time."""
    idler.settle()
    send()
    answered = time.perf_counter()
    return max(idler.told() - answered, 0.0)


def row(scale: Scale) -> Row:
    count = QUICK_COUNT if scale.quick else COUNT

    def filled(server: Benched, meter: Meter) -> None:
        session = logged_in(server, ADDRESS)
        session.ask(multiappend(b"INBOX", [MESSAGE]))
        session.close()

    workloads = [Notified(way, count) for way in ("APPEND", "LMTP")]
    return Row((DovecotMaildir, DovecotMdbox, DovecotHibernate), accounts(1), filled, workloads)

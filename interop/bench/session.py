"""An IMAP client that only waits for tagged answers and counts octets: it costs next to nothing."""

import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass

from interop.bench.cpu import Meter, await_quiet
from interop.bench.row import PASSWORD, Figures
from tests.wire.server import HOST, Server

READ_OCTETS = 1 << 18
TAIL_OCTETS = 16384
SECONDS_MAX = 300.0


@dataclass(frozen=True, slots=True)
class Timed:
    """An answer: how long it took, its octets, and the last few of them."""

    seconds: float
    octets: int
    tail: bytes


class Session:
    """One connection; raises RuntimeError for what is not OK."""

    def __init__(self, server: Server, source: str = HOST) -> None:
        self._socket = socket.create_connection((HOST, server.port("imap")), SECONDS_MAX, (source, 0))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._tag = 0
        self._until(b"* OK")

    def login(self, address: str) -> None:
        self.ask(f"LOGIN {address} {PASSWORD}".encode())

    def idle(self) -> None:
        """Begin IDLE, and leave it at that."""
        self._socket.sendall(b"idle IDLE\r\n")
        self._until(b"+ ")

    def ask(self, command: bytes) -> Timed:
        """Send a command whole and read to its tagged answer."""
        self._tag += 1
        tag = b"t%d" % self._tag
        start = time.perf_counter()
        self._socket.sendall(b"%b %b\r\n" % (tag, command))
        octets, tail = self._until(tag + b" ")
        seconds = time.perf_counter() - start
        if b" OK" not in tail[tail.rindex(tag + b" ") :]:
            raise RuntimeError(f"{command[:80]!r} was answered {tail[-200:]!r}")
        return Timed(seconds, octets, tail)

    def ask_all(self, commands: Sequence[bytes]) -> Timed:
        """Send commands in one go and read to the last answer; their answers must be short."""
        lines = []
        for command in commands:
            self._tag += 1
            lines.append(b"t%d %b\r\n" % (self._tag, command))
        start = time.perf_counter()
        self._socket.sendall(b"".join(lines))
        octets, tail = self._until(b"t%d " % self._tag)
        if b" NO " in tail or b" BAD " in tail:
            raise RuntimeError(f"{commands[0][:80]!r} and others were answered {tail[-200:]!r}")
        return Timed(time.perf_counter() - start, octets, tail)

    def append(self, mailbox: bytes, message: bytes) -> Timed:
        """With a literal that does not wait (RFC 7888)."""
        return self.ask(b"APPEND %b {%d+}\r\n%b" % (mailbox, len(message), message))

    @property
    def end(self) -> tuple[str, int]:
        """Address and port of this end."""
        address, port = self._socket.getsockname()
        return address, port

    def close(self) -> None:
        self._socket.close()

    def _until(self, start: bytes) -> tuple[int, bytes]:
        """Read to the end of a line that begins with `start`: octets read, and the last of them."""
        octets, tail = 0, b"\n"
        while True:
            part = self._socket.recv(READ_OCTETS)
            if not part:
                raise RuntimeError(f"the server hung up after {tail[-200:]!r}")
            octets += len(part)
            tail = (tail + part[-TAIL_OCTETS:])[-TAIL_OCTETS:]
            if part.endswith(b"\r\n") and b"\n" + start in tail:
                return octets, tail


def logged_in(server: Server, address: str) -> Session:
    session = Session(server)
    session.login(address)
    return session


def measured(sessions: Sequence[Session], meter: Meter, command: bytes) -> Figures:
    """Milliseconds of one command and of the server's processors, the mean of the sessions, one by one."""
    cpu_before = await_quiet(meter)
    answers = [session.ask(command) for session in sessions]
    cpu = await_quiet(meter) - cpu_before
    return {
        "ms": 1000 * sum(answer.seconds for answer in answers) / len(sessions),
        "server CPU ms": 1000 * cpu / len(sessions),
    }

"""One raw connection of a case: octets out, lines or counted octets in."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

ANSWER_SECONDS_MAX = 20.0  # what never comes fails the case
HOST = "127.0.0.1"


class Wire:
    """Blocking; raises TimeoutError for what never comes, EOFError where the server has closed."""

    def __init__(self, at: int | Path) -> None:
        """`at`: a port of the loopback, or a unix socket."""
        self._socket = _local(at) if isinstance(at, Path) else _loopback(at)
        self._octets = b""
        self.transcript: list[str] = []

    def send(self, octets: bytes) -> None:
        self._note("C", octets)
        self._socket.sendall(octets)

    def line(self) -> bytes:
        """The next line without its CRLF."""
        while b"\n" not in self._octets:
            self._receive()
        line, _, self._octets = self._octets.partition(b"\n")
        self._note("S", line + b"\n")
        assert line.endswith(b"\r"), f"a line of the server's ends with a bare LF: {line[-200:]!r}"
        return line[:-1]

    def unread(self, line: bytes) -> None:
        """`line` comes again."""
        self.transcript.pop()
        self._octets = line + b"\r\n" + self._octets

    def exactly(self, count: int) -> bytes:
        while len(self._octets) < count:
            self._receive()
        octets, self._octets = self._octets[:count], self._octets[count:]
        self._note("S", octets)
        return octets

    @property
    def left_over(self) -> bytes:
        """What came and was not taken."""
        return self._octets

    def rest(self) -> bytes:
        """What comes until the server closes."""
        try:
            while True:
                self._receive()
        except EOFError:
            return self._octets

    def start_tls(self, context: ssl.SSLContext) -> None:
        assert not self._octets, f"said in the clear after the go-ahead for TLS: {self._octets!r}"
        self._socket = context.wrap_socket(self._socket, server_hostname=HOST)

    def close(self) -> None:
        self._socket.close()

    def _receive(self) -> None:
        try:
            octets = self._socket.recv(1 << 16)
        except ConnectionResetError:  # it closed while octets of ours were on their way
            octets = b""
        if not octets:
            raise EOFError(f"the server closed the connection, after {self._octets!r}")
        self._octets += octets

    def _note(self, who: str, octets: bytes) -> None:
        self.transcript.append(f"{who} {octets[:300]!r}{'...' if len(octets) > 300 else ''}")


def _loopback(port: int) -> socket.socket:
    opened = socket.create_connection((HOST, port), ANSWER_SECONDS_MAX)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return opened


def _local(path: Path) -> socket.socket:
    opened = socket.socket(socket.AF_UNIX)
    opened.settimeout(ANSWER_SECONDS_MAX)
    opened.connect(str(path))
    return opened

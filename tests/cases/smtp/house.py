"""What SMTP cases begin with: SERVICE STATE, as in `mx rcpt`.

    mx lmtp submission submissions   the service; the last one in TLS from the first octet
    socket                           LMTP over its unix socket
    greeted                          the greeting was read
    hello                            EHLO, or LHLO
    user                             the same, and smtp@example.test has authenticated
    mail                             MAIL FROM:<a@client.example>, where users submit of smtp@example.test
    rcpt                             and RCPT TO:<smtp@example.test>
    data                             and DATA
    maildrop                         alone: POP3, its greeting was read; the way to see what arrived

smtp@example.test has an empty INBOX when a case begins.
"""

from __future__ import annotations

import poplib
import ssl

from tests.cases.wire import HOST, Wire
from tests.wire.node import Node

ADDRESS, PASSWORD = "smtp@example.test", "secret"
PLAIN = b"AUTH PLAIN AHNtdHBAZXhhbXBsZS50ZXN0AHNlY3JldA=="
PORTS = {"mx": "smtp"}  # the others are called as their ports
STATES = ("hello", "mail", "rcpt", "data")


class SmtpHouse:
    probe = "C: NOOP\nS: 250 2.0.0 OK"

    def __init__(self, node: Node) -> None:
        self._node = node
        self.tls = ssl.create_default_context(cafile=str(node.certificate))
        self.tls.check_hostname = False

    def reset(self) -> None:
        maildrop = self._maildrop()
        for number in range(1, maildrop.stat()[0] + 1):
            maildrop.dele(number)
        maildrop.quit()

    def arrived(self) -> int:
        """Messages since the case began."""
        maildrop = self._maildrop()
        count: int = maildrop.stat()[0]
        maildrop.quit()
        return count

    def open(self, scene: str) -> Wire:
        if scene == "maildrop":
            return self._greeted("pop3", b"+OK ")
        service, state = scene.split()
        wire = self._greeted(service, b"220 ", tls=service == "submissions")
        for command in _commands(service, state):
            wire.send(command + b"\r\n")
            _settled(wire, command)
        return wire

    def settled(self, wire: Wire, line: str) -> None:
        _settled(wire, line.encode("latin-1"))

    def _maildrop(self) -> poplib.POP3:
        maildrop = poplib.POP3(HOST, self._node.port("pop3"))
        maildrop.user(ADDRESS)
        maildrop.pass_(PASSWORD)
        return maildrop

    def _greeted(self, service: str, greeting: bytes, tls: bool = False) -> Wire:
        socket = self._node.directory / "lmtp.sock"
        wire = Wire(socket if service == "socket" else self._node.port(PORTS.get(service, service)))
        if tls:
            wire.start_tls(self.tls)
        line = wire.line()
        assert line.startswith(greeting), line
        return wire


def _commands(service: str, state: str) -> list[bytes]:
    """What leads to the state; raises ValueError for one that there is not."""
    if state == "greeted":
        return []
    submits = service.startswith("submission")
    hello = [b"LHLO client.example" if service in ("lmtp", "socket") else b"EHLO client.example"]
    if submits and state != "hello":
        hello.append(PLAIN)
    if state == "user":
        return hello
    sender = ADDRESS.encode() if submits else b"a@client.example"
    then = [b"MAIL FROM:<%b>" % sender, b"RCPT TO:<%b>" % ADDRESS.encode(), b"DATA"]
    return [*hello, *then[: STATES.index(state)]]


def _settled(wire: Wire, command: bytes) -> None:
    while (line := wire.line())[3:4] == b"-":
        pass
    assert line[:1] in b"23", f"{command!r}: {line!r}"

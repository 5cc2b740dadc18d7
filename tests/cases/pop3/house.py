"""What POP3 cases begin with: scenes of one account, and mails by name.

    greeted            the greeting was read
    tls                the same in TLS from the first octet
    named              USER pop3@example.test was taken
    opened MAILS       logged in; these mails are the maildrop
    filled MAILS       the greeting was read; these mails are the maildrop
    delivery           LMTP: a message for the maildrop is about to come, DATA was answered

MAILS are names of files in `mails/`; none given: one two dots. They are put there with their own octets, by
IMAP.
"""

from __future__ import annotations

import poplib
import ssl
from pathlib import Path

from tests.cases.wire import HOST, Wire
from tests.wire.node import Node

ADDRESS, PASSWORD = "pop3@example.test", "secret"
MAILS = Path(__file__).with_name("mails")
PLAIN = ("one", "two", "dots")


class Pop3House:
    probe = "C: CAPA\nS: +OK ...\nS* ...\nS: ."

    def __init__(self, node: Node) -> None:
        self._node = node
        self.tls = ssl.create_default_context(cafile=str(node.certificate))
        self.tls.check_hostname = False

    def reset(self) -> None:
        """The maildrop is empty."""
        maildrop = poplib.POP3(HOST, self._node.port("pop3"))
        maildrop.user(ADDRESS)
        maildrop.pass_(PASSWORD)
        for number in range(1, maildrop.stat()[0] + 1):
            maildrop.dele(number)
        maildrop.quit()

    def open(self, scene: str) -> Wire:
        name, *mails = scene.split()
        if name == "delivery":
            return self._delivery()
        if name in ("opened", "filled"):
            self._fill(mails or PLAIN)
        elif name not in ("greeted", "tls", "named"):
            raise ValueError(f"no such scene: {scene}")
        wire = self._greeted(tls=name == "tls")
        if name in ("opened", "named"):
            self._say(wire, f"USER {ADDRESS}")
        if name == "opened":
            self._say(wire, f"PASS {PASSWORD}")
        return wire

    def settled(self, wire: Wire, line: str) -> None:
        said = wire.line()
        assert said.startswith(b"+OK"), f"{line!r}: {said!r}"

    def _greeted(self, tls: bool) -> Wire:
        wire = Wire(self._node.port("pop3s" if tls else "pop3"))
        if tls:
            wire.start_tls(self.tls)
        self.settled(wire, "the greeting")
        return wire

    def _delivery(self) -> Wire:
        wire = Wire(self._node.port("lmtp"))
        commands = ("LHLO client.example", "MAIL FROM:<a@client.example>", f"RCPT TO:<{ADDRESS}>", "DATA")
        wire.send("".join(f"{command}\r\n" for command in commands).encode())
        while not (line := wire.line()).startswith(b"354 "):
            assert line[:1] == b"2", line
        return wire

    def _say(self, wire: Wire, line: str) -> None:
        wire.send(line.encode() + b"\r\n")
        self.settled(wire, line)

    def _fill(self, mails: tuple[str, ...] | list[str]) -> None:
        """By IMAP, in one piece."""
        octets = [mail(name) for name in mails]
        said = [b"APPEND INBOX {%d+}\r\n%b" % (len(each), each) for each in octets]
        wire = Wire(self._node.port("imap"))
        commands = [f"LOGIN {ADDRESS} {PASSWORD}".encode(), *said, b"LOGOUT"]
        wire.send(b"".join(b"s %b\r\n" % command for command in commands))
        answers = [wire.line() for _ in range(2 + len(commands))]
        well = [line for line in answers if line.startswith(b"s OK")]
        assert len(well) == len(commands), answers
        wire.close()


def mail(name: str) -> bytes:
    """A mail of `mails/`, with CRLF."""
    return (MAILS / f"{name}.eml").read_bytes().replace(b"\n", b"\r\n")

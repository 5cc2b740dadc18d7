"""Somebody who is served while others are refused, and what the node holds meanwhile."""

from __future__ import annotations

from pathlib import Path

from tests.cases.wire import Wire
from tests.wire.node import Node
from tests.wire.server import DOMAIN

BOB, PASSWORD = f"bob@{DOMAIN}", "secret"
MESSAGE = b"Subject: x\r\n\r\nbody\r\n"


class Bystander:
    """Bob reads and writes his mail."""

    def __init__(self, node: Node) -> None:
        self._wire = Wire(node.port("imap"))
        assert self._wire.line().startswith(b"* OK ")
        self._ok(f"LOGIN {BOB} {PASSWORD}".encode())

    def is_served(self) -> None:
        self._ok(b"APPEND INBOX {%d+}\r\n%b" % (len(MESSAGE), MESSAGE))
        self._ok(b"SELECT INBOX")
        assert any(line == b"body" for line in self._ok(b"FETCH 1 BODY.PEEK[]"))

    def _ok(self, command: bytes) -> list[bytes]:
        """The lines before its OK."""
        self._wire.send(b"a " + command + b"\r\n")
        lines = []
        while not (line := self._wire.line()).startswith(b"a "):
            lines.append(line)
        assert line.startswith(b"a OK "), line
        return lines

    def close(self) -> None:
        self._wire.close()


def resident_octets(node: Node) -> int:
    status = Path(f"/proc/{node.process_id}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


def tuned(node: Node, **limits: int) -> None:
    """These stand in its `[limits]` at its next start."""
    file = node.directory / "mailnode.toml"
    text = file.read_text()
    for name, value in limits.items():
        assert f"\n# {name} = " in text, name
        text = text.replace(f"\n# {name} = ", f"\n{name} = {value}  # was ")
    file.write_text(text)

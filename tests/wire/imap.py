"""A raw IMAP client: commands with literals out, whole responses in."""

import asyncio
import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

LITERAL_AT_END = re.compile(rb"\{(\d+)\}\r\n\Z")
LINE_OCTETS_MAX = 64 << 20


@dataclass(frozen=True, slots=True)
class Answer:
    """What one command brought: its tagged line, and the untagged responses with their literals inline."""

    status: bytes  # OK, NO or BAD
    text: bytes
    untagged: tuple[bytes, ...]


class ImapFault(Exception):
    """The server answered NO, BAD or BYE where OK was expected."""


class ImapConnection:
    """One connection; one coroutine uses it. Raises OSError or EOFError when the server is gone."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._tag = 0

    async def response(self) -> bytes:
        """One response with its literals inline, without the last CRLF."""
        pieces = []
        while True:
            line = await self._reader.readuntil(b"\r\n")
            pieces.append(line)
            literal = LITERAL_AT_END.search(line)
            if literal is None:
                return b"".join(pieces)[:-2]
            pieces.append(await self._reader.readexactly(int(literal[1])))

    def write(self, octets: bytes) -> None:
        """For those who do not use `command`."""
        self._writer.write(octets)

    async def command(self, *parts: bytes) -> Answer:
        """Send `parts` as one command, a literal between each two: text, octets, text, octets, ...

        Literals are non-synchronizing (RFC 7888), so that the command leaves in one piece.
        """
        self._tag += 1
        tag = b"a%d" % self._tag
        self._writer.write(tag + b" " + join_literals(parts) + b"\r\n")
        return await self._answer(tag)

    async def _answer(self, tag: bytes) -> Answer:
        untagged: list[bytes] = []
        while True:
            response = await self.response()
            if response.startswith(tag + b" "):
                _, status, text = (response + b" ").split(b" ", 2)
                return Answer(status, text.rstrip(), tuple(untagged))
            untagged.append(response)

    async def ok(self, *parts: bytes) -> Answer:
        """`command`, where anything but OK is a fault."""
        answer = await self.command(*parts)
        if answer.status != b"OK":
            raise ImapFault(f"{parts[0][:80]!r}: {answer.status.decode()} {answer.text!r}")
        return answer

    async def login(self, address: str, password: str) -> None:
        await self.ok(f"LOGIN {address} {password}".encode())

    async def drain(self) -> None:
        await self._writer.drain()

    def close(self) -> None:
        self._writer.close()


def join_literals(parts: Sequence[bytes]) -> bytes:
    """text, octets, text, ... -> one command line with non-synchronizing literals.

    A text that ends in " ~" makes a literal8 (RFC 9051 §4.3) of what follows.
    """
    octets = [parts[0]]
    for at in range(1, len(parts), 2):
        literal, text = parts[at], parts[at + 1] if at + 1 < len(parts) else b""
        space = b"" if parts[at - 1].endswith(b" ~") else b" "
        octets += (space, b"{%d+}\r\n" % len(literal), literal, text)
    return b"".join(octets)


async def connect(host: str, port: int, tls: ssl.SSLContext | None) -> ImapConnection:
    """Connect and read the greeting."""
    reader, writer = await asyncio.open_connection(host, port, ssl=tls, limit=LINE_OCTETS_MAX)
    connection = ImapConnection(reader, writer)
    greeting = await connection.response()
    if not greeting.startswith(b"* OK"):
        raise ImapFault(f"greeting {greeting!r}")
    return connection


def trust(certificate: Path) -> ssl.SSLContext:
    """A client context that trusts this certificate alone, whatever name it carries."""
    context = ssl.create_default_context(cafile=str(certificate))
    context.check_hostname = False
    return context

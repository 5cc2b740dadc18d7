"""A mail server that says what it is told to, and keeps what it was sent."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

HOST = "127.0.0.1"
EHLO = "250-mx.test\r\n250-PIPELINING\r\n250-SIZE 1000000\r\n250-8BITMIME\r\n250 SMTPUTF8"
USUAL: Mapping[str, str] = {
    "": "220 mx.test ESMTP",
    "EHLO": EHLO,
    "HELO": "250 mx.test",
    "STARTTLS": "220 go",
    "MAIL": "250 2.1.0 OK",
    "RCPT": "250 2.1.5 OK",
    "DATA": "354 go",
    ".": "250 2.0.0 taken",
    "QUIT": "221 bye",
}
CLOSE = "CLOSE"
"""In place of a reply: the connection is cut."""


@dataclass(slots=True)
class Scripted:
    """`says` by verb, or by the whole line: the usual replies where it has none; "" is the greeting."""

    says: Mapping[str, str] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    hangs_up_after: str = ""
    """A line: after its reply and the next octets the connection is cut."""
    lines: list[str] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)
    secure: list[bool] = field(default_factory=list)
    """Of each content: whether it came in TLS."""
    silent_connections: int = 0
    """So many hear nothing at all."""
    connections: int = 0
    connected: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    came: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    left: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    """Released for each connection, each content and each QUIT."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.connected.release()
        try:
            if self.connections <= self.silent_connections:
                await reader.read()
            else:
                await self._serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client went away
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = ""
        while self._answered(writer, line):
            if line and line == self.hangs_up_after:
                await reader.read(1)
                return
            if line == "STARTTLS" and self.tls is not None:
                await writer.start_tls(self.tls)
            if line == "DATA" and self._reply(line).startswith("354"):
                self.contents.append(await _content(reader))
                self.secure.append(writer.get_extra_info("ssl_object") is not None)
                if not self._answered(writer, "."):
                    return
                self.came.release()
            octets = await reader.readline()
            if not octets:
                return
            line = octets.decode().removesuffix("\r\n")
            self.lines.append(line)

    def _answered(self, writer: asyncio.StreamWriter, line: str) -> bool:
        reply = self._reply(line)
        if reply == CLOSE:
            return False
        writer.write(reply.encode() + b"\r\n")
        return not line.upper().startswith("QUIT")

    def _reply(self, line: str) -> str:
        verb = line.partition(" ")[0].upper()
        if verb == "QUIT":
            self.left.release()
        found = self.says.get(line) or self.says.get(verb) or USUAL.get(verb)
        return found or "500 5.5.2 what?"


async def _content(reader: asyncio.StreamReader) -> bytes:
    """Up to the line of one dot, with stuffed dots as they came."""
    content = b""
    while (line := await reader.readline()) != b".\r\n":
        if not line:
            raise ConnectionResetError
        content += line
    return content


@asynccontextmanager
async def listening(host: Scripted) -> AsyncIterator[int]:
    """The port that it listens at."""
    server = await asyncio.start_server(host.serve, HOST, 0)
    async with server:
        port: int = server.sockets[0].getsockname()[1]
        yield port

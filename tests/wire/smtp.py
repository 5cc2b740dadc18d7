"""A raw, pipelining SMTP and LMTP client: as cheap as Python allows, so that it can load a server."""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import cast


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply; `lines` without codes and line ends."""

    code: int
    lines: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Envelope:
    """MAIL, RCPT and DATA as octets."""

    octets: bytes
    recipients: int


class SmtpFault(Exception):
    """The server said something else than what was expected."""


class SmtpConnection(asyncio.Protocol):
    """One connection; one coroutine uses it. Raises ConnectionError when the server is gone."""

    def __init__(self) -> None:
        self._partial = b""
        self._lines: list[bytes] = []
        self._replies: deque[Reply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport | None = None
        self._lost = False
        self._lmtp = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own class in practice

    def data_received(self, data: bytes) -> None:
        *lines, self._partial = (self._partial + data).split(b"\r\n")
        for line in lines:
            self._lines.append(line[4:])
            if line[3:4] != b"-":
                self._replies.append(Reply(int(line[:3]), tuple(self._lines)))
                self._lines.clear()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def write(self, octets: bytes) -> None:
        assert self._transport is not None
        self._transport.write(octets)

    async def reply(self) -> Reply:
        while not self._replies:
            if self._lost:
                raise ConnectionResetError("the server closed the connection")
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
            self._waiter = None
        return self._replies.popleft()

    async def expect(self, code: int) -> Reply:
        reply = await self.reply()
        if reply.code != code:
            raise SmtpFault(f"{reply.code} {b' / '.join(reply.lines)!r}, not {code}")
        return reply

    async def greet(self, verb: bytes) -> Reply:
        """Greeting and EHLO, or LHLO."""
        self._lmtp = verb == b"LHLO"
        await self.expect(220)
        self.write(verb + b" client.example.test\r\n")
        return await self.expect(250)

    async def deliver(self, envelope: Envelope, content: bytes) -> list[Reply]:
        """One transaction; the reply to its content, with LMTP one for each recipient.

        RFC 2920: MAIL, RCPT and DATA go in one piece. `content` comes from `stuffed()`.
        """
        self.write(envelope.octets)
        for _ in range(1 + envelope.recipients):
            await self.expect(250)
        await self.expect(354)
        self.write(content)
        return [await self.reply() for _ in range(envelope.recipients if self._lmtp else 1)]

    async def quit(self) -> None:
        self.write(b"QUIT\r\n")
        await self.expect(221)
        self.close()

    def close(self) -> None:
        assert self._transport is not None
        self._transport.close()


async def connect(host: str, port: int) -> SmtpConnection:
    _, connection = await asyncio.get_running_loop().create_connection(SmtpConnection, host, port)
    return connection


def envelope(reverse_path: str, *recipients: str) -> Envelope:
    forward = "".join(f"RCPT TO:<{recipient}>\r\n" for recipient in recipients)
    return Envelope(f"MAIL FROM:<{reverse_path}>\r\n{forward}DATA\r\n".encode(), len(recipients))


def stuffed(message: bytes) -> bytes:
    """The octets that follow 354: dots doubled, the end in place (RFC 5321 §4.5.2)."""
    content = message.replace(b"\r\n.", b"\r\n..")
    if content.startswith(b"."):
        content = b"." + content
    return content + b".\r\n"

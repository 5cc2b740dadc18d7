"""A POP3 client that pipelines (RFC 2449 §6.6) and takes lines of any length; poplib does neither."""

from __future__ import annotations

import asyncio

RESPONSE_OCTETS_MAX = 64 << 20
PIPELINED_MAX = 50


class PopFault(Exception):
    """-ERR where +OK was expected."""


class Maildrop:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, host: str, port: int) -> Maildrop:
        drop = cls(*await asyncio.open_connection(host, port, limit=RESPONSE_OCTETS_MAX))
        await drop._positive()
        return drop

    async def login(self, user: str, password: str) -> None:
        """In UTF-8 mode, where headers come as they are stored (RFC 6856 §2.1)."""
        for command in ("UTF8", f"USER {user}", f"PASS {password}"):
            await self._command(command.encode())

    async def everything(self) -> list[bytes]:
        """RETR of every message, in order."""
        count = int((await self._command(b"STAT")).split()[1])
        octets: list[bytes] = []
        for first in range(1, count + 1, PIPELINED_MAX):
            numbers = range(first, min(count + 1, first + PIPELINED_MAX))
            self._writer.write(b"".join(b"RETR %d\r\n" % number for number in numbers))
            octets += [await self._lines() for _ in numbers]
        return octets

    async def quit(self) -> None:
        await self._command(b"QUIT")
        self._writer.close()

    async def _command(self, line: bytes) -> bytes:
        self._writer.write(line + b"\r\n")
        return await self._positive()

    async def _positive(self) -> bytes:
        line = await self._reader.readuntil(b"\r\n")
        if not line.startswith(b"+OK"):
            raise PopFault(line)
        return line

    async def _lines(self) -> bytes:
        """A multi-line response, RFC 1939 §3, without what was stuffed."""
        await self._positive()
        if (begin := await self._reader.readexactly(3)) == b".\r\n":
            return b""
        text = begin + await self._reader.readuntil(b"\r\n.\r\n")
        stuffed = b"\r\n" + text.removesuffix(b".\r\n")
        return stuffed.replace(b"\r\n.", b"\r\n")[2:]

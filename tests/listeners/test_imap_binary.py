"""FETCH BINARY of parts that are longer than what is read at once (RFC 9051 §6.4.5)."""

from __future__ import annotations

import asyncio
import base64
import quopri
import re
from pathlib import Path

from mailnode.limits import Limits
from tests.listeners.imap_dialogue import LINE_SECONDS_MAX, Wire, house, logged_in
from tests.listeners.loop import run

TEXT = "".join(f"Zeile {number} über = dies\r\n" for number in range(40_000)).encode()
DATA = bytes(range(256)) * 4000
MAIL = (
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n%b\r\n"
    b"--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n%b\r\n"
    b"--b\r\nContent-Transfer-Encoding: x-ray\r\n\r\n%b\r\n--b--\r\n"
) % (
    quopri.encodestring(TEXT.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n"),
    base64.encodebytes(DATA).replace(b"\n", b"\r\n"),
    b"x" * 300_000,
)
LITERAL = re.compile(rb"(BINARY\[\d\](?:<\d+>)?) (~?)\{(\d+)\}\r\n")


async def answer(wire: Wire, command: bytes) -> bytes:
    wire.write(b"t " + command + b"\r\n")
    heard = b""
    async with asyncio.timeout(LINE_SECONDS_MAX):
        while not re.search(rb"^t [^\r\n]*\r\n\Z", heard[-200:], re.MULTILINE):
            octets = await wire.read(1 << 20)
            assert octets, "the connection ended"
            heard += octets
    return heard


async def fetched(wire: Wire, what: bytes) -> tuple[bytes, bytes]:
    """The mark before the literal, "~" or nothing, and its octets."""
    heard = await answer(wire, b"FETCH 1 " + what)
    found = LITERAL.search(heard)
    assert found is not None, heard[:300]
    octets = heard[found.end() : found.end() + int(found[3])]
    assert heard[found.end() + int(found[3]) :].startswith(b")\r\nt OK "), heard[-300:]
    return found[2], octets


def test_a_long_part_comes_decoded_whole_and_in_part(tmp_path: Path) -> None:
    async def body() -> None:
        async with house(tmp_path, Limits()) as served:
            wire = await logged_in(served.port)
            wire.write(b"a APPEND INBOX {%d+}\r\n%b\r\n" % (len(MAIL), MAIL))
            await wire.succeed("a")
            wire.write(b"b EXAMINE INBOX\r\n")
            await wire.succeed("b")
            mark, text = await fetched(wire, b"BINARY.PEEK[1]")
            assert (mark, text) == (b"", TEXT)
            assert await fetched(wire, b"BINARY.PEEK[2]") == (b"~", DATA)
            assert await fetched(wire, b"BINARY.PEEK[2]<300000.400000>") == (b"~", DATA[300_000:700_000])
            assert await fetched(wire, b"BINARY.PEEK[1]<1000000.5000000>") == (b"", TEXT[1_000_000:])
            assert await fetched(wire, b"BINARY.PEEK[1]<5000000.5>") == (b"", b"")
            sizes = await answer(wire, b"FETCH 1 (BINARY.SIZE[1] BINARY.SIZE[2])")
            assert b"(BINARY.SIZE[1] %d BINARY.SIZE[2] %d)" % (len(TEXT), len(DATA)) in sizes
            assert b"BINARY[7] NIL" in await answer(wire, b"FETCH 1 BINARY.PEEK[7]")
            assert (await answer(wire, b"FETCH 1 BINARY.PEEK[3]")).startswith(b"t NO [UNKNOWN-CTE] ")

    run(body())

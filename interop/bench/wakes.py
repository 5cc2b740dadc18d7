"""How soon one of many sessions in IDLE is told of a message, while deliveries come at a steady rate.

Each session has an account of its own; a delivery goes over LMTP to one of them at random. From the reply to
the end of DATA to EXISTS.
"""

import asyncio
import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from interop.bench.client import connected, drive, latency_figures, serve
from interop.bench.cpu import Meter
from interop.bench.filling import multiappend
from interop.bench.idle import PER_SOURCE, enough_inotify
from interop.bench.many import NodeOfMany
from interop.bench.messages import plain
from interop.bench.row import PASSWORD, Benched, Figures, Row, Scale, accounts
from interop.bench.session import logged_in
from interop.peers.dovecot import DovecotHibernate
from tests.wire.server import HOST

A_SECOND = 50
COUNT, QUICK_COUNT = 1500, 100
LOGINS_AT_A_TIME = 16
TOLD_SECONDS_MAX = 30.0
MESSAGE = plain(2048).message(b"wakes@client.example.test")


@dataclass(frozen=True, slots=True)
class Waking:
    connections: int
    count: int

    @property
    def label(self) -> str:
        return f"{self.connections:,} in IDLE, {A_SECOND} deliveries/s"

    def run(self, server: Benched, meter: Meter) -> Figures:
        order = {
            "imap": server.port("imap"),
            "lmtp": server.port("lmtp"),
            "addresses": list(server.accounts)[: self.connections],
            "count": self.count,
        }
        with enough_inotify():
            return drive("interop.bench.wakes", order, meter, self.count)


class Idler(asyncio.Protocol):
    """In IDLE on an account of its own; `told` is done when EXISTS came."""

    def __init__(self) -> None:
        self.told: asyncio.Future[float] | None = None
        self._lines = asyncio.StreamReader()
        self._transport: asyncio.WriteTransport | None = None
        self._is_idle = False

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if not self._is_idle:
            self._lines.feed_data(data)
        elif self.told is not None and not self.told.done() and b" EXISTS" in data:
            self.told.set_result(time.perf_counter())

    async def begin(self, address: str) -> None:
        assert self._transport is not None
        await self._lines.readline()
        for tag, command in ((b"a", f"LOGIN {address} {PASSWORD}"), (b"b", "SELECT INBOX"), (b"+", "IDLE")):
            self._transport.write(b"%b %b\r\n" % (tag.replace(b"+", b"c"), command.encode()))
            while not (line := await self._lines.readline()).startswith(tag + b" "):
                if not line:
                    raise RuntimeError(f"the server hung up on {address}")
        self._is_idle = True

    def expect(self) -> asyncio.Future[float]:
        self.told = asyncio.get_running_loop().create_future()
        return self.told


async def _idlers(order: dict[str, Any]) -> dict[str, Idler]:
    loop, turns = asyncio.get_running_loop(), asyncio.Semaphore(LOGINS_AT_A_TIME)

    async def begun(at: int, address: str) -> Idler:
        async with turns:
            source = f"127.1.0.{1 + at // PER_SOURCE}"
            _, idler = await loop.create_connection(Idler, HOST, order["imap"], local_addr=(source, 0))
            await idler.begin(address)
            return idler

    addresses = order["addresses"]
    idlers = await asyncio.gather(*(begun(at, address) for at, address in enumerate(addresses)))
    return dict(zip(addresses, idlers, strict=True))


async def _delivered(port: int, address: str, idler: Idler) -> float:
    """Seconds from the reply to EXISTS: below zero never, what came before the reply counts as no time."""
    reader, writer = await asyncio.open_connection(HOST, port)
    lines = ["LHLO client.example.test", "MAIL FROM:<sender@client.example.test>", f"RCPT TO:<{address}>"]
    await _replied(reader)
    for line in (*lines, "DATA"):
        writer.write(line.encode() + b"\r\n")
        await _replied(reader)
    told = idler.expect()
    writer.write(MESSAGE + b".\r\n")
    await _replied(reader)
    answered = time.perf_counter()
    writer.close()
    return max(await asyncio.wait_for(told, TOLD_SECONDS_MAX) - answered, 0.0)


async def _replied(reader: asyncio.StreamReader) -> None:
    while (line := await reader.readline())[3:4] == b"-":
        pass
    if line[:1] not in (b"2", b"3"):
        raise RuntimeError(f"LMTP was answered {line!r}")


async def _work(order: dict[str, Any]) -> Figures:
    idlers = await _idlers(order)
    await asyncio.to_thread(connected)
    start, count = time.perf_counter(), order["count"]
    chosen = random.Random(0).sample(list(idlers) * (1 + count // len(idlers)), count)
    free: dict[str, asyncio.Lock] = {address: asyncio.Lock() for address in idlers}

    async def one(at: int, address: str) -> float:
        await asyncio.sleep(start + at / A_SECOND - time.perf_counter())
        async with free[address]:
            return await _delivered(order["lmtp"], address, idlers[address])

    seconds = await asyncio.gather(*(one(at, address) for at, address in enumerate(chosen)))
    return {**latency_figures(seconds), "deliveries/s": count / (time.perf_counter() - start)}


def row(scale: Scale) -> Row:
    def filled(server: Benched, meter: Meter) -> None:
        with ThreadPoolExecutor(4) as threads:
            for _ in threads.map(lambda address: _one_message(server, address), server.accounts):
                pass

    workloads = [Waking(scale.connections, QUICK_COUNT if scale.quick else COUNT)]
    every = accounts(scale.connections)
    return Row((DovecotHibernate,), every, filled, workloads, repetitions=1, ours=NodeOfMany)


def _one_message(server: Benched, address: str) -> None:
    session = logged_in(server, address)
    session.ask(multiappend(b"INBOX", [MESSAGE]))
    session.close()


if __name__ == "__main__":
    serve(_work)

"""What the reactor takes for a broken connection."""

from __future__ import annotations

import errno
import socket
from contextlib import suppress

from tests.listeners.door import until
from tests.listeners.loop import REACTOR, run


class OutOfReach(socket.socket):
    """A socket of which a router has said that its peer is out of reach: the kernel tells so, and goes on."""

    def getsockopt(self, level: int, option: int, *size: int) -> int:  # type: ignore[override]
        is_error = (level, option) == (socket.SOL_SOCKET, socket.SO_ERROR)
        return errno.EHOSTUNREACH if is_error else super().getsockopt(level, option)


class Reader:
    """Twisted's IReadDescriptor; gives up after as many reads as no test needs."""

    def __init__(self, ours: socket.socket) -> None:
        self.socket = ours
        self.reads = 0
        self.ended: list[object] = []

    def fileno(self) -> int:
        return self.socket.fileno()

    def logPrefix(self) -> str:
        return "reader"

    def doRead(self) -> object:
        self.reads += 1
        with suppress(BlockingIOError):
            self.socket.recv(1000)
        return None if self.reads < 100 else ConnectionError("it reads for ever")

    def connectionLost(self, reason: object) -> None:
        self.ended.append(reason)


def test_an_error_that_breaks_no_connection_is_not_read_on_for_ever() -> None:
    async def test() -> None:
        near, far = socket.socketpair()
        with far, OutOfReach(fileno=near.detach()) as ours:
            ours.setblocking(False)
            reader = Reader(ours)
            REACTOR.addReader(reader)
            far.send(b"one")
            await until(lambda: reader.reads)
            REACTOR.removeReader(reader)
            assert (reader.reads, reader.ended) == (1, [])

    run(test())

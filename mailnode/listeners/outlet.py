"""What leaves a conversation: gathered within a turn of the loop, bounded when the peer reads slowly."""

from __future__ import annotations

import asyncio
from typing import Any

from twisted.internet import interfaces, tcp
from zope.interface import implementer

from protocols.deflate import Deflate

_AT_ONCE_OCTETS = tcp.Connection.SEND_LIMIT


@implementer(interfaces.IPushProducer)
class Outlet:
    """Between a conversation and its transport, whose write buffer pauses and resumes it as its producer."""

    __slots__ = ("_due", "_gathered", "_transport", "_waiting", "deflate", "full", "moved", "octets")

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._gathered: list[bytes] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._due = False
        self.deflate: Deflate | None = None  # a layer that all goes through
        self.octets = 0  # gathered
        self.full = False  # the transport takes no more for now
        self.moved = False  # the peer has read since this was last set to False
        transport.registerProducer(self, True)

    @property
    def awaited(self) -> bool:
        """Somebody waits for the peer to read."""
        return bool(self._waiting)

    def write(self, octets: bytes) -> None:
        self._gathered.append(octets)
        self.octets += len(octets)
        if not self._due:
            self._due = True
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Hand over what was gathered, unless the transport is full."""
        self._due = False
        if self.full or not self._gathered:
            return
        octets = b"".join(self._gathered)
        self._gathered.clear()
        self.octets = 0
        if self.deflate is not None:
            octets = self.deflate.deflate(octets)
        self._hand_over(octets)

    def _hand_over(self, octets: bytes) -> None:
        """A short answer at once where the socket takes it; the transport would take a turn of the loop."""
        transport = self._transport
        if len(octets) <= _AT_ONCE_OCTETS and _is_plain_and_empty(transport):
            try:
                sent = transport.socket.send(octets)
            except OSError:
                sent = 0  # full, or broken: the transport meets the same and says so
            octets = octets[sent:]
        if octets:
            transport.write(octets)

    async def room(self) -> None:
        """Return when the transport takes more, or never will."""
        self.flush()
        if self.full:
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            await waiter

    def finish(self) -> None:
        """Hand over the last octets, full or not, and close the transport once they have left."""
        self.full = False
        self.flush()
        self._transport.unregisterProducer()  # Twisted keeps a connection open for its producer's sake
        self._transport.loseConnection()

    def drop(self) -> None:
        """The connection is lost: nothing leaves any more, nobody waits any more."""
        self._gathered.clear()
        self.octets = 0
        self._wake()

    def _wake(self) -> None:
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
        self._waiting.clear()

    # -- IPushProducer: the transport calls

    def pauseProducing(self) -> None:
        self.full = True

    def resumeProducing(self) -> None:
        self.full = False
        self.moved = True
        self.flush()
        if not self.full:
            self._wake()

    def stopProducing(self) -> None:
        """The connection is lost; `drop` follows."""


def _is_plain_and_empty(transport: Any) -> bool:
    """A socket of our own with nothing before us; for what waits in it Twisted has no public word."""
    if not isinstance(transport, tcp.Connection) or transport.TLS or not transport.connected:
        return False
    return not (transport.dataBuffer or transport._tempDataBuffer)

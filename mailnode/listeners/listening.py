"""A listener at its port: accepts, counts, refuses, stops."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any, Generic

from twisted.internet import interfaces, protocol
from twisted.internet.address import UNIXAddress
from twisted.protocols.tls import TLSMemoryBIOFactory
from zope.interface import implementer

from mailnode.clock import Clock
from mailnode.limits import Limits
from mailnode.listeners.admission import Admission
from mailnode.listeners.conversation import Conversation
from mailnode.listeners.listener import Listener, Peer, S
from mailnode.listeners.ports import BACKLOG
from mailnode.listeners.surroundings import Surroundings
from mailnode.listeners.tls import Certificate
from mailnode.listeners.wheel import Wheel

SOCKET_MODE = 0o660  # its owner and group may deliver


class Refused(protocol.Protocol):
    """A connection too many: it hears so."""

    def __init__(self, refusal: bytes) -> None:
        self._refusal = refusal

    def connectionMade(self) -> None:
        transport: Any = self.transport
        transport.write(self._refusal)
        transport.loseConnection()


class TlsFirst(TLSMemoryBIOFactory):
    """TLS from the first octet; a connection too many is not worth a handshake."""

    def buildProtocol(self, addr: Any) -> Any:
        wrapped = self.wrappedFactory.buildProtocol(addr)
        refused = wrapped is None or isinstance(wrapped, Refused)
        return None if refused else self.protocol(self, wrapped)


@implementer(interfaces.IProtocolFactory)
class Listening(Generic[S]):
    """`open` binds the port, `stop` says goodbye to everybody and returns when all rows have ended.

    `reactor` is Twisted's (IReactorTCP), on the running asyncio loop. `certificate` None: no TLS; `implicit`:
    TLS from the first octet (RFC 8314 §3), else by STARTTLS.
    """

    __slots__ = ("_admission", "_around", "_conversations", "_ended", "_listener", "_port", "_reactor")

    def __init__(
        self,
        reactor: Any,
        listener: Listener[S],
        *,
        limits: Limits,
        clock: Clock,
        wheel: Wheel,
        admission: Admission,
        certificate: Certificate | None,
        implicit: bool,
    ) -> None:
        self._around = Surroundings(limits, clock, wheel, certificate, implicit, self._over)
        self._reactor = reactor
        self._listener = listener
        self._admission = admission
        self._conversations: set[Conversation[S]] = set()
        self._ended = asyncio.Event()
        self._port: Any = None

    def adopt(self, bound: socket.socket) -> None:
        """Accept at a socket that listens; it is ours from now on."""
        factory = self._implicit() if self._around.implicit else self
        bound.setblocking(False)
        self._port = self._reactor.adoptStreamPort(bound.fileno(), bound.family, factory)
        bound.close()  # the reactor has its own of it

    def open(self, interface: str, port: int) -> int:
        """Bind and accept; gives the port bound (0: any free one). Raises Twisted's CannotListenError."""
        factory = self._implicit() if self._around.implicit else self
        self._port = self._reactor.listenTCP(port, factory, backlog=BACKLOG, interface=interface)
        bound: int = self._port.getHost().port
        return bound

    def open_unix(self, path: Path) -> None:
        """Bind a unix socket and accept there; raises CannotListenError, as when another process has it."""
        _drop_orphan(path)
        self._port = self._reactor.listenUNIX(str(path), self, backlog=BACKLOG, mode=SOCKET_MODE)

    def change(self, listener: Listener[S], limits: Limits) -> None:
        """For the connections from now on."""
        self._listener = listener
        self._around = replace(self._around, limits=limits)

    def _implicit(self) -> Any:
        accepting: Any = self
        certificate: Any = self._around.certificate
        return TlsFirst(certificate, False, accepting, clock=self._reactor)

    async def stop(self) -> None:
        """Accept no more, finish what is under way, say goodbye; bounded by `Limits.stop_seconds_max`.

        Rows that are not done by then go on without their connections; who owns what they wait for ends it.
        """
        self._port.stopListening()
        for conversation in list(self._conversations):
            conversation.stop()
        if await self._empty(self._around.limits.stop_seconds_max):
            return
        for conversation in list(self._conversations):
            conversation.abort()
        await self._empty(self._around.limits.connection_linger_seconds_max)

    async def _empty(self, seconds: float) -> bool:
        """Wait until every conversation has ended; False when the time is over before."""
        try:
            async with asyncio.timeout(seconds):
                while self._conversations:
                    self._ended.clear()
                    await self._ended.wait()
        except TimeoutError:
            return False
        return True

    def __len__(self) -> int:
        """Conversations that have not ended."""
        return len(self._conversations)

    def _over(self, conversation: Conversation[Any]) -> None:
        self._conversations.discard(conversation)
        self._admission.leave(conversation.peer.host)
        self._ended.set()

    # -- IProtocolFactory: Twisted calls

    def buildProtocol(self, addr: Any) -> Any:
        peer = Peer("", 0) if isinstance(addr, UNIXAddress) else Peer(addr.host, addr.port)
        if not self._admission.admit(peer.host):
            return Refused(self._listener.refusal)
        conversation = Conversation(self._listener, self._around, peer)
        self._conversations.add(conversation)
        return conversation

    def doStart(self) -> None:
        """Nothing to prepare."""

    def doStop(self) -> None:
        """Nothing to give back: `stop` does."""


def _drop_orphan(path: Path) -> None:
    """Remove the socket that a killed node left; one at which somebody listens stays."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
        except OSError:
            return  # listening tells what is wrong

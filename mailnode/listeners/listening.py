"""A listener at its port: accepts, counts, refuses, stops."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Generic

from twisted.internet import interfaces, protocol, unix
from twisted.internet.address import UNIXAddress
from twisted.protocols.tls import TLSMemoryBIOFactory
from zope.interface import implementer

from mailnode.clock import Clock
from mailnode.limits import Limits
from mailnode.listeners.admission import Admission
from mailnode.listeners.conversation import Conversation
from mailnode.listeners.listener import Listener, Peer, S
from mailnode.listeners.ports import BACKLOG, SOCKET_MODE, drop_orphan
from mailnode.listeners.surroundings import Surroundings
from mailnode.listeners.tls import Certificate
from mailnode.listeners.wheel import Wheel


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

    __slots__ = ("_admission", "_around", "_conversations", "_ended", "_listener", "_ports", "_reactor")

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
        self._ports: list[Any] = []

    def adopt(self, bound: socket.socket) -> Callable[[], None]:
        """Accept at a socket that listens, which stays the caller's, until what this gives is called: then
        no more, but who connected stays."""
        factory = self._implicit() if self._around.implicit else self
        bound.setblocking(False)
        if bound.family == socket.AF_UNIX:
            port = _adopted_unix(self._reactor, bound, factory)
        else:
            port = self._reactor.adoptStreamPort(bound.fileno(), bound.family, factory)
        self._ports.append(port)

        def leave() -> None:
            self._ports.remove(port)
            port.stopListening()

        return leave

    def open(self, interface: str, port: int) -> int:
        """Bind and accept; gives the port bound (0: any free one). Raises Twisted's CannotListenError."""
        factory = self._implicit() if self._around.implicit else self
        opened = self._reactor.listenTCP(port, factory, backlog=BACKLOG, interface=interface)
        self._ports.append(opened)
        bound: int = opened.getHost().port
        return bound

    def open_unix(self, path: Path) -> None:
        """Bind a unix socket and accept there; raises CannotListenError, as when another process has it."""
        drop_orphan(path)
        self._ports.append(self._reactor.listenUNIX(str(path), self, backlog=BACKLOG, mode=SOCKET_MODE))

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
        while self._ports:
            self._ports.pop().stopListening()
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


def _adopted_unix(reactor: Any, bound: socket.socket, factory: Any) -> Any:
    """Twisted's own way would open the socket to everybody, and, when one of those that share it stops,
    remove its name and shut it down for all. It leaves a name alone that is not in the file system."""
    made: Any = unix.Port
    port = made._fromListeningDescriptor(reactor, bound.fileno(), factory)
    port._bindPath = b"\0" + str(bound.getsockname()).encode()
    port.backlog, port._shouldShutdown = BACKLOG, False
    port.startListening()
    return port

"""Twisted meets the sessions: the one pump for SMTP, IMAP and POP3, plain and over TLS.

A listener is a value (`listener.Listener`): how a session is made, and for each type of event one row, a
plain `async def row(state, event)`. The pump feeds the session, awaits the row of each event in order, and
calls `session.next()` again when the row returns. A row answers by `conversation.send(event, answer)`, any
number of times; what is sent within one turn of the loop leaves in one write. A conversation offers:

    send(event, answer)       through the session to the peer; `event` None: not asked for
    await drained()           after each bounded piece of a long answer (about 256 KiB): waits while the peer
                              reads slowly, lets others run, raises `Gone` when there is no peer any more
    beside(coroutine)         goes on when the row has returned: what waits for a sync (the end of DATA, of
                              APPEND) while the session yields the next event
    await start_tls()         in the row of STARTTLS, once its go-ahead was sent: TLS, then a new session
    await compress(deflate)   once the go-ahead was sent: both directions go through that layer
    rest()                    nothing is to be said for long: a layer that compresses lets go of its memory
    start(coroutine)          a task of this connection (IDLE's watcher), cancelled when the connection ends
    close()                   once what was sent has left; no further event is taken
    patience(seconds)         how long the peer may be silent from now on (before login, in IDLE)
    peer, tls, session, state, limits

Rows run one after another. A row that would wait for the peer (IDLE) returns instead, and leaves its waiting
to `start`. `Listener.opened` runs before the first event (with TLS from the first octet: after the
handshake), `Listener.closed` once, after the last row, and what runs beside, have ended.

No await in a row is cancelled because the peer went away: an `apply` runs to its end, `drained` raises
`Gone`, and `Gone` may simply pass through. Whatever else is raised is our mistake: it is logged, and the peer
hears `Listener.goodbye`, as it does when it was silent too long or the node stops. While a row is busy,
reading stops as soon as more has come.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Coroutine, Mapping
from typing import Any, Generic

from twisted.internet import interfaces
from zope.interface import implementer

from mailnode.limits import Limits
from mailnode.listeners.inlet import Inlet
from mailnode.listeners.listener import Goodbye, Listener, Peer, S, Session, Tls
from mailnode.listeners.outlet import Outlet
from mailnode.listeners.silence import Silence
from mailnode.listeners.surroundings import Surroundings
from mailnode.listeners.tls import BOUND_VERSION, channel_bindings
from mailnode.listeners.wheel import Wheel
from protocols.deflate import Deflate
from protocols.fault import Fault

log = logging.getLogger(__name__)


class Gone(Exception):
    """The peer is no longer there to be answered."""


@implementer(interfaces.IProtocol, interfaces.IHalfCloseableProtocol, interfaces.IHandshakeListener)
class Conversation(Generic[S]):
    """One connection, as Twisted's protocol object."""

    __slots__ = (
        "__weakref__",
        "_around",
        "_beside",
        "_closing",
        "_gone",
        "_half_closed",
        "_handshake",
        "_inlet",
        "_outlet",
        "_paused",
        "_resumed",
        "_runner",
        "_silence",
        "_stopping",
        "_tasks",
        "listener",
        "peer",
        "session",
        "slot",
        "state",
        "tls",
        "transport",
    )

    session: Session
    state: S
    transport: Any
    _outlet: Outlet

    def __init__(self, listener: Listener[S], around: Surroundings, peer: Peer) -> None:
        self.listener = listener
        self.peer = peer
        self.tls: Tls | None = None
        self.slot = 0
        self._around = around
        self._silence = Silence(around.wheel, listener.silence_seconds_max, around.limits.silence_octets_max)
        self._resumed = 0.0  # when our rows were last known to have let others run
        self._runner: asyncio.Task[None] | None = None  # the rows one after another, while there are events
        self._beside: list[asyncio.Task[None]] = []
        self._tasks: list[asyncio.Task[None]] = []  # of `start`
        self._handshake: asyncio.Future[None] | None = None
        self._inlet = Inlet(around.limits.connection_input_octets_max)
        self._paused = False  # we read no more for now
        self._half_closed = False  # the peer says no more, but listens
        self._stopping: Goodbye | None = None  # as soon as no row runs
        self._closing = False  # what was written is leaving
        self._gone = False

    @property
    def limits(self) -> Limits:
        return self._around.limits

    @property
    def bindings(self) -> Mapping[bytes, bytes]:
        """What the channel can be bound to, by cb-name; nothing where it is not TLS 1.3."""
        if self.tls is None or self.tls.version != BOUND_VERSION:
            return {}
        return channel_bindings(self.transport.getHandle())

    @property
    def wheel(self) -> Wheel:
        """For what is to happen later, whatever the peer does."""
        return self._around.wheel

    # -- what a row may do

    def send(self, event: Any, answer: Any) -> None:
        """Answer `event`, or say something unasked (None); nothing happens once the peer is gone."""
        if self._gone or self._closing:
            return
        octets = self.session.send(event, answer)
        if octets:
            if not self._outlet.full:  # who does not read is not answered, whatever we say unasked
                self._silence.end()
            self._outlet.write(octets)
        if self._runner is None:
            self._turn()  # to what was withheld until this answer

    async def drained(self) -> None:
        """Return when there is room for another piece; raises Gone."""
        while self._outlet.octets > self.limits.write_high_water_octets:
            await self._outlet.room()
        now = self._around.clock.monotonic_seconds()
        if now - self._resumed > self.limits.loop_held_seconds_max:
            self._resumed = now
            await asyncio.sleep(0)
        if self._gone:
            raise Gone

    async def start_tls(self) -> None:
        """Negotiate TLS and begin a new session; what the peer said before TLS dies with the old one."""
        assert self._around.certificate is not None and self.tls is None
        while self._outlet.octets and not self._gone:
            await self._outlet.room()  # the go-ahead leaves as plain text
        if self._gone or self._closing or self._half_closed:
            raise Gone  # who says no more shakes no hands
        self._inlet.forget()
        self._handshake = asyncio.get_running_loop().create_future()
        self.transport.startTLS(self._around.certificate)
        self._read_on()
        await self._handshaken(self._handshake)
        self.session = self.listener.session(self)

    async def compress(self, deflate: Deflate) -> None:
        """What was said before the go-ahead has left, and what was heard before it is no more."""
        self._inlet.forget()
        while self._outlet.octets and not self._gone:
            await self._outlet.room()
        if self._gone or self._closing:
            raise Gone
        self._inlet.deflate = self._outlet.deflate = deflate

    def rest(self) -> None:
        """Until the peer is heard again."""
        if self._inlet.deflate is not None:
            self._inlet.deflate.rest()

    def start(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a task that ends with the connection, if not before."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.append(task)
        task.add_done_callback(self._task_ended)
        if self._gone:
            task.cancel()
        return task

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.remove(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, Gone):
            self._fail(error)

    def beside(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run as part of a row, but let the next rows run meanwhile."""
        self._beside.append(asyncio.get_running_loop().create_task(self._run_beside(coroutine)))

    def close(self) -> None:
        """End the connection once what was sent has left; bounded by `connection_linger_seconds_max`."""
        if self._closing or self._gone:
            return
        self._read_on()  # until the peer's part of the TLS shutdown
        self._closing = True
        self._outlet.finish()
        self._around.wheel.file(self, self.limits.connection_linger_seconds_max)

    def patience(self, seconds: int) -> None:
        """The peer may be silent that long, from now on."""
        self._silence.seconds_max = seconds
        self._silence.end()
        self._around.wheel.file(self, seconds)

    # -- what the port may do

    def stop(self) -> None:
        """The node stops: say goodbye as soon as no row runs."""
        self._stopping = Goodbye.STOPPING
        self._turn()

    def revoke(self) -> None:
        """The login is no longer good: say goodbye as soon as no row runs."""
        self._stopping = Goodbye.REVOKED
        self._turn()

    def dispossess(self) -> None:
        """Another session has what this one had for itself: say goodbye as soon as no row runs."""
        self._stopping = Goodbye.DISPOSSESSED
        self._turn()

    def abort(self) -> None:
        """Drop the connection with all that was written; rows still run to their end."""
        if not self._gone:
            self.transport.abortConnection()

    # -- IProtocol and its companions: Twisted calls

    def makeConnection(self, transport: Any) -> None:
        self.transport = transport
        if self.peer.host:
            transport.setTcpNoDelay(True)  # a unix socket never delays
        self._outlet = Outlet(transport)
        loop = asyncio.get_running_loop()
        if self._around.implicit:
            self._handshake = loop.create_future()
        self.patience(self._silence.seconds_max)
        self._runner = loop.create_task(self._begin())

    def dataReceived(self, data: bytes) -> None:
        if self._closing:
            return
        self._silence.hear(len(data))
        self._inlet.hear(data)
        if self._runner is None:
            self._turn()
        else:
            self._pause()

    def handshakeCompleted(self) -> None:
        handle = self.transport.getHandle()
        self.tls = Tls(handle.get_protocol_version_name(), handle.get_cipher_name())
        if self._handshake is not None and not self._handshake.done():
            self._handshake.set_result(None)

    def readConnectionLost(self) -> None:
        self._half_closed = True
        self._turn()

    def writeConnectionLost(self) -> None:
        """Never happens before connectionLost: we close both directions at once."""

    def connectionLost(self, reason: Any) -> None:
        self._gone = True
        self._around.wheel.drop(self)
        self._outlet.drop()
        if self._handshake is not None and not self._handshake.done():
            self._handshake.set_exception(Gone())
        for task in self._tasks:
            task.cancel()
        self._settle()

    # -- Timed: the wheel calls

    def due(self) -> None:
        if self._closing or (self._handshake is not None and not self._handshake.done()):
            self.abort()
            return
        waits_for_us = (self._runner is not None or self._beside) and not self._outlet.awaited
        if waits_for_us or self._outlet.moved:
            self._silence.end()
            self._outlet.moved = False
        left = self._silence.left
        if left > 0:
            self._around.wheel.file(self, left)
        elif self._outlet.full:
            self.abort()  # it does not read: it would not hear the goodbye either
        else:
            self._part(Goodbye.SILENT)

    # -- rows

    async def _begin(self) -> None:
        await self._guard(self._greet())
        await self._run(self._next())

    async def _greet(self) -> None:
        if self._handshake is not None:
            await self._handshaken(self._handshake)
        self.session = self.listener.session(self)
        self.state = self.listener.state(self)
        await self.listener.opened(self.state)

    async def _handshaken(self, handshake: asyncio.Future[None]) -> None:
        self._around.wheel.file(self, self.limits.idle_tls_handshake_seconds_max)
        await handshake
        self.patience(self._silence.seconds_max)

    def _turn(self) -> None:
        """Run the rows of the session's next events, unless that is under way."""
        if self._runner is not None:
            return
        event = self._next()
        if event is None and not self._unfolds:
            self._settle()
        else:
            self._runner = asyncio.get_running_loop().create_task(self._run(event))

    async def _run(self, event: Any | None) -> None:
        self._resumed = self._around.clock.monotonic_seconds()
        while event is not None or self._unfolds:
            if event is None:
                await asyncio.sleep(0)  # a little of it unfolds to much: others run in between
            else:
                await self._guard(self._answer(event))
            event = self._next()
        self._runner = None
        self._settle()

    async def _run_beside(self, coroutine: Coroutine[Any, Any, None]) -> None:
        await self._guard(coroutine)
        task = asyncio.current_task()
        assert task is not None
        self._beside.remove(task)
        self._turn()

    async def _answer(self, event: Any) -> None:
        await self.listener.rows[type(event)](self.state, event)
        await self.drained()

    async def _guard(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Gone:
            return
        except Exception as error:
            self._fail(error)

    def _next(self) -> Any | None:
        """The session's next event; None: none now, or the conversation takes no more."""
        if self._closing or self._gone or len(self._beside) >= self.limits.connection_rows_open_max:
            return None
        if self._stopping:
            if not self._beside:
                self._part(self._stopping)
            return None
        try:
            return self._session_next()
        except Fault:
            self.close()  # what comes is not deflated any more, and what we say is not understood
            return None
        except Exception as error:
            self._fail(error)
            return None

    def _session_next(self) -> Any | None:
        self._inlet.pour(self.session)
        event = self.session.next()
        if event is None and self._unfolds:
            self._inlet.unfold(self.session)
            event = self.session.next()
        if event is not None:
            self._inlet.yielded()
        return event

    @property
    def _unfolds(self) -> bool:
        """Whether more of what was heard is to be inflated now; rows beside bound it as they do reading."""
        if not self._inlet.folded or self._closing or self._gone or self._stopping:
            return False
        if len(self._beside) >= self.limits.connection_rows_open_max:
            return False
        return not self._beside or self._inlet.may_give

    # -- when no row runs in order

    def _settle(self) -> None:
        """Read on, end, or wait for the rows beside."""
        if self._runner is not None:
            return
        if not self._beside and self._gone:
            self._runner = asyncio.get_running_loop().create_task(self._end())
        elif not self._beside and self._half_closed:
            self.close()
        elif self._inlet.folded or (self._beside and self._inlet.is_full):
            self._pause()
        else:
            self._read_on()

    async def _end(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if hasattr(self, "state"):
            await self._guard(self.listener.closed(self.state))
        self._around.ended(self)

    def _fail(self, error: BaseException) -> None:
        log.error("%s: the conversation with %s failed", self.listener.name, self.peer.host, exc_info=error)
        self._part(Goodbye.FAILED)

    def _part(self, why: Goodbye) -> None:
        if self._closing or self._gone:
            return
        try:
            if hasattr(self, "session"):
                self._outlet.write(self.listener.goodbye(self.session, why))
        except Exception:
            log.exception("%s: no goodbye for %s", self.listener.name, self.peer.host)
        self.close()

    def _pause(self) -> None:
        if not self._paused:
            self._paused = True
            self.transport.pauseProducing()

    def _read_on(self) -> None:
        if self._paused:
            self._paused = False
            if not self._gone and not self._closing:
                self.transport.resumeProducing()

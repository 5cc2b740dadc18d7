"""A listener on loopback that does what its peer's lines say, for tests of the pump."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.task import Clock as TwistedClock

from mailnode.clock import SystemClock
from mailnode.limits import KiB, Limits
from mailnode.listeners.admission import Admission
from mailnode.listeners.conversation import Conversation
from mailnode.listeners.listener import Listener
from mailnode.listeners.listening import Listening
from mailnode.listeners.tls import Certificate
from mailnode.listeners.wheel import Wheel
from protocols.line import LineBuffer
from tests.listeners.loop import REACTOR

SILENCE_SECONDS = 60
PIECE = b"x" * 64 * KiB
CONTENTS_MAX = 3
RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True, eq=False)
class Line:
    text: bytes


class Lines:
    """A session of lines, one open at a time; those of `beside` do not hold back the next ones."""

    def __init__(self, mark: bytes) -> None:
        self._mark = mark
        self._lines = LineBuffer(1000)
        self._open: deque[tuple[Line, list[bytes]]] = deque()
        self._ended: set[Line] = set()
        self._barrier: Line | None = None
        self.fed = 0

    def feed(self, octets: bytes) -> None:
        self.fed += len(octets)
        self._lines.feed(octets)

    def next(self) -> Line | None:
        if self._barrier is not None or len(self._open) >= CONTENTS_MAX:
            return None
        line = self._lines.line()
        if line is None:
            return None
        if line == b"broken":
            raise RuntimeError("a mistake in the session")
        event = Line(line)
        self._open.append((event, []))
        if not line.startswith(b"beside"):
            self._barrier = event
        return event

    def send(self, event: Line | None, answer: bytes | None) -> bytes:
        """None ends an event."""
        if event is None:
            return self._mark + (answer or b"") + b"\r\n"
        parts = next(parts for opened, parts in self._open if opened is event)
        if answer is not None:
            parts.append(self._mark + answer + b"\r\n")
        else:
            self._ended.add(event)
            if event is self._barrier:
                self._barrier = None
        return self._leaving()

    def _leaving(self) -> bytes:
        leaving = bytearray()
        while self._open:
            event, parts = self._open[0]
            leaving += b"".join(parts)
            parts.clear()
            if event not in self._ended:
                break
            self._open.popleft()
        return bytes(leaving)


@dataclass
class Door:
    """What a test holds of the listener: its ports, its time, and what happened behind it."""

    limits: Limits = field(default_factory=Limits)
    certificate: Certificate | None = None
    implicit: bool = False
    time: TwistedClock = field(default_factory=TwistedClock)
    gates: dict[bytes, asyncio.Event] = field(default_factory=dict)
    done: list[bytes] = field(default_factory=list)
    closed: int = 0
    cancelled: int = 0
    pieces: int = 0
    conversations: list[Conversation[Any]] = field(default_factory=list)
    port: int = 0

    def __post_init__(self) -> None:
        listener: Listener[Conversation[Any]] = Listener(
            name="test",
            session=lambda conversation: Lines(b"tls " if conversation.tls else b""),
            state=lambda conversation: conversation,
            opened=self._opened,
            rows={Line: self._row},
            closed=self._closed,
            refusal=b"too many\r\n",
            goodbye=lambda session, why: b"goodbye " + why.name.encode() + b"\r\n",
            silence_seconds_max=SILENCE_SECONDS,
        )
        self.admission = Admission(self.limits)
        self.listening = Listening(
            REACTOR,
            listener,
            limits=self.limits,
            clock=SystemClock(),
            wheel=Wheel(self.time),
            admission=self.admission,
            certificate=self.certificate,
            implicit=self.implicit,
        )

    def gate(self, name: bytes) -> asyncio.Event:
        return self.gates.setdefault(name, asyncio.Event())

    def pass_seconds(self, seconds: int) -> None:
        self.time.pump([1] * seconds)

    # -- the listener

    async def _opened(self, conversation: Conversation[Any]) -> None:
        self.conversations.append(conversation)
        conversation.send(None, b"hello")

    async def _closed(self, conversation: Conversation[Any]) -> None:
        self.closed += 1

    async def _row(self, conversation: Conversation[Any], event: Line) -> None:
        verb, _, argument = event.text.partition(b" ")
        if verb == b"beside":
            conversation.beside(self._beside(conversation, event, argument))
            return
        await self._barrier(conversation, event, verb, argument)
        self.done.append(event.text)

    async def _barrier(
        self, conversation: Conversation[Any], event: Line, verb: bytes, argument: bytes
    ) -> None:
        match verb:
            case b"fail":
                raise ValueError("a mistake in a row")
            case b"wait":
                await self.gate(argument).wait()
            case b"big":
                for _ in range(int(argument)):
                    conversation.send(event, PIECE)
                    self.pieces += 1
                    await conversation.drained()
            case b"watch":
                conversation.start(self._watch(conversation))
            case b"patience":
                conversation.patience(int(argument))
        conversation.send(event, event.text)
        conversation.send(event, None)
        if verb == b"starttls":
            await conversation.start_tls()
        elif verb == b"quit":
            conversation.close()

    async def _beside(self, conversation: Conversation[Any], event: Line, gate: bytes) -> None:
        await self.gate(gate).wait()
        conversation.send(event, event.text)
        conversation.send(event, None)
        self.done.append(event.text)

    async def _watch(self, conversation: Conversation[Any]) -> None:
        try:
            await self.gate(b"news").wait()
            conversation.send(None, b"news")
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


class Caller:
    """The peer of a test."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def say(self, *lines: bytes) -> None:
        self.writer.write(b"".join(line + b"\r\n" for line in lines))

    async def hear(self) -> bytes:
        """The next line without its end; empty at the end of the stream."""
        return (await self.reader.readline()).removesuffix(b"\r\n")

    async def ask(self, line: bytes) -> bytes:
        self.say(line)
        return await self.hear()

    async def rest(self) -> bytes:
        """All until the connection ends, however it ends."""
        heard = bytearray()
        try:
            while octets := await self.reader.read(64 * KiB):
                heard += octets
        except ConnectionError:
            pass
        return bytes(heard)

    def leave(self) -> None:
        """Reset the connection: nothing is read any more."""
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.writer.transport.abort()


@asynccontextmanager
async def opened(door: Door) -> AsyncIterator[Door]:
    door.port = door.listening.open("127.0.0.1", 0)
    try:
        yield door
    finally:
        for gate in door.gates.values():
            gate.set()
        await door.listening.stop()


async def call(door: Door, context: ssl.SSLContext | None = None) -> Caller:
    """Connected; the greeting is not heard yet."""
    return Caller(*await asyncio.open_connection("127.0.0.1", door.port, ssl=context, limit=64 * KiB))


async def greeted(door: Door) -> Caller:
    caller = await call(door)
    assert await caller.hear() == b"hello"
    return caller


async def until(condition: Callable[[], object]) -> None:
    """Let the loop run until it is so; the test's own time limit ends what never comes."""
    while not condition():  # noqa: ASYNC110  # conditions of the pump have no event of their own
        await asyncio.sleep(0)

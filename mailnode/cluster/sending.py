"""One member's frames: a stream that is opened when there is one, and again after it broke.

Between nodes of one host it is of `cluster/near`, else of gRPC: each frame and what acknowledges it is a
message, of which gRPC's costs more than what most of them lead to.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import grpc

from mailnode.cluster import frames, greeting, near
from mailnode.cluster.hello import Hello, Met, Stranger
from mailnode.cluster.near import Near
from mailnode.cluster.replica_messages import Append, Frame, Member, Message
from mailnode.limits import Limits
from mailnode.pb.replica_pb2 import Taken

log = logging.getLogger(__name__)

SERVICE = "mailnode.replica.Replicas"
FRAMES = "Frames"
SNAPSHOT = "Snapshot"

_RETRY_SECONDS_MIN = 0.05


class Lost(Exception):
    """The stream ended, or never began."""


LOST = (grpc.RpcError, asyncio.InvalidStateError, TimeoutError, OSError, LookupError, Stranger, Lost)
"""What ends a stream: LookupError where no address is known, InvalidStateError for one that has ended."""


class Channels(Protocol):
    """As `Peers`."""

    def channel(self, node: str) -> grpc.aio.Channel: ...

    def near(self, node: str) -> Path | None: ...


_Write = Callable[[bytes], Awaitable[None]]
"""A piece on the stream; raises one of LOST."""


class Way:
    """`task` runs until it is cancelled."""

    def __init__(
        self,
        to: Member,
        hello: Hello,
        channels: Channels,
        limits: Limits,
        taken: Callable[[Member], None],
    ) -> None:
        self.to = to
        self._hello = hello
        self._channels = channels
        self._limits = limits
        self._taken = taken
        self._frame: Frame | None = None
        self._passing: list[Message] = []
        """What need not wait for the frame."""
        self._takes_passing = False
        self._waking = asyncio.Event()
        """A frame, or octets that were taken, or the end of the stream."""
        self._sent = self._acknowledged = 0
        self._greeted = 0
        """Of the hello with which the stream began."""
        self._trouble = ""
        self.frames = self.octets = 0
        """Sent since the way began, on all its streams."""
        self.task = asyncio.ensure_future(self._run())

    def send(self, frame: Frame) -> None:
        """While the last frame was not taken, only one without entries: it goes between its pieces."""
        if self._frame is None:
            self._frame = frame
        else:
            assert not any(isinstance(each, Append) for each in frame.messages), "the last was not taken"
            self._passing += frame.messages
        self._waking.set()

    async def _run(self) -> None:
        """A frame that cannot be sent is lost only after a while: each that is lost makes work."""
        pause = _RETRY_SECONDS_MIN
        while True:
            frame = await self._next()
            try:
                await self._stream()
            except LOST as error:
                self._tell(reason(error))
            except asyncio.CancelledError:
                raise_if_cancelled()
                self._tell("the channel was closed")
            except Exception:  # our own mistake with one frame: it is lost, and the core says it again
                log.exception("a frame to node %s could not be made", self.to.node)
            if self._sent:
                pause = _RETRY_SECONDS_MIN
            await asyncio.sleep(pause)
            pause = min(2 * pause, self._limits.stream_retry_seconds_max)
            if self._frame is frame:
                self._frame = None
                self._passing.clear()
                self._taken(self.to)

    async def _next(self) -> Frame:
        while self._frame is None:
            self._waking.clear()
            await self._waking.wait()
        return self._frame

    def _tell(self, trouble: str) -> None:
        """Once, however often it is met."""
        if trouble and trouble != self._trouble:
            log.warning("no frames to node %s: %s", self.to.node, trouble)
        self._trouble = trouble

    async def _stream(self) -> None:
        self._sent = self._acknowledged = 0
        self._greeted = self._hello.version
        where = self._channels.near(self.to.node)
        if where is not None:
            await self._near(where)
        else:
            await self._far()

    async def _near(self, where: Path) -> None:
        stream = await near.connect(where, SERVICE, self._limits)
        try:
            async with asyncio.timeout(self._limits.stream_silence_seconds_max):
                met = await greeting.greeted(stream, self._hello, self.to)
            await self._flow(met, stream.write, self._read_near(stream))
        finally:
            stream.close()

    async def _read_near(self, stream: Near) -> None:
        while True:
            self._was_taken(Taken.FromString(await stream.read()))

    async def _far(self) -> None:
        seconds = self._limits.stream_silence_seconds_max
        call = self._channels.channel(self.to.node).stream_stream(
            f"/{SERVICE}/{FRAMES}", None, Taken.FromString
        )(None, metadata=self._hello.metadata(self.to))
        try:
            met = await greeted(call, self._hello, self.to, seconds)
            await self._flow(met, lambda piece: written(call, piece, seconds), self._read_far(call))
        finally:
            call.cancel()

    async def _read_far(self, call: Any) -> None:
        async for taken in call:
            self._was_taken(taken)

    def _was_taken(self, taken: Taken) -> None:
        self._acknowledged = taken.octets
        self._waking.set()

    async def _flow(self, met: Met, write: _Write, read: Coroutine[Any, Any, None]) -> None:
        """Until the stream ends."""
        self._takes_passing = met.takes_passing
        reading = asyncio.ensure_future(read)
        reading.add_done_callback(lambda _: self._waking.set())
        try:
            await self._send_all(write, reading)
        finally:
            reading.cancel()

    async def _send_all(self, write: _Write, reading: asyncio.Task[None]) -> None:
        """Frame after frame, until the stream ends. Raises one of LOST."""
        while True:
            while self._frame is None and not reading.done():
                self._waking.clear()
                await self._waking.wait()
            if self._frame is None or reading.done():
                raise Lost(_ended(reading))
            if self._greeted != self._hello.version:
                raise Lost("it is greeted anew")
            frame = self._frame
            for piece in frames.pieces(frame):
                await self._write(write, piece)
                await self._room(write, frame, reading)
            while self._passing:
                for piece in frames.pieces(self._passed(frame)):
                    await self._write(write, piece)
            self.frames += 1
            self._tell("")
            self._frame = None
            self._taken(self.to)

    async def _write(self, write: _Write, piece: bytes) -> None:
        await write(piece)
        self._sent += len(piece)
        self.octets += len(piece)

    async def _room(self, write: _Write, frame: Frame, reading: asyncio.Task[None]) -> None:
        """Waits while more was not taken than the window; what passes goes out meanwhile."""
        async with asyncio.timeout(self._limits.stream_silence_seconds_max):
            while True:
                if self._passing and self._takes_passing:
                    await self._write(write, frames.passing(self._passed(frame)))
                if self._sent - self._acknowledged <= self._limits.stream_window_octets:
                    return
                if reading.done():
                    raise Lost(_ended(reading))
                self._waking.clear()
                if not self._passing or not self._takes_passing:
                    await self._waking.wait()

    def _passed(self, frame: Frame) -> Frame:
        messages, self._passing = tuple(self._passing), []
        return replace(frame, messages=messages)


def raise_if_cancelled() -> None:
    """Called where CancelledError came: gRPC raises it for a call whose channel was closed, too."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def greeted(call: Any, hello: Hello, to: Member, seconds: float) -> Met:
    """Whoever answers is whom we mean. Raises one of LOST."""
    async with asyncio.timeout(seconds):
        said = await call.initial_metadata()
        if call.done():
            raise Lost(await call.details() or "refused")
    met = hello.met(said)
    if met.member != to:
        raise Lost(f"another node, {met.member.node}, answers")
    return met


async def written(call: Any, piece: bytes, seconds: float) -> None:
    """Raises one of LOST, when the peer takes nothing for so long, too."""
    async with asyncio.timeout(seconds):
        try:
            await call.write(piece)
        except asyncio.InvalidStateError:  # it ended before
            raise Lost(await call.details() or "ended") from None


def _ended(reading: asyncio.Task[None]) -> str:
    error = None if reading.cancelled() else reading.exception()
    return reason(error) if error is not None else "the stream was ended"


def reason(error: BaseException) -> str:
    details = error.details() if isinstance(error, grpc.aio.AioRpcError) else ""
    return details or str(error) or type(error).__name__

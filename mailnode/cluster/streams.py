"""Frames between this node and the others (service Replicas of protos/replica.proto).

One stream each way for a pair of nodes. What is sent and was not taken is bounded: `taken` says when the next
frame to a member may be made, so that holds all that came up meanwhile. A frame is lost with its stream; the
core says it again. Snapshots go beside, on a stream each, throttled together.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import Any

import grpc

from mailnode.clock import Clock
from mailnode.cluster import frames, greeting
from mailnode.cluster.frames import Assembly, BadFrame, Tally
from mailnode.cluster.hello import Hello, Met, Stranger, check_certificate
from mailnode.cluster.near import Near
from mailnode.cluster.replica_messages import Frame, Member
from mailnode.cluster.sending import (
    FRAMES,
    LOST,
    SERVICE,
    SNAPSHOT,
    Channels,
    Lost,
    Way,
    greeted,
    raise_if_cancelled,
    reason,
    written,
)
from mailnode.cluster.snapshot import BadSnapshot, Unwanted
from mailnode.cluster.throttle import Throttle
from mailnode.limits import Limits
from mailnode.pb.replica_pb2 import Taken

log = logging.getLogger(__name__)

Given = Callable[[Frame, AsyncIterator[bytes]], Awaitable[None]]


class Streams:
    """Lives on the loop. `received`, `taken` and `given` are set before the first frame."""

    def __init__(self, channels: Channels, hello: Hello, me: Member, clock: Clock, limits: Limits) -> None:
        """`hello`: what this node says of itself."""
        self._channels = channels
        self._hello = hello
        self._me = me
        self._limits = limits
        self._ways: dict[Member, Way] = {}
        self._callers: dict[Member, asyncio.Task[Any]] = {}
        """Who sends frames, and what takes them."""
        self._givers: set[asyncio.Task[Any]] = set()
        """Snapshots that come in."""
        self._is_stopping = False
        self.throttle = Throttle(limits.snapshot_octets_a_second, clock)
        """Of the snapshots that are sent."""
        self.received: Callable[[Frame], None] = _nothing
        self.taken: Callable[[Member], None] = _nothing
        self.given: Given = _refuse
        """Called with a frame of one Snapshot and the octets of its rows, of which it reads all; what it
        returns is durable. It may raise Unwanted or BadSnapshot, which the sender is told."""

    def add_to(self, server: grpc.aio.Server) -> None:
        """For `Peers.add`."""
        handlers = {
            FRAMES: grpc.stream_stream_rpc_method_handler(
                self._frames, response_serializer=Taken.SerializeToString
            ),
            SNAPSHOT: grpc.stream_unary_rpc_method_handler(
                self._snapshot, response_serializer=Taken.SerializeToString
            ),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))

    async def take_near(self, near: Near) -> None:
        """Frames of a node of this host; for `Peers.add_near`, under the name SERVICE."""
        try:
            found = await greeting.met(near, self._hello)
            with self._calling(found.member):
                async with aclosing(_messages(near)) as pieces:
                    await self._take(found, pieces, lambda taken: near.write(taken.SerializeToString()))
        except Stranger as error:
            log.warning("a stream was refused: %s", error)
        except BadFrame as error:
            log.warning("a stream of node %s has no frames: %s", found.member.node, error)

    # -- out

    def send(self, frame: Frame) -> None:
        """At once, without blocking; one frame with entries to a member until `taken(member)`."""
        if self._is_stopping:
            return
        way = self._ways.get(frame.to)
        if way is None:
            way = Way(frame.to, self._hello, self._channels, self._limits, self._was_taken)
            self._ways[frame.to] = way
        way.send(frame)

    def sent(self) -> dict[str, tuple[int, int]]:
        """Frames and their octets, by node."""
        found: dict[str, tuple[int, int]] = {}
        for member, way in self._ways.items():
            count, octets = found.get(member.node, (0, 0))
            found[member.node] = count + way.frames, octets + way.octets
        return found

    def _was_taken(self, member: Member) -> None:
        self.taken(member)

    async def give(self, frame: Frame, octets: AsyncIterator[bytes]) -> None:
        """A frame of one Snapshot, and behind it its rows; returns when they are durable there. Raises Lost.

        What `octets` raises ends it, too, and the other side takes nothing of it for whole.
        """
        silence = self._limits.snapshot_silence_seconds_max
        try:
            call = self._channels.channel(frame.to.node).stream_unary(
                f"/{SERVICE}/{SNAPSHOT}", None, Taken.FromString
            )(None, metadata=self._hello.metadata(frame.to))
        except LOST as error:
            raise Lost(reason(error)) from error
        try:
            await greeted(call, self._hello, frame.to, silence)
            for piece in frames.pieces(frame):
                await written(call, piece, silence)
            tally = Tally()
            async for chunk in octets:
                await self.throttle.passed(len(chunk))
                tally.add(chunk)
                for piece in frames.parts(chunk):
                    await written(call, piece, silence)
            await written(call, tally.end(), silence)
            await call.done_writing()
            async with asyncio.timeout(silence):
                await call
        except LOST as error:
            raise Lost(reason(error)) from error
        except asyncio.CancelledError:
            raise_if_cancelled()
            raise Lost("the channel was closed") from None
        finally:
            call.cancel()

    async def stop(self) -> None:
        """Nothing is sent nor taken any more; before the server stops, which would end calls with a noise."""
        self._is_stopping = True
        tasks = [*(way.task for way in self._ways.values()), *self._callers.values(), *self._givers]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    # -- in

    async def _met(self, context: Any) -> Met:
        try:
            met = self._hello.met(context.invocation_metadata())
            check_certificate(met.member.node, context.auth_context())
        except Stranger as error:
            log.warning("a stream was refused: %s", error)
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        await context.send_initial_metadata(self._hello.metadata(met.member))
        return met

    async def _frames(self, pieces: AsyncIterator[bytes], context: Any) -> None:
        met = await self._met(context)
        member = met.member
        try:
            with self._calling(member):
                await self._take(met, pieces, context.write)
        except asyncio.CancelledError:
            if self._callers.get(member) is not None:
                await context.abort(grpc.StatusCode.ABORTED, "a later stream of the same shard began")
            await self._abort_if_stopping(context)
            raise
        except BadFrame as error:
            log.warning("a stream of node %s has no frames: %s", member.node, error)
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))

    @contextmanager
    def _calling(self, member: Member) -> Iterator[None]:
        """It has one stream: what is still on one before would only come late."""
        task = _current_task()
        if (before := self._callers.get(member)) is not None:
            before.cancel()
        self._callers[member] = task
        try:
            yield
        finally:
            if self._callers.get(member) is task:
                del self._callers[member]

    async def _abort_if_stopping(self, context: Any) -> None:
        if self._is_stopping:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the node stops")

    async def _take(
        self, met: Met, pieces: AsyncIterator[bytes], tell: Callable[[Taken], Awaitable[None]]
    ) -> None:
        assembly = Assembly()
        octets = told = 0
        async for piece in pieces:
            whole = assembly.feed(piece)
            if whole is not None:
                self.received(self._checked(frames.frame(*whole), met))
            octets += len(piece)
            if octets - told >= self._limits.stream_window_octets // 4:
                told = octets
                await tell(Taken(octets=octets))

    def _checked(self, frame: Frame, met: Met) -> Frame:
        if (frame.sender, frame.run) != met[:2] or frame.to != self._me:
            raise BadFrame("a frame of or to somebody else")
        return frame

    async def _snapshot(self, pieces: AsyncIterator[bytes], context: Any) -> Taken:
        met = await self._met(context)
        task = _current_task()
        self._givers.add(task)
        try:
            await self._give_on(met, pieces)
        except asyncio.CancelledError:
            await self._abort_if_stopping(context)
            raise
        except (BadFrame, BadSnapshot) as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except Unwanted as error:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        finally:
            self._givers.discard(task)
        return Taken()

    async def _give_on(self, met: Met, pieces: AsyncIterator[bytes]) -> None:
        assembly = Assembly()
        async for piece in pieces:
            whole = assembly.feed(piece)
            if whole is not None:
                frame = self._checked(frames.frame(*whole), met)
                async with aclosing(_chunks(pieces)) as octets:
                    await self.given(frame, octets)
                return
        raise BadFrame("a snapshot without its frame")


def _current_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None
    return task


async def _messages(near: Near) -> AsyncGenerator[bytes]:
    while True:
        yield await near.read()


async def _chunks(pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    """Up to the end that the sender said. Raises BadFrame where there is none."""
    assembly, tally = Assembly(), Tally()
    async for piece in pieces:
        if tally.is_end(piece):
            return
        whole = assembly.feed(piece)
        if whole is not None:
            tally.add(whole[1])
            yield whole[1]
    raise BadFrame("a snapshot broke off")


def _nothing(_: object) -> None:
    """Until somebody takes them, which is before the server starts: losing them in silence would hide it."""
    raise NotImplementedError("nobody takes frames")


async def _refuse(frame: Frame, octets: AsyncIterator[bytes]) -> None:
    raise NotImplementedError("nobody takes snapshots")

"""Streams of messages between nodes of one host, over unix sockets of their own.

A message of gRPC takes 130 µs of CPU of both ends, however small; one of these takes 11. So what is asked all
the time goes here, in the same words, and gRPC is for what is asked now and then, and for other hosts.

A message is four octets, its length, and itself. Who has nothing to say says an empty one now and then, so
that a process that hangs is noticed; its kernel would go on taking what we say.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import cast

from mailnode.limits import Limits

log = logging.getLogger(__name__)

_LENGTH_OCTETS = 4
_EMPTY = bytes(_LENGTH_OCTETS)
_TURNS = 2
"""Of what may be said, in the time after which silence is strange; and as many again until it is the end.
After a pause of this process itself the first turn comes before what was said meanwhile."""


class Near(asyncio.Protocol):
    """One end of a stream; one reads it and one writes, at a time. Lives on the loop."""

    def __init__(self, limits: Limits, met: Callable[[Near], object] | None = None) -> None:
        """`met` is told once it is connected."""
        self._limits = limits
        self._met = met
        self._transport: asyncio.Transport | None = None
        self._octets = bytearray()
        self._came: deque[bytes] = deque()
        self._came_octets = 0
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._error: OSError | None = None
        self._is_full = self._is_held = False
        self._silent_turns = 0
        self._said = False
        self._turn: asyncio.TimerHandle | None = None

    async def read(self) -> bytes:
        """The next message; raises OSError when there will be none."""
        while not self._came:
            if self._error is not None:
                raise self._error
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        message = self._came.popleft()
        self._came_octets -= len(message)
        if self._is_held and self._came_octets <= self._limits.batch_octets_max:
            self._is_held = False
            self._connected().resume_reading()
        return message

    async def write(self, message: bytes) -> None:
        """Never an empty one. Waits until there is room for it; raises OSError when it has ended."""
        while self._is_full and self._error is None:
            self._writer = asyncio.get_running_loop().create_future()
            await self._writer
        if self._error is not None:
            raise self._error
        self._said = True
        self._connected().writelines((len(message).to_bytes(_LENGTH_OCTETS, "big"), message))

    def close(self) -> None:
        """What was written and is not taken yet is lost."""
        if self._transport is not None:
            self._transport.abort()
        self._end("it was closed")

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # which uvloop's is without being told
        self._transport.write(_EMPTY)  # a process that hangs has its kernel accept
        self._look_later()
        if self._met is not None:
            self._met(self)

    def data_received(self, octets: bytes) -> None:
        self._silent_turns = 0
        if self._octets:
            self._octets += octets
            del self._octets[: self._take_all(memoryview(self._octets))]
        elif (taken := self._take_all(memoryview(octets))) < len(octets):
            self._octets += memoryview(octets)[taken:]

    def _take_all(self, held: memoryview) -> int:
        """The messages that are whole; up to where they are."""
        start = 0
        with held:
            while len(held) - start >= _LENGTH_OCTETS:
                begin = start + _LENGTH_OCTETS
                length = int.from_bytes(held[start:begin], "big")
                if length > self._limits.peer_message_octets_max:
                    self._fail(f"a message of {length} octets came")
                    break
                if len(held) < begin + length:
                    break
                start = begin + length
                if length:
                    self._take(bytes(held[begin:start]))
        return start

    def connection_lost(self, error: Exception | None) -> None:
        self._end(str(error) if error else "the node ended it")

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        _wake(self._writer)

    # -- inside

    def _connected(self) -> asyncio.Transport:
        assert self._transport is not None
        return self._transport

    def _take(self, message: bytes) -> None:
        self._came.append(message)
        self._came_octets += len(message)
        if not self._is_held and self._came_octets > self._limits.batch_octets_max:
            self._is_held = True
            self._connected().pause_reading()
        _wake(self._reader)

    def _look_later(self) -> None:
        seconds = self._limits.peer_silence_seconds_max / _TURNS
        self._turn = asyncio.get_running_loop().call_later(seconds, self._look)

    def _look(self) -> None:
        self._silent_turns += not self._is_held
        if self._silent_turns > 2 * _TURNS:
            self._fail("the node is silent")
            return
        if not self._said and not self._is_full:
            self._connected().write(_EMPTY)
        self._said = False
        self._look_later()

    def _fail(self, why: str) -> None:
        self._end(why)
        self._connected().abort()

    def _end(self, why: str) -> None:
        if self._error is None:
            self._error = OSError(why)
        if self._turn is not None:
            self._turn.cancel()
        _wake(self._reader)
        _wake(self._writer)


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


async def connect(where: Path, service: str, limits: Limits) -> Near:
    """A stream to a service of the node that listens there; raises OSError, nothing was asked then."""
    loop = asyncio.get_running_loop()
    _, near = await loop.create_unix_connection(lambda: Near(limits), str(where))
    try:
        await near.write(service.encode())
        async with asyncio.timeout(limits.peer_silence_seconds_max):
            await near.read()
    except TimeoutError:
        near.close()
        raise OSError("the node is silent") from None
    except BaseException:
        near.close()
        raise
    return near


Service = Callable[[Near], Awaitable[None]]


class Doors:
    """Where the streams of others arrive, each for a service by its name."""

    def __init__(self, services: Mapping[str, Service], limits: Limits) -> None:
        self._services = services
        self._limits = limits
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, where: Path) -> None:
        """For this user alone; raises OSError."""
        loop, made = asyncio.get_running_loop(), lambda: Near(self._limits, self._begin)
        self._server = await loop.create_unix_server(made, sock=_bound(where))

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, near: Near) -> None:
        task = asyncio.ensure_future(self._serve(near))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, near: Near) -> None:
        try:
            with suppress(OSError):
                service = self._services.get((await near.read()).decode(errors="replace"))
                if service is not None:
                    await near.write(b"+")
                    await service(near)
        except Exception:  # our own mistake with one stream: those of others go on
            log.exception("a stream of another node ended by our own mistake")
        finally:
            near.close()


def _bound(where: Path) -> socket.socket:
    """What a process left that was killed goes."""
    where.unlink(missing_ok=True)
    bound = socket.socket(socket.AF_UNIX)
    try:
        bound.bind(str(where))
        where.chmod(0o600)
    except BaseException:
        bound.close()
        raise
    return bound

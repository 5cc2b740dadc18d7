"""What waits to be said on the stream of two nodes: gathered while the last message is under way.

What is short goes first; of what is long a piece goes with each message, calls in turns, so that none waits
for another's mail. What one call says stays in order.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

from mailnode.limits import Limits
from mailnode.pb.account_pb2 import Piece


class Part(Protocol):
    """An Ask or an Answer."""

    @property
    def call(self) -> int: ...

    def SerializeToString(self) -> bytes: ...


P = TypeVar("P", bound=Part)


class Outgoing(Generic[P]):
    """Lives on the loop."""

    def __init__(self, piece: Callable[[int, Piece], P], limits: Limits) -> None:
        """`piece(call, it)` is the part that carries a piece of a long one."""
        self._piece = piece
        self._limits = limits
        self._made: dict[int, Callable[[], P | None]] = {}
        self._short: deque[bytes] = deque()
        self._long: OrderedDict[int, deque[_Long | bytes]] = OrderedDict()
        self._octets = 0
        self._waiter: asyncio.Future[None] | None = None
        self._room: deque[asyncio.Future[None]] = deque()

    def put(self, part: P) -> None:
        """In order with what its call said before; of bounded number: who puts much asks for `room`."""
        behind = self._long.get(part.call)
        octets = part.SerializeToString()
        self._octets += len(octets)
        if len(octets) > self._limits.piece_octets_max:
            self._long.setdefault(part.call, deque()).append(_Long(octets))
        elif behind is not None:
            behind.append(octets)
        else:
            self._short.append(octets)
        self._wake()

    def put_made(self, call: int, make: Callable[[], P | None]) -> None:
        """What is made when the next message is, and before all else in it; once, however often it is put."""
        self._made[call] = make
        self._wake()

    def forget(self, call: int) -> None:
        """Nobody wants to hear any more of it; what is short goes all the same."""
        self._made.pop(call, None)
        for part in self._long.pop(call, ()):
            self._octets -= part.left if isinstance(part, _Long) else len(part)
        self._give_room()

    async def room(self) -> None:
        """Waits while as much as may wait does."""
        while self._octets > self._limits.outgoing_octets_max:
            waiter = asyncio.get_running_loop().create_future()
            self._room.append(waiter)
            await waiter

    async def flow(self, write: Callable[[list[bytes]], Awaitable[None]]) -> None:
        """Give `write` whatever there is, encoded, as soon as it has taken the last."""
        while True:
            if not (self._made or self._short or self._long):
                self._waiter = asyncio.get_running_loop().create_future()
                await self._waiter
            parts = self._next()
            self._give_room()
            if parts:
                await write(parts)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _give_room(self) -> None:
        while self._room and self._octets <= self._limits.outgoing_octets_max:
            waiter = self._room.popleft()
            if not waiter.done():
                waiter.set_result(None)

    def _next(self) -> list[bytes]:
        made, self._made = self._made, {}
        parts = [part.SerializeToString() for make in made.values() if (part := make()) is not None]
        room = self._limits.batch_octets_max
        while self._short and room > 0:
            octets = self._short.popleft()
            room -= len(octets)
            self._octets -= len(octets)
            parts.append(octets)
        # One piece at least, however much there is that is short.
        for _ in range(max(1, room // self._limits.piece_octets_max)):
            if not self._long:
                break
            parts.append(self._next_of_long())
        return parts

    def _next_of_long(self) -> bytes:
        call, waiting = self._long.popitem(last=False)
        first = waiting[0]
        if isinstance(first, _Long):
            piece = first.cut(self._limits.piece_octets_max)
            self._octets -= len(piece.octets)
            part = self._piece(call, piece).SerializeToString()
            if not first.left:
                waiting.popleft()
        else:
            part = first
            self._octets -= len(first)
            waiting.popleft()
        if waiting:
            self._long[call] = waiting
        return part


class _Long:
    """A part that goes in pieces."""

    __slots__ = ("_octets", "_start")

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._start = 0

    @property
    def left(self) -> int:
        return len(self._octets) - self._start

    def cut(self, octets_max: int) -> Piece:
        end = self._start + octets_max
        piece = Piece(octets=self._octets[self._start : end], last=end >= len(self._octets))
        self._start = min(end, len(self._octets))
        return piece


class Pieces:
    """What came in pieces, by call, until it is whole."""

    def __init__(self, octets_max: int) -> None:
        self._octets_max = octets_max
        self._came: dict[int, bytearray] = {}

    def whole(self, call: int, piece: Piece) -> bytes | None:
        """All of it, once the last came; raises ValueError when it is longer than anything may be."""
        came = self._came.setdefault(call, bytearray())
        came += piece.octets
        if len(came) > self._octets_max:
            del self._came[call]
            raise ValueError(f"a part of more than {self._octets_max} octets came")
        if not piece.last:
            return None
        del self._came[call]
        return bytes(came)

    def forget(self, call: int) -> None:
        self._came.pop(call, None)

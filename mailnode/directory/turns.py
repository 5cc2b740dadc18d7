"""Who may use the pool of hashes next: networks take turns, so that none keeps the others out."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Busy(Exception):
    """As many as may wait do so: try again later."""


class Turns:
    """`places` have their turn at the same time, `waiting_max` wait.

    When all places to wait are taken, who came last of the network that has most of them gives way to a
    network that has fewer.
    """

    def __init__(self, places: int, waiting_max: int) -> None:
        self._free = places
        self._waiting_max = waiting_max
        self._waiting: OrderedDict[bytes, deque[asyncio.Future[None]]] = OrderedDict()
        self._count = 0

    @asynccontextmanager
    async def turn(self, network: bytes) -> AsyncIterator[None]:
        """Raises Busy."""
        await self._take(network)
        try:
            yield
        finally:
            self._give()

    async def _take(self, network: bytes) -> None:
        if self._free:
            self._free -= 1
            return
        if self._count >= self._waiting_max:
            self._make_room(network)
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(network, deque()).append(turn)
        self._count += 1
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._give()  # it was given to who had just gone
            raise

    def _give(self) -> None:
        """To the first that still waits of the network whose turn it is."""
        while self._waiting:
            network, queue = self._waiting.popitem(last=False)
            turn = queue.popleft()
            self._count -= 1
            if queue:
                self._waiting[network] = queue
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def _make_room(self, network: bytes) -> None:
        """Raises Busy when nobody has more places than this network would have."""
        longest = max(self._waiting, key=lambda each: len(self._waiting[each]))
        queue = self._waiting[longest]
        if len(queue) <= len(self._waiting.get(network, ())) + 1:
            raise Busy
        turn = queue.pop()
        self._count -= 1
        if not turn.done():
            turn.set_exception(Busy())

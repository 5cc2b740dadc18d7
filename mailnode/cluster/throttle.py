"""A bound on octets a second, of all who pass it together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from mailnode.clock import Clock


class Throttle:
    def __init__(
        self, octets_a_second: int, clock: Clock, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self.octets_a_second = octets_a_second
        """May be set at any time."""
        self._clock = clock
        self._sleep = sleep
        self._free = float("-inf")

    async def passed(self, octets: int) -> None:
        """Waits until those before have had their time: the first goes at once, whatever its size."""
        now = self._clock.monotonic_seconds()
        begin = max(now, self._free)
        self._free = begin + octets / self.octets_a_second
        if begin > now:
            await self._sleep(begin - now)

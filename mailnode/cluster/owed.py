"""Who waits for more copies of what is committed than there are: the set in sync shrank meanwhile.

They are told once it has grown back, for who comes into it has all that is committed; or, when that takes too
long, that it is not known, so that nobody believes more than there is.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from mailnode.cluster.append import NotKnown


@dataclass(frozen=True, slots=True)
class _Waiter:
    copies: int
    until: float
    told: asyncio.Future[None]

    def end(self, why: NotKnown | None) -> None:
        if self.told.done():  # whoever waited has given up
            return
        if why is None:
            self.told.set_result(None)
        else:
            self.told.set_exception(why)


class Owed:
    def __init__(self, copies: Callable[[int], int], seconds_max: float) -> None:
        """`copies` of what is committed in a partition."""
        self._copies = copies
        self._seconds_max = seconds_max
        self._waiting: dict[int, deque[_Waiter]] = {}

    async def have(self, partition: int, copies: int, now: float) -> None:
        """Returns once so many copies have what is committed now; raises NotKnown."""
        if copies <= self._copies(partition):
            return
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiter = _Waiter(copies, now + self._seconds_max, told)
        self._waiting.setdefault(partition, deque()).append(waiter)
        await told

    def look(self, partition: int) -> None:
        """Its set may have grown."""
        if partition in self._waiting:
            copies = self._copies(partition)
            self._end(partition, lambda waiter: waiter.copies <= copies, None)

    def tick(self, now: float) -> None:
        for partition in list(self._waiting):
            self._end(partition, lambda waiter: waiter.until <= now, NotKnown())

    def give_up(self, partition: int) -> None:
        """Another node may lead it from now on."""
        self._end(partition, lambda waiter: True, NotKnown())

    def fail(self) -> None:
        for partition in list(self._waiting):
            self.give_up(partition)

    def _end(self, partition: int, is_over: Callable[[_Waiter], bool], why: NotKnown | None) -> None:
        waiting = self._waiting.pop(partition, deque())
        if left := deque(each for each in waiting if not is_over(each)):
            self._waiting[partition] = left
        for waiter in waiting:
            if is_over(waiter):
                waiter.end(why)

"""Who waits for more copies of what is committed than there are: the set in sync shrank meanwhile, or another
data centre does not have it yet.

They are told once it has grown back, for who comes into it has all that is committed, or once the data centre
has it; or, when that takes too long, that it is not known, so that nobody believes more than there is.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from mailnode.cluster.append import NotKnown


@dataclass(frozen=True, slots=True)
class _Waiter:
    has_it: Callable[[], bool]
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
    def __init__(self, seconds_max: float) -> None:
        self._seconds_max = seconds_max
        self._waiting: dict[int, deque[_Waiter]] = {}

    async def have(self, partition: int, has_it: Callable[[], bool], now: float) -> None:
        """Returns once it is so, which is asked whenever the partition changes; raises NotKnown."""
        if has_it():
            return
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiter = _Waiter(has_it, now + self._seconds_max, told)
        self._waiting.setdefault(partition, deque()).append(waiter)
        await told

    def look(self, partition: int) -> None:
        """Its copies may be more, or have more."""
        if partition in self._waiting:
            self._end(partition, lambda waiter: waiter.has_it(), None)

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
        over = [is_over(each) for each in waiting]
        if left := deque(each for each, ends in zip(waiting, over, strict=True) if not ends):
            self._waiting[partition] = left
        for waiter, ends in zip(waiting, over, strict=True):
            if ends:
                waiter.end(why)

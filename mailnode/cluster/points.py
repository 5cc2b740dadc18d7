"""Looks at a partition's rows exactly as of one entry, while others are being written. Lives on the loop.

Rows are a function of the entries up to a position, so copies are equal *at one position* and nowhere else.
Whoever compares names one; the driver writes up to it, the writer opens a view there, before anything behind
it, and goes on. What is held stays there until it is let go: then rows can be mended without a race, for what
they should be is known. Entries are durable and acknowledged by followers as ever meanwhile; only their rows
wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from mailnode.cluster.append import Unavailable
from mailnode.cluster.replica_messages import Entry, Position
from mailnode.store.shard import Put
from mailnode.store.view import View


class Beyond(Exception):
    """The rows are further than that already."""

    def __init__(self, seq: int) -> None:
        super().__init__(f"the rows are at {seq} already")
        self.seq = seq


@dataclass(frozen=True, slots=True)
class Seen:
    """The rows as of `at`."""

    partition: int
    at: Position
    behind: Sequence[Entry]
    """What this copy has of entries behind it: their contents are there before they are committed."""
    view: View


@dataclass(slots=True)
class Point:
    """Where somebody waits to look."""

    partition: int
    seq: int
    holds: bool
    seen: asyncio.Future[Seen]
    at: Position | None = None
    behind: Sequence[Entry] = ()
    view: View | None = None


@dataclass(slots=True)
class Mend:
    """Rows that are to be other than they are at the point that is held."""

    seen: Seen
    puts: Sequence[Put]
    done: asyncio.Future[None] = field(repr=False)


class Points:
    """One a partition: who asks for another takes the place of the one before."""

    def __init__(self, wake: Callable[[], None], held_seconds_max: float) -> None:
        self._wake = wake
        self._held_seconds_max = held_seconds_max
        self._waiting: dict[int, Point] = {}
        self._held: dict[int, tuple[Seen, asyncio.TimerHandle]] = {}
        self._mends: list[Mend] = []

    # -- who looks

    async def reach(self, partition: int, seq: int, *, holds: bool) -> Seen:
        """Once the rows are those of `seq`; raises Beyond and Unavailable. The caller bounds the time."""
        self.void(partition, "somebody else looks")
        seen: asyncio.Future[Seen] = asyncio.get_running_loop().create_future()
        point = self._waiting[partition] = Point(partition, seq, holds, seen)
        self._wake()
        try:
            return await seen
        except asyncio.CancelledError:
            if seen.done() and not seen.cancelled() and seen.exception() is None:
                seen.result().view.close()
                self.let_go(seen.result())
            raise
        finally:
            if self._waiting.get(partition) is point:
                del self._waiting[partition]

    async def mend(self, seen: Seen, puts: Sequence[Put]) -> None:
        """Durable once it returns. Raises Unavailable where that is not held any more."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._mends.append(Mend(seen, puts, done))
        self._wake()
        await done

    def let_go(self, seen: Seen) -> None:
        """Its rows go on, if it is for that that they are held: another may hold them at the same entry."""
        if self._is_held(seen):
            self._held.pop(seen.partition)[1].cancel()
            self._wake()

    def _is_held(self, seen: Seen) -> bool:
        return seen.partition in self._held and self._held[seen.partition][0] is seen

    def void(self, partition: int, reason: str) -> None:
        """All of the rows become others."""
        point = self._waiting.pop(partition, None)
        if point is not None and not point.seen.done():
            point.seen.set_exception(Unavailable(f"partition {partition}: {reason}"))
        if partition in self._held:
            self.let_go(self._held[partition][0])

    # -- the driver

    def lets(self, partition: int, seq: int) -> bool:
        """Whether the rows of the next entry may be written before anybody looks."""
        point = self._waiting.get(partition)
        return partition not in self._held and (point is None or seq <= point.seq)

    def reached(self, rows_at: Callable[[int], int | None]) -> list[Point]:
        """Those where the rows are; `rows_at`: None where there are half of an entry's."""
        reached: list[Point] = []
        for partition, point in list(self._waiting.items()):
            seq = rows_at(partition)
            if seq is None or seq < point.seq:
                continue
            if seq > point.seq:
                del self._waiting[partition]
                if not point.seen.done():
                    point.seen.set_exception(Beyond(seq))
            else:
                reached.append(point)
        return reached

    def mends(self) -> list[Mend]:
        """Those whose point is held."""
        mends, self._mends = self._mends, []
        for mend in mends:
            if not self._is_held(mend.seen) and not mend.done.done():
                mend.done.set_exception(Unavailable(f"partition {mend.seen.partition} has gone on"))
        return [mend for mend in mends if not mend.done.done()]

    def opened(self, points: Sequence[Point], mends: Sequence[Mend]) -> None:
        """The views are open, and what was to be mended is written."""
        for mend in mends:
            if not mend.done.done():
                mend.done.set_result(None)
        for point in points:
            self._opened(point)

    def _opened(self, point: Point) -> None:
        assert point.view is not None
        assert point.at is not None
        if self._waiting.get(point.partition) is not point or point.seen.done():
            point.view.close()
            return
        del self._waiting[point.partition]
        seen = Seen(point.partition, point.at, point.behind, point.view)
        if point.holds:
            timer = asyncio.get_running_loop().call_later(self._held_seconds_max, self.let_go, seen)
            self._held[point.partition] = seen, timer
        point.seen.set_result(seen)

    def fail(self) -> None:
        """Nothing more is written."""
        for mend in self._mends:
            if not mend.done.done():
                mend.done.set_exception(Unavailable("the shard is not written any more"))
        for partition in [*self._waiting, *self._held]:
            self.void(partition, "the shard is not written any more")

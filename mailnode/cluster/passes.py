"""Looks at all partitions that this node leads, one by one: slowly, again and again, or when asked."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from math import inf
from pathlib import Path

from mailnode.bookmark import Bookmark
from mailnode.clock import Clock
from mailnode.cluster.append import Unavailable
from mailnode.cluster.comparing import Comparing, Difference, Elsewhere, Found
from mailnode.cluster.copies import Copies
from mailnode.cluster.replica_messages import Member
from mailnode.limits import Limits

log = logging.getLogger(__name__)


class Passes:
    """`now` is the pass that is under way, or the last one; where it is stands in `file`, across restarts."""

    def __init__(
        self,
        copies: Copies,
        elsewhere: Callable[[Member], Elsewhere],
        led: Callable[[], Iterable[int]],
        clock: Clock,
        limits: Limits,
        file: Path,
    ) -> None:
        self._copies = copies
        self._elsewhere = elsewhere
        self._led = led
        self._clock = clock
        self._limits = limits
        self._bookmark = Bookmark(file, clock)
        self._started = clock.now_microseconds()
        self._turn = asyncio.Lock()
        """One partition at a time."""
        self._suspects: set[int] = set()
        self._looked: dict[int, float] = {}
        """When each of them was looked at."""
        self._news = asyncio.Event()
        self._asking: asyncio.Task[None] | None = None
        self.now = _loaded(self._bookmark)
        self.last = replace(self.now) if self.now.finished else Found()
        self.asked = Found()
        """What an operator asked for."""

    @property
    def is_asked(self) -> bool:
        return self._asking is not None and not self._asking.done()

    # -- slowly

    async def run(self) -> None:
        """A pass whenever the last one began long enough ago, and suspects between."""
        while True:
            if self.now.finished or not self.now.started:
                await self._until_due()
                self.now = Found(started=self._clock.now_microseconds())
            await self.go_on()

    async def _until_due(self) -> None:
        due = self._started + self._limits.compare_first_seconds * 1_000_000
        if self.now.started:
            due = self.now.started + self._limits.compare_seconds * 1_000_000
        while (seconds := (due - self._clock.now_microseconds()) / 1e6) > 0:
            if self._suspects:
                await self._look_at_suspects()
                seconds = min(seconds, self._limits.compare_again_seconds)
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._news.wait()
            self._news.clear()

    async def go_on(self) -> None:
        """From where it was to the end."""
        going = self.now
        while (partition := self._following(going)) is not None:
            await self._look_at_suspects()
            await self._compare(partition, going)
            going.following = partition + 1
            self._bookmark.keep(going)
            await asyncio.sleep(self._limits.compare_pause_seconds)
        going.finished = self._clock.now_microseconds()
        self.last = replace(going)
        self._bookmark.keep_at_once(going)
        names = ("partitions", "rows", "octets", "differences", "mended", "not_compared")
        level = logging.WARNING if going.differences or going.not_compared else logging.INFO
        log.log(level, "copies compared", extra={name: getattr(going, name) for name in names})

    def _following(self, going: Found) -> int | None:
        return next((each for each in sorted(self._led()) if each >= going.following), None)

    # -- at once

    def suspect(self, partition: int) -> None:
        """Something of its rows is wrong, here or at another copy; each is looked at once in a while."""
        self._suspects.add(partition)
        self._news.set()

    async def _look_at_suspects(self) -> None:
        now = self._clock.monotonic_seconds()
        led = set(self._led())
        ripe = [
            each
            for each in self._suspects
            if now >= self._looked.get(each, -inf) + self._limits.compare_again_seconds
        ]
        for partition in sorted(ripe):
            self._suspects.discard(partition)
            self._looked[partition] = now
            if partition in led:
                await self._compare(partition, self.now)
            else:
                await self._tell(partition)

    async def _compare(self, partition: int, found: Found) -> None:
        comparing = self._comparing(mends=True, octets_a_second=self._limits.compare_octets_a_second)
        async with self._turn:
            await comparing.compare(partition, found)

    async def _tell(self, partition: int) -> None:
        """Whoever leads it."""
        replica = self._copies.replication.core.partitions.get(partition)
        if replica is None or replica.row is None or replica.row.primary.node == self._copies.node:
            return
        try:
            await self._elsewhere(replica.row.primary).suspect(partition)
        except Unavailable as error:
            log.warning("who leads a partition was not told of damage", extra={"reason": error})

    def ask(self, partitions: Iterable[int] | None, *, mends: bool) -> None:
        """Look at those of them that are led here, as fast as it goes; None: at all. One who asks while
        another's is under way begins it anew."""
        if self._asking is not None:
            self._asking.cancel()
        led = sorted(self._led())
        wanted = led if partitions is None else [each for each in partitions if each in set(led)]
        self.asked = Found(started=self._clock.now_microseconds())
        self._asking = asyncio.ensure_future(self._ask(wanted, self.asked, mends=mends))

    async def _ask(self, partitions: Iterable[int], found: Found, *, mends: bool) -> None:
        comparing = self._comparing(mends=mends, octets_a_second=0)
        for partition in partitions:
            async with self._turn:
                await comparing.compare(partition, found)
        found.finished = self._clock.now_microseconds()

    async def stop(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    def _comparing(self, *, mends: bool, octets_a_second: int) -> Comparing:
        return Comparing(
            self._copies, self._elsewhere, self._limits, mends=mends, octets_a_second=octets_a_second
        )


def _loaded(bookmark: Bookmark) -> Found:
    try:
        values = bookmark.values()
        return Found(**(values | {"told": [Difference(**each) for each in values["told"]]}))
    except (ValueError, TypeError, KeyError):
        return Found()

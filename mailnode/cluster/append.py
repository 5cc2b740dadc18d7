"""What is appended to a partition's list, and how that ends."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Protocol

from mailnode.store.shard import Put


class Entry(Protocol):
    """What is appended to a partition's list."""

    partition: int
    octets: int
    """About how much its rows weigh: groups and what waits are bounded by it."""
    durable: bool
    """False: committed once written, without a sync of its own (a chunk that nothing names yet)."""
    large: bool
    """It has more rows than one group should: they are written in parts, those of others in between."""

    def encoded(self) -> bytes:
        """What its rows can be made of again, here after a restart, or by another replica."""

    def rows(self, format: int) -> Iterable[Put]:
        """Pure: a function of the entry and the format alone. Called in the writer thread."""

    def committed(self) -> None:
        """Called on the loop, in the order of the appends."""


class NotKnown(Exception):
    """The entry may or may not become durable."""


class Unavailable(Exception):
    """Nothing was decided, nor read: not now, and not by this node, or with too few replicas."""


class NotPrimary(Unavailable):
    """Another node leads the partition."""

    def __init__(self, partition: int, owner: str) -> None:
        """`owner`: the node that the map names; empty, where that is this one, which does not lead it yet."""
        super().__init__(f"partition {partition} is led by {owner or 'nobody yet'}")
        self.partition = partition
        self.owner = owner


class Append:
    """An entry on its way: any number may wait for it, and whoever gives up ends only its own wait."""

    __slots__ = ("_waiters", "began", "ended", "entry", "known")

    def __init__(self, entry: Entry, began: float) -> None:
        self.entry = entry
        self.began = began
        """In seconds, as of the metrics."""
        self.ended = False
        self.known = True
        """Once it has ended: it is committed; else that cannot be told."""
        self._waiters: list[asyncio.Future[None]] = []

    def wait(self) -> asyncio.Future[None]:
        """Of the caller alone: done when the entry is committed; NotKnown when that cannot be told."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        if self.ended:
            self.end(self.known)
        return waiter

    async def over(self) -> None:
        """Returns when it has ended, one way or the other."""
        with suppress(NotKnown):
            await self.wait()

    def end(self, known: bool) -> None:
        self.ended, self.known = True, known
        for waiter in self._waiters:
            if waiter.done():
                continue
            if known:
                waiter.set_result(None)
            else:
                waiter.set_exception(NotKnown())
        self._waiters.clear()

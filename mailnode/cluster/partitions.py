"""Stand-alone partitions: what waits at one moment becomes one synced batch while the next group forms."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import suppress
from typing import Protocol

from mailnode.limits import Limits
from mailnode.pb.row_pb2 import AppliedRow
from mailnode.store import keys
from mailnode.store.keys import Family
from mailnode.store.shard import FORMAT, Put, Shard

log = logging.getLogger(__name__)


class Entry(Protocol):
    """What is appended to a partition's list."""

    partition: int
    octets: int
    """About how much its rows weigh: groups and what waits are bounded by it."""
    durable: bool
    """False: committed once written, without a sync of its own (a chunk that nothing names yet)."""

    def rows(self, format: int) -> Iterable[Put]:
        """Pure: a function of the entry and the format alone. Called in the writer thread."""

    def committed(self) -> None:
        """Called on the loop, in the order of the appends."""


class NotKnown(Exception):
    """The entry may or may not become durable."""


class Append:
    """An entry on its way: any number may wait for it, and whoever gives up ends only its own wait."""

    __slots__ = ("_waiters", "ended", "entry", "known")

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
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


class Partitions:
    """All partitions of a node that stands alone. Lives on the loop; `writer` has one thread.

    `failed` is called once when the shard could not write or sync: nothing after that is known, so the node
    must end and read what is there when it starts again.
    """

    def __init__(
        self, shard: Shard, writer: Executor, limits: Limits, failed: Callable[[OSError], None]
    ) -> None:
        self._shard = shard
        self._writer = writer
        self._limits = limits
        self._failed = failed
        self._pending: deque[Append] = deque()
        self._pending_octets = 0
        self._last: Append
        self._writing = False
        self._broken = False
        self._room: deque[asyncio.Future[None]] = deque()
        self._applied: dict[int, tuple[int, int]] = {}

    def has_room(self) -> bool:
        return self._pending_octets <= self._limits.group_pending_octets_max or self._broken

    async def room(self) -> None:
        """Waits while as much as is allowed waits for the writer already."""
        while not self.has_room():
            waiter = asyncio.get_running_loop().create_future()
            self._room.append(waiter)
            await waiter

    def append(self, entry: Entry) -> Append:
        append = Append(entry)
        if self._broken:
            append.end(known=False)
            return append
        self._pending.append(append)
        self._last = append
        self._pending_octets += entry.octets
        if not self._writing:
            self._writing = True
            # Not at once: what the loop has ready in this turn shares the sync.
            asyncio.get_running_loop().call_soon(self._write_group)
        return append

    async def idle(self) -> None:
        """Returns when nothing waits and nothing is being written."""
        while self._writing:
            await self._last.over()

    def _write_group(self) -> None:
        group = self._take_group()
        loop = asyncio.get_running_loop()
        written = loop.run_in_executor(self._writer, self._write, [append.entry for append in group])
        written.add_done_callback(lambda done: self._written(group, done.exception()))

    def _take_group(self) -> list[Append]:
        group = []
        octets = 0
        while self._pending and octets < self._limits.group_octets_max:
            group.append(self._pending.popleft())
            octets += group[-1].entry.octets
        self._pending_octets -= octets
        return group

    def _write(self, entries: list[Entry]) -> None:
        """In the writer thread: one batch for all, so that one sync covers them."""
        self._shard.write(self._rows(entries), sync=any(entry.durable for entry in entries))

    def _rows(self, entries: list[Entry]) -> Iterator[Put]:
        partitions = set()
        for entry in entries:
            yield from entry.rows(FORMAT)
            epoch, seq = self._applied_of(entry.partition)
            self._applied[entry.partition] = (epoch, seq + 1)
            partitions.add(entry.partition)
        for partition in partitions:
            epoch, seq = self._applied[partition]
            row = AppliedRow(epoch=epoch, seq=seq)
            yield Family.STATE, keys.applied(partition), row.SerializeToString()

    def _applied_of(self, partition: int) -> tuple[int, int]:
        """The last (epoch, seq); a run of a process is an epoch of its own."""
        applied = self._applied.get(partition)
        if applied is None:
            row = AppliedRow.FromString(self._shard.get(Family.STATE, keys.applied(partition)) or b"")
            applied = (row.epoch + 1, row.seq)
        return applied

    def _written(self, group: list[Append], error: BaseException | None) -> None:
        if error is not None:
            self._break(group, error)
            return
        try:
            for append in group:
                append.entry.committed()
                append.end(known=True)
        except Exception as mistake:  # memory and disk may differ now: only a restart makes them equal
            log.exception("a commit could not be taken into memory")
            self._break(group, mistake)
            return
        if self._pending:
            self._write_group()
        else:
            self._writing = False
        self._give_room()

    def _give_room(self) -> None:
        while self._room and self._pending_octets <= self._limits.group_pending_octets_max:
            waiter = self._room.popleft()
            if not waiter.done():
                waiter.set_result(None)

    def _break(self, group: list[Append], error: BaseException) -> None:
        self._broken = True
        self._writing = False
        log.critical("a write or sync failed, what it held is not known: %s", error)
        for append in (*group, *self._pending):
            if not append.ended:
                append.end(known=False)
        self._pending.clear()
        self._pending_octets = 0
        self._give_room()
        self._failed(error if isinstance(error, OSError) else OSError(str(error)))

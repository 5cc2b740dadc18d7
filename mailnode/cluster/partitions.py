"""Stand-alone partitions: what waits at one moment becomes one synced batch while the next group forms."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import suppress
from functools import partial
from itertools import chain
from typing import Protocol, TypeVar

from google.protobuf.message import DecodeError

from mailnode.cluster.whole import InParts
from mailnode.limits import Limits
from mailnode.metrics import Metrics
from mailnode.pb.row_pb2 import AppliedRow
from mailnode.store import keys
from mailnode.store.damage import Unreadable, told
from mailnode.store.keys import Family
from mailnode.store.shard import FORMAT, Put, Shard

log = logging.getLogger(__name__)

T = TypeVar("T")

_EPOCH_UNKNOWN = 1 << 32
"""A process that starts each second for a century has fewer."""


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
        """What the rows of a large one can be made of again, after a restart."""

    def rows(self, format: int) -> Iterable[Put]:
        """Pure: a function of the entry and the format alone. Called in the writer thread."""

    def committed(self) -> None:
        """Called on the loop, in the order of the appends."""


class NotKnown(Exception):
    """The entry may or may not become durable."""


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


class Partitions:
    """All partitions of a node that stands alone. Lives on the loop; `writer` has one thread.

    `failed` is called once when the shard could not write or sync: nothing after that is known, so the node
    must end and read what is there when it starts again.
    """

    def __init__(
        self,
        shard: Shard,
        writer: Executor,
        limits: Limits,
        failed: Callable[[OSError], None],
        is_short: Callable[[], bool] = lambda: False,
        metrics: Metrics | None = None,
    ) -> None:
        """`is_short`: whether the disk has no room for more than what frees some."""
        metrics = metrics or Metrics()
        self._seconds = metrics.seconds
        self._applies, self._syncs = metrics.applies.of(), metrics.syncs.of()
        self._groups = metrics.groups.of()
        self._shard = shard
        self._writer = writer
        self._limits = limits
        self._failed = failed
        self.is_short = is_short
        self._pending: deque[Append] = deque()
        self._pending_octets = 0
        self._writing = False
        self._resting: list[asyncio.Future[None]] = []
        self._broken = False
        self._room: deque[asyncio.Future[None]] = deque()
        self._applied: dict[int, tuple[int, int]] = {}
        self._group: list[Append] = []
        """Which is being written."""
        self._large: deque[Append] = deque()
        """Of which the first is being written in parts."""
        self.large_turns = asyncio.Semaphore(limits.large_at_once_max)
        """One is taken before an entry is made that may be large, until that is written."""
        self._parts: InParts | None = None
        self._held: dict[int, deque[Append]] = {}
        """By partition with a large entry on its way: what comes behind that."""
        self._part_next = False

    @property
    def waits_seconds(self) -> float:
        """How long the oldest of what is being written has waited for it."""
        return self._seconds() - self._group[0].began if self._writing and self._group else 0.0

    def has_room(self) -> bool:
        return self._pending_octets <= self._limits.group_pending_octets_max or self._broken

    async def room(self) -> None:
        """Waits while as much as is allowed waits for the writer already."""
        while not self.has_room():
            waiter = asyncio.get_running_loop().create_future()
            self._room.append(waiter)
            await waiter

    def append(self, entry: Entry) -> Append:
        append = Append(entry, self._seconds())
        if self._broken:
            append.end(known=False)
            return append
        self._held.get(entry.partition, self._pending).append(append)
        self._pending_octets += entry.octets
        if not self._writing:
            self._writing = True
            # Not at once: what the loop has ready in this turn shares the sync.
            asyncio.get_running_loop().call_soon(self._write_next)
        return append

    async def idle(self) -> None:
        """Returns when nothing waits and nothing is being written."""
        while self._writing:
            waiter = asyncio.get_running_loop().create_future()
            self._resting.append(waiter)
            await waiter

    def _write_next(self) -> None:
        """A group, and a part of what is large, in turns."""
        self._group = [] if self._large and self._part_next else self._take_group()
        self._part_next = bool(self._group)
        if self._group:
            entries = [append.entry for append in self._group]
            self._in_writer(partial(self._write, entries), self._written)
        elif self._large:
            self._in_writer(partial(self._write_part, self._large[0].entry), self._part_written)
        else:
            self._rest()

    def _in_writer(self, work: Callable[[], T], then: Callable[[T], None]) -> None:
        working = asyncio.get_running_loop().run_in_executor(self._writer, work)
        working.add_done_callback(partial(self._worked, then))

    def _worked(self, then: Callable[[T], None], done: asyncio.Future[T]) -> None:
        error = done.exception()
        if error is not None:
            self._break(error)
            return
        try:
            then(done.result())
        except Exception as mistake:  # memory and disk may differ now: only a restart makes them equal
            log.exception("a commit could not be taken into memory")
            self._break(mistake)
            return
        self._write_next()
        self._give_room()

    def _take_group(self) -> list[Append]:
        group = []
        octets = 0
        while self._pending and octets < self._limits.group_octets_max:
            append = self._pending.popleft()
            octets += append.entry.octets
            if append.entry.large:
                self._begin_large(append)
            else:
                group.append(append)
        self._pending_octets -= octets
        return group

    def _begin_large(self, append: Append) -> None:
        """What follows it in its partition is held until it is there."""
        partition = append.entry.partition
        self._large.append(append)
        self._held[partition] = deque(each for each in self._pending if each.entry.partition == partition)
        self._pending = deque(each for each in self._pending if each.entry.partition != partition)

    def _write(self, entries: list[Entry]) -> float:
        """In the writer thread: one batch for all, so that one sync covers them."""
        began = self._seconds()
        self._shard.write(self._rows(entries), sync=any(entry.durable for entry in entries))
        return self._seconds() - began

    def _rows(self, entries: list[Entry]) -> Iterator[Put]:
        partitions = set()
        for entry in entries:
            yield from entry.rows(FORMAT)
            self._count(entry.partition)
            partitions.add(entry.partition)
        for partition in partitions:
            epoch, seq = self._applied[partition]
            row = AppliedRow(epoch=epoch, seq=seq)
            yield Family.STATE, keys.applied(partition), row.SerializeToString()

    def _write_part(self, entry: Entry) -> bool:
        """In the writer thread: the next part of a large entry; whether it was the last."""
        if self._parts is None:
            epoch, seq = self._count(entry.partition)
            self._parts = InParts(entry, epoch, seq, self._limits.part_rows_max)
        last = self._parts.write(self._shard)
        if last:
            self._parts = None
        return last

    def _count(self, partition: int) -> tuple[int, int]:
        """The (epoch, seq) of the next entry; a run of a process is an epoch of its own."""
        applied = self._applied.get(partition)
        if applied is None:
            row = self._applied_row(partition)
            applied = (row.epoch + 1, row.seq)
        self._applied[partition] = epoch, seq = applied[0], applied[1] + 1
        return epoch, seq

    def _applied_row(self, partition: int) -> AppliedRow:
        """Of the last entry of the runs before; beyond any that there was, where the row is not readable."""
        key = keys.applied(partition)
        try:
            return AppliedRow.FromString(self._shard.get(Family.STATE, key) or b"")
        except (Unreadable, DecodeError) as error:
            told.tell(Family.STATE, key, str(error))
            return AppliedRow(epoch=_EPOCH_UNKNOWN)

    def _written(self, seconds: float) -> None:
        self._syncs.observe(seconds)
        self._groups.observe(len(self._group))
        now = self._seconds()
        for append in self._group:
            append.entry.committed()
            append.end(known=True)
            self._applies.observe(now - append.began)

    def _part_written(self, last: bool) -> None:
        if not last:
            return
        append = self._large[0]
        append.entry.committed()
        append.end(known=True)
        self._large.popleft()
        self._pending.extendleft(reversed(self._held.pop(append.entry.partition)))

    def _rest(self) -> None:
        self._writing = False
        for waiter in self._resting:
            if not waiter.done():
                waiter.set_result(None)
        self._resting.clear()

    def _give_room(self) -> None:
        while self._room and self._pending_octets <= self._limits.group_pending_octets_max:
            waiter = self._room.popleft()
            if not waiter.done():
                waiter.set_result(None)

    def _break(self, error: BaseException) -> None:
        self._broken = True
        log.critical("a write or sync failed, what it held is not known: %s", error)
        for append in (*self._group, *self._large, *chain(*self._held.values()), *self._pending):
            if not append.ended:
                append.end(known=False)
        for waiting in (self._group, self._large, self._held, self._pending):
            waiting.clear()
        self._pending_octets = 0
        self._rest()
        self._give_room()
        self._failed(error if isinstance(error, OSError) else OSError(str(error)))

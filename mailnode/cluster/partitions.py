"""The one way into the shard: what waits at one moment becomes one synced batch while the next group forms.

A partition is replicated where the node was given a `Replication`; else it stands alone: no log row, and an
entry is committed once its rows are synced. Both share batches, the sync and the turns of what is large.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Executor
from functools import partial
from itertools import chain
from typing import TypeVar

from google.protobuf.message import DecodeError

from mailnode.cluster.append import Append, Entry, NotKnown, NotPrimary, Unavailable
from mailnode.cluster.replication import Replication
from mailnode.cluster.served import Followed
from mailnode.cluster.whole import InParts
from mailnode.cluster.work import Work
from mailnode.limits import Limits
from mailnode.metrics import Metrics
from mailnode.pb.row_pb2 import AppliedRow
from mailnode.store import keys
from mailnode.store.damage import Unreadable, told
from mailnode.store.formats import FORMAT
from mailnode.store.keys import Family
from mailnode.store.shard import Put, Shard

__all__ = ["Append", "Entry", "NotKnown", "NotPrimary", "Partitions", "Unavailable"]

log = logging.getLogger(__name__)

T = TypeVar("T")

_EPOCH_UNKNOWN = 1 << 32
"""A process that starts each second for a century has fewer."""


class Partitions:
    """All partitions of a node. Lives on the loop; `writer` has one thread.

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
        replication: Replication | None = None,
    ) -> None:
        """`is_short`: whether the disk has no room for more than what frees some. `replication`: of a node
        with others; without it all partitions stand alone."""
        metrics = metrics or Metrics()
        self._seconds = metrics.seconds
        self._applies, self._syncs = metrics.applies.of(), metrics.syncs.of()
        self._groups = metrics.groups.of()
        self._shard = shard
        self._writer = writer
        self._limits = limits
        self._failed = failed
        self._is_short = is_short
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
        self._replication = replication
        if replication is not None:
            replication.wake, replication.failed = self._wake, self._break

    # -- who leads

    @property
    def is_alone(self) -> bool:
        """Whether all partitions are this node's, and of nobody else."""
        return self._replication is None

    def leads(self, partition: int) -> bool:
        """Whether it is served here."""
        return self._replication is None or self._replication.leads(partition)

    def check(self, partition: int, copies: int = 0, dcs: Collection[str] = ()) -> None:
        """Whether an entry may be made for it now, which so many copies, and data centres, shall have. Raises
        Unavailable."""
        if self._replication is not None:
            self._replication.check(partition, copies, dcs)
        elif copies > 1 or dcs:
            raise Unavailable("there are no copies")

    def copies(self, partition: int) -> int:
        """In how many copies everything is that is committed; 0: it is not replicated."""
        return 0 if self._replication is None else self._replication.copies(partition)

    async def have(self, partition: int, copies: int, dcs: Collection[str] = ()) -> None:
        """Returns once so many copies, and data centres, have what is committed now; raises NotKnown."""
        if self._replication is not None:
            await self._replication.have(partition, copies, dcs)

    def check_read(self, partition: int) -> None:
        """Whether what is committed here is all that is committed. Raises Unavailable."""
        if self._replication is not None:
            self._replication.check_read(partition)

    def generation(self, partition: int) -> int:
        """Of its home, as who leads it knows; the first where all stand alone."""
        return self._replication.generation(partition) if self._replication is not None else 1

    def follow(self, begun: Followed, ended: Followed) -> None:
        """Told of each partition from when on, and when no longer, it is served here; of those that are now.

        Where all stand alone nobody is told: they are served from the start.
        """
        if self._replication is not None:
            self._replication.follow(begun, ended)

    # -- writing

    def is_short(self, partition: int) -> bool:
        """Whether a disk that must take what is written has no room for more than what frees some."""
        if self._is_short():
            return True
        return self._replication is not None and not self._replication.has_room(partition)

    @property
    def waits_seconds(self) -> float:
        """How long the oldest of what is being written has waited for it."""
        return self._seconds() - self._group[0].began if self._writing and self._group else 0.0

    def has_room(self) -> bool:
        octets = self._pending_octets
        if self._replication is not None:
            octets += self._replication.octets
        return octets <= self._limits.group_pending_octets_max or self._broken

    async def room(self) -> None:
        """Waits while as much as is allowed waits for the writer already."""
        while not self.has_room():
            waiter = asyncio.get_running_loop().create_future()
            self._room.append(waiter)
            await waiter

    def append(self, entry: Entry) -> Append:
        """Raises Unavailable, as `check`, and then nothing was appended."""
        append = Append(entry, self._seconds())
        if self._broken:
            append.end(known=False)
            return append
        if self._replication is not None:
            self._replication.append(append)
            self._wake()
            return append
        self._held.get(entry.partition, self._pending).append(append)
        self._pending_octets += entry.octets
        self._wake()
        return append

    def _wake(self) -> None:
        if not self._writing and not self._broken:
            self._writing = True
            # Not at once: what the loop has ready in this turn shares the sync.
            asyncio.get_running_loop().call_soon(self._write_next)

    async def idle(self) -> None:
        """Returns when nothing waits and nothing is being written."""
        while self._writing:
            waiter = asyncio.get_running_loop().create_future()
            self._resting.append(waiter)
            await waiter

    def _write_next(self) -> None:
        """A group, and a part of what is large, in turns."""
        if self._replication is not None:
            self._write_replicated(self._replication)
            return
        self._group = [] if self._large and self._part_next else self._take_group()
        self._part_next = bool(self._group)
        if self._group:
            entries = [append.entry for append in self._group]
            self._in_writer(partial(self._write, entries), self._written)
        elif self._large:
            self._in_writer(partial(self._write_part, self._large[0].entry), self._part_written)
        else:
            self._rest()

    def _write_replicated(self, replication: Replication) -> None:
        """The same, of what is replicated."""
        parts = replication.parts() if self._part_next else None
        work = None if parts is not None else replication.take()
        if work is None and parts is None:
            parts = replication.parts()
        self._part_next = work is not None
        if work is not None:
            self._in_writer(partial(self._do, replication, work), partial(self._done, replication, work))
        elif parts is not None:
            self._in_writer(partial(parts.write, self._shard), replication.part_written)
        else:
            self._rest()

    def _do(self, replication: Replication, work: Work) -> float:
        """In the writer thread."""
        began = self._seconds()
        self._shard.reach(work.format)
        self._shard.write(work.puts(replication.changes), sync=work.is_synced)
        replication.open_snapshots(work)
        return self._seconds() - began

    def _done(self, replication: Replication, work: Work, seconds: float) -> None:
        if work.writes:
            self._syncs.observe(seconds)
        now = self._seconds()
        for append in replication.written(work):
            self._applies.observe(now - append.began)

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
        while self._room and self.has_room():
            waiter = self._room.popleft()
            if not waiter.done():
                waiter.set_result(None)

    def _break(self, error: BaseException) -> None:
        if self._broken:
            return
        self._broken = True
        log.critical("a write or sync failed, what it held is not known: %s", error)
        for append in (*self._group, *self._large, *chain(*self._held.values()), *self._pending):
            if not append.ended:
                append.end(known=False)
        for waiting in (self._group, self._large, self._held, self._pending):
            waiting.clear()
        if self._replication is not None:
            self._replication.fail()
        self._pending_octets = 0
        self._rest()
        self._give_room()
        self._failed(error if isinstance(error, OSError) else OSError(str(error)))

"""Replicated partitions on this node's shard: what `Replicas` says is done, and what happened is said to it.

Lives on the loop. `Partitions` has the one writer, and takes `Work` of here: one batch and sync are of all
partitions. Invariants: frames and swaps leave at once, beside the sync; an append ends when its rows are
written; a partition is served from when the rows of all before its epoch are written, to when this node stops
leading it. What waits then is not known.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any, Protocol

from mailnode.cluster.append import Append, NotPrimary, Unavailable
from mailnode.cluster.giving import Giving
from mailnode.cluster.installing import Installing
from mailnode.cluster.leaving import leave
from mailnode.cluster.log_rows import Changes, entries, partition_of, replica_row
from mailnode.cluster.map import Map
from mailnode.cluster.owed import Owed
from mailnode.cluster.points import Point, Points
from mailnode.cluster.replica import Replica
from mailnode.cluster.replica_messages import (
    Drop,
    Entry,
    Fetch,
    Frame,
    Install,
    Member,
    Position,
    Row,
    Snapshot,
    Swap,
    Writing,
    generation_of,
)
from mailnode.cluster.replicas import Replicas
from mailnode.cluster.served import Followed, Served
from mailnode.cluster.set_aside import SetAside
from mailnode.cluster.snapshot import BadSnapshot, Unwanted, opened
from mailnode.cluster.trims import Trims
from mailnode.cluster.unconfirmed import Unconfirmed
from mailnode.cluster.work import Committed, Parts, Work
from mailnode.limits import Limits
from mailnode.pb.row_pb2 import ReplicaRow
from mailnode.store.formats import FORMAT
from mailnode.store.shard import Shard

log = logging.getLogger(__name__)

TICK_SECONDS = 0.2
LARGE_OCTETS_MIN = 1 << 20
"""Of an entry: it may make more rows than others should wait for."""


class Streams(Protocol):
    """Ways to the other nodes (`cluster/streams`)."""

    received: Callable[[Frame], None]
    taken: Callable[[Member], None]
    given: Callable[[Frame, AsyncIterator[bytes]], Awaitable[None]]

    def send(self, frame: Frame) -> None: ...

    async def give(self, frame: Frame, octets: AsyncIterator[bytes]) -> None: ...


class Replication:
    def __init__(
        self,
        core: Replicas,
        shard: Shard,
        changes: Changes,
        streams: Streams,
        swap: Callable[[tuple[Swap, ...]], None],
        writer: Executor,
        loads: Executor,
        limits: Limits,
        now: Callable[[], float],
        is_short: Callable[[], bool] = lambda: False,
    ) -> None:
        """`swap` asks the map, whose answer comes by `read`; `now`: of the clock that the core has;
        `is_short`: whether this disk has no room for more than what frees some."""
        self.core = core
        self.changes = changes
        self.octets = 0
        """Of the entries made here that have not ended."""
        self.wake: Callable[[], None] = lambda: None
        """Called when there may be work."""
        self.failed: Callable[[BaseException], None] = lambda error: None
        """Called when a write failed that was no `Work`."""
        self.format: Callable[[], int] = lambda: FORMAT
        """Of the cluster, in which entries are made."""
        self.dc: Callable[[], str] = lambda: ""
        """Of this node."""
        self._shard = shard
        self._streams = streams
        self._swap = swap
        self._installing = Installing(core, shard, writer, self._renewed, self._could_not_write, is_short)
        self.giving = Giving(
            core, partial(opened, shard, loads), streams.give, limits.snapshots_at_once_max, self._wake
        )
        self._loads = loads
        self._limits = limits
        self._now = now
        self._is_short = is_short
        self.points = Points(self._wake, limits.compare_held_seconds_max)
        self.set_aside = SetAside(
            core, self._installing, loads, self._read, changes.rows, self._is_busy, self._wake
        )
        self._trims = Trims(core, self.giving.pinned, limits, now())
        self._owed = Owed(limits.copies_owed_seconds_max)
        self._proposed: dict[int, deque[tuple[Position, Append]]] = {}
        self._unconfirmed = Unconfirmed()
        self._behind: dict[int, deque[Committed]] = {}
        """Committed, and their rows are not being written yet."""
        self._work: Work | None = None
        self._in_turn: Parts | None = None
        self._served = Served()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped: set[int] = set()
        self._written: dict[int, tuple[int, int, int, list[Position]]] = {}
        """Of each partition what was last written beside its entries."""
        streams.received = self.received
        streams.taken = self._taken
        streams.given = self._given

    # -- what it is asked

    def leads(self, partition: int) -> bool:
        return partition in self._served

    def is_sound(self, partition: int) -> bool:
        """Whether there is a copy here that goes on."""
        replica = self.core.partitions.get(partition)
        return replica is not None and not replica.stopped

    def led(self) -> Iterable[int]:
        return self._served.all()

    def check(self, partition: int, copies: int, dcs: Collection[str]) -> None:
        """Whether it takes an entry now that so many copies, and data centres, shall have. Raises
        Unavailable."""
        replica = self.core.check(partition)
        if partition not in self._served:
            raise NotPrimary(partition, "")
        if copies > self.copies(partition):
            raise Unavailable(
                f"partition {partition} has {self.copies(partition)} in sync of {copies} wanted"
            )

        for dc in dcs:
            if dc != self.dc() and not self.core.membership.reaches(replica, dc, self._now()):
                raise Unavailable(f"partition {partition} has no copy that keeps up in {dc}")

    def copies(self, partition: int) -> int:
        """That have everything which is committed in a partition that is led here."""
        return self.core.copies(partition)

    async def have(self, partition: int, copies: int, dcs: Collection[str]) -> None:
        """Returns once so many copies, and data centres, have what is committed now; raises NotKnown."""
        replica = self.core.partitions[partition]
        seq, away = replica.commit, [dc for dc in dcs if dc != self.dc()]

        def has_it() -> bool:
            enough = self.copies(partition) >= copies
            return enough and all(self.core.partitions[partition].matched_in(dc) >= seq for dc in away)

        await self._owed.have(partition, has_it, self._now())

    def generation(self, partition: int) -> int:
        """Of its home, in which it is led here."""
        return generation_of(self.core.partitions[partition].epoch)

    def check_read(self, partition: int) -> None:
        """Whether what is committed here is all that is. Raises Unavailable."""
        if partition not in self._served:
            self.core.check(partition)
            raise NotPrimary(partition, "")
        if not self.core.serves(partition, self._now()):
            raise Unavailable(f"partition {partition} may have another primary")

    def has_room(self, partition: int) -> bool:
        """On the disks of all that are in sync."""
        return partition not in self.core.partitions or self.core.has_room(partition)

    def follow(self, begun: Followed, ended: Followed) -> None:
        self._served.follow(begun, ended)

    def begin_anew(self, partition: int) -> None:
        """Its rows are other than what was read of them into memory: all of that ends.

        It is served again once what is under way is written, for what reads the rows then must not lack it.
        """
        if partition in self._served:
            self._served.begin_anew(partition, self.core.partitions[partition].log.last.seq)
            self.wake()

    def append(self, append: Append) -> None:
        """Raises Unavailable."""
        entry = append.entry
        position = self.core.propose(entry.partition, entry.encoded())
        self._proposed.setdefault(entry.partition, deque()).append((position, append))
        self.octets += entry.octets

    # -- what happens

    def mapped(self, map: Map) -> None:
        """Follow the map from now on."""
        for partition, row in map.rows():
            self.read(partition, row)
        map.follow(self.read)

    def read(self, partition: int, row: Row) -> None:
        me = self.core.me
        is_far = any(far.node == me.node for far in row.far)
        if partition in self.core.partitions or me.node in row.replicas or me in row.in_sync or is_far:
            self.core.read(partition, row)
            self.wake()

    def lease(self, member: Member, is_held: bool) -> None:
        self.core.lease(member, is_held)

    def may_renew(self) -> bool:
        self.core.now = max(self.core.now, self._now())
        return self.core.may_renew()

    def received(self, frame: Frame) -> None:
        self.core.step(frame)
        self.wake()

    async def _given(self, frame: Frame, octets: AsyncIterator[bytes]) -> None:
        """A snapshot comes in. Raises Unwanted, BadSnapshot and what `octets` raises."""
        snapshot = frame.messages[0] if frame.messages else None
        if not isinstance(snapshot, Snapshot) or len(frame.messages) > 1:
            raise BadSnapshot("a frame of something else")
        partition = snapshot.partition
        self._installing.check(snapshot)
        if self._is_busy(partition):
            raise Unwanted("a large entry is being written")
        self._installing.begin(partition)
        try:
            await self._installing.take(frame, octets, self._wake)
        except BaseException:
            self._begin_task(self._installing.clear(partition))
            raise

    def _renewed(self, partition: int) -> None:
        self._written.pop(partition, None)
        self.points.void(partition, "its rows come anew")

    def _wake(self) -> None:
        self.wake()

    def _could_not_write(self, error: BaseException) -> None:
        self.failed(error)

    def _taken(self, to: Member) -> None:
        self.core.taken(to)
        self.wake()

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            self.tick()
            await asyncio.sleep(TICK_SECONDS)

    def tick(self) -> None:
        now = self._now()
        self.core.is_short = self._is_short()
        self.core.format = min(self.format(), FORMAT)
        self.giving.hold()
        self.core.tick(now)
        for append in self._unconfirmed.late(now):
            self._end(append, known=False)
        self._owed.tick(now)
        self._trims.tick(now)
        self.wake()

    # -- what there is to do

    def take(self) -> Work | None:
        """What is to be written now; called again once that is written."""
        ready = self.core.ready()
        while not ready.writes and self.core.has_more():
            self._do(ready.committed, ready.swaps, ready.frames, ready.fetches, ready.touched)
            ready = self.core.ready()
        self._do(ready.committed, ready.swaps, ready.frames, ready.fetches, ready.touched)
        self._void(ready.writes)
        committed = self._take_committed()
        snapshots = self.giving.take(self._is_busy)
        points, mends = self._take_points(), self.points.mends()
        if not (ready.writes or committed or snapshots or points or mends):
            self._begin()
            return None
        self._trims.wrote(ready.writes, self._now())
        rows = self._replica_rows(ready.writes)
        self._work = Work(ready.number, ready.writes, rows, committed, snapshots, points, mends)
        return self._work

    def _do(
        self,
        committed: tuple[tuple[int, tuple[Entry, ...]], ...],
        swaps: tuple[tuple[Swap, ...], ...],
        frames: tuple[Frame, ...],
        fetches: tuple[Fetch, ...],
        touched: tuple[Replica, ...],
    ) -> None:
        for group in swaps:
            self._swap(group)
        for frame in frames:
            self._send(frame)
        for fetch in fetches:
            self._begin_task(self._fetch(fetch))
        for partition, run in committed:
            self._commit(partition, run)
        for replica in touched:
            self._look_at(replica)

    def _send(self, frame: Frame) -> None:
        """Snapshots go beside, when what they are of is written."""
        rest = []
        for message in frame.messages:
            if isinstance(message, Snapshot):
                self.giving.ask(frame, message)
            else:
                rest.append(message)
        if not rest:
            self.core.taken(frame.to)
        elif len(rest) == len(frame.messages):
            self._streams.send(frame)
        else:
            self._streams.send(replace(frame, messages=tuple(rest)))

    def _commit(self, partition: int, run: tuple[Entry, ...]) -> None:
        proposed = self._proposed.get(partition)
        behind = self._behind.setdefault(partition, deque())
        for entry in run:
            append = None
            if proposed and proposed[0][0] == entry.position:
                append = proposed.popleft()[1]
            behind.append(Committed(partition, entry, append))
        if proposed is not None and not proposed:
            del self._proposed[partition]

    def _take_committed(self) -> list[Committed]:
        """In order in each partition; what comes behind a large entry waits until that is written."""
        taken: list[Committed] = []
        for partition, behind in list(self._behind.items()):
            while behind and partition != self._partly and self._is_small(behind[0]):
                taken.append(behind.popleft())
            if not behind and partition != self._partly:
                del self._behind[partition]
        return taken

    def parts(self) -> Parts | None:
        """A large entry whose next part has its turn."""
        if self._in_turn is None:
            for behind in self._behind.values():
                if behind and _is_large(behind[0]) and self._lets(behind[0]):
                    self._in_turn = Parts(behind.popleft(), self.changes, self._limits.part_rows_max)
                    break
        return self._in_turn

    def _is_small(self, committed: Committed) -> bool:
        return self._lets(committed) and not _is_large(committed)

    def _lets(self, committed: Committed) -> bool:
        return self.points.lets(committed.partition, committed.entry.position.seq)

    @property
    def _partly(self) -> int | None:
        """The partition that has rows of half an entry."""
        return self._in_turn.committed.partition if self._in_turn is not None else None

    def _is_busy(self, partition: int) -> bool:
        """Not all that is committed is written once what is being written is."""
        return partition == self._partly or partition in self._behind

    def _void(self, writes: Iterable[Writing]) -> None:
        for writing in writes:
            if isinstance(writing, Install | Drop):
                self.points.void(partition_of(writing), "its rows come anew")

    def _take_points(self) -> list[Point]:
        """Where the rows are, once all that was taken is written."""
        points = self.points.reached(self._rows_at)
        for point in points:
            replica = self.core.partitions[point.partition]
            behind = [each.entry for each in self._behind.get(point.partition, ())]
            point.behind = (*behind, *replica.log.after(replica.applied, replica.log.last.seq))
            point.at = Position(replica.log.epoch_at(point.seq), point.seq)
        return points

    def _rows_at(self, partition: int) -> int | None:
        if partition == self._partly:
            return None
        behind = self._behind.get(partition)
        return behind[0].entry.position.seq - 1 if behind else self.core.partitions[partition].applied

    def _replica_rows(self, writes: Iterable[Writing]) -> list[tuple[int, ReplicaRow]]:
        """Of partitions in which more than entries changed."""
        rows = []
        for partition in {partition_of(writing) for writing in writes}:
            replica = self.core.partitions[partition]
            log = replica.log
            known = replica.epoch, log.trimmed, len(log.epochs), log.epochs[-1:]
            if self._written.get(partition) != known:
                self._written[partition] = known
                rows.append((partition, replica_row(replica)))
        return rows

    # -- in the writer thread

    def open_snapshots(self, work: Work) -> None:
        """Behind the batch, before the next one."""
        work.opened = [self.giving.open(frame) for frame in work.snapshots]
        for point in work.points:
            point.view = self._shard.view()

    # -- what was done

    def written(self, work: Work) -> Iterator[Append]:
        """The appends that are committed by it, each once that is in memory."""
        if work.writes:
            self.core.synced(work.number)
        for writing in work.writes:
            if isinstance(writing, Install):
                self._installing.written(writing.snapshot.partition)
        for committed in work.committed:
            if committed.append is not None:
                self._committed(committed, committed.append)
                yield committed.append
        for frame, as_it_was in zip(work.snapshots, work.opened, strict=True):
            self.giving.begin(frame, as_it_was)
        self.points.opened(work.points, work.mends)
        self._begin()

    def part_written(self, last: bool) -> None:
        if not last or self._in_turn is None:
            return
        committed, self._in_turn = self._in_turn.committed, None
        if committed.append is not None:
            self._committed(committed, committed.append)
        if not self._behind.get(committed.partition):
            self._behind.pop(committed.partition, None)
        self._begin()

    def _committed(self, committed: Committed, append: Append) -> None:
        """It ends now, or when another data centre has it too."""
        append.entry.committed()
        replica, seq = self.core.partitions[committed.partition], committed.entry.position.seq
        if replica.row is None or not replica.row.sync_dcs or seq <= replica.confirmed():
            self._end(append, known=True)
        elif replica.is_leading:
            self._unconfirmed.hold(committed.partition, seq, append, self._now())
        else:
            self._end(append, known=False)

    def _end(self, append: Append, *, known: bool) -> None:
        self.octets -= append.entry.octets
        append.end(known)

    def fail(self) -> None:
        """Nothing more is written: what was on its way is not known."""
        waiting = [append for proposed in self._proposed.values() for _, append in proposed]
        under_way = [*chain(*self._behind.values()), *(self._work.committed if self._work else ())]
        under_way += [self._in_turn.committed] if self._in_turn is not None else []
        waiting += [each.append for each in under_way if each.append is not None]
        waiting += self._unconfirmed.all()
        for append in waiting:
            if not append.ended:
                append.end(known=False)
        self._owed.fail()
        self._proposed.clear()
        self._behind.clear()
        self._installing.fail()
        self.points.fail()
        self.octets = 0

    # -- leading

    def _look_at(self, replica: Replica) -> None:
        partition = replica.partition
        self._owed.look(partition)
        is_meant = replica.beyond is not None or self._installing.is_under_way(partition)
        is_broken = replica.stopped and not is_meant
        if is_broken and partition not in self._stopped:
            self._stopped.add(partition)
            log.critical("a replica stopped", extra={"partition": partition, "reason": replica.stopped})
        if not replica.is_leading or replica.stopped:
            self._stop_leading(partition)
            return
        if replica.row is not None:  # without `sync_dcs`, of which it may have had some, all is confirmed
            for append in self._unconfirmed.confirmed(partition, replica.confirmed()):
                self._end(append, known=True)
        if replica.has_begun():
            self._served.begin_soon(partition)

    def _begin(self) -> None:
        self._served.begin(self._is_written)

    def _is_written(self, partition: int, seq: int) -> bool:
        return not self._is_busy(partition) and self.core.partitions[partition].applied >= seq

    def _stop_leading(self, partition: int) -> None:
        for _, append in self._proposed.pop(partition, ()):
            self._end(append, known=False)
        for append in self._unconfirmed.lost(partition):
            self._end(append, known=False)
        self._owed.give_up(partition)
        self._served.end(partition)

    async def settled(self) -> None:
        """Returns once everything that the core has now is durable here. Raises OSError."""
        self.wake()
        for _ in range(2):  # what is being written, and what waited for that
            await self._installing.write_beside(())

    # -- tasks

    def _begin_task(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("work beside the commits failed", exc_info=error)

    async def _fetch(self, fetch: Fetch) -> None:
        found = await asyncio.get_running_loop().run_in_executor(self._loads, self._read, fetch)
        self.core.fetched(fetch, found)
        if not found:  # it is damaged: from there on a snapshot is whole
            self.core.trim(fetch.partition, fetch.after + 1)
        self.wake()

    def _read(self, fetch: Fetch) -> tuple[Entry, ...]:
        return tuple(entries(self._shard, fetch.partition, fetch.after, self.changes, fetch.octets_max))

    async def leave(self) -> None:
        """Before the node stops."""
        await leave(self.core, self._served.all, self._wake, self._limits.handed_over_seconds_max)

    async def stop(self) -> None:
        """Nothing is begun any more."""
        self.wake = lambda: None
        await self.giving.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _is_large(committed: Committed) -> bool:
    return len(committed.entry.data) >= LARGE_OCTETS_MIN

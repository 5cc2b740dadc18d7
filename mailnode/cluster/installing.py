"""A snapshot that comes in takes the place of all that a replica had.

What was there goes first, with a mark that says that what is there is not whole: whoever starts with it drops
it. Until all of it is durable the replica is stopped: nothing is heard about the partition, nor said. What a
replica promised, its epoch, stays through all of it.

It is never a copy whose acknowledgements count that goes: such a one has what is committed, so it has the
entry that the snapshot ends with.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import Executor

from mailnode.cluster.log_rows import cleared_rows, dropped_rows
from mailnode.cluster.replica_messages import START, Frame, Row, Snapshot
from mailnode.cluster.replicas import Replicas
from mailnode.cluster.snapshot import Unwanted, puts
from mailnode.pb.row_pb2 import ReplicaRow
from mailnode.store import keys
from mailnode.store.keys import Family
from mailnode.store.shard import Put, Shard

UNDER_WAY = "a snapshot is coming in"


class Installing:
    """Lives on the loop; `writer` is the one thread that writes."""

    def __init__(
        self,
        core: Replicas,
        shard: Shard,
        writer: Executor,
        renewed: Callable[[int], None],
        failed: Callable[[BaseException], None],
        is_short: Callable[[], bool],
    ) -> None:
        """`renewed` is told of a partition whose replica begins anew, before anything of it is dropped;
        `failed`, that a write failed."""
        self._core = core
        self._shard = shard
        self._writer = writer
        self._renewed = renewed
        self._failed = failed
        self._is_short = is_short
        self._installing: set[int] = set()
        self._durable: dict[int, asyncio.Future[None]] = {}

    def is_under_way(self, partition: int) -> bool:
        return partition in self._installing

    def written(self, partition: int) -> None:
        """What the core installed is durable."""
        waiting = self._durable.get(partition)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def fail(self) -> None:
        """Nothing more is written."""
        for waiting in self._durable.values():
            if not waiting.done():
                waiting.set_exception(Unwanted("this node ends"))

    def check(self, snapshot: Snapshot) -> None:
        """Raises Unwanted."""
        replica = self._core.partitions.get(snapshot.partition)
        if replica is None or replica.row is None or not self._is_named(replica.row):
            raise Unwanted("it should have no copy here")
        if snapshot.partition in self._installing or snapshot.partition in self._durable:
            raise Unwanted("another is coming in")
        if replica.stopped:
            raise Unwanted(f"this copy has stopped: {replica.stopped}")
        if self._core.me in replica.row.in_sync or replica.is_leading:
            raise Unwanted("this copy is in sync")
        if snapshot.epoch < replica.known_epoch():
            raise Unwanted("its epoch is over")
        if snapshot.at == START or replica.log.has(snapshot.at) or snapshot.at.seq < replica.applied:
            raise Unwanted("this copy has what is in it")
        if self._is_short():
            raise Unwanted("the disk has no room for it")

    def _is_named(self, row: Row) -> bool:
        """A copy of it should be here."""
        return self._core.me.node in (*row.replicas, *[far.node for far in row.far])

    async def take(self, frame: Frame, octets: AsyncIterator[bytes], wake: Callable[[], None]) -> None:
        """Returns once it is durable. Raises Unwanted, BadSnapshot, OSError and what `octets` raises; then
        `clear` must follow."""
        (snapshot,) = frame.messages
        assert isinstance(snapshot, Snapshot)
        await self._write_rows(snapshot.partition, octets)
        self._install(frame, snapshot)
        durable = self._durable[snapshot.partition] = asyncio.get_running_loop().create_future()
        try:
            wake()
            await durable
        finally:
            del self._durable[snapshot.partition]

    def begin(self, partition: int) -> None:
        self._installing.add(partition)
        self._renewed(partition)
        self._core.renew(partition, UNDER_WAY)

    async def _write_rows(self, partition: int, octets: AsyncIterator[bytes]) -> None:
        mark = ReplicaRow(epoch=self._core.partitions[partition].epoch, installing=True)
        await self._write([*dropped_rows(partition), _row(partition, mark)])
        async for piece in octets:
            if self._is_short():
                raise Unwanted("the disk has no room for it")
            await self._write(puts(piece, partition))

    def _install(self, frame: Frame, snapshot: Snapshot) -> None:
        """All rows are there: the core may say so, if it is still what it should have."""
        partition = snapshot.partition
        row = self._core.partitions[partition].row
        if row is None or not self._is_named(row) or snapshot.epoch < row.epoch:
            raise Unwanted("its epoch is over")
        self._renewed(partition)
        self._core.renew(partition)
        self._core.step(frame)
        if self._core.partitions[partition].applied != snapshot.at.seq:
            raise Unwanted("its epoch is over")
        self._installing.discard(partition)

    async def clear(self, partition: int) -> None:
        """Of one that did not come in whole; then the replica learns from the beginning."""
        if partition not in self._installing:
            return
        epoch = self._core.partitions[partition].epoch
        await self._write(cleared_rows(partition, epoch))
        self._renewed(partition)
        self._core.renew(partition)
        self._installing.discard(partition)

    async def write_beside(self, rows: Iterable[Put]) -> None:
        """Of a copy that is stopped, and will begin anew. Raises OSError."""
        await self._write(rows)

    async def _write(self, rows: Iterable[Put]) -> None:
        """What comes is of the cluster's format, as entries are."""

        def write() -> None:
            self._shard.reach(self._core.format)
            self._shard.write(rows, sync=False)

        try:
            await asyncio.get_running_loop().run_in_executor(self._writer, write)
        except OSError as error:
            self._failed(error)
            raise


def _row(partition: int, row: ReplicaRow) -> Put:
    return Family.LOG, keys.replica(partition), row.SerializeToString()

"""Snapshots that this node gives: some at a time, each as the rows are behind one batch of the writer.

A replica that waits for one, or gets one, is sent nothing else; and the log from where the snapshot ends
stays until it has what is in that (`Replica.hold`, `Replication.tick`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace

from google.protobuf.message import DecodeError

from mailnode.cluster.replica_messages import Frame, Member, Snapshot
from mailnode.cluster.replicas import Replicas
from mailnode.cluster.snapshot import Octets, Opened

log = logging.getLogger(__name__)

SEQ_MAX = 1 << 62
"""Behind every entry."""

Give = Callable[[Frame, Octets], Awaitable[None]]


class Giving:
    """Lives on the loop, but for `open`."""

    def __init__(
        self,
        core: Replicas,
        open_: Callable[[int], Opened],
        give: Give,
        at_once_max: int,
        ended: Callable[[], None],
    ) -> None:
        """`open_`: in the writer thread; `ended` is told when the next may go."""
        self._core = core
        self._open = open_
        self.give = give
        self._at_once_max = at_once_max
        self._ended = ended
        self._waiting: dict[tuple[int, Member], Frame] = {}
        self._under_way: dict[tuple[int, Member], Frame] = {}
        self._tasks: dict[tuple[int, Member], asyncio.Task[None]] = {}
        """Of those that are opened."""

    def ask(self, frame: Frame, snapshot: Snapshot) -> None:
        """The core says so again for as long as nothing comes of it."""
        key = snapshot.partition, frame.to
        if key not in self._under_way:
            self._waiting[key] = replace(frame, messages=(snapshot,))

    def hold(self) -> None:
        """The core need not say it again yet. What is of an epoch that is over ends."""
        for (partition, to), frame in (*self._waiting.items(), *self._under_way.items()):
            if self._is_of_this_epoch(frame):
                self._core.hold(partition, to)
        for key, task in self._tasks.items():
            if not self._is_of_this_epoch(self._under_way[key]):
                task.cancel()

    def pinned(self, partition: int) -> int:
        """The seq behind which the log is needed."""
        ats = [snapshot_of(frame).at.seq for (at, _), frame in self._under_way.items() if at == partition]
        return min(ats, default=SEQ_MAX)

    def take(self, is_busy: Callable[[int], bool]) -> list[Frame]:
        """Those to be opened behind the batch that is made now; of no partition that has more to write."""
        taken = []
        for key, frame in list(self._waiting.items()):
            if not self._is_wanted(frame):
                del self._waiting[key]
            elif len(self._under_way) < self._at_once_max and not is_busy(key[0]):
                taken.append(self._waiting.pop(key))
                self._under_way[key] = frame
        return taken

    def _is_wanted(self, frame: Frame) -> bool:
        replica = self._core.partitions[snapshot_of(frame).partition]
        is_there = not self._core.pairs.is_silent(frame.to, self._core.now)
        return is_there and replica.is_giving_to(frame.to) and self._is_of_this_epoch(frame)

    def _is_of_this_epoch(self, frame: Frame) -> bool:
        snapshot = snapshot_of(frame)
        replica = self._core.partitions[snapshot.partition]
        return replica.is_leading and replica.epoch == snapshot.epoch

    def open(self, frame: Frame) -> Opened | None:
        """In the writer thread, behind the batch, before the next one; None where it cannot be read."""
        partition = snapshot_of(frame).partition
        try:
            return self._open(partition)
        except (OSError, DecodeError) as error:
            log.error("no snapshot can be made", extra={"partition": partition, "reason": error})
            return None

    def begin(self, frame: Frame, opened: Opened | None) -> None:
        key = snapshot_of(frame).partition, frame.to
        if opened is None or not self._is_wanted(frame) or opened.at.seq < snapshot_of(frame).at.seq:
            self._done(key)
            return
        epochs = self._core.partitions[key[0]].log.epochs
        as_is = replace(
            snapshot_of(frame),
            at=opened.at,
            epochs=tuple([first for first in epochs if first.seq <= opened.at.seq]),
        )
        given = replace(frame, messages=(as_is,))
        task = asyncio.ensure_future(self._given(given, opened.octets))
        self._under_way[key], self._tasks[key] = given, task
        task.add_done_callback(lambda _: self._done(key))

    async def _given(self, frame: Frame, octets: Octets) -> None:
        told = {"partition": snapshot_of(frame).partition, "node": frame.to.node}
        try:
            async with aclosing(octets):
                await self.give(frame, octets)
            self._core.given(frame.to, snapshot_of(frame))
            log.info("a snapshot was taken", extra=told)
        except Exception as error:  # whatever it is, the taker asks again and gets another
            log.warning("a snapshot was not taken", extra={**told, "reason": error})

    def _done(self, key: tuple[int, Member]) -> None:
        del self._under_way[key]
        self._tasks.pop(key, None)
        self._ended()

    async def stop(self) -> None:
        self._waiting.clear()
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def snapshot_of(frame: Frame) -> Snapshot:
    (snapshot,) = frame.messages
    assert isinstance(snapshot, Snapshot)
    return snapshot

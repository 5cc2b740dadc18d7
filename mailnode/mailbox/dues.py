"""What must be done at a time, in any account of the node: the `due` rows, in memory.

They are few: read once when the node starts, then told of by each change as it commits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from heapq import heappop, heappush
from typing import NamedTuple

from mailnode.pb.change_pb2 import Due
from mailnode.store import keys
from mailnode.store.damage import readable, told
from mailnode.store.keys import Family
from mailnode.store.shard import Shard


class Task(NamedTuple):
    """`key` says within the account what it is about."""

    time_microseconds: int
    account: int
    key: bytes


def due_keys(shard: Shard, start: bytes = b"", end: bytes = keys.END) -> Iterator[bytes]:
    """Of every due row between them; one that is none is reported."""
    for key, _ in readable(shard, Family.DUE, start, end):
        if len(key) >= keys.DUE_OCTETS_MIN:
            yield key
        else:
            told.tell(Family.DUE, key, "no due row")


def _task(key: bytes) -> Task:
    return Task(keys.time_of_due(key), keys.account_of(key), key[17:])


class Dues:
    """Tasks of each kind by their time. What was taken comes again when a change or a restart says so."""

    def __init__(self, kinds: Iterable[int], leads: Callable[[int], bool] = lambda account: True) -> None:
        """`leads`: whether it is this node that works for an account."""
        self._leads = leads
        self._open: dict[int, set[Task]] = {kind: set() for kind in kinds}
        self._heaps: dict[int, list[Task]] = {kind: [] for kind in self._open}
        self._news = {kind: asyncio.Event() for kind in self._open}
        self._done_meanwhile: dict[int, set[tuple[int, Task]]] = {}
        """By partition whose rows are being read: what was done since."""

    def read(self, shard: Shard) -> None:
        """Every row that is there; blocking."""
        for key in due_keys(shard):
            self._enter(keys.kind_of(key), _task(key))

    async def begin(self, partition: int, shard: Shard, pool: Executor) -> None:
        """Those of a partition, from now on."""
        done = self._done_meanwhile[partition] = set()
        bounds = keys.partition_range(Family.DUE, partition)
        found = await asyncio.get_running_loop().run_in_executor(pool, lambda: list(due_keys(shard, *bounds)))
        if self._done_meanwhile.get(partition) is not done:
            return  # it ended, or began anew
        del self._done_meanwhile[partition]
        for key in found:
            if (keys.kind_of(key), _task(key)) not in done:
                self._enter(keys.kind_of(key), _task(key))

    def end(self, partition: int) -> None:
        """None of a partition any more."""
        self._done_meanwhile.pop(partition, None)
        for tasks in self._open.values():
            gone = [task for task in tasks if keys.partition(task.account) == partition]
            tasks.difference_update(gone)

    def commit(self, account: int, dues: Iterable[Due]) -> None:
        """What a change says of them."""
        for due in dues:
            task = Task(due.time, account, due.key)
            if due.done:
                self._open[due.kind].discard(task)
                if self._done_meanwhile:
                    for done in self._done_meanwhile.values():
                        done.add((due.kind, task))
            else:
                self._enter(due.kind, task)

    def forget(self, account: int) -> None:
        """All of an account that is no more."""
        for tasks in self._open.values():
            tasks.difference_update([task for task in tasks if task.account == account])

    def again(self, kind: int, task: Task) -> None:
        """A task that was taken and not done: in memory only, a restart reads its row."""
        self._enter(kind, task)

    def aside(self, kind: int, task: Task) -> None:
        """A task that was taken and cannot be done: nobody takes it again, but it is one of `all`."""
        self._open[kind].add(task)

    def _enter(self, kind: int, task: Task) -> None:
        if kind in self._open and self._leads(task.account):
            self._open[kind].add(task)
            heappush(self._heaps[kind], task)
            self._news[kind].set()

    def take(self, kind: int, now_microseconds: int) -> Task | None:
        """The task that is due for longest."""
        heap = self._live(kind)
        if not heap or heap[0].time_microseconds > now_microseconds:
            return None
        task = heappop(heap)
        self._open[kind].remove(task)
        return task

    def take_all(self, kind: int, now_microseconds: int) -> list[Task]:
        """Those that are due, by time."""
        taken: list[Task] = []
        while (task := self.take(kind, now_microseconds)) is not None:
            taken.append(task)
        return taken

    def claim(self, kind: int, account: int, key: bytes) -> Task | None:
        """As `take`, of this task whatever its time is; None when it is taken already, or there is none."""
        for task in self._open[kind]:
            if (task.account, task.key) == (account, key):
                self._open[kind].remove(task)
                return task
        return None

    def all(self, kind: int) -> list[Task]:
        """Those that nobody has taken, by time."""
        return sorted(self._open[kind])

    def next_time(self, kind: int) -> int | None:
        """When the next one is due, in microseconds."""
        heap = self._live(kind)
        return heap[0].time_microseconds if heap else None

    def _live(self, kind: int) -> list[Task]:
        """Without those at the front that are no more."""
        heap, still = self._heaps[kind], self._open[kind]
        while heap and heap[0] not in still:
            heappop(heap)
        return heap

    async def news(self, kind: int) -> None:
        """Returns when one may have come since the last call."""
        event = self._news[kind]
        await event.wait()
        event.clear()

"""A shard in memory, on a disk that forgets what was not synced, fails, or ends the process.

A write goes to the log, is synced where that is asked, and only then is seen, as RocksDB does. What is left
of a disk is what was synced and any number of the writes after it, in their order: a later one is never kept
without the earlier ones.
"""

from __future__ import annotations

import enum
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from threading import Lock

from mailnode.store.keys import FAMILIES
from mailnode.store.shard import DropTo, Put

Batch = list[Put]


class Step(enum.Enum):
    """Between which the process may end."""

    READ = enum.auto()
    BEFORE_LOG = enum.auto()
    BEFORE_SYNC = enum.auto()
    BEFORE_MEMORY = enum.auto()
    AFTER_WRITE = enum.auto()


class Fate(enum.Enum):
    GO_ON = enum.auto()
    FAIL = enum.auto()
    """The disk says no; only a log or a sync can."""
    DIE = enum.auto()


class Died(BaseException):
    """The process ended here; nothing of it can use the shard any more."""


Plan = Callable[[Step], Fate]


def no_faults(step: Step) -> Fate:
    return Fate.GO_ON


class _Rows:
    """One family: its rows, and its keys in order."""

    def __init__(self) -> None:
        self.values: dict[bytes, bytes] = {}
        self.keys: list[bytes] = []

    def put(self, key: bytes, value: bytes | None) -> None:
        there = key in self.values
        if value is None:
            if there:
                del self.values[key]
                del self.keys[bisect_left(self.keys, key)]
            return
        self.values[key] = value
        if not there:
            insort(self.keys, key)

    def between(self, start: bytes, end: bytes) -> list[bytes]:
        return self.keys[bisect_left(self.keys, start) : bisect_left(self.keys, end)]


class FaultyView:
    """What the families were at one moment."""

    def __init__(self, rows: dict[str, list[tuple[bytes, bytes]]]) -> None:
        self._rows = rows

    def get(self, family: str, key: bytes) -> bytes | None:
        return next((value for found, value in self._rows[family] if found == key), None)

    def scan(self, family: str, start: bytes, end: bytes) -> Iterator[tuple[bytes, bytes]]:
        yield from (row for row in self._rows[family] if start <= row[0] < end)

    def before(self, family: str, key: bytes) -> bytes:
        return max((found for found, _ in self._rows[family] if found < key), default=b"")

    def close(self) -> None:
        self._rows = {}


class FaultyShard:
    """`plan` is asked at each step; `incarnation` as of a shard made once."""

    def __init__(self, plan: Plan = no_faults, incarnation: bytes = b"faulty") -> None:
        self.incarnation = incarnation
        self.format = 0
        self.plan = plan
        self.dead = False
        self._lock = Lock()
        self._families = {family: _Rows() for family in FAMILIES}
        self._synced: list[Batch] = []
        self._unsynced: list[Batch] = []

    # -- Shard

    def get(self, family: str, key: bytes) -> bytes | None:
        self._step(Step.READ)
        return self._families[family].values.get(key)

    def get_many(self, family: str, keys: Sequence[bytes]) -> list[bytes | None]:
        self._step(Step.READ)
        values = self._families[family].values
        return [values.get(key) for key in keys]

    def scan(self, family: str, start: bytes, end: bytes) -> Iterator[tuple[bytes, bytes]]:
        self._step(Step.READ)
        rows = self._families[family]
        with self._lock:
            found = [(key, rows.values[key]) for key in rows.between(start, end)]
        yield from found

    def values(self, family: str, start: bytes, end: bytes) -> Iterator[bytes]:
        yield from (value for _, value in self.scan(family, start, end))

    def view(self) -> FaultyView:
        with self._lock:
            return FaultyView({name: list(self._items(name)) for name in FAMILIES})

    def _items(self, family: str) -> Iterator[tuple[bytes, bytes]]:
        rows = self._families[family]
        return ((key, rows.values[key]) for key in rows.keys)

    def reach(self, format: int) -> None:
        self.format = max(self.format, format)

    def write(self, puts: Iterable[Put], sync: bool) -> None:
        self._log(list(puts), sync)

    def collect(self, garbage_share_max: float) -> bool:
        return False

    def figures(self) -> dict[str, int]:
        return {}

    def close(self) -> None:
        self.dead = True

    # -- the disk

    @property
    def unsynced(self) -> int:
        """Writes that may be lost."""
        return len(self._unsynced)

    def reopen(self, kept: int = 0, plan: Plan = no_faults) -> FaultyShard:
        """The shard of the next process: of the unsynced writes the first `kept` are left."""
        self.dead = True
        shard = FaultyShard(plan, self.incarnation)
        for batch in (*self._synced, *self._unsynced[:kept]):
            shard._synced.append(batch)
            shard._apply(batch)
        return shard

    def _log(self, batch: Batch, sync: bool) -> None:
        self._step(Step.BEFORE_LOG)
        self._unsynced.append(batch)
        if sync:
            self._step(Step.BEFORE_SYNC)
            self._synced += self._unsynced
            self._unsynced.clear()
        self._step(Step.BEFORE_MEMORY)
        self._apply(batch)
        self._step(Step.AFTER_WRITE)

    def _apply(self, batch: Batch) -> None:
        with self._lock:
            self._take(batch)

    def _take(self, batch: Batch) -> None:
        for family, key, value in batch:
            if isinstance(value, DropTo):
                self._drop(family, key, value.end)
            else:
                self._families[family].put(key, value)

    def _drop(self, family: str, start: bytes, end: bytes) -> None:
        for key in self._families[family].between(start, end):
            self._families[family].put(key, None)

    def _step(self, step: Step) -> None:
        if self.dead:
            raise Died
        fate = self.plan(step)
        if fate is Fate.DIE:
            self.dead = True
            raise Died
        if fate is Fate.FAIL and step in (Step.BEFORE_LOG, Step.BEFORE_SYNC):
            raise OSError("the disk is gone")

"""What the writer does for replicated partitions at one time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from mailnode.cluster.append import Append
from mailnode.cluster.log_rows import Changes, applied_row, committed_rows, writing_rows
from mailnode.cluster.points import Mend, Point
from mailnode.cluster.replica_messages import Entry, Frame, Position, Write, Writing
from mailnode.cluster.snapshot import Opened
from mailnode.pb.row_pb2 import ReplicaRow
from mailnode.store import keys
from mailnode.store.keys import Family
from mailnode.store.shard import Put, Shard


class Committed(NamedTuple):
    """An entry whose rows may be written, and who waits for it here."""

    partition: int
    entry: Entry
    append: Append | None

    def rows(self, changes: Changes) -> Iterable[Put]:
        if not self.entry.data:
            return ()
        # Where the entry was made here, its rows need not be made of octets.
        if self.append is not None:
            return committed_rows(self.append.entry.rows(self.entry.format), self.entry)
        return committed_rows(changes.rows(self.entry.data, self.entry.format), self.entry)


@dataclass(slots=True)
class Work:
    """One batch. `number`: of the `Ready` that the writes are of."""

    number: int
    writes: tuple[Writing, ...]
    replicas: list[tuple[int, ReplicaRow]]
    committed: list[Committed]
    snapshots: list[Frame]
    """To be sent as the rows are once this is written."""
    points: list[Point]
    """Of which a view is opened once this is written."""
    mends: list[Mend]
    opened: list[Opened | None] = field(default_factory=list)
    """Of each snapshot."""

    @property
    def format(self) -> int:
        """The latest of its entries."""
        written = (writing.entries for writing in self.writes if isinstance(writing, Write))
        return max((entry.format for entries in written for entry in entries), default=0)

    @property
    def is_synced(self) -> bool:
        """Something is promised once it is written."""
        return bool(self.writes or self.mends)

    def puts(self, changes: Changes) -> Iterator[Put]:
        for writing in self.writes:
            yield from writing_rows(writing, changes)
        for partition, row in self.replicas:
            yield Family.LOG, keys.replica(partition), row.SerializeToString()
        applied: dict[int, Position] = {}
        for each in self.committed:
            yield from each.rows(changes)
            applied[each.partition] = each.entry.position
        for partition, at in applied.items():
            yield applied_row(partition, at)
        for mend in self.mends:
            yield from mend.puts


class Parts:
    """A committed entry of many rows, of which some are written at a time; `applied` goes with the last."""

    def __init__(self, committed: Committed, changes: Changes, rows_max: int) -> None:
        self._rows: Iterator[Put] | None = None
        self.committed = committed
        self._changes = changes
        self._rows_max = rows_max

    def write(self, shard: Shard) -> bool:
        """The next part, in the writer thread; whether it was the last."""
        if self._rows is None:
            self._rows = iter(self.committed.rows(self._changes))
        part = list(islice(self._rows, self._rows_max))
        last = len(part) < self._rows_max
        if last:
            part.append(applied_row(self.committed.partition, self.committed.entry.position))
        shard.write(part, sync=False)
        return last

"""The log of a replica as rows of the shard, and back.

Invariants: entries and what is known beside them (`ReplicaRow`) are written in the batch that makes them
durable; `applied` in the batch of the last row that an entry makes. Contents of long entries lie in blob rows
from the append on, so that they are written once: the log row is without them, and what is truncated takes
them along.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from google.protobuf.message import DecodeError

from mailnode.cluster.replica import Replica, not_known
from mailnode.cluster.replica_log import Log
from mailnode.cluster.replica_messages import Drop, Entry, Install, Member, Position, Trim, Write, Writing
from mailnode.limits import KiB
from mailnode.pb.row_pb2 import AppliedRow, LogRow, ReplicaRow
from mailnode.store import keys
from mailnode.store.damage import Unreadable, readable, told
from mailnode.store.formats import FORMAT
from mailnode.store.keys import FAMILIES, Family
from mailnode.store.shard import DropTo, Put, Shard

APART_OCTETS_MIN = 16 * KiB
"""Of an entry: below it one row with everything is cheaper than several."""


class Changes(Protocol):
    """What entries are to those who append them."""

    def rows(self, data: bytes, format: int) -> Iterable[Put]:
        """All rows of an encoded entry."""

    def apart(self, data: bytes) -> tuple[bytes, Sequence[Put]]:
        """The entry without contents, and these as rows of the family `blob`."""

    def whole(self, data: bytes, get: Callable[[str, bytes], bytes | None]) -> bytes:
        """The entry as it was before `apart`; a content that is gone is left out.

        It is gone because a later entry, which is committed, drops it: who gets this one gets that one too.
        """


# -- out, in the writer thread


def writing_rows(writing: Writing, changes: Changes) -> Iterator[Put]:
    match writing:
        case Write():
            for entry in writing.truncated:
                yield from _truncated_rows(writing.partition, entry, changes)
            for entry in writing.entries:
                yield from _entry_rows(writing.partition, entry, changes)
        case Trim():
            first, end = (keys.log(writing.partition, seq) for seq in (1, writing.upto + 1))
            yield Family.LOG, first, DropTo(end)
        case Install():
            partition, at = writing.snapshot.partition, writing.snapshot.at
            yield Family.LOG, keys.log(partition, 1), DropTo(keys.partition_range(Family.LOG, partition)[1])
            yield applied_row(partition, at)
        case Drop():
            for family in keys.FAMILIES:
                first, end = keys.partition_range(family, writing.partition)
                yield family, first, DropTo(end)


def partition_of(writing: Writing) -> int:
    return writing.snapshot.partition if isinstance(writing, Install) else writing.partition


def _entry_rows(partition: int, entry: Entry, changes: Changes) -> Iterator[Put]:
    row = LogRow(epoch=entry.position.epoch, entry=entry.data, format=entry.format)
    if is_apart(entry):
        row.entry, blobs = changes.apart(entry.data)
        row.apart = True
        yield from blobs
    yield Family.LOG, keys.log(partition, entry.position.seq), row.SerializeToString()


def _truncated_rows(partition: int, entry: Entry, changes: Changes) -> Iterator[Put]:
    yield Family.LOG, keys.log(partition, entry.position.seq), None
    if is_apart(entry):
        yield from ((family, key, None) for family, key, _ in changes.apart(entry.data)[1])


def is_apart(entry: Entry) -> bool:
    return len(entry.data) >= APART_OCTETS_MIN


def committed_rows(rows: Iterable[Put], entry: Entry) -> Iterable[Put]:
    """What is to be written at the commit: the contents that lie apart are there."""
    if not is_apart(entry):
        return rows
    return (row for row in rows if row[0] != Family.BLOB or not isinstance(row[2], bytes))


def applied_row(partition: int, at: Position) -> Put:
    row = AppliedRow(epoch=at.epoch, seq=at.seq)
    return Family.STATE, keys.applied(partition), row.SerializeToString()


def replica_row(replica: Replica) -> ReplicaRow:
    log = replica.log
    numbers = [number for first in log.epochs for number in first]
    return ReplicaRow(epoch=replica.epoch, epochs=numbers, trimmed=log.trimmed)


# -- in


def read(shard: Shard, me: Member, run: int, changes: Changes) -> list[Replica]:
    """Every replica that the shard has, as it was when the last run ended. Blocking."""
    return [_replica(shard, partition, me, run, changes) for partition in _partitions(shard)]


def _partitions(shard: Shard) -> list[int]:
    """Those that have a log, or rows."""
    found = set()
    for family in (Family.LOG, Family.STATE):
        start: bytes = b""
        while (row := next(readable(shard, family, start, keys.END), None)) is not None:
            partition = keys.partition_of_log(row[0])
            found.add(partition)
            start = keys.partition_range(family, partition)[1]
    return sorted(found)


def _replica(shard: Shard, partition: int, me: Member, run: int, changes: Changes) -> Replica:
    """One whose own rows cannot be read does nothing: what it promised is not known."""
    try:
        row = ReplicaRow.FromString(shard.get(Family.LOG, keys.replica(partition)) or b"")
        at = AppliedRow.FromString(shard.get(Family.STATE, keys.applied(partition)) or b"")
        if row.installing:
            shard.write(cleared_rows(partition, row.epoch), sync=False)
            return Replica(partition, me, run, Log(), 0, row.epoch)
        return _replica_of(shard, partition, row, Position(at.epoch, at.seq), Made(me, run, changes))
    except (Unreadable, DecodeError) as error:
        told.tell(Family.LOG, keys.replica(partition), str(error))
        replica = Replica(partition, me, run, Log(), 0, 0)
        replica.stop(f"its own rows are not readable: {error}")
        return replica


class Made(NamedTuple):
    """By whom a replica is made."""

    me: Member
    run: int
    changes: Changes


def _replica_of(shard: Shard, partition: int, row: ReplicaRow, applied: Position, made: Made) -> Replica:
    epochs = [Position(*pair) for pair in zip(row.epochs[::2], row.epochs[1::2], strict=True)]
    trimmed = min(row.trimmed, applied.seq)
    if applied.seq and shard.get(Family.LOG, keys.log(partition, applied.seq)) is None:
        trimmed = applied.seq
    if not epochs and applied.seq:
        epochs = [applied]  # it stood alone: nobody else has what came before
    tail = list(entries(shard, partition, applied.seq, made.changes))
    log = Log(epochs, trimmed, tail, released=applied.seq)
    epoch = max(row.epoch, applied.epoch)
    replica = Replica(partition, made.me, made.run, log, applied.seq, epoch)
    unknown = next((entry for entry in tail if entry.format > FORMAT), None)
    if unknown is not None:
        replica.stop(not_known(unknown))
    return replica


def dropped_rows(partition: int) -> Iterator[Put]:
    """All of it goes."""
    for family in FAMILIES:
        first, end = keys.partition_range(family, partition)
        yield family, first, DropTo(end)


def cleared_rows(partition: int, epoch: int) -> Iterator[Put]:
    """All of it but what was promised."""
    yield from dropped_rows(partition)
    yield Family.LOG, keys.replica(partition), ReplicaRow(epoch=epoch).SerializeToString()


def entries(
    shard: Shard, partition: int, after: int, changes: Changes, octets_max: int = 1 << 62
) -> Iterator[Entry]:
    """Those behind `after`, up to the first that is not there or not readable, or `octets_max`. Blocking."""
    end = keys.partition_range(Family.LOG, partition)[1]
    octets = 0
    for seq, (key, value) in enumerate(
        readable(shard, Family.LOG, keys.log(partition, after + 1), end), after + 1
    ):
        if keys.seq_of_log(key) != seq or octets >= octets_max:
            return
        try:
            row = LogRow.FromString(value)
            data = changes.whole(row.entry, shard.get) if row.apart else row.entry
        except (DecodeError, Unreadable) as error:
            told.tell(Family.LOG, key, str(error))
            return
        octets += len(data)
        yield Entry(Position(row.epoch, seq), data, row.format)

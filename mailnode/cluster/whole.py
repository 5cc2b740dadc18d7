"""Entries too large for one group: durable whole in the log first, then their rows in parts.

Between two parts the writer takes a group of others, so nobody waits for all of it. An entry is there once
its log row is synced: what a crash leaves half-done is finished at the next start, before anything reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Protocol

from google.protobuf.message import DecodeError

from mailnode.pb.row_pb2 import AppliedRow, LogRow
from mailnode.store import keys
from mailnode.store.damage import readable, told
from mailnode.store.formats import FORMAT
from mailnode.store.keys import Family
from mailnode.store.shard import Put, Shard

Replay = Callable[[bytes], Iterable[Put]]
"""The rows of an encoded entry."""


class Large(Protocol):
    partition: int

    def rows(self, format: int) -> Iterable[Put]: ...

    def encoded(self) -> bytes:
        """What its rows can be made of again."""


class InParts:
    """A large entry on its way, as (epoch, seq) of its partition."""

    def __init__(self, entry: Large, epoch: int, seq: int, rows_max: int) -> None:
        self._entry = entry
        self._epoch = epoch
        self._seq = seq
        self._rows_max = rows_max
        self._rows: Iterator[Put] | None = None

    def write(self, shard: Shard) -> bool:
        """The next part, in the writer thread; whether it was the last."""
        key = keys.log(self._entry.partition, self._seq)
        if self._rows is None:
            row = LogRow(epoch=self._epoch, entry=self._entry.encoded())
            shard.write([(Family.LOG, key, row.SerializeToString())], sync=True)
            self._rows = iter(self._entry.rows(FORMAT))
            return False
        return _write_part(shard, self._rows, self._rows_max, _ended(key, self._epoch), sync=False)


def finish(shard: Shard, replay: Replay, rows_max: int) -> int:
    """Write the rows of what is whole in the log and was not finished; how many entries. Blocking.

    In parts too: a crash in between leaves the log row, and all of it is written once more.
    """
    finished = 0
    for key, value in list(readable(shard, Family.LOG, b"", keys.END)):
        try:
            row = LogRow.FromString(value)
            rows = iter(replay(row.entry))
        except DecodeError as error:
            # Without its row it would be met at each start; nothing can be made of it.
            told.tell(Family.LOG, key, f"a large change is lost: {error}")
            shard.write([(Family.LOG, key, None)], sync=True)
            continue
        while not _write_part(shard, rows, rows_max, _ended(key, row.epoch), sync=True):
            pass
        finished += 1
    return finished


def _write_part(shard: Shard, rows: Iterator[Put], rows_max: int, ended: list[Put], sync: bool) -> bool:
    """The next of the rows; whether they were the last, which `ended` goes with, and `sync`."""
    part = list(islice(rows, rows_max))
    last = len(part) < rows_max
    shard.write(part + ended if last else part, sync=sync and last)
    return last


def _ended(key: bytes, epoch: int) -> list[Put]:
    """Of the log row of an entry, which tells its partition and seq."""
    applied = AppliedRow(epoch=epoch, seq=keys.seq_of_log(key)).SerializeToString()
    return [(Family.STATE, keys.applied(keys.partition_of_log(key)), applied), (Family.LOG, key, None)]

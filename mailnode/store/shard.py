"""The shard: RocksDB behind six verbs. Blocking; callers choose the thread.

`Shard` is what the rest of the node speaks to; `open_shard` gives the one on disk. Tests have another, which
forgets unsynced writes (tests/store/faulty_shard.py).
"""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from google.protobuf.message import DecodeError
from rocksdict import (
    AccessType,
    Checkpoint,
    Options,
    Rdict,
    WriteBatch,
    WriteOptions,
)

from mailnode.pb.row_pb2 import FormatRow
from mailnode.store import keys
from mailnode.store.damage import Mark, Unreadable, first_readable, table_names, told
from mailnode.store.formats import FORMAT, FORMAT_FIRST
from mailnode.store.keys import FAMILIES, Family
from mailnode.store.options import database, families, reading
from mailnode.store.recent import Recent
from mailnode.store.space import Ballast
from mailnode.store.view import RocksView, View, is_readable

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DropTo:
    """In place of a value: drops the row and all behind it that lie before `end`."""

    end: bytes


Put = tuple[str, bytes, bytes | DropTo | None]
"""A row: its family, key and new value; None drops it."""


_IN_TABLES = re.compile(r"# entries=(\d+); # deletions=(\d+);")
_DROPPED_SHARE = 0.01
FIGURES = {
    "sst_octets": "live-sst-files-size",
    "blob_octets": "live-blob-file-size",
    "blob_garbage_octets": "live-blob-file-garbage-size",
    "memtable_octets": "cur-size-all-mem-tables",
    "pending_compaction_octets": "estimate-pending-compaction-bytes",
    "level0_files": "num-files-at-level0",
}
"""Of RocksDB's properties, those that are summed up over the families."""

SHARED_FIGURES = {
    "running_compactions": "num-running-compactions",
    "running_flushes": "num-running-flushes",
    "background_errors": "background-errors",
    "stopped_writes": "is-write-stopped",
    "delayed_write_octets": "actual-delayed-write-rate",
    "block_cache_octets": "block-cache-usage",
}
"""Those that any family says of all."""


class ShardError(Exception):
    """The shard cannot be opened; the text says why and what would help."""


class DiskFull(ShardError):
    """There is no room for what opening it must write."""


class Shard(Protocol):
    incarnation: bytes

    def get(self, family: str, key: bytes) -> bytes | None:
        """Raises Unreadable."""

    def get_many(self, family: str, keys: Sequence[bytes]) -> list[bytes | None]:
        """None for those that are not there, and for those that cannot be read, which are reported."""

    def scan(self, family: str, start: bytes, end: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Rows with start <= key < end, in key order, as they were when the first was read.

        Raises Unreadable behind the last row before what cannot be read; `damage.readable` goes on.
        """

    def values(self, family: str, start: bytes, end: bytes) -> Iterator[bytes]:
        """The values of `scan`."""

    def view(self) -> View:
        """All families as they are now; to be asked where nothing is written meanwhile."""

    def reach(self, format: int) -> None:
        """Before rows of that format are written: from then on only who reads it opens the shard."""

    def write(self, puts: Iterable[Put], sync: bool) -> None:
        """All or none; with `sync` durable, together with everything written before. Raises OSError."""

    def collect(self, garbage_share_max: float) -> bool:
        """Have what was dropped given back to the disk while more than that share of the blobs is garbage.

        Whether it is; to be asked now and then, in a thread that nobody waits for: it may take seconds.
        """

    def figures(self) -> dict[str, int]:
        """How it is, by names of `FIGURES`; without waiting for anything."""

    def close(self) -> None: ...


class RocksShard:
    """On rocksdict in raw mode; one column family a `Family`."""

    def __init__(
        self, path: Path, memory_octets: int, access: AccessType | None = None, options: Options | None = None
    ) -> None:
        """Read-only where `access` says so; `options` in place of those of the database."""
        self._mark = Mark(path)
        self._read_only = access is not None
        self._damaged = self._mark.is_set()
        self._damaged_tables = self._mark.tables()
        columns = families(memory_octets)
        if self._damaged:
            log.critical("the shard is damaged: see `mailnode doctor shard`")
            for family in columns.values():
                family.set_disable_auto_compactions(True)
        try:
            self._db = Rdict(
                str(path),
                options or database(memory_octets),
                column_families=columns,
                access_type=access or AccessType.read_write(),
            )
        except Exception as error:
            raise _why(path, str(error)) from error
        # Any: the stubs of rocksdict speak of every mode, we use raw mode alone.
        self._columns: dict[str, Any] = {f: self._db.get_column_family(f) for f in FAMILIES}
        self._handles = {f: self._db.get_column_family_handle(f) for f in FAMILIES}
        self._synced = WriteOptions()
        self._synced.sync = True
        self._unsynced = WriteOptions()
        self._reading = {f: reading(f) for f in FAMILIES}
        self._recent = Recent(memory_octets // 8)
        self._collecting = False
        self.incarnation = b""
        self.format = FORMAT_FIRST
        """Of the latest rows in it."""
        self.cluster = b""
        """Whose map says what it has; empty: it is alone, or has a local map."""

    def get(self, family: str, key: bytes) -> bytes | None:
        if family == Family.BLOB and (recent := self._recent.get((key,))[0]) is not None:
            return recent
        try:
            value: bytes | None = self._columns[family].get(key, read_opt=self._reading[family])
        except Exception as error:  # rocksdict raises bare Exception for whatever RocksDB says
            raise self._unreadable(family, key, error) from error
        if family == Family.BLOB and value is not None:
            self._recent.put([(key, value)])
        return value

    def get_many(self, family: str, keys: Sequence[bytes]) -> list[bytes | None]:
        if family == Family.BLOB:
            return self._blobs(keys)
        return self._got(family, list(keys))

    def _blobs(self, keys: Sequence[bytes]) -> list[bytes | None]:
        values = self._recent.get(keys)
        missing = [at for at, value in enumerate(values) if value is None]
        if missing:
            read = self._got(Family.BLOB, [keys[at] for at in missing])
            for at, value in zip(missing, read, strict=True):
                values[at] = value
            self._recent.put([(keys[at], value) for at in missing if (value := values[at]) is not None])
        return values

    def _got(self, family: str, keys: list[bytes]) -> list[bytes | None]:
        """One that cannot be read fails all that are asked for with it: then each is asked for alone."""
        try:
            values: list[bytes | None] = self._columns[family].get(keys, read_opt=self._reading[family])
        except Exception:
            return [self._got_one(family, key) for key in keys]
        return values

    def _got_one(self, family: str, key: bytes) -> bytes | None:
        try:
            return self.get(family, key)
        except Unreadable as error:
            told.tell(family, key, error.reason)
            return None

    def scan(self, family: str, start: bytes, end: bytes) -> Iterator[tuple[bytes, bytes]]:
        # A generator, because the iterator does not keep its options alive, and without them its bound is
        # whatever then lies in that memory.
        options = reading(family)
        options.set_iterate_upper_bound(end)
        row = (start, b"")
        for row in self._columns[family].items(from_key=start, read_opt=options):
            yield row
        self._check_end(family, row[0], end)

    def values(self, family: str, start: bytes, end: bytes) -> Iterator[bytes]:
        return (value for _, value in self.scan(family, start, end))

    def view(self) -> RocksView:
        options = {family: reading(family) for family in FAMILIES}
        rows = {family: self._columns[family].iter(read_opt=options[family]) for family in FAMILIES}
        return RocksView(rows, options, self._unreadable)

    def _check_end(self, family: str, last: bytes, end: bytes) -> None:
        """Whether nothing more is there, or nothing more could be read: then raises Unreadable."""
        options = reading(family)
        options.set_iterate_upper_bound(end)
        rows = self._columns[family].iter(read_opt=options)
        rows.seek(last)
        while rows.valid():  # the last row itself, and what came meanwhile
            last = rows.key()
            rows.next()
        try:
            rows.status()
        except Exception as error:
            following = first_readable(last, end, lambda key: is_readable(rows, key))
            raise self._unreadable(family, last, error, following) from error

    def _unreadable(self, family: str, key: bytes, error: Exception, following: bytes = b"") -> Unreadable:
        self._protect(str(error))
        return Unreadable(family, key, str(error), following)

    def _protect(self, reason: str) -> None:
        """From a compaction that meets the damage, after which nothing could be written any more."""
        if not _is_damage(reason) or (self._damaged and table_names(reason) <= self._damaged_tables):
            return
        was_damaged, self._damaged = self._damaged, True
        self._damaged_tables |= table_names(reason)
        if self._read_only:
            return
        self._mark.add(reason)
        if was_damaged:
            return
        for column in self._columns.values():
            column.set_options({"disable_auto_compactions": "true"})
        log.critical("the shard is damaged: see `mailnode doctor shard`", extra={"reason": reason})

    def heal(self) -> None:
        """All of it was read, and nothing is wrong: it is compacted again.

        Unless a table that was damaged is still there: for who reads, what was written anew lies before it,
        but a compaction would meet the block.
        """
        live = {Path(file["name"]).name for file in self._columns[Family.STATE].live_files()}
        if not self._damaged or self._damaged_tables & live:
            return
        self._damaged_tables.clear()
        self._mark.clear()
        self._damaged = False
        for column in self._columns.values():
            column.set_options({"disable_auto_compactions": "false"})

    def write(self, puts: Iterable[Put], sync: bool) -> None:
        batch = WriteBatch(raw_mode=True)
        put, delete, handles = batch.put, batch.delete, self._handles
        blobs: list[bytes] = []
        ranges = False
        for family, key, value in puts:
            if isinstance(value, bytes):
                put(key, value, handles[family])
            elif value is None:
                delete(key, handles[family])
            else:
                batch.delete_range(key, value.end, handles[family])
                ranges |= family == Family.BLOB
            if family == Family.BLOB:
                blobs.append(key)
        self._write(batch, sync)
        if ranges:
            self._recent.clear()  # seldom: which of its keys lie there is not looked for
        else:
            self._recent.drop(blobs)

    def collect(self, garbage_share_max: float) -> bool:
        # Always on, each compaction would rewrite the oldest blobs, garbage or not: a third of all that is
        # written while mail only comes.
        blobs = self._columns[Family.BLOB]
        self._uncover(blobs)
        whole = blobs.property_int_value("rocksdb.live-blob-file-size") or 0
        garbage = blobs.property_int_value("rocksdb.live-blob-file-garbage-size") or 0
        needed = garbage > garbage_share_max * whole
        if needed != self._collecting:
            blobs.set_options({"enable_blob_garbage_collection": "true" if needed else "false"})
            self._collecting = needed
        return needed

    def figures(self) -> dict[str, int]:
        columns = self._columns.values()
        figures = {
            name: sum(column.property_int_value(f"rocksdb.{asked}") or 0 for column in columns)
            for name, asked in FIGURES.items()
        }
        for name, asked in SHARED_FIGURES.items():
            figures[name] = self._columns[Family.STATE].property_int_value(f"rocksdb.{asked}") or 0
        return figures | {"blob_cache_hits": self._recent.hits, "blob_cache_misses": self._recent.misses}

    def _uncover(self, blobs: Any) -> None:
        """What was dropped counts as garbage once a compaction meets it: of keys alone, some 0.2 s a million,
        and only when there are as many drops that it is worth it."""
        dropped = blobs.property_int_value("rocksdb.num-deletes-active-mem-table") or 0
        entries = blobs.property_int_value("rocksdb.num-entries-active-mem-table") or 0
        if found := _IN_TABLES.search(blobs.property_value("rocksdb.aggregated-table-properties") or ""):
            entries, dropped = entries + int(found[1]), dropped + int(found[2])
        if dropped > _DROPPED_SHARE * entries:
            if self._collecting:
                blobs.set_options({"enable_blob_garbage_collection": "false"})
                self._collecting = False
            blobs.flush()
            blobs.compact_range(None, None)

    def reclaim(self) -> None:
        """Have all that was dropped given back to the disk; takes as long as writing the rest anew."""
        self._columns[Family.BLOB].set_options(
            {"enable_blob_garbage_collection": "true", "blob_garbage_collection_age_cutoff": "1.0"}
        )
        for column in self._columns.values():
            column.flush()
            column.compact_range(None, None)

    def _write(self, batch: WriteBatch, sync: bool) -> None:
        try:
            self._db.write(batch, self._synced if sync else self._unsynced)
        except Exception as error:
            self._protect(str(error))
            raise OSError(f"the shard could not write: {error}") from error

    def checkpoint(self, path: Path) -> None:
        """The shard as it is now, in a new folder on the same disk: hard links of what never changes.

        Raises OSError.
        """
        shutil.rmtree(path, ignore_errors=True)
        try:
            Checkpoint(self._db).create_checkpoint(str(path))
        except Exception as error:
            raise OSError(f"no checkpoint could be made: {error}") from error

    def reach(self, format: int) -> None:
        """Rows of that format are going to be written: who does not read it shall not open the shard."""
        if format > self.format:
            self._put_format(FormatRow(format=format, incarnation=self.incarnation, cluster=self.cluster))

    def renew(self, incarnation: bytes) -> None:
        """It is another disk's history from now on: its files have the names of files of the old one."""
        self._put_format(FormatRow(format=self.format, incarnation=incarnation, cluster=self.cluster))

    def join(self, cluster: bytes) -> None:
        """It belongs to that cluster for good: no local map is the truth about it any more."""
        self._put_format(FormatRow(format=self.format, incarnation=self.incarnation, cluster=cluster))

    def _put_format(self, row: FormatRow) -> None:
        self._db.put(keys.FORMAT, row.SerializeToString(), write_opt=self._synced)
        self._take_format(row)

    def _take_format(self, row: FormatRow) -> None:
        self.incarnation, self.cluster, self.format = row.incarnation, row.cluster, row.format

    def close(self) -> None:
        # Family handles hold the database's lock: they go first.
        self._columns.clear()
        self._handles.clear()
        try:
            self._db.close()
        except Exception as error:  # of work in the background: what was synced is in the log
            log.error("the shard did not close well", extra={"reason": error})

    def check_format(self, fresh: bytes) -> None:
        """Read the format row, or make it with `fresh` as this shard's incarnation."""
        try:
            stored: bytes | None = self._db.get(keys.FORMAT)
        except Exception as error:
            raise ShardError(f"its own row is not readable: {error}") from error
        if stored is None:
            row = FormatRow(format=FORMAT_FIRST, incarnation=fresh)
            self._db.put(keys.FORMAT, row.SerializeToString(), write_opt=self._synced)
        else:
            row = _format_row(stored)
        if not FORMAT_FIRST <= row.format <= FORMAT:
            other = "a newer" if row.format > FORMAT else "an older"
            known = f"{FORMAT_FIRST} to {FORMAT}" if FORMAT > FORMAT_FIRST else f"{FORMAT}"
            raise ShardError(
                f"its rows have format {row.format}, this program knows {known}: use {other} one"
            )
        self._take_format(row)


def open_shard(path: Path, memory_octets: int, fresh_incarnation: bytes) -> RocksShard:
    """Open or make the shard at `path`; memtables and caches share `memory_octets`. Raises ShardError."""
    shard = RocksShard(path, memory_octets)
    try:
        shard.check_format(fresh_incarnation)
    except BaseException:
        shard.close()
        raise
    return shard


def open_copy(path: Path, memory_octets: int) -> RocksShard:
    """A shard of the same format that is only read. Raises ShardError."""
    shard = RocksShard(path, memory_octets, AccessType.read_only(False))
    try:
        shard.check_format(b"")
    except BaseException:
        shard.close()
        raise
    return shard


def open_full(path: Path, memory_octets: int, fresh_incarnation: bytes, ballast: Ballast) -> RocksShard:
    """As `open_shard`, on a full disk too, where the ballast makes room for it."""
    try:
        return open_shard(path, memory_octets, fresh_incarnation)
    except DiskFull:
        if not ballast.drop():
            raise
        log.critical("the disk is full: its ballast was dropped to open the shard")
        return open_shard(path, memory_octets, fresh_incarnation)


def _format_row(stored: bytes) -> FormatRow:
    try:
        return FormatRow.FromString(stored)
    except DecodeError:
        raise ShardError("its own row is not readable: restore a backup") from None


def _is_damage(error: str) -> bool:
    return "corruption" in error.lower()


def _why(path: Path, error: str) -> ShardError:
    if _is_damage(error):
        return ShardError(f"{path} is damaged ({error}); nothing was changed: see `mailnode doctor shard`")
    if "no space left" in error.lower():
        return DiskFull(f"{path} cannot be opened, for its disk is full: make room on it ({error})")
    if "lock" in error.lower():
        return ShardError(f"{path} is in use by another node: stop that one first")
    return ShardError(f"{path} cannot be opened: {error}")

"""A shard that cannot be opened, or not read in whole: what is wrong with it, and how to go on without that.

RocksDB refuses a log with a bad record, for all that is behind it would be lost; and it can go on reading a
shard whose tables are damaged, but never compact it. Recovery keeps the damaged files aside, takes what can
be read, and leaves a shard without damage. Whoever asked must then raise its accounts: clients know more.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from rocksdict import AccessType

from mailnode.store import keys
from mailnode.store.damage import Unreadable
from mailnode.store.keys import FAMILIES
from mailnode.store.options import lenient, point_in_time
from mailnode.store.shard import Put, RocksShard, ShardError, open_copy, open_shard

_PUTS = 1000
_ASIDE = "shard.damaged-"


@dataclass(slots=True)
class Diagnosis:
    """What is wrong; nothing where both are empty."""

    log: str = ""
    """Why what is in the log cannot be read to its end."""
    log_octets: int = 0
    """Of all logs: what is lost is less."""
    unreadable: list[str] = field(default_factory=list)
    """A line for each range of rows that the tables do not give back."""

    @property
    def is_sound(self) -> bool:
        return not self.log and not self.unreadable


def examine(path: Path, memory_octets: int) -> Diagnosis:
    """Reads everything and changes nothing, while no node runs. Raises ShardError."""
    _check_alone(path)
    found = Diagnosis(log_octets=sum(file.stat().st_size for file in path.glob("*.log")))
    try:
        shard = open_copy(path, memory_octets)
    except ShardError as error:
        found.log = str(error)
        shard = _opened(path, memory_octets)
    try:
        for family in FAMILIES:
            for _ in _rows(shard, family, found):
                pass
    finally:
        shard.close()
    return found


def recover(path: Path, memory_octets: int, now: int, incarnation: bytes) -> tuple[Path, int]:
    """Go on with what can be read; where the damaged files are kept, and how many rows came over.

    All or nothing: the shard is made anew beside the damaged one, then takes its place. Raises ShardError.
    """
    aside = path.with_name(f"{_ASIDE}{now}")
    making = path.with_name("shard.recovering")
    shutil.rmtree(making, ignore_errors=True)
    _check_alone(path)
    damaged = _opened(path, memory_octets)
    try:
        count = _copied(damaged, making, memory_octets, incarnation)
    finally:
        damaged.close()
    path.rename(aside)
    making.rename(path)
    return aside, count


def _copied(damaged: RocksShard, making: Path, memory_octets: int, incarnation: bytes) -> int:
    shard = open_shard(making, memory_octets, incarnation)
    count = 0
    try:
        for family in FAMILIES:
            puts: Iterator[Put] = ((family, key, value) for key, value in _rows(damaged, family, Diagnosis()))
            while part := list(islice(puts, _PUTS)):
                shard.write(part, sync=False)
                count += len(part)
        shard.write([], sync=True)
    finally:
        shard.close()
    return count


def _rows(shard: RocksShard, family: str, found: Diagnosis) -> Iterator[tuple[bytes, bytes]]:
    start = b""
    while True:
        try:
            yield from shard.scan(family, start, keys.END)
            return
        except Unreadable as error:
            found.unreadable.append(f"{family}, behind {error.key.hex()}: {error.reason}")
            if not start < error.following < keys.END:
                return
            start = error.following


def _opened(path: Path, memory_octets: int) -> RocksShard:
    """As little lenient as it goes: what RocksDB is told to overlook it overlooks in the log as well."""
    access = AccessType.read_only(False)
    try:
        return RocksShard(path, memory_octets, access, point_in_time(memory_octets))
    except ShardError:
        return RocksShard(path, memory_octets, access, lenient(memory_octets))


def _check_alone(path: Path) -> None:
    """Only reading takes no lock: a node that writes meanwhile would look like damage."""
    try:
        with (path / "LOCK").open("r+b") as lock:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        raise ShardError(f"{path} is no shard") from None
    except OSError:
        raise ShardError(f"{path} is in use by another node: stop that one first") from None

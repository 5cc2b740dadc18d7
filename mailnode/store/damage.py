"""What the disk does not give back as it was written: told once, kept apart, passed over.

A block or blob whose checksum is wrong is `Unreadable`. Nothing that reads may take the rows before it for
all of them: RocksDB's iterators end there in silence, so each scan asks how it ended.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Lock
from typing import Protocol

log = logging.getLogger(__name__)

MARK = "DAMAGED"
"""A file in the shard's folder: something in it could not be read. While it is there nothing is compacted,
for a compaction that meets the damage stops every write."""

_TABLE = re.compile(r"[0-9]+\.sst")
_TOLD_MAX = 10_000
_KEY_OCTETS_MAX = 32


class Unreadable(OSError):
    """A row, or in a scan a range of rows, that the disk does not give back, or that cannot be parsed."""

    def __init__(self, family: str, key: bytes, reason: str, following: bytes = b"") -> None:
        """`following`: where a scan can go on."""
        super().__init__(f"the {family} row {key.hex()} is not readable: {reason}")
        self.family = family
        self.key = key
        self.reason = reason
        self.following = following


class Told:
    """Which damage was reported: each key once in a run, however often it is read. Any thread."""

    def __init__(self) -> None:
        self._keys: set[tuple[str, bytes]] = set()
        self._lock = Lock()
        self._followers: list[Callable[[str, bytes], None]] = []

    def follow(self, heard: Callable[[str, bytes], None]) -> None:
        """`heard` is called with the family and key of what is met from now on, each time; by any thread."""
        self._followers.append(heard)

    def leave(self, heard: Callable[[str, bytes], None]) -> None:
        self._followers.remove(heard)

    def tell(self, family: str, key: bytes, reason: str) -> None:
        for heard in tuple(self._followers):
            heard(family, key)
        with self._lock:
            if (family, key) in self._keys or len(self._keys) >= _TOLD_MAX:
                return
            self._keys.add((family, key))
        account = key[:8].hex()
        log.error(
            "a row is not readable",
            extra={"account": account, "family": family, "key": key.hex(), "reason": reason},
        )


told = Told()
"""Of the process."""


class Scanned(Protocol):
    def scan(self, family: str, start: bytes, end: bytes) -> Iterator[tuple[bytes, bytes]]: ...


def readable(shard: Scanned, family: str, start: bytes, end: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The rows of a scan that can be read; what cannot is reported and passed over."""
    while True:
        try:
            yield from shard.scan(family, start, end)
            return
        except Unreadable as error:
            told.tell(family, error.key, error.reason)
            if not start < error.following < end:
                return
            start = error.following


def first_readable(start: bytes, end: bytes, reads: Callable[[bytes], bool]) -> bytes:
    """A key behind `start`, close behind what cannot be read there, from which reading goes on; or `end`.

    Damage has no length that could be asked for: keys are tried ever farther away, then between the last one
    that failed and the first that did not.
    """
    low, most = _number(start), _number(end)
    step = 1
    while (high := min(low + step, most)) < most and not reads(_key(high)):
        low, step = high, 2 * step
    while high - low > 1:
        middle = (low + high) // 2
        if reads(_key(middle)):
            high = middle
        else:
            low = middle
    return end if high >= most else _key(high)


def _number(key: bytes) -> int:
    return int.from_bytes(key[:_KEY_OCTETS_MAX].ljust(_KEY_OCTETS_MAX, b"\0"), "big")


def _key(number: int) -> bytes:
    return number.to_bytes(_KEY_OCTETS_MAX, "big")


def table_names(reason: str) -> set[str]:
    """Those that RocksDB's words name."""
    return set(_TABLE.findall(reason))


class Mark:
    """The file MARK of a shard's folder."""

    def __init__(self, path: Path) -> None:
        self._path = path / MARK

    def is_set(self) -> bool:
        return self._path.exists()

    def tables(self) -> set[str]:
        """The table files that it names."""
        try:
            return table_names(self._path.read_text())
        except OSError:
            return set()

    def add(self, reason: str) -> None:
        try:
            with self._path.open("a") as file:
                file.write(reason + "\n")
        except OSError as error:
            log.error("the damage could not be marked", extra={"reason": error})

    def clear(self) -> None:
        self._path.unlink(missing_ok=True)

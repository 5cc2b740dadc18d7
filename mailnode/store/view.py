"""The rows of a shard as they are at one moment, whatever is written later. Blocking; one thread at a time.

RocksDB's iterators are isolated from later writes: one of each family is opened while nothing is written.
They keep files alive that compactions have replaced, so nobody holds a view for long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from rocksdict import ReadOptions

from mailnode.store.damage import Unreadable, first_readable

Failed = Callable[[str, bytes, Exception, bytes], Unreadable]
"""Makes the error of a family, of the last key before the damage, of why, and of where reading goes on."""


class View(Protocol):
    def get(self, family: str, key: bytes) -> bytes | None:
        """Raises Unreadable."""

    def scan(self, family: str, start: bytes, end: bytes) -> Iterator[tuple[bytes, bytes]]:
        """As of a shard. Only one scan at a time goes on, and no other question is asked meanwhile."""

    def before(self, family: str, key: bytes) -> bytes:
        """The last key before it that can be read; empty, where there is none."""

    def close(self) -> None:
        """Nothing may be asked any more."""


class RocksView:
    def __init__(self, rows: Mapping[str, Any], options: Mapping[str, ReadOptions], failed: Failed) -> None:
        """`rows`: an iterator of each family, which does not keep its options alive."""
        self._rows = dict(rows)
        self._options = options
        self._failed = failed

    def get(self, family: str, key: bytes) -> bytes | None:
        for found, value in self.scan(family, key, key + b"\0"):
            return value if found == key else None
        return None

    def scan(self, family: str, start: bytes, end: bytes) -> Iterator[tuple[bytes, bytes]]:
        rows, last = self._rows[family], start
        rows.seek(start)
        while rows.valid() and (key := rows.key()) < end:
            last = key
            yield key, rows.value()
            rows.next()
        try:
            rows.status()
        except Exception as error:
            following = first_readable(last, end, lambda key: is_readable(rows, key))
            raise self._failed(family, last, error, following) from error

    def before(self, family: str, key: bytes) -> bytes:
        rows = self._rows[family]
        rows.seek_for_prev(key)
        if rows.valid() and rows.key() == key:
            rows.prev()
        return bytes(rows.key()) if rows.valid() else b""

    def close(self) -> None:
        self._rows.clear()


def is_readable(rows: Any, key: bytes) -> bool:
    """Whether an iterator can go to that key."""
    rows.seek(key)
    try:
        rows.status()
    except Exception:
        return False
    return True

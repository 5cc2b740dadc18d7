"""Values that were read last, in memory: RocksDB's own cache does not hold what lies in its blob files."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

_SHARE = 8
"""A value that would fill more than this part of the room is not kept."""


class Recent:
    """Bounded in octets; any thread may use it.

    A reader that overlaps a drop may keep a value that is gone: the key of a blob is never another's.
    """

    __slots__ = ("_left", "_lock", "_octets_max", "_values", "hits", "misses")

    def __init__(self, octets_max: int) -> None:
        self._values: OrderedDict[bytes, bytes] = OrderedDict()
        self._octets_max = octets_max
        self._left = octets_max
        self._lock = Lock()
        self.hits = 0
        self.misses = 0

    def get(self, keys: Sequence[bytes]) -> list[bytes | None]:
        with self._lock:
            found = [self._values.get(key) for key in keys]
            for key, value in zip(keys, found, strict=True):
                if value is not None:
                    self._values.move_to_end(key)
            missed = found.count(None)
            self.misses += missed
            self.hits += len(found) - missed
        return found

    def put(self, values: Sequence[tuple[bytes, bytes]]) -> None:
        with self._lock:
            for key, value in values:
                if key not in self._values and len(value) <= self._octets_max // _SHARE:
                    self._values[key] = value
                    self._left -= len(value)
            while self._left < 0:
                _, oldest = self._values.popitem(last=False)
                self._left += len(oldest)

    def drop(self, keys: Sequence[bytes]) -> None:
        with self._lock:
            for key in keys:
                self._left += len(self._values.pop(key, b""))

    def clear(self) -> None:
        with self._lock:
            self._values.clear()
            self._left = self._octets_max

"""Appends that are committed, and end once other data centres have them (`Row.sync_dcs`)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import chain

from mailnode.cluster.append import Append

CONFIRM_SECONDS_MAX = 10.0  # a data centre that is cut off: who waits is told that it is not known


class Unconfirmed:
    def __init__(self) -> None:
        self._waiting: dict[int, deque[tuple[int, float, Append]]] = {}

    def hold(self, partition: int, seq: int, append: Append, now: float) -> None:
        """In the order of their seqs."""
        self._waiting.setdefault(partition, deque()).append((seq, now + CONFIRM_SECONDS_MAX, append))

    def confirmed(self, partition: int, upto: int) -> Iterator[Append]:
        waiting = self._waiting.get(partition)
        while waiting and waiting[0][0] <= upto:
            yield waiting.popleft()[2]
        if waiting is not None and not waiting:
            del self._waiting[partition]

    def late(self, now: float) -> Iterator[Append]:
        """Those that waited for too long."""
        for partition, waiting in list(self._waiting.items()):
            while waiting and now >= waiting[0][1]:
                yield waiting.popleft()[2]
            if not waiting:
                del self._waiting[partition]

    def lost(self, partition: int) -> Iterator[Append]:
        """Those of a partition that is not led any more."""
        return (append for _, _, append in self._waiting.pop(partition, ()))

    def all(self) -> Iterator[Append]:
        waiting, self._waiting = self._waiting, {}
        return (append for _, _, append in chain.from_iterable(waiting.values()))

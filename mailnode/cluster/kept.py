"""How much of the logs is kept: some of it in memory, more on the disk, the oldest goes first. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import takewhile

_MARK_OCTETS = 1 << 20
"""Of a partition's log between two marks: what is trimmed at once is one range."""
_LEFT_SHARE = 0.75
"""Of the memory, once it was full: taking from the front of a list moves all of it."""


@dataclass(frozen=True, slots=True)
class _Mark:
    partition: int
    seq: int
    octets: int
    since: float


class Kept:
    """Of all partitions of a node together, in the order in which it was written."""

    def __init__(self, memory_octets_max: int, disk_octets_max: int, seconds_max: float) -> None:
        self._memory_octets_max = memory_octets_max
        self._disk_octets_max = disk_octets_max
        self._seconds_max = seconds_max
        self._memory: deque[tuple[int, int, int]] = deque()
        self._memory_octets = 0
        self._open: dict[int, _Mark] = {}
        """Of each partition, what was written since its last mark; the oldest first."""
        self._marks: deque[_Mark] = deque()
        self._disk_octets = 0

    def wrote(self, partition: int, seq: int, octets: int, now: float) -> None:
        """Entries up to that seq, of so many octets."""
        self._memory.append((partition, seq, octets))
        self._memory_octets += octets
        self._disk_octets += octets
        before = self._open.get(partition)
        mark = _Mark(
            partition,
            seq,
            octets + (before.octets if before is not None else 0),
            before.since if before is not None else now,
        )
        if mark.octets < _MARK_OCTETS:
            self._open[partition] = mark
            return
        self._marks.append(mark)
        self._open.pop(partition, None)

    def found(self, partition: int, seq: int, now: float) -> None:
        """Entries of the runs before: how many octets they have is not known, but they get no younger."""
        self._marks.append(_Mark(partition, seq, 0, now))

    def leaving_memory(self, is_needed: Callable[[int, int], bool]) -> Iterator[tuple[int, int]]:
        """(partition, seq) up to which entries need not be in memory; many at once, or none.

        `is_needed`: one that is there and not applied goes later.
        """
        if self._memory_octets <= self._memory_octets_max:
            return
        needed = []
        while self._memory and self._memory_octets > self._memory_octets_max * _LEFT_SHARE:
            partition, seq, octets = self._memory.popleft()
            if is_needed(partition, seq):
                needed.append((partition, seq, octets))
                continue
            self._memory_octets -= octets
            yield partition, seq
        self._memory.extendleft(reversed(needed))

    def leaving_disk(self, now: float) -> Iterator[tuple[int, int]]:
        """(partition, seq) up to which entries need not be kept."""
        before = now - self._seconds_max
        for mark in list(takewhile(lambda mark: mark.since < before, self._open.values())):
            self._marks.append(self._open.pop(mark.partition))
        while self._marks and (self._marks[0].since < before or self._disk_octets > self._disk_octets_max):
            mark = self._marks.popleft()
            self._disk_octets -= mark.octets
            yield mark.partition, mark.seq

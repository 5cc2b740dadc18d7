"""Entries that leave: the memory first, later the disk, as far as nobody needs them. Lives on the loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mailnode.cluster.kept import Kept
from mailnode.cluster.replica_messages import Write, Writing
from mailnode.cluster.replicas import Replicas
from mailnode.limits import Limits

_BESIDE_OCTETS = 64
"""Of the row of a write, without its entries."""


class Trims:
    def __init__(self, core: Replicas, pinned: Callable[[int], int], limits: Limits, now: float) -> None:
        """`pinned`: the seq behind which a partition's entries are needed for a snapshot that is given."""
        self._core = core
        self._pinned = pinned
        self._kept = Kept(limits.log_memory_octets, limits.log_octets_max, limits.log_kept_seconds)
        self._waiting: dict[int, int] = {}
        """Up to which entries need not be kept, once those who learn have them."""
        for replica in core.partitions.values():
            self._kept.found(replica.partition, replica.log.last.seq, now)

    def wrote(self, writes: Iterable[Writing], now: float) -> None:
        for writing in writes:
            if isinstance(writing, Write) and writing.entries:
                octets = sum([len(entry.data) for entry in writing.entries]) + _BESIDE_OCTETS
                self._kept.wrote(writing.partition, writing.entries[-1].position.seq, octets, now)
        for partition, seq in dict(self._kept.leaving_memory(self._is_needed)).items():
            self._core.partitions[partition].release(seq)

    def tick(self, now: float) -> None:
        self._waiting.update(self._kept.leaving_disk(now))
        for partition, seq in list(self._waiting.items()):
            if seq <= self._wanted(partition, now):
                del self._waiting[partition]
                self._core.trim(partition, seq)

    def _is_needed(self, partition: int, seq: int) -> bool:
        """In memory: it is not applied."""
        replica = self._core.partitions[partition]
        return replica.applied < seq <= replica.log.last.seq

    def _wanted(self, partition: int, now: float) -> int:
        """The seq behind which a replica that learns, and gets on with it, is still given entries."""
        replica = self._core.partitions[partition]
        learning = [
            progress.matched or progress.next - 1
            for member, progress in replica.progress.items()
            if progress.is_under_way()
            and not progress.is_stuck(now)
            and not self._core.pairs.is_silent(member, now)
        ]
        return min([*learning, self._pinned(partition)])

"""Which partitions this node serves, and who is told when that begins and ends. Lives on the loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence

Followed = Callable[[int], None]


class Served:
    """A partition is served from when its rows are written as far as they must be, to when it is not led."""

    def __init__(self) -> None:
        self._now: set[int] = set()
        self._beginning: dict[int, int] = {}
        """Up to which entry the rows must be written before."""
        self._followers: list[tuple[Followed, Followed]] = []

    def __contains__(self, partition: int) -> bool:
        return partition in self._now

    def all(self) -> Sequence[int]:
        """In order."""
        return sorted(self._now)

    def follow(self, begun: Followed, ended: Followed) -> None:
        """Told of those that are served now, too."""
        self._followers.append((begun, ended))
        for partition in self.all():
            begun(partition)

    def begin_soon(self, partition: int) -> None:
        """Once all that is committed is written."""
        if partition not in self._now:
            self._beginning.setdefault(partition, 0)

    def begin_anew(self, partition: int, seq: int) -> None:
        """What was read of it into memory ends; again once the rows are written up to that entry."""
        self._end(partition)
        self._beginning[partition] = seq

    def begin(self, is_written: Callable[[int, int], bool]) -> None:
        """Those for which `is_written(partition, seq)`."""
        for partition, seq in sorted(self._beginning.items()):
            if is_written(partition, seq):
                del self._beginning[partition]
                self._now.add(partition)
                for begun, _ in self._followers:
                    begun(partition)

    def end(self, partition: int) -> None:
        """It is not led any more."""
        self._beginning.pop(partition, None)
        self._end(partition)

    def _end(self, partition: int) -> None:
        if partition in self._now:
            self._now.discard(partition)
            for _, ended in self._followers:
                ended(partition)

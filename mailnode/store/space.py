"""Room on the disk: a reserve below which nothing new is taken, and a ballast that a restart can throw away.

What frees room needs some itself: an expunge is written before it is true, and RocksDB writes what its log
holds into tables before it opens. So new mail is refused while there still is a reserve. Should it be used up
all the same, a file of no use but its size, the ballast, makes room for one more start.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from mailnode.clock import Clock
from mailnode.limits import Limits

log = logging.getLogger(__name__)


def free_and_whole(path: Path) -> tuple[int, int]:
    """Octets of the file system at `path`: those that we may still write, and all."""
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize


class Space:
    """Of the file system that the shard at `path` lies on. Lives on the loop: a look takes microseconds."""

    def __init__(self, path: Path, clock: Clock, limits: Limits) -> None:
        self._path = path
        self._clock = clock
        self._limits = limits
        self._short = False
        self._looked = float("-inf")
        self.free_octets = 0

    def is_short(self) -> bool:
        """Whether less than the reserve is left. Looked up now and then, and always while it is so."""
        seconds = self._clock.monotonic_seconds() - self._looked
        if self._short or seconds >= self._limits.disk_looked_seconds:
            self.look()
        return self._short

    def look(self) -> None:
        self._looked = self._clock.monotonic_seconds()
        self.free_octets, whole = free_and_whole(self._path)
        short = self.free_octets < self.reserve_octets(whole)
        if short != self._short:
            self._short = short
            level = logging.ERROR if short else logging.INFO
            text = "the disk is full: no new mail is taken" if short else "the disk has room again"
            log.log(level, text, extra={"free_octets": self.free_octets})

    def reserve_octets(self, whole: int) -> int:
        """Of a small file system a share."""
        share = whole * self._limits.disk_reserve_percent_max // 100
        return min(self._limits.disk_reserve_octets, share)

    def has_room(self, octets: int) -> bool:
        """For so many octets beside the reserve."""
        free, whole = free_and_whole(self._path)
        return free - octets >= self.reserve_octets(whole)


class Ballast:
    """A file beside the shard at `path`, as large as what opening that may have to write."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self._shard = path
        self._path = path.with_name(path.name + ".ballast")
        self._least = limits.disk_ballast_octets_min

    def drop(self) -> bool:
        """Make room; whether there was a ballast."""
        there = self._path.exists()
        self._path.unlink(missing_ok=True)
        return there

    def load(self, space: Space) -> None:
        """Have it as large as the log may soon be, where there is room for that. Blocking."""
        needed = max(self._least, 2 * sum(map(_octets, self._shard.glob("*.log"))))
        there = _octets(self._path)
        if there >= needed or not space.has_room(needed - there):
            return
        with self._path.open("ab") as file:
            try:
                os.posix_fallocate(file.fileno(), 0, needed)
            except OSError as error:
                log.warning("no ballast", extra={"reason": error})


def _octets(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:  # meanwhile
        return 0

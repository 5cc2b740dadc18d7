"""Checkpoints of a running node's shard, for whoever copies them away."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from mailnode.clock import Clock
from mailnode.store.shard import RocksShard

_FOLDER = "shard.checkpoint-"
_KEPT_SECONDS = 86_400
"""A copy that takes longer was given up."""


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Beside the shard: hard links need the same file system."""

    shard: RocksShard
    whole: Path
    """The directory of all nodes."""
    shard_path: Path
    clock: Clock
    pool: Executor

    def make(self) -> tuple[Path, int]:
        """A folder, to be dropped, and when it was made, in microseconds. Blocking; raises OSError."""
        now = self.clock.now_microseconds()
        for path in self._all():
            if _made(path) < now - _KEPT_SECONDS * 1_000_000:
                shutil.rmtree(path, ignore_errors=True)
        path = self.shard_path.parent / f"{_FOLDER}{now}"
        self.shard.checkpoint(path)
        return path, now

    def drop(self, path: Path) -> bool:
        """Whether it was one of ours."""
        if path not in self._all():
            return False
        shutil.rmtree(path, ignore_errors=True)
        return True

    def _all(self) -> list[Path]:
        return [path for path in self.shard_path.parent.glob(f"{_FOLDER}*") if _made(path)]


def beside_shard(directory: Path) -> Iterator[Path]:
    """The files of a directory that a backup has too: configuration, keys, certificates."""
    for path in sorted(directory.rglob("*")):
        within = path.relative_to(directory)
        if any(part.startswith(("shard", ".")) for part in within.parts[:2]) or within.name == "lock":
            continue
        if path.is_file() and not path.is_symlink():
            yield within


def _made(path: Path) -> int:
    text = path.name.removeprefix(_FOLDER)
    return int(text) if text.isdecimal() else 0

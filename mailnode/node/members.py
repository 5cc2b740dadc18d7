"""The nodes of a directory: how many there are, and who may work on all of them."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from mailnode.cluster import local_map
from mailnode.config import FILE, Config, ConfigError, load


def members(directory: Path) -> Sequence[Config]:
    """The configuration as each of them has it; raises ConfigError."""
    config = load(directory)
    refuse_half_resharded(config)
    mapped = local_map.read(config.map_file)
    if config.cluster is not None and (config.nodes > 1 or mapped is not None):
        where = f"{directory / FILE}: [cluster]"
        raise ConfigError(
            f"{where}: a directory of several nodes cannot be part of a cluster: expected a node a directory"
        )
    count = 1 if mapped is None else len(mapped.incarnations)
    if config.nodes not in (0, count):
        wanted = f"{directory / FILE}: nodes: found {config.nodes}, expected {count}"
        raise ConfigError(f"{wanted}, as the mail lies: `mailnode reshard {directory}` moves it")
    return [replace(config, nodes=count, node=node) for node in range(count)]


def refuse_half_resharded(config: Config) -> None:
    """Raises ConfigError."""
    if config.reshard_file.exists():
        raise ConfigError(
            f"{config.directory} is half resharded: `mailnode reshard {config.directory}` goes on"
        )


@contextmanager
def locked(config: Config) -> Iterator[None]:
    """For whoever works on all nodes, until the last of the processes that it forked has ended.

    Raises ConfigError.
    """
    with open(config.lock_file, "a", opener=_private) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigError(f"{config.directory} is in use: stop `mailnode up` there first") from None
        yield


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)

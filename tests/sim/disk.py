"""A disk with one log: what is synced stays, of the rest a prefix."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from mailnode.cluster.replica_log import Log
from mailnode.cluster.replica_messages import Drop, Entry, Install, Position, Trim, Write, Writing


@dataclass
class Kept:
    """Of one partition."""

    epoch: int = 0
    epochs: list[Position] = field(default_factory=list)
    trimmed: int = 0
    entries: list[Entry] = field(default_factory=list)
    rows: list[Entry] = field(default_factory=list)
    """What was applied, in order: the account's rows are a function of it."""

    def log(self) -> Log:
        return Log(self.epochs, self.trimmed, self.entries)

    def has(self, position: Position) -> bool:
        """What is trimmed was applied, so it is the same everywhere."""
        at = position.seq - self.trimmed - 1
        return at < 0 or (at < len(self.entries) and self.entries[at].position == position)

    def after(self, seq: int, octets_max: int) -> tuple[Entry, ...]:
        """What is synced of the entries from there on; nothing where the next is trimmed."""
        at = seq - self.trimmed
        found: list[Entry] = []
        while 0 <= at < len(self.entries) and sum(len(entry.data) for entry in found) < octets_max:
            found.append(self.entries[at])
            at += 1
        return tuple(found)

    def write(self, writing: Writing, rows: list[Entry]) -> None:
        log = self.log()
        match writing:
            case Write():
                self.epoch = max(self.epoch, writing.epoch)
                log.truncate(writing.after)
                for entry in writing.entries:
                    log.append(entry)
            case Trim():
                log.trim(writing.upto)
            case Install():
                log = Log(writing.snapshot.epochs, writing.snapshot.at.seq)
                self.rows = list(rows)
            case Drop():
                log, self.rows, self.epoch = Log(), [], 0
        self.epochs, self.trimmed = log.epochs, log.trimmed
        self.entries = list(log.after(log.trimmed, log.last.seq))


class Disk:
    def __init__(self) -> None:
        self.kept: dict[int, Kept] = {}
        self._unsynced: list[Callable[[], None]] = []
        self._synced = 0

    def put(self, write: Callable[[], None]) -> None:
        self._unsynced.append(write)

    def of(self, partition: int) -> Kept:
        return self.kept.setdefault(partition, Kept())

    def mark(self) -> int:
        """How much was ever put."""
        return self._synced + len(self._unsynced)

    def sync(self, mark: int) -> None:
        """Up to that mark, unless a later sync was sooner."""
        writes = self._unsynced[: max(0, mark - self._synced)]
        for write in writes:
            write()
        self._synced += len(writes)
        del self._unsynced[: len(writes)]

    def crash(self, chance: random.Random) -> None:
        self.sync(self._synced + chance.randint(0, len(self._unsynced)))
        self.lose()

    def lose(self) -> None:
        """All that is not synced."""
        self._unsynced.clear()

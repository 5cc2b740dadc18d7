"""What an operator sees of the map: in which state each partition is, and what each node has. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mailnode.cluster.etcd_rows import Home
from mailnode.cluster.replica_messages import Member, Row
from mailnode.cluster.ring import SLOTS


class State(StrEnum):
    """The worst that is true of a partition."""

    WITHOUT_PRIMARY = "without primary"
    """The lease of the one that the map names is not held."""
    BELOW_MIN_INSYNC = "below min_insync"
    """Mail is read, and none is taken."""
    UNDER_COPIED = "under-copied"
    """Fewer copies are in sync and alive than its home has."""
    WHOLE = "whole"


def state(row: Row, home: Home, alive: Collection[Member]) -> State:
    if row.primary not in alive:
        return State.WITHOUT_PRIMARY
    if len(row.in_sync) < row.min_insync:
        return State.BELOW_MIN_INSYNC
    if sum(member in alive for member in row.in_sync) < home.copies:
        return State.UNDER_COPIED
    return State.WHOLE


@dataclass(frozen=True, slots=True)
class Census:
    """Of partitions; nodes by name."""

    states: Counter[State] = field(default_factory=Counter)
    led: Counter[str] = field(default_factory=Counter)
    copied: Counter[str] = field(default_factory=Counter)
    """In sync, those that are led among them."""
    learning: Counter[str] = field(default_factory=Counter)
    """That should have a copy, which is not in sync."""


def census(rows: Iterable[tuple[int, Row]], homes: Mapping[int, Home], alive: Collection[Member]) -> Census:
    """Of the homes that are known here."""
    found = Census()
    for partition, row in rows:
        home = homes.get(partition // SLOTS)
        if home is None:
            continue
        found.states[state(row, home, alive)] += 1
        found.led[row.primary.node] += 1
        in_sync = [member.node for member in row.in_sync]
        found.copied.update(in_sync)
        found.learning.update(name for name in row.replicas if name not in in_sync)
    return found

"""What other copies lack of the partitions that are led here. Reads the core; changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mailnode.cluster.replica import Replica
from mailnode.cluster.replicas import Replicas


@dataclass(slots=True)
class Lag:
    """Of one other node."""

    entries: int = 0
    seconds: float = 0.0
    """Since when it has acknowledged nothing of something that it lacks: the longest of all partitions."""


@dataclass(slots=True)
class FarLag:
    """Of the copies in one other data centre."""

    entries: int = 0
    """Committed here, and not there."""
    seconds: float = 0.0
    """Since the oldest of them was committed, or since this primary began."""
    partition: int = 0
    """The one of those seconds."""


@dataclass(frozen=True, slots=True)
class Learning:
    """A copy that is being made, or that catches up; none of another data centre, which is always behind."""

    partition: int
    node: str
    entries: int
    """That it has."""
    of: int


def lags(core: Replicas) -> dict[str, Lag]:
    """By node; of each that has a copy of what is led here, or gets one."""
    found: dict[str, Lag] = {}
    for replica in _led(core):
        last = replica.log.last.seq
        for member, progress in replica.progress.items():
            lag = found.setdefault(member.node, Lag())
            lag.entries += max(0, last - progress.matched)
            if progress.stuck is not None and progress.matched < last:
                lag.seconds = max(lag.seconds, core.now - progress.stuck)
    return found


def far_lags(core: Replicas) -> dict[str, FarLag]:
    """By data centre; of several copies there, the one that has more counts."""
    found: dict[str, FarLag] = {}
    for replica in _led(core):
        for dc, has in _far_matched(replica).items():
            lag = found.setdefault(dc, FarLag(partition=replica.partition))
            if has < replica.commit:
                lag.entries += replica.commit - has
                seconds = replica.marks.seconds(has, core.now)
                if seconds > lag.seconds:
                    lag.seconds, lag.partition = seconds, replica.partition
    return found


def _far_matched(replica: Replica) -> dict[str, int]:
    matched = dict.fromkeys(replica.far_dcs.values(), 0)
    for member, progress in replica.progress.items():
        dc = replica.far_dc(member)
        if dc:
            matched[dc] = max(matched[dc], progress.matched)
    return matched


def learning(core: Replicas) -> Iterator[Learning]:
    for replica in _led(core):
        in_sync = replica.row.in_sync if replica.row is not None else ()
        for member, progress in replica.progress.items():
            if member not in in_sync and not replica.far_dc(member):
                last = replica.log.last.seq
                yield Learning(replica.partition, member.node, min(progress.matched, last), last)


def _led(core: Replicas) -> Iterator[Replica]:
    return (replica for replica in core.partitions.values() if replica.is_leading)

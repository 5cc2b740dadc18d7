"""A node that stops: others lead what it led, and then wait no more for what it says to be durable."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress

from mailnode.cluster.append import Unavailable
from mailnode.cluster.replica_messages import Member
from mailnode.cluster.replicas import Replicas

_AGAIN_SECONDS = 0.01
"""Between two looks: each taker is given a few at a time, and their rows come from the map."""

_REFUSED_MAX = 32
"""Of one taker in a look: it has as many as it takes at a time, and the loop has mail to serve."""


async def leave(
    core: Replicas, served: Callable[[], Iterable[int]], wake: Callable[[], None], seconds_max: float
) -> None:
    """Returns when it is done, or takes too long: the rest is taken over as if the node had died."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds_max):
            while _give(core, served()):
                await _pause(wake)
            core.is_leaving = True
            while _is_waited_for(core):
                await _pause(wake)


async def _pause(wake: Callable[[], None]) -> None:
    wake()
    await asyncio.sleep(_AGAIN_SECONDS)


def _give(core: Replicas, served: Iterable[int]) -> bool:
    """Whether there is one more to be given."""
    left, refused = False, Counter[Member]()
    for partition in served:
        row = core.partitions[partition].row
        others = [each for each in row.in_sync if each != core.me] if row is not None else []
        left |= bool(others)
        for other in others:
            if core.is_giving(partition):
                break
            if refused[other] < _REFUSED_MAX:
                try:
                    core.give(partition, other.node)
                except Unavailable:
                    refused[other] += 1
    return left


def _is_waited_for(core: Replicas) -> bool:
    rows = (replica.row for replica in core.partitions.values())
    return any(row is not None and core.me in row.in_sync and len(row.in_sync) > 1 for row in rows)

"""The map of a cluster that runs, as etcd has it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from mailnode.cluster.etcd import Etcd, EtcdError
from mailnode.cluster.etcd_map import EtcdMap
from mailnode.cluster.etcd_rows import Keys
from mailnode.cluster.map import Map
from mailnode.cluster.replica_messages import Member

SECONDS_MAX = 120.0


def mapped(endpoints: Sequence[str], prefix: str) -> Map:
    """Now."""
    source = _source(endpoints, prefix)

    async def read() -> None:
        await source.read()
        await source.etcd.close()

    asyncio.run(read())
    return source.map


def wait_until(endpoints: Sequence[str], prefix: str, holds: Callable[[Map], bool]) -> None:
    """Looks whenever it changes. Raises TimeoutError."""
    source = _source(endpoints, prefix)

    async def wait() -> None:
        async with asyncio.timeout(SECONDS_MAX):
            while not await _is_read(source):
                pass
            watching = asyncio.ensure_future(source.run())
            changes = source.changes
            while not holds(source.map):
                changes = await source.changed(changes)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await source.etcd.close()

    asyncio.run(wait())


async def _is_read(source: EtcdMap) -> bool:
    """False: for some seconds no member of etcd answered, as after a cut."""
    try:
        await source.read()
    except EtcdError:
        return False
    return True


def are_whole(known: Map) -> bool:
    """Each partition has all its copies in sync."""
    return all(len(row.in_sync) == len(row.replicas) for _, row in known.rows())


def _source(endpoints: Sequence[str], prefix: str) -> EtcdMap:
    return EtcdMap(Etcd(endpoints), Keys(prefix), Map(Member("", 0)))

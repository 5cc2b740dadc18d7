"""Copies with more than the later generation of their home began with: kept until that is given back.

The core sets them aside (`replica`); `delivery/returning` reads what they have beyond, and lets them go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from itertools import chain

from mailnode.cluster.append import Unavailable
from mailnode.cluster.installing import Installing
from mailnode.cluster.replica_messages import Entry, Fetch, generation_of
from mailnode.cluster.replicas import Replicas
from mailnode.store.shard import Put

TAIL_OCTETS = 8 << 20
"""Of what is read at once."""


class SetAside:
    """Lives on the loop."""

    def __init__(
        self,
        core: Replicas,
        installing: Installing,
        loads: Executor,
        read: Callable[[Fetch], tuple[Entry, ...]],
        rows: Callable[[bytes, int], Iterable[Put]],
        is_busy: Callable[[int], bool],
        wake: Callable[[], None],
    ) -> None:
        """`read` may block; `rows(data, format)` of an entry; `is_busy` with what is being written now."""
        self._core = core
        self._installing = installing
        self._loads = loads
        self._read = read
        self._rows = rows
        self._is_busy = is_busy
        self._wake = wake

    def beyond(self) -> dict[int, int]:
        """The partitions whose copy is set aside, and behind which seq lies what nobody else may have."""
        partitions = self._core.partitions.values()
        return {each.partition: each.beyond for each in partitions if each.beyond is not None}

    def last(self, partition: int) -> int:
        """The seq of the last entry that the copy has."""
        return self._core.partitions[partition].log.last.seq

    def generation_told(self, partition: int) -> int:
        """Of its home, as the map says."""
        row = self._core.partitions[partition].row
        return generation_of(row.epoch) if row is not None else 1

    async def tail(self, partition: int, after: int) -> tuple[Entry, ...]:
        """Some of it, in order, from behind `after` on, with its rows written; none: that is all.

        Of what was trimmed there is nothing. Raises Unavailable and OSError.
        """
        if self._is_busy(partition):
            raise Unavailable(f"partition {partition} is being written")
        replica, loop = self._core.partitions[partition], asyncio.get_running_loop()
        fetch = Fetch(partition, self._core.me, max(after, replica.log.trimmed), TAIL_OCTETS)
        found = await loop.run_in_executor(self._loads, self._read, fetch)
        left = [entry for entry in found if entry.position.seq > replica.applied and entry.data]
        rows = chain.from_iterable(self._rows(entry.data, entry.format) for entry in left)
        await self._installing.write_beside(rows)
        return found

    async def let_go(self, partition: int) -> None:
        """A copy that was set aside, once nothing of it is needed: it learns anew, if it should be one."""
        self._installing.begin(partition)
        await self._installing.clear(partition)
        self._wake()

"""Compare-and-swaps of rows of the map: many in one transaction, one by one where that is refused.

The answer to a swap is what the map says afterwards, put into it like anything else of a later revision. One
that failed because etcd could not be asked has no answer; who asked asks again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace

from mailnode.cluster import etcd_rows as rows
from mailnode.cluster.etcd import Etcd, EtcdError, Put, Unchanged
from mailnode.cluster.etcd_rows import Keys
from mailnode.cluster.map import Map
from mailnode.cluster.replica_messages import Swap

log = logging.getLogger(__name__)

SWAPS_MAX = 100  # of a transaction: etcd takes 128 operations, and conditions on leases come beside them
LEASES_MAX = 28
AT_ONCE_MAX = 8  # transactions, while those of one group go one by one


class Swaps:
    """Lives on the loop. Of a partition only the last that was asked for waits."""

    def __init__(self, etcd: Etcd, keys: Keys, known: Map) -> None:
        self._etcd = etcd
        self._keys = keys
        self._map = known
        self.failed = 0
        """Swaps that found another row, or a lease, or had no answer."""
        self._waiting: dict[int, Swap] = {}
        self._asked = asyncio.Event()

    def ask(self, swaps: Iterable[Swap]) -> None:
        """Returns at once; never waits, never fails."""
        for swap in swaps:
            self._waiting.pop(swap.partition, None)
            self._waiting[swap.partition] = swap
        self._asked.set()

    async def run(self) -> None:
        """For ever."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            while self._waiting:
                try:
                    await self.swap(self._taken())
                except EtcdError as error:
                    log.debug("swaps without an answer", extra={"reason": error})

    def _taken(self) -> list[Swap]:
        """The next group, with no more leases than a transaction takes."""
        taken: list[Swap] = []
        leases = set()
        for swap in list(self._waiting.values()):
            leases |= {swap.unless_leased} - {None}
            if len(taken) == SWAPS_MAX or len(leases) > LEASES_MAX:
                break
            taken.append(self._waiting.pop(swap.partition))
        return taken

    async def swap(self, swaps: Sequence[Swap]) -> int:
        """Each partition once. How many are done; what the map says is in memory then. Raises EtcdError."""
        if await self._together(swaps):
            return len(swaps)
        # What changed meanwhile has its answer; of the others each is asked alone.
        left = [swap for swap in swaps if self._revision(swap) <= swap.row.revision]
        self.failed += (len(swaps) - len(left)) * (len(swaps) > 1)
        if len(swaps) == 1 or not left:
            return 0
        turns = asyncio.Semaphore(AT_ONCE_MAX)

        async def alone(swap: Swap) -> bool:
            async with turns:
                return await self._together((swap,))

        done = await asyncio.gather(*map(alone, left), return_exceptions=True)
        failed = [each for each in done if isinstance(each, BaseException)]
        if failed:
            raise failed[0]
        return sum(each is True for each in done)

    def _revision(self, swap: Swap) -> int:
        return self._map.revision(swap.partition)

    async def _together(self, swaps: Sequence[Swap]) -> bool:
        keys = [self._keys.row(swap.partition) for swap in swaps]
        conditions = [Unchanged(key, swap.row.revision) for key, swap in zip(keys, swaps, strict=True)]
        leases = {swap.unless_leased for swap in swaps if swap.unless_leased is not None}
        conditions += [Unchanged(self._keys.lease(member), 0) for member in sorted(leases)]
        puts = [Put(key, rows.row_octets(swap.row)) for key, swap in zip(keys, swaps, strict=True)]
        try:
            answer = await self._etcd.transact(conditions, puts, keys)
        except EtcdError:
            self.failed += len(swaps)
            raise
        if answer.is_done:
            for swap in swaps:
                self._map.put(swap.partition, replace(swap.row, revision=answer.revision))
            return True
        for pair in answer.pairs:
            _, partition = self._keys.parted(pair.key)
            try:
                self._map.put(int(partition, 16), rows.row_of(pair.value, pair.revision))
            except ValueError as error:  # the others of the map go on
                log.error("what etcd holds is passed over", extra={"key": ascii(pair.key), "reason": error})
        self.failed += len(swaps) == 1
        return False

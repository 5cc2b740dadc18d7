"""Compare-and-swaps of rows of the map: many in one transaction, and again without those that were refused.

The answer to a swap is what the map says afterwards, put into it like anything else of a later revision. One
that failed because etcd could not be asked has no answer; who asked asks again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace

from mailnode.cluster import etcd_rows as rows
from mailnode.cluster.etcd import Etcd, EtcdError, Pair, Put, Unchanged
from mailnode.cluster.etcd_rows import Keys
from mailnode.cluster.map import Map
from mailnode.cluster.replica_messages import Swap

log = logging.getLogger(__name__)

SWAPS_MAX = 100  # of a transaction: etcd takes 128 operations, and conditions on leases come beside them
LEASES_MAX = 28


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
            if self._map.revision(swap.partition) > swap.row.revision:  # it was asked again, and is answered
                del self._waiting[swap.partition]
                continue
            leases |= {swap.unless_leased} - {None}
            if len(taken) == SWAPS_MAX or len(leases) > LEASES_MAX:
                break
            taken.append(self._waiting.pop(swap.partition))
        return taken

    async def swap(self, swaps: Sequence[Swap]) -> int:
        """Each partition once. How many are done; what the map says is in memory then. Raises EtcdError."""
        left = list(swaps)
        while left:
            refused = await self._refused(left)
            if not refused:
                return len(left)
            self.failed += len(refused)
            left = [swap for swap in left if swap.partition not in refused]
        return 0

    async def _refused(self, swaps: Sequence[Swap]) -> set[int]:
        """Those partitions of which the row is another, or a lease stands; empty: all is done."""
        keys = [self._keys.row(swap.partition) for swap in swaps]
        leases = {swap.unless_leased for swap in swaps if swap.unless_leased is not None}
        lease_keys = {self._keys.lease(member): member for member in sorted(leases)}
        conditions = [Unchanged(key, swap.row.revision) for key, swap in zip(keys, swaps, strict=True)]
        conditions += [Unchanged(key, 0) for key in lease_keys]
        puts = [Put(key, rows.row_octets(swap.row)) for key, swap in zip(keys, swaps, strict=True)]
        try:
            answer = await self._etcd.transact(conditions, puts, [*keys, *lease_keys])
        except EtcdError:
            self.failed += len(swaps)
            raise
        if answer.is_done:
            for swap in swaps:
                self._map.put(swap.partition, replace(swap.row, revision=answer.revision))
            return set()
        found = {pair.key: pair for pair in answer.pairs}
        held = {member for key, member in lease_keys.items() if key in found}
        return {
            swap.partition
            for key, swap in zip(keys, swaps, strict=True)
            if self._is_another(swap, found.get(key)) or swap.unless_leased in held
        }

    def _is_another(self, swap: Swap, found: Pair | None) -> bool:
        """Whether its row is not as it was; then that is known from now on."""
        if found is None or found.revision == swap.row.revision:
            return (found is None) != (swap.row.revision == 0)
        try:
            self._map.put(swap.partition, rows.row_of(found.value, found.revision))
        except ValueError as error:  # the others of the map go on
            log.error("what etcd holds is passed over", extra={"key": ascii(found.key), "reason": error})
        return True

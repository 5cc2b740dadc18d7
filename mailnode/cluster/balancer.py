"""Who says where copies should be: one node at a time, elected by a key in etcd that goes with its lease.

It writes the first row of each partition, by the ring, once as many hosts have joined as a home has copies;
nothing has to move then. Later it writes `replicas` and `min_insync` of rows, never who leads or is in sync:
that is the primary's. All it writes are swaps, so two that think to be elected do no harm, and what is done
already is not done again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from mailnode.cluster.etcd import EtcdError, Put, Unchanged
from mailnode.cluster.etcd_lease import Lease
from mailnode.cluster.etcd_map import AGAIN_SECONDS, EtcdMap
from mailnode.cluster.etcd_rows import Home
from mailnode.cluster.etcd_swaps import SWAPS_MAX, Swaps
from mailnode.cluster.layer import Node
from mailnode.cluster.replica_messages import Member, Row, Swap
from mailnode.cluster.ring import SLOTS, Placement, placements

log = logging.getLogger(__name__)


class Balancer:
    def __init__(self, source: EtcdMap, swaps: Swaps) -> None:
        self._source = source
        self._swaps = swaps

    async def run(self, lease: Lease) -> None:
        """For ever."""
        changes = -1
        while True:
            try:
                if await self._is_elected(lease):
                    await self._balance()
            except EtcdError as error:
                log.debug("balancing waits", extra={"reason": error})
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            changes = await self._source.changed(changes)

    async def _is_elected(self, lease: Lease) -> bool:
        source, me = self._source, self._source.map.me.node
        if source.balancer or not lease.number:
            return source.balancer == me
        key = source.keys.balancer()
        answer = await source.etcd.transact([Unchanged(key, 0)], [Put(key, me.encode(), lease.number)])
        return answer.is_done

    async def _balance(self) -> None:
        for number, home in sorted(self._source.homes.items()):
            swaps = await self._first(number, home) if self._lacks(number) else []
            for begin in range(0, len(swaps), SWAPS_MAX):
                await self._swaps.swap(swaps[begin : begin + SWAPS_MAX])
            if swaps:
                log.info("rows of the map are written", extra={"home": number, "rows": len(swaps)})

    def _lacks(self, number: int) -> bool:
        """Some partition of the home has no row."""
        first = number * SLOTS
        return not all(self._source.map.revision(first + slot) for slot in range(SLOTS))

    async def _first(self, number: int, home: Home) -> list[Swap]:
        """The rows that are not there, by the ring; none while too few hosts have joined."""
        nodes = [node for node in self._source.nodes.values() if not node.is_leaving]
        peers = [node.peer for node in nodes]
        if len({peer.host for peer in peers if peer.dc == home.dc}) < home.copies:
            return []
        members = {node.peer.name: node.member for node in nodes}
        ring = [Node(peer.name, peer.host, peer.rack, peer.dc, peer.weight) for peer in peers]
        placed = await asyncio.to_thread(placements, ring, home.dc, home.copies)
        first, known = number * SLOTS, self._source.map
        return [
            Swap(first + slot, _first_row(placement, members, home))
            for slot, placement in enumerate(placed)
            if not known.revision(first + slot)
        ]


def _first_row(placement: Placement, members: Mapping[str, Member], home: Home) -> Row:
    primary = members[placement.home[0]]
    return Row(0, 0, primary, 0, (primary,), (*placement.home, *placement.far), home.min_insync)

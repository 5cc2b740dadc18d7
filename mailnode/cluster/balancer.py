"""Who says where copies should be: one node at a time, elected by a key in etcd that goes with its lease.

It writes the first row of each partition, by the ring, once as many hosts have joined as a home has copies;
nothing has to move then. Later it writes `replicas` and `min_insync` of rows, never who leads or is in sync:
that is the primary's. All it writes are swaps, so two that think to be elected do no harm, and what is done
already is not done again.

What it aims at is kept until nodes or homes are others, somebody else changed `replicas`, or it is reached.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from mailnode.cluster.aimed import Aimed, aimed
from mailnode.cluster.balance import Replicas, Standing, Standings, aims, plan
from mailnode.cluster.etcd import EtcdError, Put, Unchanged
from mailnode.cluster.etcd_lease import Lease
from mailnode.cluster.etcd_map import AGAIN_SECONDS, EtcdMap
from mailnode.cluster.etcd_rows import Home, Registered, cluster_octets
from mailnode.cluster.etcd_swaps import SWAPS_MAX, Swaps
from mailnode.cluster.far_aims import far_asked, far_nodes
from mailnode.cluster.layer import Node
from mailnode.cluster.moving import Moving
from mailnode.cluster.others import Alike
from mailnode.cluster.replica_messages import Member, Row, Swap
from mailnode.cluster.ring import SLOTS
from mailnode.limits import Limits

log = logging.getLogger(__name__)

ROUND_SECONDS = 0.5  # between two plans: a move takes about as long, and a plan some ms of the loop
SLOW_SECONDS = 120.0  # without a change of its row: others wait no more for a partition that moves
LOOK_SECONDS = 5.0  # at what changes by time alone: a node is lost


class Balancer:
    """Lives on the loop."""

    def __init__(self, source: EtcdMap, swaps: Swaps, limits: Limits) -> None:
        self._source = source
        self._swaps = swaps
        self._limits = limits
        self.moving = Moving()
        """As far as this node is the one that is elected."""
        self._away: dict[Member, float] = {}
        """Since when a shard of the registry has no lease."""
        self._aimed = Aimed()
        self._under_way: dict[int, tuple[int, float]] = {}
        self._alike = Alike(source)
        self._far_placed: object = None
        """What there was when far copies were where they should be."""

    async def run(self, lease: Lease) -> None:
        """For ever."""
        changes = -1
        while True:
            try:
                if await self._is_elected(lease):
                    await self._balance()
                    await asyncio.sleep(0 if self._is_unmapped() else ROUND_SECONDS)
                else:
                    self.moving = Moving()
            except EtcdError as error:
                log.debug("balancing waits", extra={"reason": error})
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    changes = await self._source.changed(changes)

    async def _is_elected(self, lease: Lease) -> bool:
        source, me = self._source, self._source.map.me.node
        if source.balancer or not lease.number:
            return source.balancer == me
        key = source.keys.balancer()
        answer = await source.etcd.transact([Unchanged(key, 0)], [Put(key, me.encode(), lease.number)])
        return answer.is_done

    def _is_unmapped(self) -> bool:
        return any(self._lacks(number, home) for number, home in self._source.own_homes().items())

    def _lacks(self, number: int, home: Home) -> bool:
        """Some partition has no row, and never had one: what others led before is for an operator to say."""
        if home.generation > 1:
            return False
        first = number * SLOTS
        return not all(self._source.map.revision(first + slot) for slot in range(SLOTS))

    async def _balance(self) -> None:
        standings = self._standings()
        for number, home in sorted(self._source.own_homes().items()):
            if self._lacks(number, home):
                await self._begin(number, home, standings)
        await self._move(standings)
        await self._place_far()
        await self._alike.agree()
        await self._raise_format()

    # -- the nodes

    async def _raise_format(self) -> None:
        """To what every node reads that stands in a registry, whether it runs or not.

        One that registers at this moment writes the cluster's row, too, so this is not done then.
        """
        source = self._source
        sources = (source, *source.others.values())
        formats = [node.format for each in sources for node in each.nodes.values()]
        cluster = source.cluster
        if cluster is None or not formats or min(formats) <= cluster.format:
            return
        key, raised = source.keys.cluster(), replace(cluster, format=min(formats))
        answer = await source.etcd.transact(
            [Unchanged(key, source.cluster_revision)], [Put(key, cluster_octets(raised))]
        )
        if answer.is_done:
            log.info("every node reads it: the cluster's format is raised", extra={"format": raised.format})

    def _standings(self) -> dict[str, Standing]:
        now, leases = asyncio.get_running_loop().time(), self._source.leases
        members = {node.member for node in self._source.nodes.values()}
        self._away = {member: self._away.get(member, now) for member in members if member not in leases}
        return {name: self._standing(node, now) for name, node in self._source.nodes.items()}

    def _standing(self, node: Registered, now: float) -> Standing:
        peer, member = node.peer, node.member
        since = self._away.get(member)
        is_lost = since is not None and now >= since + self._limits.node_lost_seconds
        return Standing(
            Node(peer.name, peer.host, peer.rack, peer.dc, peer.weight),
            member,
            stays=not node.is_leaving and not is_lost and peer.weight > 0,
            is_alive=since is None,
        )

    # -- the first map

    async def _begin(self, number: int, home: Home, standings: Standings) -> None:
        """The rows that are not there, by the ring; none while too few hosts have joined."""
        alive = {name: each for name, each in standings.items() if each.stays and each.is_alive}
        hosts = {each.node.host for each in alive.values() if each.node.dc == home.dc}
        if len(hosts) < home.copies:
            return
        aimed = await asyncio.to_thread(aims, alive, home, self._slots(number))
        first = number * SLOTS
        swaps = [
            Swap(first + slot, _first_row(aim, alive, home))
            for slot, aim in enumerate(aimed)
            if not self._source.map.revision(first + slot)
        ]
        await self._swap(swaps)
        log.info("rows of the map are written", extra={"home": number, "rows": len(swaps)})

    def _slots(self, number: int) -> dict[int, Row]:
        """The rows of a home that are there."""
        known, first = self._source.map, number * SLOTS
        return {slot: known.row(first + slot) for slot in range(SLOTS) if known.revision(first + slot)}

    async def _swap(self, swaps: Sequence[Swap]) -> int:
        done = 0
        for begin in range(0, len(swaps), SWAPS_MAX):
            done += await self._swaps.swap(swaps[begin : begin + SWAPS_MAX])
        return done

    # -- other data centres

    async def _place_far(self) -> None:
        """A copy of each partition in each of them; `sync_dcs` as the home says."""
        homes, nodes = self._source.own_homes(), far_nodes(self._source.others.values())
        rows = {number: self._slots(number) for number in homes}
        far = {number: [(row.far, row.sync_dcs) for row in each.values()] for number, each in rows.items()}
        if (homes, nodes, far) == self._far_placed:
            return
        asked = list[Swap]()
        for number, home in homes.items():
            found = await asyncio.to_thread(far_asked, rows[number], home, nodes)
            asked += [Swap(number * SLOTS + slot, row) for slot, row in found]
        await self._swap(asked)
        if not asked:
            self._far_placed = homes, nodes, far

    # -- moves

    async def _move(self, standings: Standings) -> None:
        homes = self._source.own_homes()
        rows = {at: row for at, row in self._source.map.rows() if at // SLOTS in homes and row.revision}
        is_reached = self.moving.left == 0 and self._aimed.asks()
        if is_reached or not self._aimed.holds(homes, standings, rows):
            self._aimed = await asyncio.to_thread(aimed, homes, standings, rows)
        now = asyncio.get_running_loop().time()
        slow = {at for at, (_, since) in self._under_way.items() if now >= since + SLOW_SECONDS}
        moves_max = self._limits.moves_per_node_max
        found = plan(standings, homes, rows.items(), self._aimed.aims, moves_max, slow)
        self._under_way = {at: self._since(at, rows[at], now) for at in found.under_way}
        if bool(found.left) != bool(self.moving.left):
            log.info("copies move" if found.left else "all copies are where they should be")
        self.moving.see(found.left, len(found.under_way), now)
        await self._swap(found.swaps)

    def _since(self, partition: int, row: Row, now: float) -> tuple[int, float]:
        """The row that is waited for to change, and since when."""
        known = self._under_way.get(partition)
        return known if known is not None and known[0] == row.revision else (row.revision, now)


def _first_row(aim: Replicas, standings: Standings, home: Home) -> Row:
    primary = standings[aim[0]].member
    return Row(0, 0, primary, 0, (primary,), aim, home.min_insync)

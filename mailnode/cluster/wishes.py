"""What an operator may want of a cluster, written where the balancer and the primaries read it: in etcd.

All of it is a swap: what another one changed meanwhile is looked at again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from mailnode.cluster import etcd_rows as rows
from mailnode.cluster.etcd import Drop, Put, Unchanged
from mailnode.cluster.etcd_map import EtcdMap
from mailnode.cluster.etcd_rows import Home, Registered
from mailnode.cluster.etcd_swaps import Swaps
from mailnode.cluster.map import NotMapped
from mailnode.cluster.replica_messages import Row, Swap
from mailnode.cluster.ring import SLOTS

TRIES_MAX = 5
"""Another change may always come between."""


class Refused(Exception):
    """The text says why, for whoever wanted it."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """Each raises Refused and EtcdError."""

    source: EtcdMap
    swaps: Swaps

    async def leave(self, name: str, is_leaving: bool) -> bool:
        """A node is to be emptied, or to have its share again; whether other hosts can take its copies."""
        for _ in range(TRIES_MAX):
            node = self._node(name)
            if is_leaving:
                self._check_others(node)
            if await self._put(replace(node, is_leaving=is_leaving)):
                return self._has_room(node)
        raise Refused(f"{name} changes all the time: try again")

    async def remove(self, name: str) -> int:
        """A node is gone for good; how many partitions it had a copy of."""
        node = self._node(name)
        if node.member in self.source.leases:
            raise Refused(f"{name} runs: `mailnode cluster drain {name}` empties it, then stop it")
        known = [row for _, row in self.source.map.rows()]
        alone = sum(all(member.node == name for member in row.in_sync) for row in known)
        if alone:
            raise Refused(f"{name} has the only copy in sync of {alone:,} partitions: start it once more")
        had = sum(name in row.replicas for row in known)
        keys = self.source.keys
        dropped = [Drop(keys.node(name)), Drop(keys.name(name))]  # another machine may have the name
        if not (await self.source.etcd.transact([Unchanged(keys.lease(node.member), 0)], dropped)).is_done:
            raise Refused(f"{name} runs again")
        return had

    async def move(self, partition: int, name: str) -> Row:
        """A node is to lead a partition, and to have a copy first if it has none; the row as it is then."""
        for _ in range(TRIES_MAX):
            row = self._row(partition)
            wanted = self._moved(partition, row, self._node(name))
            if wanted == row or await self.swaps.swap([Swap(partition, wanted)]):
                return self._row(partition)
        raise Refused(f"partition {partition} changes all the time: try again")

    # -- what is known

    def _node(self, name: str) -> Registered:
        node = self.source.nodes.get(name)
        if node is None and name in (nodes := self.source.all_nodes()):
            raise Refused(f"{name} is in {nodes[name].peer.dc!a}: ask a node there")
        if node is None:
            names = ", ".join(sorted(self.source.nodes))
            raise Refused(f"{name!a} is no node of this cluster: {names}")
        return node

    def _row(self, partition: int) -> Row:
        try:
            return self.source.map.row(partition)
        except NotMapped as error:
            raise Refused(str(error)) from None

    def _homes(self, dc: str) -> list[Home]:
        return [home for home in self.source.own_homes().values() if home.dc == dc]

    def _hosts_without(self, node: Registered) -> int:
        others = [
            each.peer
            for each in self.source.nodes.values()
            if each.peer.dc == node.peer.dc and each.peer.name != node.peer.name and not each.is_leaving
        ]
        return len({peer.host for peer in others})

    def _check_others(self, node: Registered) -> None:
        if self._homes(node.peer.dc) and not self._hosts_without(node):
            raise Refused(f"no other node is left for what {node.peer.name} leads")

    def _has_room(self, node: Registered) -> bool:
        copies = max((home.copies for home in self._homes(node.peer.dc)), default=0)
        return self._hosts_without(node) >= copies

    async def _put(self, node: Registered) -> bool:
        """Unless it said something else of itself meanwhile."""
        source, name = self.source, node.peer.name
        key = source.keys.node(name)
        found = await source.etcd.get(key)
        if found is None or replace(rows.node_of(name, found.value), is_leaving=node.is_leaving) != node:
            await source.read()
            return False
        put = Put(key, rows.node_octets(node))
        return (await source.etcd.transact([Unchanged(key, found.revision)], [put])).is_done

    # -- a move

    def _moved(self, partition: int, row: Row, node: Registered) -> Row:
        name, home = node.peer.name, self.source.own_homes().get(partition // SLOTS)
        if node.member not in self.source.leases:
            raise Refused(f"{name} does not run")
        if node.is_leaving:
            raise Refused(f"{name} is being emptied")
        if home is None:
            raise Refused(f"partition {partition} is led in another data centre: ask a node there")
        if node.peer.dc != home.dc:
            raise Refused(f"{name} is in {node.peer.dc!a}, and the partition is led in {home.dc!a}")
        if row.primary not in self.source.leases:
            raise Refused(f"partition {partition} has no primary that could move it")
        others = [each for each in row.replicas if each != name]
        if name not in row.replicas:
            others.remove(self._replaced(row, node))
        return replace(row, replicas=(name, *others))

    def _replaced(self, row: Row, node: Registered) -> str:
        """The copy that goes for a new one: that of the same host, else the primary's."""
        nodes = self.source.nodes
        for name in row.replicas:
            if name in nodes and nodes[name].peer.host == node.peer.host:
                return name
        return row.primary.node if row.primary.node in row.replicas else row.replicas[0]

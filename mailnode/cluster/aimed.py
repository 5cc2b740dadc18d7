"""Where all copies should be, kept while they move there: nothing changes its mind on the way. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mailnode.cluster.balance import Replicas, Standings, aims, is_same
from mailnode.cluster.etcd_rows import Home
from mailnode.cluster.layer import Node
from mailnode.cluster.replica_messages import Row
from mailnode.cluster.ring import SLOTS


@dataclass(frozen=True, slots=True)
class Aimed:
    aims: Mapping[int, Replicas] = field(default_factory=dict)
    """By partition."""
    before: Mapping[int, Replicas] = field(default_factory=dict)
    """`replicas` as they were then, of all partitions."""
    homes: Mapping[int, Home] = field(default_factory=dict)
    nodes: Mapping[str, tuple[Node, bool]] = field(default_factory=dict)
    """Each, and whether it stays."""

    def asks(self) -> bool:
        """For something that was otherwise. Once that is reached, another look may ask for more."""
        return any(not is_same(self.before[at], aim) for at, aim in self.aims.items())

    def holds(self, homes: Mapping[int, Home], standings: Standings, rows: Mapping[int, Row]) -> bool:
        """Nodes and homes are the same, and each row is as it was then, or as it should be."""
        if homes != self.homes or _nodes(standings) != self.nodes or rows.keys() != self.before.keys():
            return False
        for at, row in rows.items():
            before = self.before[at]
            aim = self.aims.get(at, before)
            if row.replicas not in (before, aim) and not is_same(row.replicas, aim):
                return False
        return True


def aimed(
    homes: Mapping[int, Home], standings: Standings, rows: Mapping[int, Row], slots: int = SLOTS
) -> Aimed:
    """`slots` of each home have rows."""
    found: dict[int, Replicas] = {}
    for number, home in homes.items():
        first = number * SLOTS
        of_home = {slot: rows[first + slot] for slot in range(slots) if first + slot in rows}
        placed = aims(standings, home, of_home, slots)
        found.update((first + slot, placed[slot]) for slot in of_home if placed)
    before = {at: row.replicas for at, row in rows.items()}
    return Aimed(found, before, dict(homes), _nodes(standings))


def _nodes(standings: Standings) -> dict[str, tuple[Node, bool]]:
    return {name: (each.node, each.stays) for name, each in standings.items()}

"""Where far copies should be: one of each partition in every other data centre, by the ring there. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Protocol

from mailnode.cluster.etcd_rows import Home, Registered
from mailnode.cluster.layer import Node
from mailnode.cluster.replica_messages import Far, Row
from mailnode.cluster.ring import SLOTS, placed

Nodes = Mapping[str, tuple[Node, ...]]
"""By data centre, those that may have copies."""


class Source(Protocol):
    nodes: dict[str, Registered]


def far_nodes(others: Iterable[Source]) -> Nodes:
    """As the registries of the others have them. Who is away may be cut off, so it stays until it is told
    to leave."""
    found: dict[str, tuple[Node, ...]] = {}
    for source in others:
        for node in source.nodes.values():
            peer = node.peer
            if not node.is_leaving and peer.weight > 0:
                here = Node(peer.name, peer.host, peer.rack, peer.dc, peer.weight)
                found[peer.dc] = (*found.get(peer.dc, ()), here)
    return found


def far_asked(rows: Mapping[int, Row], home: Home, nodes: Nodes) -> list[tuple[int, Row]]:
    """The slots whose rows should say otherwise, with what they should say.

    One that is not the wanted one yet stays named behind it: its primary lets it go once the other has all.
    """
    aims: dict[str, list[str]] = {}
    for dc in sorted(nodes.keys() - {home.dc}):
        held = {slot: tuple(far.node for far in row.far if far.dc == dc) for slot, row in rows.items()}
        there = sorted(nodes[dc], key=lambda node: node.name)
        aims[dc] = [names[0] for names in placed(there, 1, held, SLOTS)]
    asked = []
    for slot, row in rows.items():
        wanted = [Far(aim[slot], dc) for dc, aim in aims.items()]
        others = [far for far in row.far if far.dc in aims and far not in wanted]
        far = tuple(sorted((*wanted, *others), key=lambda each: each.dc))
        sync_dcs = tuple(dc for dc in home.sync_dcs if dc != home.dc)
        if (far, sync_dcs) != (row.far, row.sync_dcs):
            asked.append((slot, replace(row, far=far, sync_dcs=sync_dcs)))
    return asked

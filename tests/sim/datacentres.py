"""Two more data centres, with far copies of what the first one has."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

from mailnode.cluster.replica_messages import Far, Row
from tests.sim.node import Node

if TYPE_CHECKING:
    from tests.sim.world import World

OTHERS = ("dc2", "dc3")
CUT_SECONDS_MAX = 15.0
NODES = {"dc2": ("p0", "p1"), "dc3": ("q0",)}


def add(nodes: dict[str, Node], rows: dict[int, Row], chance: random.Random) -> None:
    for dc in OTHERS:
        for name in NODES[dc]:
            nodes[name] = Node(name, chance.uniform(0, 1000), chance.uniform(0.9, 1.1), dc)
    for at, row in rows.items():
        dcs = chance.choice([("dc2",), OTHERS])
        far = tuple(Far(chance.choice(NODES[dc]), dc) for dc in dcs)
        sync_dcs = chance.choice([(), (), ("dc2",), dcs])
        rows[at] = replace(row, far=far, sync_dcs=sync_dcs)


def note(durable: dict[tuple[int, str], int], node: Node) -> None:
    """What the disks of a data centre have, which is a prefix of what is committed."""
    if not node.dc:
        return
    for partition, kept in node.disk.kept.items():
        at = partition, node.dc
        durable[at] = max(durable.get(at, 0), kept.trimmed + len(kept.entries))


def cut(world: World, *dcs: str) -> None:
    """Each of them from all nodes of others, and from the map, which is the first one's."""
    for node in world.nodes.values():
        for dc in dcs:
            for name in NODES[dc] if dc != node.dc else ():
                world.cut |= {(node.name, name), (name, node.name), (name, "etcd")}


def join(world: World) -> None:
    others = {name for names in NODES.values() for name in names}
    world.cut = {pair for pair in world.cut if not others & set(pair)}


def move(world: World, partition: int) -> None:
    """Another node of a data centre should have the copy: from then on the first one that is named."""
    row = world.etcd.rows[partition]
    first = [Far(world.chance.choice(NODES[dc]), dc) for dc in sorted({each.dc for each in row.far})]
    far = tuple(dict.fromkeys((*first, *row.far)))
    world.etcd.rows[partition] = replace(row, far=far, revision=row.revision + 1)
    world.tell(partition)

"""What goes wrong, and when: drawn from the world's seed."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial

from mailnode.cluster.replicas import Unavailable
from tests.sim import datacentres
from tests.sim.node import Node
from tests.sim.world import World


def begin(world: World) -> None:
    world.on_swapped = partial(_at_swap, world)
    world.at(world.chance.uniform(2, 8), partial(_next, world))


def _next(world: World) -> None:
    if not world.is_faulty:
        return
    is_change = world.chance.random() < world.changing
    fault = world.chance.choice((CHANGES if is_change else FAULTS) + (FAR if world.has_far else ()))
    name = world.chance.choice(sorted(world.nodes))
    if world.chance.random() < 0.5:
        name = world.chance.choice([row.primary.node for row in world.etcd.rows.values()])
    node = world.nodes[name]
    fault(world, node)
    world.at(world.chance.choice([0.05, 0.5, 2, 6]) * world.chance.uniform(0.5, 1.5), partial(_next, world))


def _at_swap(world: World, node: Node) -> None:
    """Who asked does not hear of it, or hears nothing more at all; most of all, who leads nothing now."""
    gave = all(row.primary != node.me for row in world.etcd.rows.values())
    if world.chance.random() < (0.5 if gave else 0.1):
        _cut_from_map(world, node)
    elif world.chance.random() < 0.1:
        world.at(world.chance.uniform(0, 0.2), partial(_crash, world, node))


def _cut_from_map(world: World, node: Node) -> None:
    world.cut.add((node.name, "etcd"))
    world.at(world.chance.choice([0.5, 3, 10]), partial(_join, world, node))


def _crash(world: World, node: Node) -> None:
    """Up again within the lease, or long after; unsynced writes lost, or not."""
    if node.core is None:
        return
    world.crash(node)
    world.at(world.chance.choice([0.1, 1, 8, 20]), partial(_restart, world, node))


def _restart(world: World, node: Node) -> None:
    if node.core is None:
        world.start(node)


def _replace_disk(world: World, node: Node) -> None:
    """Only while somebody else in sync has what is committed."""
    if node.core is None:
        return
    for row in world.etcd.rows.values():
        others = [m for m in row.in_sync if m.node != node.name and world.nodes[m.node].me == m]
        if node.me in row.in_sync and not others:
            return
    world.crash(node, loses_disk=True)
    world.at(world.chance.choice([0.1, 5]), partial(_restart, world, node))


def _revoke(world: World, node: Node) -> None:
    """The map forgets a lease that should stand."""
    world.etcd.leases.pop(node.me, None)


def _cut(world: World, node: Node) -> None:
    """From some of the others and the map, in one direction or in both."""
    others = [name for name in [*sorted(world.nodes), "etcd"] if name != node.name]
    one_way = world.chance.random() < 0.4
    for other in world.chance.sample(others, world.chance.randint(1, len(others))):
        world.cut.add((node.name, other))
        if not one_way:
            world.cut.add((other, node.name))
        elif other != "etcd" and world.chance.random() < 0.5:
            world.cut.discard((node.name, other))
            world.cut.add((other, node.name))
    world.at(world.chance.choice([0.5, 3, 6, 12]), partial(_join, world, node))


def _join(world: World, node: Node) -> None:
    """With the others, and with the map then or later."""
    has_map = (node.name, "etcd") not in world.cut
    world.cut = {pair for pair in world.cut if node.name not in pair}
    if not has_map and world.chance.random() < 0.5:
        _cut_from_map(world, node)


def _disturb(world: World, node: Node) -> None:
    """Loss, duplication, delay and with it reordering, for some seconds."""
    world.loss = world.chance.choice([0, 0.05, 0.3])
    world.twice = world.chance.choice([0, 0.2])
    world.late = world.chance.choice([0, 0.05, 0.3])
    world.at(world.chance.uniform(1, 10), partial(_calm, world))


def _calm(world: World) -> None:
    world.loss = world.twice = world.late = 0.0


def _slow_disk(world: World, node: Node) -> None:
    node.slow_until = world.now + world.chance.choice([0.2, 1, 4, 12])


def _hang(world: World, node: Node) -> None:
    """It is stopped, or the machine has too much to do; then it reads what was said to it meanwhile."""
    node.hung_until = world.now + world.chance.choice([1.5, 3, 6, 12])


def _quiet(world: World, node: Node) -> None:
    """With nothing under way only heartbeats tell a primary that it is none any more."""
    node.quiet_until = world.now + world.chance.choice([2, 20])


def _give(world: World, node: Node) -> None:
    """All that it leads is to be led elsewhere; then one of both dies, or the map is not heard."""
    if node.core is None or world.now < node.hung_until:
        return
    for at, row in world.etcd.rows.items():
        if row.primary == node.me:
            to = world.chance.choice(row.replicas)
            with suppress(Unavailable):
                node.core.give(at, to)
                _at_swap(world, world.chance.choice([node, world.nodes[to]]))
    world.work(node)


def _move(world: World, node: Node) -> None:
    """Other nodes should have the copies, or lead them."""
    at = world.chance.choice(list(world.etcd.rows))
    row = world.etcd.rows[at]
    names = list(world.near)
    if world.chance.random() < 0.5:
        names = list(row.replicas)
    if row.primary.node in names and len(names) > len(row.replicas) and world.chance.random() < 0.5:
        names.remove(row.primary.node)
    replicas = tuple(world.chance.sample(names, len(row.replicas)))
    world.etcd.rows[at] = replace(row, replicas=replicas, revision=row.revision + 1)
    world.tell(at)


def _cut_dc(world: World, node: Node) -> None:
    """One data centre from the others, for a while."""
    datacentres.cut(world, world.chance.choice(datacentres.OTHERS))
    world.at(world.chance.choice([1, 6, datacentres.CUT_SECONDS_MAX]), partial(datacentres.join, world))


def _move_far(world: World, node: Node) -> None:
    datacentres.move(world, world.chance.choice(list(world.etcd.rows)))


FAULTS = (
    *(_crash, _crash, _replace_disk, _revoke, _cut, _cut, _cut_from_map),
    *(_quiet, _disturb, _slow_disk, _hang),
)
CHANGES = (_give, _give, _move, _move)
FAR = (_cut_dc, _cut_dc, _move_far)

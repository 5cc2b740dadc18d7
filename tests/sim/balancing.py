"""The planner in the world: nodes are added, emptied, lost and come back, while all else goes wrong.

Drawn from a chance of its own, so that the world's other histories stay as they are.
"""

from __future__ import annotations

import random
from functools import partial

from mailnode.cluster.aimed import Aimed, aimed
from mailnode.cluster.balance import Standing, plan
from mailnode.cluster.etcd_rows import Home
from mailnode.cluster.layer import Node
from mailnode.cluster.replica_messages import Swap
from tests.sim import faults
from tests.sim.checker import Broken
from tests.sim.world import World

LOST_SECONDS = 8.0
MOVES_MAX = 1


class Balancing:
    def __init__(self, world: World, seed: int) -> None:
        self.chance = chance = random.Random(f"balancing {seed}")
        self._world = world
        names = sorted(world.nodes)
        copies = chance.choice([2, 2, 3])
        self._homes = {0: Home("", 1, copies, chance.randint(1, copies - 1))}
        self._hosts = dict(zip(names, ["h0", "h0", *names[2:]] if len(names) > 3 else names, strict=True))
        self._leaving = set(names[len(names) - chance.randint(0, 2) :]) - {names[0]}
        self._away: dict[str, float] = {}
        self._aimed = Aimed()
        self._left = 0
        self.planned = 0
        """Swaps that the map took."""
        world.at(1, self._look)
        world.at(chance.uniform(3, 10), self._change)

    def _change(self) -> None:
        """A node is to be emptied, or is there again; or one is away for longer than it may be."""
        world = self._world
        if not world.is_faulty:
            return
        name = self.chance.choice(sorted(world.nodes))
        if self.chance.random() < 0.3 and world.nodes[name].core is not None:
            world.crash(world.nodes[name])
            world.at(
                LOST_SECONDS * self.chance.uniform(0.5, 3), partial(faults._restart, world, world.nodes[name])
            )
        elif len(self._leaving) < len(world.nodes) - 1:
            self._leaving ^= {name}
        else:
            self._leaving.discard(name)
        world.at(self.chance.uniform(2, 30), self._change)

    def standings(self) -> dict[str, Standing]:
        world = self._world
        alive = {name for name, node in world.nodes.items() if node.me in world.etcd.leases}
        self._away = {name: self._away.get(name, world.now) for name in world.nodes if name not in alive}
        lost = {name for name, since in self._away.items() if world.now > since + LOST_SECONDS}
        return {
            name: Standing(
                Node(name, self._hosts[name]), node.me, name not in self._leaving | lost, name in alive
            )
            for name, node in sorted(world.nodes.items())
        }

    def _look(self) -> None:
        """As cluster/balancer does."""
        standings, rows = self.standings(), self._world.etcd.rows
        is_reached = self._left == 0 and self._aimed.asks()
        if is_reached or not self._aimed.holds(self._homes, standings, rows):
            self._aimed = aimed(self._homes, standings, rows, len(rows))
        found = plan(standings, self._homes, rows.items(), self._aimed.aims, MOVES_MAX)
        self._left = found.left
        for swap in found.swaps:
            self._world.at(self.chance.choice([0.01, 0.05, 2.0]), partial(self._swap, swap))
        self._world.at(self.chance.uniform(0.2, 1.0), self._look)

    def _swap(self, swap: Swap) -> None:
        """Late, or twice by two that think to be elected: the revision tells."""
        if self._world.etcd.swap(swap):
            self.planned += 1
            self._world.tell(swap.partition)

    def check(self) -> None:
        """Nothing is left to do."""
        if self._left:
            raise Broken(f"{self._left} partitions are not where they should be: {self._world.etcd.rows}")


def simulate(seed: int, steps: int) -> tuple[World, Balancing]:
    """Raises Broken, with the seed and the step."""
    world = World(seed)
    faults.begin(world)
    balancing = Balancing(world, seed)
    try:
        while world.steps < steps:
            world.step()
        world.heal()
        balancing.check()
    except Exception as error:
        raise Broken(f"seed {seed}, step {world.steps}, {world.now:.2f} s: {error!r}") from error
    return world, balancing

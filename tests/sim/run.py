"""One seed from the beginning to the healed end."""

from __future__ import annotations

from tests.sim import faults
from tests.sim.checker import Broken
from tests.sim.world import World


def simulate(seed: int, steps: int) -> World:
    """Raises Broken, with the seed and the step, whatever the core raises.

    Of four worlds one has more data centres.
    """
    world = World(seed, has_far=seed % 4 == 0)
    faults.begin(world)
    try:
        while world.steps < steps:
            world.step()
        world.heal()
    except Exception as error:
        raise Broken(f"seed {seed}, step {world.steps}, {world.now:.2f} s: {error!r}") from error
    return world

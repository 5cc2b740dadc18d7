"""One seed from the beginning to the healed end."""

from __future__ import annotations

from tests.sim import faults
from tests.sim.checker import Broken
from tests.sim.world import World


def simulate(seed: int, steps: int) -> World:
    """Raises Broken, or whatever the core raises, with the seed and the step."""
    world = World(seed)
    faults.begin(world)
    try:
        while world.steps < steps:
            world.step()
        world.heal()
    except (Broken, AssertionError) as error:
        raise Broken(f"seed {seed}, step {world.steps}, {world.now:.2f} s: {error}") from error
    return world

"""Some seeds of the simulator; `make simulate SEEDS=...` runs more."""

from __future__ import annotations

import pytest

from tests.sim.run import simulate


@pytest.mark.parametrize("seed", range(20))
def test_nothing_acknowledged_is_lost_doubled_or_read_stale(seed: int) -> None:
    world = simulate(seed, steps=2000)
    assert world.checker.acknowledged
    assert world.checker.reads


def test_a_seed_is_one_history() -> None:
    first, second = simulate(7, steps=1000), simulate(7, steps=1000)
    assert first.checker.acknowledged == second.checker.acknowledged
    assert first.now == second.now

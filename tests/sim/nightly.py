"""Seeds that nobody ran, for hours; each that breaks is reduced to the fewest steps: a line of `found`."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import count
from time import monotonic

from tests.sim.checker import Broken
from tests.sim.run import simulate

BATCH_SEEDS = 200
FIRST_MAX = 1 << 32


def run(seconds: float, steps: int, jobs: int, outcome: Callable[..., tuple[int, int, int, str]]) -> int:
    """How many seeds broke. Told after each batch, so that one that is stopped has said what it did."""
    until = monotonic() + seconds
    first, broken, done, total = secrets.randbelow(FIRST_MAX), 0, 0, 0
    with ProcessPoolExecutor(jobs) as pool:
        for begin in count(first, BATCH_SEEDS):
            seeds = range(begin, begin + BATCH_SEEDS)
            outcomes = list(pool.map(partial(outcome, steps=steps), seeds, chunksize=4))
            failed = [(seed, why) for seed, (*_, why) in zip(seeds, outcomes, strict=True) if why]
            fewest_steps = pool.map(partial(reduced, steps=steps), [seed for seed, _ in failed])
            for (seed, why), fewest in zip(failed, fewest_steps, strict=True):
                print(f"{seed} {fewest}    {why}", flush=True)
            broken += len(failed)
            done, total = done + len(seeds), total + sum(each[0] for each in outcomes)
            print(f"seeds {first} to {seeds[-1]}: {done:,}, {total:,} steps, {broken} broke", flush=True)
            if monotonic() >= until:
                return broken
    raise AssertionError("the count ended")


def reduced(seed: int, steps: int) -> int:
    """The fewest steps with faults, to a tenth, after which the seed still breaks."""
    fewest = steps
    for tenth in range(9, 0, -1):
        fewer = steps * tenth // 10
        try:
            simulate(seed, fewer)
        except Broken:
            fewest = fewer
    return fewest

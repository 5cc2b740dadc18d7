"""`python -m tests.sim --seeds 1000 --steps 5000 --first 0`: status 1 when one broke."""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.sim import nightly, promotion
from tests.sim.checker import Broken
from tests.sim.run import simulate

Outcome = tuple[int, int, int, str]
"""(steps, acknowledged, reads, what broke)."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.sim")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--steps", type=int, default=3000, help="with faults, before it heals")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--hours", type=float, help="instead of a number of seeds: as long, of fresh seeds")
    options = parser.parse_args()
    if options.hours is not None:
        return 1 if nightly.run(options.hours * 3600, options.steps, options.jobs, outcome) else 0
    seeds = range(options.first, options.first + options.seeds)
    with ProcessPoolExecutor(options.jobs) as pool:
        outcomes = list(pool.map(partial(outcome, steps=options.steps), seeds, chunksize=4))
    for _, _, _, broken in outcomes:
        if broken:
            print(broken)
    steps, acknowledged, reads = (sum(outcome[column] for outcome in outcomes) for column in range(3))
    print(f"{len(outcomes):,} seeds, {steps:,} steps, {acknowledged:,} writes acknowledged, {reads:,} reads")
    return 1 if any(outcome[3] for outcome in outcomes) else 0


def outcome(seed: int, steps: int) -> Outcome:
    try:
        world = simulate(seed, steps)
        if seed % 8 == 0:
            promotion.simulate(seed, steps)
    except Broken as broken:
        return 0, 0, 0, str(broken)
    return world.steps, len(world.checker.acknowledged), world.checker.reads, ""


if __name__ == "__main__":
    raise SystemExit(main())

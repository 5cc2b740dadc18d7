"""Whatever happens, no change that was acknowledged is lost, none is done twice, nobody sees what is not so.

MAILNODE_SEEDS sets how many seeds are tried (default 40), MAILNODE_SEED the first of them.
"""

import logging
import os

import pytest

from tests.mailbox.simulation import Simulation

SEEDS = int(os.environ.get("MAILNODE_SEEDS", "40"))
FIRST = int(os.environ.get("MAILNODE_SEED", "0"))
PROCESSES = 4
STEPS = (200, 500, 500, 1500)
"""Of a process at most, by seed: few leave much to be asked again, many fill mailboxes and keyword bits."""


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_every_answer_and_every_sight_agrees_with_what_the_disk_keeps(
    seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL + 1)
    Simulation(seed).run(PROCESSES, STEPS[seed % len(STEPS)])

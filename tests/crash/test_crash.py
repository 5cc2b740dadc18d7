"""The short form of `python -m tests.crash --kills 50`."""

import os
import random
from functools import partial
from pathlib import Path

from tests.crash.expunging import examine, hurry, undeleters
from tests.crash.rounds import ACCOUNTS, Plan, report, run
from tests.wire.node import Node
from tests.wire.server import free_base_port

KILLS = int(os.environ.get("CRASH_KILLS", "5"))


def test_no_promise_is_broken_by_a_kill_under_load(tmp_path: Path) -> None:
    node = hurry(Node(tmp_path / "node", free_base_port(random.Random()), ACCOUNTS))
    plan = Plan(KILLS, random.SystemRandom().randrange(1_000_000), more=partial(undeleters, node))
    ledger = run(node, plan)
    examine(node, ledger)
    assert not ledger.violations, report(ledger, plan)
    assert b"expunged messages dropped" in node.log.read_bytes()

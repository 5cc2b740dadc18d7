"""`python -m tests.crash --kills 50`: the long form, with a report; status 1 when a promise was broken."""

import argparse
import random
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from tests.crash.expunging import examine, hurry, undeleters
from tests.crash.rounds import ACCOUNTS, Plan, report, run
from tests.wire.node import Node
from tests.wire.server import free_base_port


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mailnode-crash-") as scratch:
        node = hurry(Node(Path(scratch) / "node", free_base_port(random.Random()), ACCOUNTS))
        plan = Plan(options.kills, options.seed, more=partial(undeleters, node))
        ledger = run(node, plan)
        examine(node, ledger)
    print(report(ledger, plan))
    return 1 if ledger.violations else 0


if __name__ == "__main__":
    sys.exit(main())

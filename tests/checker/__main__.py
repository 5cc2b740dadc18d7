"""`python -m tests.checker --seconds 300 --seed 1`: the long form; status 1 when the server lied."""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.checker.rounds import ACCOUNTS, run
from tests.wire.node import Node
from tests.wire.server import free_base_port


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.checker")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    parser.add_argument("--messages", type=int, default=0, help="to begin with")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mailnode-checker-") as scratch:
        node = Node(Path(scratch) / "node", free_base_port(random.Random()), ACCOUNTS)
        node.start()
        try:
            playing = run(node, options.seed, options.messages, lambda _, seconds: seconds < options.seconds)
            outcome = asyncio.run(playing)
        finally:
            node.stop()
    print(f"seed {outcome.seed}: {outcome.clients} clients, {outcome.operations} commands", end=" ")
    print(f"in {outcome.rounds} rounds, {outcome.seconds:.0f} s")
    print(outcome.fault or "Nothing was said that cannot be true.")
    return 1 if outcome.fault else 0


if __name__ == "__main__":
    sys.exit(main())

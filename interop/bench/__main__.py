"""`python -m interop.bench`: run the workloads on fresh servers, interleaved, and print the ratios.

Every repetition starts both servers on empty folders; each workload runs on one, then on the other, the first
of them alternating.
"""

import argparse
import json
import random
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from interop.bench import ingest, table
from interop.bench.cpu import Meter, open_meter
from interop.peers import postfix_dovecot
from interop.peers.postfix_dovecot import PostfixDovecot
from tests.wire.node import Node
from tests.wire.server import DOMAIN, Server, free_base_port

ACCOUNTS: Mapping[str, str] = {f"user{number}@{DOMAIN}": "wonderland" for number in range(20)}
WARM_UP_COUNT = 100
COUNT, QUICK_COUNT = 2000, 300

# Directory, base port, accounts, command prefix.
Make = Callable[[Path, int, Mapping[str, str], Sequence[str]], Server]


class Workload(Protocol):
    @property
    def label(self) -> str: ...

    def run(self, server: Server, meter: Meter) -> dict[str, float]: ...


def main() -> None:
    options = _options()
    kinds: list[Make] = [Node] if options.ours else []
    if options.peer:
        if reason := postfix_dovecot.absent():
            raise SystemExit(f"the peer cannot run: {reason}; try --no-peer")
        kinds.append(PostfixDovecot)
    workloads = ingest.workloads(QUICK_COUNT if options.quick else COUNT)
    repetitions = 1 if options.quick else options.repeat

    samples: list[table.Sample] = []
    for repetition in range(repetitions):
        samples += _repetition(kinds, workloads, repetition)
    lines = table.lines(samples, Node.name)
    print(table.text(lines, [name for name in (Node.name, PostfixDovecot.name) if name in lines[0].cells]))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(table.document(samples, lines), indent=1) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m interop.bench", description="Ingest, beside a peer.")
    parser.add_argument("--ours", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--peer", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--repeat", type=int, default=3, help="interleaved repetitions (3)")
    parser.add_argument("--quick", action="store_true", help="one repetition of few messages")
    parser.add_argument("--json", type=Path, default=Path("build/bench.json"))
    return parser.parse_args()


def _repetition(kinds: Sequence[Make], workloads: Sequence[Workload], repetition: int) -> list[table.Sample]:
    """Every workload on every server, once."""
    samples = []
    with ExitStack() as stack:
        scratch = Path(tempfile.mkdtemp(prefix="mailnode-bench-"))
        stack.callback(shutil.rmtree, scratch)
        running = [_start(stack, kind, scratch / str(at)) for at, kind in enumerate(kinds)]
        for server, meter in running:
            ingest.Ingest("2k", 10, WARM_UP_COUNT).run(server, meter)
        for at, workload in enumerate(workloads):
            forward = (repetition + at) % 2 == 0
            for server, meter in running if forward else reversed(running):
                figures = workload.run(server, meter)
                samples.append(table.Sample(workload.label, server.name, repetition, figures))
                print(f"{repetition + 1}: {workload.label}, {server.name}", flush=True)
    return samples


def _start(stack: ExitStack, kind: Make, directory: Path) -> tuple[Server, Meter]:
    """A fresh server under a meter of its own; both end with the stack."""
    meter = open_meter(directory.name)
    stack.callback(meter.close)
    server = kind(directory, free_base_port(random.Random()), ACCOUNTS, meter.prefix)
    directory.parent.chmod(0o755)  # a peer's unprivileged processes pass through
    server.start()
    stack.callback(server.stop)
    return server, meter


if __name__ == "__main__":
    main()

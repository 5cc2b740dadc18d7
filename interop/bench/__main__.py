"""`python -m interop.bench [ROW ...]`: the same work on this server and on its peers, in one run.

    python -m interop.bench                        every row
    python -m interop.bench fetch --messages 10000 --repeat 5
    python -m interop.bench idle --connections 5000 --no-peer

The repetitions are interleaved: each workload runs on one server after another, the first in turn.
"""

import argparse
import json
import random
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from interop.bench import (
    append,
    authenticated,
    changes,
    fetch,
    idle,
    ingest,
    latency,
    nodes,
    notify,
    pop3,
    remote,
    remote_idle,
    table,
    wakes,
)
from interop.bench.cpu import Meter, open_meter
from interop.bench.row import Benched, Make, Row, Scale
from interop.peers import postfix_dovecot
from tests.wire.node import Node
from tests.wire.server import free_base_port

ROWS: Mapping[str, Callable[[Scale], Row]] = {
    "ingest": ingest.row,
    "authenticated": authenticated.row,
    "fetch": fetch.row,
    "changes": changes.row,
    "append": append.row,
    "idle": idle.row,
    "notify": notify.row,
    "wakes": wakes.row,
    "pop3": pop3.row,
    "latency": latency.row,
    "nodes": nodes.row,
    "remote": remote.row,
    "remote_idle": remote_idle.row,
}
BY_MESSAGES = ("fetch", "changes", "latency")
MESSAGES, QUICK_MESSAGES = [10_000, 100_000], [1_000]
CONNECTIONS, QUICK_CONNECTIONS = 1000, 50


def main() -> None:
    options = _options()
    samples: list[table.Sample] = []
    for name in options.rows or ROWS:
        sizes = options.messages if name in BY_MESSAGES else options.messages[:1]
        for messages in sizes:
            of_row = _run(name, Scale(messages, options.connections, options.quick), options)
            print(_table(of_row), flush=True)
            samples += of_row
    options.json.parent.mkdir(parents=True, exist_ok=True)
    lines = table.lines(samples, Node.name)
    options.json.write_text(json.dumps(table.document(samples, lines), indent=1) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m interop.bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("rows", nargs="*", choices=[[], *ROWS], metavar="ROW", help=", ".join(ROWS))
    parser.add_argument("--ours", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--peer", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--repeat", type=int, default=0, help="interleaved repetitions (3)")
    parser.add_argument("--quick", action="store_true", help="one repetition of little")
    parser.add_argument("--messages", type=int, nargs="+", help="in the mailbox (10,000 and 100,000)")
    parser.add_argument("--connections", type=int, help="of the rows `idle` and `wakes` (1,000)")
    parser.add_argument("--folder", type=Path, help="keep the servers' folders here")
    parser.add_argument("--json", type=Path, default=Path("build/bench.json"))
    options = parser.parse_args()
    options.repeat = options.repeat or (1 if options.quick else 0)
    options.messages = options.messages or (QUICK_MESSAGES if options.quick else MESSAGES)
    options.connections = options.connections or (QUICK_CONNECTIONS if options.quick else CONNECTIONS)
    return options


def _table(samples: Sequence[table.Sample]) -> str:
    servers = list(dict.fromkeys(sample.server for sample in samples))
    servers.sort(key=lambda server: server != Node.name)
    return table.text(table.lines(samples, Node.name), servers)


def _run(name: str, scale: Scale, options: argparse.Namespace) -> list[table.Sample]:
    row = ROWS[name](scale)
    kinds: list[Make] = [row.ours] if options.ours else []
    if options.peer and row.peers:
        if reason := postfix_dovecot.absent():
            raise SystemExit(f"the peers cannot run: {reason}; try --no-peer")
        kinds += row.peers
    repetitions = options.repeat or row.repetitions
    samples: list[table.Sample] = []
    for round_ in range(repetitions) if row.fresh else (None,):
        with ExitStack() as stack:
            servers = [_start(stack, kind, at, row, _folder(stack, options)) for at, kind in enumerate(kinds)]
            for repetition in range(repetitions) if round_ is None else (round_,):
                samples += _repetition(row, servers, repetition)
    return samples


def _folder(stack: ExitStack, options: argparse.Namespace) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="mailnode-bench-", dir=options.folder))
    if options.folder is None:
        stack.callback(shutil.rmtree, folder)
    folder.chmod(0o755)  # a peer's unprivileged processes pass through
    return folder


def _start(stack: ExitStack, kind: Make, at: int, row: Row, folder: Path) -> tuple[Benched, Meter]:
    """A filled server under a meter of its own; both end with the stack."""
    meter = open_meter(f"{folder.name}-{at}")
    stack.callback(meter.close)
    server = kind(folder / str(at), free_base_port(random.Random()), row.accounts, meter.prefix)
    server.start()
    stack.callback(server.stop)
    row.fill(server, meter)
    print(f"{server.name} is filled", flush=True)
    return server, meter


def _repetition(row: Row, servers: Sequence[tuple[Benched, Meter]], repetition: int) -> list[table.Sample]:
    """Every workload on every server, once."""
    samples = []
    for at, workload in enumerate(row.workloads):
        turn = (repetition + at) % len(servers)
        for server, meter in (*servers[turn:], *servers[:turn]):
            figures = workload.run(server, meter)
            samples.append(table.Sample(workload.label, server.name, repetition, figures))
            print(f"{repetition + 1}: {workload.label}, {server.name}: {_said(figures)}", flush=True)
    return samples


def _said(figures: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in figures.items())


if __name__ == "__main__":
    main()

"""The client side of a workload: a process of its own, whose work begins when everyone is ready.

The workload (`drive`) starts `python -m module`, tells it an order, waits until it is connected and the
server is quiet, reads the CPU that the server used, and says go. The client (`serve`) answers with figures.
"""

import asyncio
import json
import resource
import statistics
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import uvloop

from interop.bench.cpu import Meter, await_quiet

CLIENT_SECONDS_MAX = 300.0

Figures = dict[str, float]
Work = Callable[[dict[str, Any]], Awaitable[Figures]]


def drive(module: str, order: Mapping[str, object], meter: Meter, count: int) -> Figures:
    """The client's figures, and the server's CPU for each of `count` things that it does."""
    with subprocess.Popen(
        [sys.executable, "-m", module], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as client:
        assert client.stdin is not None and client.stdout is not None
        client.stdin.write(json.dumps(order) + "\n")
        client.stdin.flush()
        if client.stdout.readline() != "connected\n":
            raise RuntimeError(f"{module}: the client could not connect")
        cpu_before = await_quiet(meter)
        report, _ = client.communicate("go\n")
    if client.returncode != 0:
        raise RuntimeError(f"{module}: the client failed")
    figures: Figures = json.loads(report)
    cpu_seconds = await_quiet(meter) - cpu_before
    return figures | {"server CPU ms/msg": 1000 * cpu_seconds / count}


def serve(work: Work) -> None:
    """The client's main."""
    order = json.loads(sys.stdin.readline())
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(asyncio.wait_for(work(order), CLIENT_SECONDS_MAX))))


def connected() -> None:
    """Say so, and wait for the word to go."""
    print("connected", flush=True)
    sys.stdin.readline()


def own_cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def latency_figures(seconds: Sequence[float]) -> Figures:
    return {
        "p50 ms": 1000 * statistics.median(seconds),
        "p99 ms": 1000 * sorted(seconds)[len(seconds) * 99 // 100],
    }

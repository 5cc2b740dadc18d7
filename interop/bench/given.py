"""`python -m interop.bench.given`: a snapshot from one process to another, and what others feel meanwhile.

Node a has so many MB in one partition, of which its log has nothing; node b, a process of its own, gets them
over a unix socket, throttled. Meanwhile a small entry is appended every 50 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from mailnode.limits import Limits, MiB
from tests.cluster.nodes import PARTITION
from tests.cluster.real import A, B, RealNode, first_map
from tests.cluster.test_given import process

CONTENT_OCTETS = 60_000
AT_ONCE = 200


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m interop.bench.given", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=400)
    parser.add_argument("--throttle", type=int, default=64, help="MiB a second (64)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_measure(Path(folder), options.megabytes * 1_000_000, options.throttle * MiB))


async def _measure(folder: Path, octets: int, throttle: int) -> None:
    a = RealNode(A, folder, first_map(), [], replace(Limits(), snapshot_octets_a_second=throttle))
    await a.start()
    await a.until(a.leads)
    content = os.urandom(CONTENT_OCTETS)
    for _ in range(octets // CONTENT_OCTETS // AT_ONCE):
        await asyncio.gather(
            *[a.append(os.urandom(8).hex().encode() + b"|" + content) for _ in range(AT_ONCE)]
        )
    a.replication.core.trim(PARTITION, 1 << 60)
    a.replication.wake()
    async with process(folder) as b:
        before = _memory(os.getpid()), _memory(b.pid)
        began, cpu = time.perf_counter(), time.process_time()
        given = asyncio.ensure_future(a.until_in_sync(A, B))
        waits, most = [], before
        while not given.done():
            await asyncio.sleep(0.05)
            asked = time.perf_counter()
            await a.append(b"m%d" % len(waits))
            waits.append(time.perf_counter() - asked)
            most = max(most[0], _memory(os.getpid())), max(most[1], _memory(b.pid))
        took, cpu = time.perf_counter() - began, time.process_time() - cpu
    waits.sort()
    print(f"{octets / 1e6:.0f} MB in {took:.1f} s, {cpu:.2f} s of CPU at the giver")
    print(f"memory in MB: giver {before[0]} to {most[0]}, taker {before[1]} to {most[1]}")
    print(f"an append took {waits[len(waits) // 2] * 1e3:.1f} ms (p50), {waits[-1] * 1e3:.1f} ms at most")
    await a.stop()


def _memory(pid: int) -> int:
    """Resident, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) // 1000


if __name__ == "__main__":
    main()

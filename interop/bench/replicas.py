"""`python -m interop.bench.replicas`: what copies cost, by role, on three nodes of a cluster.

Clients speak to one node, all accounts are led by the next, so the third only follows: with one copy it has
nothing to do, with two it has the second, with three the one that receives follows as well. `--led-by` with
all three names is as in a cluster where each has its share. Processor time is
that of each node's process for one message or one answer, above what it spends while nobody asks.
"""

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from interop.bench.client import Figures
from interop.bench.cpu import TICKS_A_SECOND
from interop.bench.ingest import Ingest
from interop.bench.nodes import MAILS, Reading
from interop.bench.row import PASSWORD
from interop.peers.processes import stat_fields
from mailnode.cluster.map import Map
from mailnode.directory.address import Address, canonical, directory_account
from mailnode.store import keys
from tests.cluster.members import Member, members
from tests.node.clustered import Nodes, ask, nodes
from tests.wire.node import Node
from tests.wire.server import DOMAIN

RECEIVES, LEADS, FOLLOWS = NAMES = ("node1", "node2", "node3")
COPIES = (1, 2, 3)
USERS, WARM_UP_COUNT = 20, 1000
IDLE_SECONDS = 5.0
WAITS_MAX = 5
LED_SHARE_MIN = 0.8
NAMES_TRIED_MAX = 100_000


class Processes:
    """A `Meter` of processes that go on."""

    prefix: Sequence[str] = ()

    def __init__(self, processes: Sequence[int]) -> None:
        self._processes = list(processes)

    def seconds(self) -> float:
        return sum(self.each())

    def each(self) -> list[float]:
        return [sum(map(int, stat_fields(each)[11:13])) / TICKS_A_SECOND for each in self._processes]

    def processes(self) -> list[int]:
        return self._processes

    def close(self) -> None:
        """They are not ours."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m interop.bench.replicas", description=__doc__)
    parser.add_argument("--messages", type=int, default=4000)
    parser.add_argument("--connections", type=int, default=20)
    parser.add_argument("--copies", type=int, nargs="+", default=COPIES)
    parser.add_argument("--led-by", nargs="+", default=[LEADS], choices=NAMES, help="of the accounts")
    options = parser.parse_args()
    works = (
        ("message of 2 KB", Ingest("2k", options.connections, options.messages), options.messages),
        (f"FETCH of {MAILS}", Reading(options.messages), options.messages),
    )
    with members(1) as etcd, tempfile.TemporaryDirectory(prefix="mailnode-bench-") as folder:
        for copies in options.copies:
            _measure(Path(folder) / str(copies), etcd, copies, options.led_by, works)


def _measure(
    folder: Path,
    etcd: Sequence[Member],
    copies: int,
    led_by: Sequence[str],
    works: Sequence[tuple[str, Ingest | Reading, int]],
) -> None:
    folder.mkdir()
    with nodes(folder, etcd, NAMES, copies) as cluster:
        _await_copies(cluster, copies)
        node = _filled(cluster, led_by)
        meter = Processes([cluster[name].process_id for name in NAMES])
        Ingest("2k", USERS, max(WARM_UP_COUNT, USERS * MAILS)).run(node, meter)
        for label, work, count in works:
            idle = _spent(meter, lambda: time.sleep(IDLE_SECONDS))  # the window in which CPU is counted
            figures: Figures = {}
            start = time.monotonic()
            used = _spent(meter, partial(_run, work, node, meter, figures))
            seconds = time.monotonic() - start
            spent = [
                1000 * (all_of_it - seconds * each / IDLE_SECONDS) / count
                for all_of_it, each in zip(used, idle, strict=True)
            ]
            roles = ", ".join(f"{name} {each:.3f}" for name, each in zip(NAMES, spent, strict=True))
            rate = next(value for name, value in figures.items() if name.endswith("/s"))
            print(f"{copies} copies, {label}: CPU ms {sum(spent):.3f} ({roles}), {rate:,.0f}/s", flush=True)


def _run(work: Ingest | Reading, node: Node, meter: Processes, figures: Figures) -> None:
    figures |= work.run(node, meter)


def _await_copies(cluster: Nodes, copies: int) -> None:
    """Thousands of rows of the map are written until all partitions have theirs: minutes on a busy disk."""
    for _ in range(WAITS_MAX):
        with suppress(TimeoutError):
            cluster.wait_until(lambda known: _is_even(known, copies))
            return
    raise TimeoutError("not all partitions have their copies")


def _is_even(known: Map, copies: int) -> bool:
    """All copies are in sync, and each node leads about as many partitions as the others."""
    rows = [row for _, row in known.rows()]
    led = Counter(row.primary.node for row in rows)
    least = LED_SHARE_MIN * len(rows) / len(NAMES)
    return all(len(row.in_sync) == copies for row in rows) and all(led[name] >= least for name in NAMES)


def _spent(meter: Processes, work: Callable[[], object]) -> list[float]:
    before = meter.each()
    work()
    return [now - then for now, then in zip(meter.each(), before, strict=True)]


def _filled(cluster: Nodes, led_by: Sequence[str]) -> Node:
    """The node that receives, with accounts that these lead."""
    node, known = cluster[RECEIVES], cluster.map()
    tried = (f"user{number}@{DOMAIN}" for number in range(NAMES_TRIED_MAX))
    led = [address for address in tried if _is_led(known, address, led_by)][:USERS]
    for address in led:
        ask(node, "account", "add", address, stdin=PASSWORD)
    node.accounts = dict.fromkeys(led, PASSWORD)
    return node


def _is_led(known: Map, text: str, led_by: Sequence[str]) -> bool:
    """And, where one leads all, followed by the third first."""
    address = canonical(text)
    assert isinstance(address, Address)
    row = known.row(keys.partition(directory_account(address)))
    if row.primary.node not in led_by:
        return False
    return (
        len(led_by) > 1
        or len(row.in_sync) != 2
        or {member.node for member in row.in_sync} == {LEADS, FOLLOWS}
    )


if __name__ == "__main__":
    main()

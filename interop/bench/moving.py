"""What deliveries feel while partitions move: a fourth node joins a cluster of three, and is emptied again.

`python -m interop.bench.moving`: the time from MAIL to the reply that takes the message, tries that were told
to come again included; before, while the node gets its share, and while it gives it back.
"""

from __future__ import annotations

import argparse
import smtplib
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from mailnode.cluster.map import Map
from mailnode.limits import Limits
from tests.cluster.members import members
from tests.node.clustered import Nodes, ask
from tests.wire.node import Node, program
from tests.wire.server import HOST

NAMES = ("node1", "node2", "node3")
COPIES = 2
USERS = [f"user{number}@example.test" for number in range(40)]
SENDERS = 8
BODY = "x" * 70 + "\r\n"
AGAIN_SECONDS = 0.02  # after a "not now"


@dataclass
class Felt:
    """Of one phase."""

    seconds: list[float] = field(default_factory=list)
    deferred: int = 0

    def line(self, label: str, before: Felt | None = None) -> str:
        times = sorted(self.seconds)
        p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
        said = f"{label:<24} {len(times):>6} {1000 * p50:>9.1f} {1000 * p99:>9.1f} {1000 * times[-1]:>9.1f}"
        ratio = f" {p99 / before.p99():>6.2f}" if before is not None else f" {'':>6}"
        return f"{said} {self.deferred:>9}{ratio}"

    def p99(self) -> float:
        return sorted(self.seconds)[len(self.seconds) * 99 // 100]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m interop.bench.moving")
    parser.add_argument("--rate", type=float, default=20.0)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--filled", type=int, default=2000)
    parser.add_argument("--moves", type=int, default=Limits().moves_per_node_max, help="moves_per_node_max")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        etcd = stack.enter_context(members(1))
        cluster = Nodes(folder, etcd, NAMES, COPIES)
        stack.callback(cluster.end)
        run(cluster, options)


def run(cluster: Nodes, options: argparse.Namespace) -> None:
    for node in cluster.nodes.values():
        limit_moves(node, options.moves)
    cluster.start()
    cluster.wait_until(is_whole)
    for user in USERS:
        ask(cluster["node1"], "account", "add", user, stdin="secret")
    fill(cluster["node1"], options.filled)
    print(f"{'':<24} {'mails':>6} {'p50 ms':>9} {'p99 ms':>9} {'max ms':>9} {'deferred':>9} {'p99 x':>6}")
    with delivering(cluster, options.rate) as before:
        time.sleep(options.seconds)  # what is measured is so much time without a move
    print(before.line("nothing moves"), flush=True)
    node = cluster.nodes["node4"] = cluster.made("node4")
    limit_moves(node, options.moves)
    node.start()
    with delivering(cluster, options.rate) as joining:
        seconds = timed(lambda: wait_for_share(cluster))
    print(joining.line(f"a node joins ({seconds:.0f} s)", before), flush=True)
    with delivering(cluster, options.rate) as leaving:
        seconds = timed(lambda: drain(cluster["node1"]))
    print(leaving.line(f"it is emptied ({seconds:.0f} s)", before), flush=True)


def timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def limit_moves(node: Node, moves: int) -> None:
    file = node.directory / "mailnode.toml"
    file.write_text(file.read_text().replace("\n[limits]\n", f"\n[limits]\nmoves_per_node_max = {moves}\n"))


def is_whole(known: Map) -> bool:
    return all(
        {member.node for member in row.in_sync} == set(row.replicas) and row.primary.node == row.replicas[0]
        for _, row in known.rows()
    )


def wait_for_share(cluster: Nodes) -> None:
    while True:
        with suppress(TimeoutError):
            cluster.wait_until(lambda known: is_whole(known) and has_share(known))
            return


def drain(node: Node) -> None:
    words = ["cluster", "drain", "node4", "--dir", str(node.directory)]
    subprocess.run([*program(), *words], check=True, stdout=subprocess.DEVNULL)


def has_share(known: Map) -> bool:
    rows = [row for _, row in known.rows()]
    return sum("node4" in row.replicas for row in rows) >= len(rows) * COPIES // 4 - 1


def fill(node: Node, count: int) -> None:
    with smtplib.SMTP(HOST, node.port("smtp")) as client:
        for number in range(count):
            deliver(client, number, Felt())


@contextmanager
def delivering(cluster: Nodes, rate: float) -> Iterator[Felt]:
    """At all nodes in turn, while the block runs."""
    ending, felt = Event(), Felt()

    def send(sender: int) -> None:
        node = cluster[NAMES[sender % len(NAMES)]]
        with smtplib.SMTP(HOST, node.port("smtp")) as client:
            due = time.monotonic() + sender / rate
            number = sender
            while not ending.wait(max(0.0, due - time.monotonic())):
                felt.seconds.append(deliver(client, number, felt))
                number += SENDERS
                due = max(due + SENDERS / rate, time.monotonic())

    with ThreadPoolExecutor(SENDERS) as pool:
        sending = [pool.submit(send, sender) for sender in range(SENDERS)]
        try:
            yield felt
        finally:
            ending.set()
        for each in sending:
            each.result()


def deliver(client: smtplib.SMTP, number: int, felt: Felt) -> float:
    """Seconds until it is taken."""
    began = time.monotonic()
    message = f"Subject: {number}\r\n\r\n{BODY * 25}"
    while True:
        try:
            client.sendmail("bob@example.org", [USERS[number % len(USERS)]], message)
            return time.monotonic() - began
        except (smtplib.SMTPDataError, smtplib.SMTPRecipientsRefused):
            felt.deferred += 1
            client.rset()
            time.sleep(AGAIN_SECONDS)  # as a sender waits that heard "not now"


if __name__ == "__main__":
    main()

"""`python -m interop.bench.failover`: how long an account's mail waits when a node of three dies, or stops.

Mail for each of so many accounts goes in at the nodes that stay, again and again; counted is the longest time
between two that were taken, of accounts that the node led. Three nodes with a copy of everything each, on
this machine, over one member of etcd.
"""

from __future__ import annotations

import argparse
import itertools
import smtplib
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from mailnode.cluster.map import Map
from mailnode.directory.address import Address, canonical, directory_account
from mailnode.store import keys
from tests.cluster.members import members
from tests.cluster.watched import are_whole
from tests.node.clustered import Nodes, ask, nodes
from tests.wire.node import Node
from tests.wire.server import DOMAIN, HOST

NAMES = ("node1", "node2", "node3")
MESSAGE = "Subject: failover\r\n\r\nbody\r\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m interop.bench.failover", description=__doc__)
    parser.add_argument("--accounts", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3, help="of each (3)")
    options = parser.parse_args()
    accounts = [f"user{number}@{DOMAIN}" for number in range(options.accounts)]
    with (
        members(1) as etcd,
        tempfile.TemporaryDirectory() as folder,
        nodes(Path(folder), etcd, NAMES, copies=3) as cluster,
    ):
        cluster.wait_until(_is_settled)
        for address in accounts:
            ask(cluster["node1"], "account", "add", address, stdin="secret")
        for word, ends in (("stopped", Node.stop), ("killed", Node.kill)):
            gaps = [gap for _ in range(options.rounds) for gap in _round(cluster, accounts, ends)]
            print(
                f"a node is {word}: mail waits {statistics.median(gaps):.2f} s, at most {max(gaps):.2f} s "
                f"({len(gaps)} accounts that it led)"
            )


def _round(cluster: Nodes, accounts: list[str], ends: Callable[[Node], None]) -> list[float]:
    """It ends the node that leads most of them."""
    known = cluster.map()
    leads = {address: known.primary(_partition(address)) for address in accounts}
    name = statistics.mode(leads.values())
    led = [address for address, node in leads.items() if node == name]
    stay = [cluster[other] for other in NAMES if other != name]
    over, news = threading.Event(), threading.Condition()
    taken: Mapping[str, list[float]] = {address: [] for address in led}
    sending = [
        threading.Thread(target=_send, args=(stay[at % 2], address, taken[address], news, over))
        for at, address in enumerate(led)
    ]
    for thread in sending:
        thread.start()
    with news:
        news.wait_for(lambda: all(len(times) >= 5 for times in taken.values()))
    began = time.monotonic()
    ends(cluster[name])
    done = time.monotonic()
    with news:
        news.wait_for(lambda: all(sum(each > done for each in times) >= 5 for times in taken.values()))
    over.set()
    for thread in sending:
        thread.join()
    cluster[name].start()
    cluster.wait_until(_is_settled)
    return [_longest([each for each in times if each > began - 0.5]) for times in taken.values()]


def _is_settled(known: Map) -> bool:
    """Nothing moves on its own account any more: else that would be measured too."""
    led = Counter(row.primary.node for _, row in known.rows())
    prefers = all(row.primary.node == row.replicas[0] for _, row in known.rows())
    return (
        prefers
        and are_whole(known)
        and len(led) == len(NAMES)
        and max(led.values()) < 1.1 * min(led.values())
    )


def _partition(address: str) -> int:
    parsed = canonical(address)
    assert isinstance(parsed, Address)
    return keys.partition(directory_account(parsed))


def _send(
    node: Node, address: str, taken: list[float], news: threading.Condition, over: threading.Event
) -> None:
    while not over.is_set():
        try:
            with smtplib.SMTP(HOST, node.port("smtp"), timeout=60) as client:
                client.ehlo()
                client.sendmail("bench@example.org", [address], MESSAGE)
        except (smtplib.SMTPDataError, smtplib.SMTPRecipientsRefused):
            continue  # not now
        with news:
            taken.append(time.monotonic())
            news.notify_all()


def _longest(times: list[float]) -> float:
    return max(after - before for before, after in itertools.pairwise(times))


if __name__ == "__main__":
    main()

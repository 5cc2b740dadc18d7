"""A fourth node joins and is emptied again, while mail comes and goes: nobody but its own clients notices."""

from __future__ import annotations

import json
import re
import smtplib
import subprocess
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from mailnode.cluster.map import Map
from mailnode.cluster.ring import SLOTS
from tests.cluster.members import Member, members
from tests.node.clustered import Nodes, ask
from tests.node.several import SECONDS_MAX
from tests.node.test_any_node import PASSWORD, Client, logged_in
from tests.wire.node import Node, program
from tests.wire.server import HOST

NAMES = ("node1", "node2", "node3")
USERS = [f"user{number}@example.test" for number in range(6)]
COPIES = 2
METRICS_PORT = 80
"""Beyond the base: none of the standard ports of mail."""
DASHBOARD = Path(__file__).parents[2] / "docs" / "grafana-cluster.json"


@pytest.fixture(scope="module")
def etcd() -> Iterator[Member]:
    with members(1) as made:
        yield made[0]


@pytest.fixture(scope="module")
def cluster(etcd: Member, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    made = Nodes(tmp_path_factory.mktemp("cluster"), [etcd], NAMES, COPIES)
    for node in made.nodes.values():
        move_many(node)
    tell_metrics(made["node1"])
    try:
        made.start()
        made.wait_until(is_whole)
        for user in USERS:
            ask(made["node1"], "account", "add", user, stdin=PASSWORD)
        yield made
    finally:
        made.end()


def move_many(node: Node) -> None:
    """At a time, so that it takes seconds."""
    file = node.directory / "mailnode.toml"
    file.write_text(file.read_text().replace("\n[limits]\n", "\n[limits]\nmoves_per_node_max = 400\n"))


def tell_metrics(node: Node) -> None:
    file = node.directory / "mailnode.toml"
    file.write_text(f"{file.read_text()}\n[metrics]\nport = {node.base_port + METRICS_PORT}\n")


def is_whole(known: Map) -> bool:
    return all(
        {member.node for member in row.in_sync} == set(row.replicas)
        and row.primary.node == row.replicas[0]
        and len(row.in_sync) == COPIES
        for _, row in known.rows()
    )


def copies_of(known: Map) -> Counter[str]:
    return Counter(name for _, row in known.rows() for name in row.replicas)


def status(node: Node) -> Any:
    return json.loads(ask(node, "cluster", "status", "--json"))


class Load:
    """Mail to all users, by SMTP at one node; commands of all of them at another."""

    def __init__(self, cluster: Nodes, ending: Event) -> None:
        self._cluster = cluster
        self._ending = ending
        self.taken: list[str] = []
        """Subjects of messages that were acknowledged, with whose they are."""
        self.unsure: set[str] = set()
        self.done = 0
        """Commands."""

    def deliver(self, name: str) -> None:
        with smtplib.SMTP(HOST, self._cluster[name].port("smtp"), timeout=SECONDS_MAX) as client:
            client.ehlo()
            number = 0
            while not self._ending.is_set():
                user, subject = USERS[number % len(USERS)], f"{number}"
                try:
                    client.sendmail("bob@example.org", [user], f"Subject: {subject}\r\n\r\nbody\r\n")
                except (smtplib.SMTPDataError, smtplib.SMTPRecipientsRefused) as error:
                    assert "451" in str(error)
                    client.rset()
                    self.unsure.add(f"{user} {subject}")
                    continue
                self.taken.append(f"{user} {subject}")
                number += 1

    def command(self, name: str) -> None:
        clients = [logged_in(self._cluster[name], user) for user in USERS]
        for client in clients:
            client.ok(b"SELECT INBOX")
        while not self._ending.is_set():
            for client in clients:
                for command in (b"STORE 1:* +FLAGS.SILENT (\\Flagged)", b"FETCH 1:* (UID FLAGS)"):
                    self._retried(client, command)
        for client in clients:
            client.close()

    def _retried(self, client: Client, command: bytes) -> None:
        while not (answer := client.ask(command)[-1]).startswith(b"t OK"):
            assert answer.startswith(b"t NO [UNAVAILABLE]"), answer
        self.done += 1


@contextmanager
def load(cluster: Nodes) -> Iterator[Load]:
    """Of node1 and node2, while the block runs."""
    ending = Event()
    made = Load(cluster, ending)
    with ThreadPoolExecutor(2) as pool:
        running: list[Future[None]] = [
            pool.submit(made.deliver, "node1"),
            pool.submit(made.command, "node2"),
        ]
        try:
            yield made
        finally:
            ending.set()
    for each in running:
        each.result()


def subjects(cluster: Nodes) -> Counter[str]:
    found = Counter[str]()
    for user in USERS:
        client = logged_in(cluster["node3"], user)
        client.ok(b"SELECT INBOX")
        lines = client.ok(b"FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        found.update(f"{user} {line.split()[1].decode()}" for line in lines if line.startswith(b"Subject:"))
        client.close()
    return found


def test_a_node_that_joins_gets_its_share_and_one_that_is_emptied_gives_it_back_while_mail_goes_on(
    cluster: Nodes,
) -> None:
    idle = [logged_in(cluster["node3"], user) for user in USERS]
    for client in idle:
        client.ok(b"SELECT INBOX")
        client.say(b"i IDLE")
        client.until(b"+")
    with load(cluster) as going:
        node = cluster.nodes["node4"] = cluster.made("node4")
        move_many(node)
        node.start()
        share = SLOTS * COPIES / 4
        cluster.wait_until(lambda known: is_whole(known) and abs(copies_of(known)["node4"] - share) <= 1)
        led = Counter(row.primary.node for _, row in cluster.map().rows())
        assert abs(led["node4"] - SLOTS / 4) <= 1
        said = ask(cluster["node2"], "cluster", "drain", "node4")
        assert said == "node4 leads nothing and has no copies: it may be stopped\n"
        (drained,) = [each for each in status(cluster["node1"])["nodes"] if each["name"] == "node4"]
        assert drained["leaving"]
        assert drained["led"] == drained["copied"] == drained["learning"] == 0
    assert going.taken
    assert going.done
    found = subjects(cluster)
    assert set(found) >= set(going.taken)
    assert all(found[each] == 1 for each in going.taken if each not in going.unsure)
    for client in idle:
        client.say(b"DONE")
        lines = [client.line()]
        while not lines[-1].startswith(b"i "):
            lines.append(client.line())
        assert lines[-1].startswith(b"i OK")
        assert all(re.match(rb"\* \d+ (EXISTS|RECENT|FETCH)|\* OK Still here", line) for line in lines[:-1])
        client.close()


def test_a_node_that_is_gone_is_removed_and_one_that_runs_is_not(cluster: Nodes) -> None:
    assert "node4 runs" in refused(cluster["node1"], "remove", "node4")
    cluster["node4"].stop()
    said = ask(cluster["node1"], "cluster", "remove", "node4")
    assert said == "node4 is no node of the cluster any more; 0 partitions had a copy there\n"
    assert [each["name"] for each in status(cluster["node2"])["nodes"]] == list(NAMES)


def test_a_partition_is_led_where_it_is_told_to_and_its_account_is_found_there(cluster: Nodes) -> None:
    user = USERS[0]
    (row,) = json.loads(ask(cluster["node1"], "cluster", "map", user, "--json"))
    (other,) = set(NAMES) - set(row["replicas"])
    moved = ask(cluster["node2"], "cluster", "move", str(row["partition"]), other, "--json")
    assert [each["primary"] for each in json.loads(moved)] == [other]
    assert other in ask(cluster["node3"], "cluster", "map", user)
    logged_in(cluster["node1"], user).close()
    assert "is no account" in refused(cluster["node1"], "map", "nobody@example.test")
    assert "no node" in refused(cluster["node1"], "move", "5", "node9")


def test_the_status_of_a_cluster_says_who_is_away_and_which_copies_lack(cluster: Nodes) -> None:
    cluster["node3"].kill()
    cluster.wait_until(lambda known: all(row.primary.node != "node3" for _, row in known.rows()))
    found = status(cluster["node1"])
    states = {each["state"]: each["partitions"] for each in found["states"]}
    assert states["whole"] < SLOTS == sum(states.values())
    assert [(each["name"], each["leased"], "seen" in each) for each in found["nodes"]] == [
        ("node1", True, True),
        ("node2", True, True),
        ("node3", False, False),
    ]
    assert "away" in ask(cluster["node2"], "cluster", "status")


def test_prometheus_reads_of_the_cluster_what_its_dashboard_shows(cluster: Nodes) -> None:
    """node3 is away."""
    told = metrics(cluster["node1"])
    assert told['mailnode_cluster_nodes{state="alive"}'] == 2
    assert told['mailnode_cluster_nodes{state="known"}'] == 3
    assert told["mailnode_cluster_etcd_answers"] == 1
    assert (
        sum(value for name, value in told.items() if name.startswith("mailnode_cluster_partitions{")) == SLOTS
    )
    led = sum(row.primary.node == "node1" for _, row in cluster.map().rows())
    assert told['mailnode_cluster_copies{role="led"}'] == led
    assert told['mailnode_cluster_led_anew_total{why="handed over"}'] > 0
    assert told['mailnode_cluster_led_anew_total{why="taken over"}'] > 0
    assert told['mailnode_cluster_frames_total{peer="node2"}'] > 0
    assert told['mailnode_cluster_frame_octets_total{peer="node2"}'] > 0
    dashboard = json.loads(DASHBOARD.read_text())
    asked = " ".join(target["expr"] for panel in dashboard["panels"] for target in panel["targets"])
    exported = {name.partition("{")[0] for name in told}
    exported |= {f"mailnode_cluster_far_lag_{unit}" for unit in ("entries", "seconds")}  # of two data centres
    assert set(re.findall(r"mailnode_[a-z_]+", asked)) == exported


def metrics(node: Node) -> dict[str, float]:
    """Of the cluster, by name and labels."""
    with urllib.request.urlopen(
        f"http://{HOST}:{node.base_port + METRICS_PORT}/metrics", timeout=10
    ) as answer:
        lines = answer.read().decode().splitlines()
    cut = (line.rsplit(" ", 1) for line in lines if line.startswith("mailnode_cluster_"))
    return {name: float(value) for name, value in cut}


def refused(node: Node, *words: str) -> str:
    command = [*program(), "cluster", *words, "--dir", str(Path(node.directory))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    return done.stderr

"""Several nodes of one directory: they share the ports, and one that dies is there again at once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailnode.config import FILE
from tests.node.several import answers, greeted, kill, processes, wait_for, wait_for_another
from tests.wire.node import Node, program
from tests.wire.server import free_base_port

ALICE, BOB, PASSWORD = "alice@example.test", "bob@example.test", "secret"
OPTIONS = ("--allow-plaintext-auth", "--local-only", "--nodes", "2")


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = Node(tmp_path / "data", free_base_port(random.Random()), {ALICE: PASSWORD}, options=OPTIONS)
    made.init()
    yield made
    if made.is_running:
        made.stop()


def up(node: Node) -> str:
    """What it says when it cannot start."""
    done = subprocess.run([*program(), "up", str(node.directory)], capture_output=True, timeout=60)
    assert done.returncode == 1
    return done.stderr.decode()


def test_clients_are_spread_and_a_dead_nodes_are_taken_by_the_others(node: Node) -> None:
    node.start()
    clients = [greeted(node, "imap") for _ in range(40)]
    dead, alive = processes(node)
    kill(dead)
    left = [client for client in clients if answers(client)]
    assert 0 < len(left) < len(clients)  # both had some, and who was elsewhere notices nothing
    for _ in range(40):  # nobody is refused, and nobody hangs
        greeted(node, "imap").close()
    wait_for_another(node, dead, 2)
    assert alive in processes(node)
    assert all(answers(client) for client in left)


def test_one_that_dies_again_and_again_comes_again_and_the_others_serve(node: Node) -> None:
    node.start()
    first, other = processes(node)
    for _ in range(3):
        kill(first)
        for _ in range(10):
            greeted(node, "imap").close()
        wait_for_another(node, first, 2)
        (first,) = set(processes(node)) - {first, other}
    assert other in processes(node)


def test_all_stop_with_a_goodbye(node: Node) -> None:
    node.start()
    clients = [greeted(node, "imap") for _ in range(10)]
    nodes = processes(node)
    node.stop()
    assert all(b"BYE" in client.recv(1000) for client in clients)
    assert not any(Path(f"/proc/{each}/fd").exists() and os.listdir(f"/proc/{each}/fd") for each in nodes)


def test_they_end_with_the_one_that_watches_them(node: Node) -> None:
    node.start()
    client = greeted(node, "imap")
    node.kill()
    assert b"BYE" in client.recv(1000)
    client.recv(1000)

    def is_free() -> bool:
        try:
            node.start()
        except Exception:
            return False
        return True

    wait_for(is_free)
    assert answers(greeted(node, "imap"))


def test_the_configuration_is_taken_by_all_and_by_those_that_come_after(node: Node) -> None:
    node.start()
    file = node.directory / FILE
    file.write_text(
        file.read_text().replace("\nallow_plaintext_auth = true", "\nallow_plaintext_auth = false")
    )
    os.kill(node.process_id, signal.SIGHUP)
    wait_for(lambda: node.log.read_text().count("the configuration was taken") == 2)
    kill(processes(node)[0])
    wait_for(lambda: node.log.read_text().count("the configuration was taken") == 3)
    for _ in range(40):
        with greeted(node, "imap") as client:
            client.sendall(b"a CAPABILITY\r\n")
            assert b" LOGINDISABLED " in client.recv(1000)


def test_a_directory_is_served_once(node: Node) -> None:
    node.start()
    assert "is in use" in up(node) or "cannot listen" in up(node)
    assert answers(greeted(node, "imap"))


def test_a_half_resharded_directory_is_not_served(node: Node) -> None:
    (node.directory / "reshard.json").write_text("{}")
    assert f"is half resharded: `mailnode reshard {node.directory}` goes on" in up(node)


def test_another_number_of_nodes_is_refused_with_what_to_do(node: Node) -> None:
    file = node.directory / FILE
    file.write_text("nodes = 3\n" + file.read_text())
    assert f"{file}: nodes: found 3, expected 2, as the mail lies: `mailnode reshard" in up(node)


def test_a_node_whose_shard_is_another_one_does_not_start(node: Node) -> None:
    (node.directory / "node1" / "shard").rename(node.directory / "gone")
    assert "map.json: nodes[1].incarnation: found" in up(node)

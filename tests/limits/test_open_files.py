"""A node that may open few files only takes as many connections as these leave, and says so to one more."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from mailnode.limits import Limits
from mailnode.openfiles import within
from tests.cases.wire import Wire
from tests.limits.bystander import BOB, PASSWORD, Bystander
from tests.wire.node import Node
from tests.wire.server import free_base_port

FILES, CONNECTIONS = 256, 64  # a quarter, where the reserve leaves nothing


@pytest.mark.parametrize(
    ("files", "connections"), [(100_000, 20_000), (3100, 775), (13_000, 10_000), (40, 10)]
)
def test_files_bound_connections(files: int, connections: int) -> None:
    limits = replace(Limits(), connections_max=20_000, open_files_reserved=3000)
    assert within(limits, files).connections_max == connections


def test_one_connection_too_many_hears_so_instead_of_waiting_for_a_file(tmp_path: Path) -> None:
    few = ["sh", "-c", f'ulimit -n {FILES}; exec "$@"', "sh"]
    node = Node(tmp_path / "node", free_base_port(random.Random()), {BOB: PASSWORD}, prefix=few)
    node.start()
    bob = Bystander(node)
    wires = [Wire(node.port("smtp")) for _ in range(CONNECTIONS - 1)]
    assert all(wire.line().startswith(b"220 ") for wire in wires)
    refused = Wire(node.port("smtp"))
    assert refused.rest().startswith(b"421 ")
    bob.is_served()
    for wire in (*wires, refused):
        wire.close()
    bob.close()
    node.stop()

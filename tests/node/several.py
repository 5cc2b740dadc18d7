"""Several nodes of one directory, as a test sees them."""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

from mailnode.cluster import local_map
from mailnode.directory.address import Address, canonical, directory_account
from mailnode.store import keys
from tests.wire.node import Node
from tests.wire.server import HOST

SECONDS_MAX = 20.0


def processes(node: Node) -> list[int]:
    """Of its nodes, in the order in which they began."""
    own = node.process_id
    return [int(text) for text in Path(f"/proc/{own}/task/{own}/children").read_text().split()]


def owner(node: Node, user: str) -> int:
    """The number of the node that an account lies at."""
    mapped, address = local_map.read(node.directory / "map.json"), canonical(user)
    assert mapped is not None and isinstance(address, Address)
    return mapped.owners[keys.partition(directory_account(address))]


def process_of(node: Node, number: int) -> int:
    """Of the nodes after the first: it holds files of its folder."""
    folder = str(node.directory / f"node{number}")
    for process in processes(node):
        held = Path(f"/proc/{process}/fd")
        if any(os.readlink(each).startswith(folder) for each in held.iterdir() if each.is_symlink()):
            return process
    raise LookupError(number)


def kill(process: int) -> None:
    os.kill(process, signal.SIGKILL)


def wait_for_another(node: Node, dead: int, count: int) -> None:
    """Until `count` nodes run again, without the dead one, which is a process until its parent has looked."""
    wait_for(lambda: len(set(processes(node)) - {dead}) == count)


def greeted(node: Node, service: str) -> socket.socket:
    client = socket.create_connection((HOST, node.port(service)), SECONDS_MAX)
    assert client.recv(1000).startswith(b"* OK")
    return client


def answers(client: socket.socket) -> bool:
    """Whether it is still served."""
    try:
        client.sendall(b"a NOOP\r\n")
        return client.recv(1000).startswith(b"a OK")
    except ConnectionError:
        return False


def wait_for(happened: Callable[[], object]) -> None:
    """Looks again as soon as anything may have changed; raises TimeoutError."""
    deadline = time.monotonic() + SECONDS_MAX
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError
        select.select([], [], [], 0.02)

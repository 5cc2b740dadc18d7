"""Nodes of a cluster over a real etcd, on free ports of the loopback."""

from __future__ import annotations

import asyncio
import random
import secrets
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mailnode.admin.founding import first_puts
from mailnode.cluster import etcd_rows as rows
from mailnode.cluster.authority import files_of
from mailnode.cluster.etcd import Etcd, Put
from mailnode.cluster.etcd_rows import Cluster, Home, Keys
from mailnode.cluster.map import Map
from mailnode.cluster.secret import Secret
from mailnode.config import Config, load
from tests.cluster.members import Member
from tests.cluster.watched import mapped, wait_until
from tests.wire.node import Node, program
from tests.wire.server import free_base_port

PORTS_APART = 1000  # the standard ones, of one node


class Nodes:
    """By name; a directory each, with one domain."""

    def __init__(
        self,
        folder: Path,
        etcd: Sequence[Member],
        names: Sequence[str],
        copies: int,
        options: Sequence[str] = ("--allow-plaintext-auth", "--local-only"),
    ) -> None:
        """`options` of `mailnode init`."""
        self._etcd = [member.endpoint for member in etcd]
        self._folder = folder
        self._options = options
        self.prefix = f"test-{secrets.token_hex(4)}"
        self._ports = random.Random()
        self._taken: list[int] = []
        self.secret = Secret(secrets.token_bytes(32))
        self.nodes = {name: self.made(name) for name in names}
        asyncio.run(self._init(copies, load(self.nodes[names[0]].directory)))

    async def _init(self, copies: int, first: Config) -> None:
        """With the domains of the first."""
        etcd, keys = Etcd(self._etcd), Keys(self.prefix)
        puts = [
            Put(keys.cluster(), rows.cluster_octets(Cluster(self.prefix.encode(), "", 1, 0))),
            Put(keys.home(0), rows.home_octets(Home("", 1, copies, min(copies, 2)))),
            *first_puts(first, keys, self.secret, 1),
        ]
        await etcd.transact([], puts)
        await etcd.close()

    def made(self, name: str) -> Node:
        """A directory that will join."""
        node = Node(self._folder / name, self._base_port(), {}, options=self._options)
        node.init()
        file = node.directory / "mailnode.toml"
        text = file.read_text().replace("\n[limits]\n", "\n[limits]\nreplica_returns_seconds = 1\n")
        text += f'\n[cluster]\nendpoints = {self._etcd}\nname = "{name}"\nprefix = "{self.prefix}"\n'
        file.write_text(text)
        secret = files_of(load(node.directory)).secret
        secret.parent.mkdir()
        secret.write_bytes(self.secret.octets)
        return node

    def _base_port(self) -> int:
        """None of its ports is another node's, which does not listen yet."""
        while True:
            port = free_base_port(self._ports)
            if all(abs(port - other) >= PORTS_APART for other in self._taken):
                self._taken.append(port)
                return port

    def __getitem__(self, name: str) -> Node:
        return self.nodes[name]

    def start(self) -> None:
        """All, which wait for each other."""
        for node in self.nodes.values():
            node.launch()
        for node in self.nodes.values():
            node.wait_until_ready()

    def map(self) -> Map:
        """As etcd has it now."""
        return mapped(self._etcd, self.prefix)

    def wait_until(self, holds: Callable[[Map], bool]) -> None:
        """Looks at the map whenever it changes. Raises TimeoutError."""
        wait_until(self._etcd, self.prefix, holds)

    def end(self) -> None:
        for node in self.nodes.values():
            if node.is_running:
                node.kill()


@contextmanager
def nodes(folder: Path, etcd: Sequence[Member], names: Sequence[str], copies: int) -> Iterator[Nodes]:
    """Running."""
    made = Nodes(folder, etcd, names, copies)
    try:
        made.start()
        yield made
    finally:
        made.end()


def ask(node: Node, *words: str, stdin: str = "") -> str:
    """An operator's command; what it says."""
    command = [*program(), *words, "--dir", str(node.directory)]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout

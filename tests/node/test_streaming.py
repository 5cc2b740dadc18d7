"""Large messages pass through a node in pieces: what it holds of them does not grow with them."""

import poplib
import random
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.wire.node import Node
from tests.wire.server import HOST, free_base_port

MIB = 1 << 20
ALICE, PASSWORD = "alice@example.test", "secret"
SHARD_OCTETS = 16 * MIB  # the least that the configuration takes
CONTENT_OCTETS = 50 * MIB - 100_000  # with the trace fields still below the limit
GROWTH_OCTETS_MAX = 2 * SHARD_OCTETS + 2 * 8 * MIB
"""Memtables and what is flushed of them; for each of two connections slices, a chunk and its compression."""


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    running = Node(tmp_path / "node", free_base_port(random.Random()), {ALICE: PASSWORD})
    running.start()
    running.stop()
    config = running.directory / "mailnode.toml"
    config.write_text(re.sub(r"memory_octets = \d+", f"memory_octets = {SHARD_OCTETS}", config.read_text()))
    running.start()
    yield running
    running.stop()


def peak_octets(node: Node) -> int:
    """The most memory that the process has had resident since `forget_peak`."""
    status = Path(f"/proc/{node.process_id}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024


def forget_peak(node: Node) -> None:
    Path(f"/proc/{node.process_id}/clear_refs").write_text("5")  # proc(5)


class Client:
    def __init__(self, node: Node) -> None:
        self._socket = socket.create_connection((HOST, node.port("lmtp")), 60)
        self._answers = self._socket.makefile("rb")

    def expect(self, code: bytes) -> None:
        while (line := self._answers.readline())[3:4] == b"-":
            pass
        assert line[:3] == code, line

    def open(self) -> None:
        self.expect(b"220")
        self.say(b"LHLO client.example", b"MAIL FROM:<a@client.example>", b"RCPT TO:<%b>" % ALICE.encode())
        for _ in range(3):
            self.expect(b"250")

    def say(self, *lines: bytes) -> None:
        self.send(b"".join(line + b"\r\n" for line in lines))

    def send(self, octets: bytes) -> None:
        self._socket.sendall(octets)

    def close(self) -> None:
        self._answers.close()
        self._socket.close()


def by_data(client: Client) -> None:
    client.say(b"DATA")
    client.expect(b"354")
    for piece in pieces():
        client.send(piece)
    client.say(b".")


def by_bdat(client: Client) -> None:
    client.say(b"BDAT %d LAST" % CONTENT_OCTETS)
    for piece in pieces():
        client.send(piece)


def pieces() -> Iterator[bytes]:
    """CONTENT_OCTETS of lines that no compression makes small."""
    lines = random.Random(1).randbytes(MIB // 2).hex("\n", 39).encode().replace(b"\n", b"\r\n")
    left = CONTENT_OCTETS
    while left:
        piece = lines[: left - 2] + b"\r\n"
        left -= len(piece)
        yield piece


def test_messages_of_50_megabytes_at_once_leave_memory_as_it_was(node: Node) -> None:
    ways = (by_data, by_bdat)
    clients = [Client(node) for _ in ways]
    for client in clients:
        client.open()
    forget_peak(node)
    before = peak_octets(node)
    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(way, client) for way, client in zip(ways, clients, strict=True)]:
            done.result()
    for client in clients:
        client.expect(b"250")
        client.close()
    assert peak_octets(node) - before < GROWTH_OCTETS_MAX
    assert all(size > CONTENT_OCTETS for size in sizes(node))


def sizes(node: Node) -> list[int]:
    maildrop = poplib.POP3(HOST, node.port("pop3"))
    maildrop.user(ALICE)
    maildrop.pass_(PASSWORD)
    listed = [int(line.split()[1]) for line in maildrop.list()[1]]
    maildrop.quit()
    assert len(listed) == 2
    return listed

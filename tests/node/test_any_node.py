"""Several nodes in one directory: each serves every user, wherever the mail lies."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.node.several import SECONDS_MAX, kill, processes, wait_for_another
from tests.wire.node import Node
from tests.wire.server import HOST, free_base_port

USERS = [f"user{number}@example.test" for number in range(4)]
"""Their accounts lie on both nodes."""
PASSWORD = "secret"
OPTIONS = ("--allow-plaintext-auth", "--local-only", "--nodes", "2")
MAIL = b"From: a@example.test\r\nSubject: hello\r\n\r\nbody\r\n"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    folder: Path = tmp_path_factory.mktemp("nodes")
    users = dict.fromkeys(USERS, PASSWORD)
    made = Node(folder / "data", free_base_port(random.Random()), users, options=OPTIONS)
    made.init()
    made.start()
    yield made
    made.stop()


class Client:
    """Of IMAP or POP3, line by line."""

    def __init__(self, node: Node, service: str) -> None:
        self._socket = socket.create_connection((HOST, node.port(service)), SECONDS_MAX)
        self._lines = self._socket.makefile("rb")
        self.line()

    def line(self) -> bytes:
        line = self._lines.readline()
        assert line, "closed"
        return line.rstrip(b"\r\n")

    def say(self, line: bytes) -> None:
        self._socket.sendall(line + b"\r\n")

    def ask(self, command: bytes) -> list[bytes]:
        """The lines of the answer, the tagged one last."""
        self.say(b"t " + command)
        lines = [self.line()]
        while not lines[-1].startswith(b"t "):
            lines.append(self.line())
        return lines

    def ok(self, command: bytes) -> list[bytes]:
        lines = self.ask(command)
        assert lines[-1].startswith(b"t OK"), lines
        return lines

    def until(self, text: bytes) -> bytes:
        while text not in (line := self.line()):
            pass
        return line

    def close(self) -> None:
        self._lines.close()
        self._socket.close()


def logged_in(node: Node, user: str) -> Client:
    client = Client(node, "imap")
    client.ok(b"LOGIN %s %s" % (user.encode(), PASSWORD.encode()))
    return client


def append(client: Client) -> None:
    client.say(b"t APPEND INBOX {%d+}\r\n%s" % (len(MAIL), MAIL))
    client.until(b"t OK")


@pytest.mark.parametrize("user", USERS)
def test_what_one_connection_does_the_others_see_whichever_node_has_them(node: Node, user: str) -> None:
    clients = [logged_in(node, user) for _ in range(8)]
    for client in clients:
        client.ok(b"SELECT INBOX")
        client.say(b"t IDLE")
        client.until(b"+ ")
    first, *others = clients
    first.say(b"DONE")
    first.until(b"t OK")
    append(first)
    for each in others:
        assert each.until(b"EXISTS") == b"* 1 EXISTS"
        each.say(b"DONE")
        each.until(b"t OK")
    others[0].ok(b"STORE 1 +FLAGS (\\Flagged)")
    for each in others:
        each.ok(b"NOOP")
        assert b"\\Flagged" in b" ".join(each.ok(b"FETCH 1 FLAGS"))
        assert b"Subject: hello" in b" ".join(each.ok(b"FETCH 1 BODY.PEEK[]"))
        assert each.ok(b"SEARCH SUBJECT hello")[0] == b"* SEARCH 1"
    for client in clients:
        client.close()


def test_a_session_goes_on_when_the_node_of_its_account_dies(node: Node) -> None:
    watching = {}
    for user in USERS:
        for _ in range(6):
            client = logged_in(node, user)
            client.ok(b"SELECT INBOX")
            client.say(b"t IDLE")
            client.until(b"+ ")
            watching[client] = user
    dead, _ = processes(node)
    kill(dead)
    wait_for_another(node, dead, 2)
    alive = [client for client in watching if survives(client)]
    assert 0 < len(alive) < len(watching)
    for user in USERS:
        client = logged_in(node, user)
        append(client)
        client.close()
    for client in alive:
        client.until(b"EXISTS")
        client.say(b"DONE")
        client.until(b"t OK")
        client.ok(b"FETCH * (UID FLAGS)")
    assert {watching[client] for client in alive} == set(USERS)


def survives(client: Client) -> bool:
    """Its own node did not die."""
    client._socket.settimeout(0.2)
    try:
        return client._socket.recv(1, socket.MSG_PEEK) != b""
    except TimeoutError:
        return True
    except ConnectionError:
        return False
    finally:
        client._socket.settimeout(SECONDS_MAX)

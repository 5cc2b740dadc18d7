"""Logins at several nodes: what ends a session at one ends it at all, before it is said to be done."""

from __future__ import annotations

import imaplib
import os
import poplib
import random
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from mailnode.admin.client import ask
from mailnode.config import FILE
from mailnode.pb import admin_pb2 as pb
from tests.node.several import kill, owner, process_of, processes, wait_for, wait_for_another
from tests.wire.node import Node
from tests.wire.server import HOST, free_base_port

USERS = [f"user{number}@example.test" for number in range(4)]
"""Their accounts lie on both nodes."""
PASSWORD = "secret"
OPTIONS = ("--allow-plaintext-auth", "--local-only", "--nodes", "2")
CONNECTIONS = 8
"""So many that each node has some of them."""
LIMITS = {"guesses_account_free": 3, "guesses_delay_seconds_min": 300}
BYE = b"* BYE This login is no longer good\r\n"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    folder = tmp_path_factory.mktemp("logins") / "data"
    made = Node(folder, free_base_port(random.Random()), dict.fromkeys(USERS, PASSWORD), options=OPTIONS)
    made.init()
    file = folder / FILE
    text = file.read_text()
    for name, value in LIMITS.items():
        text = text.replace(f"\n# {name} = ", f"\n{name} = {value} # ")
    file.write_text(text)
    made.start()
    yield made
    made.stop()


def asked(node: Node, request: Any) -> Any:
    return ask(node.directory / "admin.sock", request)


def imap(node: Node, user: str, password: str = PASSWORD) -> imaplib.IMAP4:
    client = imaplib.IMAP4(HOST, node.port("imap"), timeout=30)
    client.login(user, password)
    return client


def pop3(node: Node, user: str) -> poplib.POP3:
    client = poplib.POP3(HOST, node.port("pop3"), timeout=30)
    client.user(user)
    client.pass_(PASSWORD)
    return client


def goes_on(client: poplib.POP3) -> bool:
    try:
        return client.noop().startswith(b"+OK")
    except (poplib.error_proto, OSError):
        return False


def taken(sessions: dict[str, poplib.POP3], node: Node, user: str) -> bool:
    """Not while the node of the account begins."""
    try:
        sessions[user] = pop3(node, user)
    except (poplib.error_proto, OSError) as error:
        assert "IN-USE" not in str(error)
        return False
    return True


def many(node: Node, user: str, password: str = PASSWORD) -> list[imaplib.IMAP4]:
    return [imap(node, user, password) for _ in range(CONNECTIONS)]


def ended(client: imaplib.IMAP4) -> bool:
    """It was told so before anything was asked."""
    client.sock.setblocking(False)
    try:
        return client.sock.recv(len(BYE)) == BYE
    except BlockingIOError:
        client.sock.settimeout(30)
        return False


def refused(node: Node, user: str, password: str) -> bool:
    """By each node."""
    for _ in range(CONNECTIONS):
        try:
            imap(node, user, password).logout()
            return False
        except imaplib.IMAP4.error as error:
            assert "AUTHENTICATIONFAILED" in str(error)
    return True


@pytest.mark.parametrize("user", USERS)
def test_what_is_no_longer_good_ends_the_sessions_of_all_nodes(node: Node, user: str) -> None:
    application = asked(node, pb.AppPasswordAddRequest(address=user, name="phone")).password
    own, phone = many(node, user), many(node, user, application)
    asked(node, pb.AccountPasswordRequest(address=user, password="another"))
    assert all(map(ended, own)) and not any(map(ended, phone))
    assert refused(node, user, PASSWORD)
    own = many(node, user, "another")
    asked(node, pb.AppPasswordRevokeRequest(address=user, name="phone"))
    assert all(map(ended, phone)) and not any(map(ended, own))
    asked(node, pb.AccountSuspendRequest(address=user, suspended=True))
    assert all(map(ended, own))
    asked(node, pb.AccountSuspendRequest(address=user))
    own = many(node, user, "another")
    asked(node, pb.AccountRemoveRequest(address=user))
    assert all(map(ended, own))
    asked(node, pb.AccountUndeleteRequest(address=user))
    asked(node, pb.AccountPasswordRequest(address=user, password=PASSWORD))


@pytest.mark.parametrize("name", ["nobody", "no-one", "none"])
def test_guesses_at_several_nodes_are_counted_together(node: Node, name: str) -> None:
    said = []
    for number in range(CONNECTIONS):
        client = imaplib.IMAP4(HOST, node.port("imap"), timeout=30)
        with pytest.raises(imaplib.IMAP4.error) as refusal:
            client.login(f"{name}@example.test", f"guess{number}")
        said.append(str(refusal.value).partition("]")[0])
        client.logout()
    assert ["UNAVAILABLE" in each for each in said] == [number > 3 for number in range(CONNECTIONS)]


@pytest.mark.parametrize("user", USERS)
def test_a_maildrop_has_one_session_whichever_nodes_are_asked_for_it(node: Node, user: str) -> None:
    first = pop3(node, user)
    for _ in range(CONNECTIONS):
        with pytest.raises(poplib.error_proto, match="IN-USE"):
            pop3(node, user)
    first.quit()
    for _ in range(CONNECTIONS):
        pop3(node, user).quit()


def test_a_maildrop_is_free_when_the_node_of_its_session_was_killed(node: Node) -> None:
    """Each of them once, so that each session had its."""
    sessions = {user: pop3(node, user) for user in USERS}
    for which in (0, 1):
        dead = processes(node)[which]
        kill(dead)
        wait_for_another(node, dead, 2)
        for user, session in sessions.items():
            if not goes_on(session):
                wait_for(lambda user=user: taken(sessions, node, user))  # type: ignore[misc]
    for session in sessions.values():
        session.quit()


def test_a_node_that_hung_meanwhile_ends_its_sessions_when_it_comes_to_itself(node: Node) -> None:
    user = next(user for user in USERS if owner(node, user) == 0)
    sessions = many(node, user)
    hung = process_of(node, 1)
    os.kill(hung, signal.SIGSTOP)
    try:
        asked(node, pb.AccountPasswordRequest(address=user, password="another"))
        done = [ended(each) for each in sessions]
        assert any(done) and not all(done)
    finally:
        os.kill(hung, signal.SIGCONT)
    for each, was_ended in zip(sessions, done, strict=True):
        assert was_ended or each.sock.recv(len(BYE)) == BYE
    asked(node, pb.AccountPasswordRequest(address=user, password=PASSWORD))

"""Sessions of an account at all nodes of a cluster, when what they came in by, or who leads it, changes."""

from __future__ import annotations

import os
import poplib
import signal
from collections.abc import Iterator

import pytest

from tests.cluster.members import members
from tests.node.clustered import Nodes, ask, nodes
from tests.node.several import SECONDS_MAX
from tests.node.test_any_node import PASSWORD, Client, logged_in
from tests.node.test_cluster import ALICE, NAMES, primary, send
from tests.wire.node import Node
from tests.wire.server import HOST

BYE = b"* BYE This login is no longer good"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with members(1) as etcd, nodes(tmp_path_factory.mktemp("logins"), etcd, NAMES, copies=3) as made:
        made.wait_until(lambda known: all(len(row.in_sync) == 3 for _, row in known.rows()))
        ask(made["node1"], "account", "add", ALICE, stdin=PASSWORD)
        yield made


def pop3(node: Node) -> poplib.POP3:
    client = poplib.POP3(HOST, node.port("pop3"), timeout=SECONDS_MAX)
    client.user(ALICE)
    client.pass_(PASSWORD)
    return client


def idling(node: Node) -> Client:
    client = logged_in(node, ALICE)
    client.ok(b"SELECT INBOX")
    client.say(b"i IDLE")
    client.until(b"+")
    return client


def test_a_maildrop_and_its_lock_outlive_the_node_that_led_the_account(cluster: Nodes) -> None:
    before = primary(cluster)
    first, second = [name for name in NAMES if name != before]
    send(cluster, first, 3)
    client = pop3(cluster[first])
    cluster[before].kill()
    send(cluster, second, 1)
    assert client.stat()[0] == 3
    assert b"body" in client.retr(2)[1]
    for name in (first, second):
        with pytest.raises(poplib.error_proto, match="IN-USE"):
            pop3(cluster[name])
    client.dele(2)
    client.quit()
    again = pop3(cluster[second])
    assert again.stat()[0] == 3
    again.quit()
    cluster[before].start()
    cluster.wait_until(lambda known: all(len(row.in_sync) == 3 for _, row in known.rows()))


def test_a_new_password_ends_the_sessions_of_all_and_of_one_that_hung_before_it_serves_again(
    cluster: Nodes,
) -> None:
    led = primary(cluster)
    asked, hung = [name for name in NAMES if name != led]
    sessions = {name: idling(cluster[name]) for name in NAMES}
    os.kill(cluster[hung].process_id, signal.SIGSTOP)
    try:
        ask(cluster[asked], "account", "passwd", ALICE, stdin="another")
        for name in (led, asked):
            assert sessions[name].line() == BYE
    finally:
        os.kill(cluster[hung].process_id, signal.SIGCONT)
    assert sessions[hung].until(b"BYE") == BYE
    ask(cluster[led], "account", "passwd", ALICE, stdin=PASSWORD)
    sessions = {name: idling(cluster[name]) for name in NAMES}
    cluster[led].kill()
    while primary(cluster) == led:
        pass
    ask(cluster[hung], "account", "suspend", ALICE)
    for name in (asked, hung):
        assert sessions[name].until(b"BYE") == BYE

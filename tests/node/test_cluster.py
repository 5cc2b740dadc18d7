"""Three nodes over a real etcd, a copy of everything at each: whoever dies, what was promised is there."""

from __future__ import annotations

import smtplib
import subprocess
from collections.abc import Iterator

import pytest

from mailnode.directory.address import Address, canonical, directory_account
from mailnode.store import keys
from tests.cluster.members import Member, members
from tests.cluster.watched import are_whole
from tests.node.clustered import Nodes, ask, nodes
from tests.node.several import SECONDS_MAX, wait_for
from tests.node.test_any_node import PASSWORD, Client, logged_in
from tests.wire.node import Node, program
from tests.wire.server import HOST

NAMES = ("node1", "node2", "node3")
ALICE = "alice@example.test"


@pytest.fixture(scope="module")
def etcd() -> Iterator[Member]:
    with members(1) as made:
        yield made[0]


@pytest.fixture(scope="module")
def cluster(etcd: Member, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with nodes(tmp_path_factory.mktemp("cluster"), [etcd], NAMES, copies=3) as made:
        made.wait_until(are_whole)
        ask(made["node1"], "account", "add", ALICE, stdin=PASSWORD)
        yield made


def primary(cluster: Nodes) -> str:
    """Of alice's account."""
    address = canonical(ALICE)
    assert isinstance(address, Address)
    return cluster.map().primary(keys.partition(directory_account(address)))


def send(cluster: Nodes, name: str, count: int) -> None:
    """All of them are acknowledged: a client tries again where the answer is "not now", as any would."""
    for number in range(count):
        while not _is_taken(cluster[name], f"Subject: {number}\r\n\r\nbody\r\n"):
            pass


def _is_taken(node: Node, message: str) -> bool:
    with smtplib.SMTP(HOST, node.port("smtp"), timeout=SECONDS_MAX) as client:
        client.ehlo()
        try:
            client.sendmail("bob@example.org", [ALICE], message)
        except (smtplib.SMTPDataError, smtplib.SMTPRecipientsRefused) as error:
            assert "451" in str(error)
            return False
    return True


def test_every_node_serves_an_account_that_one_of_them_made(cluster: Nodes) -> None:
    for name in NAMES:
        assert ALICE in ask(cluster[name], "account", "list")
        send(cluster, name, 1)
    for name in NAMES:
        client = logged_in(cluster[name], ALICE)
        assert b"* 3 EXISTS" in client.ok(b"SELECT INBOX")
        client.close()


def test_when_its_primary_is_killed_an_account_and_its_sessions_go_on(
    cluster: Nodes,
) -> None:
    before = primary(cluster)
    first, second = [name for name in NAMES if name != before]
    client = logged_in(cluster[first], ALICE)
    had = exists(client)
    client.say(b"i IDLE")
    client.until(b"+")
    cluster[before].kill()
    send(cluster, second, 20)
    client.until(b"* %d EXISTS" % (had + 20))
    client.say(b"DONE")
    client.until(b"i OK")
    assert len(uids(client)) == len(set(uids(client))) == had + 20
    assert primary(cluster) != before
    cluster[before].start()
    cluster.wait_until(are_whole)
    again = logged_in(cluster[before], ALICE)
    assert exists(again) == had + 20


def test_one_that_stops_hands_over_first(cluster: Nodes) -> None:
    stopped = primary(cluster)
    first, second = [name for name in NAMES if name != stopped]
    client = logged_in(cluster[first], ALICE)
    had = exists(client)
    cluster[stopped].stop()
    assert all(row.primary.node != stopped for _, row in cluster.map().rows())
    send(cluster, second, 5)
    client.ok(b"NOOP")
    assert len(uids(client)) == had + 5
    cluster[stopped].start()
    cluster.wait_until(are_whole)


def test_a_domain_and_a_message_may_ask_for_more_copies(cluster: Nodes) -> None:
    leads = primary(cluster)
    killed, first = [name for name in NAMES if name != leads]
    assert durable(cluster[first], "XDURABLE=2").endswith("accepted, durable on 3 nodes")
    assert " copies=3\n" in cluster[first].log.read_text()
    cluster[killed].kill()
    cluster.wait_until(lambda known: all(len(row.in_sync) == 2 for _, row in known.rows()))
    assert durable(cluster[first], "XDURABLE=2").endswith("accepted, durable on 2 nodes")
    assert durable(cluster[first], "XDURABLE=3").startswith("451 ")
    assert durable(cluster[first]).endswith(" accepted")
    ask(cluster[first], "domain", "set", "example.test", "min_insync=3")
    assert "min_insync = 3" in ask(cluster[leads], "domain", "show", "example.test")
    wait_for(lambda: durable(cluster[first]).startswith("451 "))
    client = logged_in(cluster[first], ALICE)
    assert b"NO [UNAVAILABLE]" in client.ask(b"CREATE another")[-1]
    ask(cluster[first], "domain", "set", "example.test", "min_insync=0")
    wait_for(lambda: durable(cluster[first]).endswith(" accepted"))
    cluster[killed].start()
    cluster.wait_until(lambda known: all(len(row.in_sync) == 3 for _, row in known.rows()))


def durable(node: Node, *options: str) -> str:
    """What LMTP says of a message for alice."""
    with smtplib.LMTP(HOST, node.port("lmtp"), timeout=SECONDS_MAX) as client:
        client.ehlo()
        assert client.has_extn("XDURABLE") and client.esmtp_features["xdurable"] == "3"
        assert client.mail("bob@example.org", options)[0] == 250
        assert client.rcpt(ALICE)[0] == 250
        code, text = client.data(b"Subject: durable\r\n\r\nbody\r\n")
        return f"{code} {text.decode()}"


def test_mail_goes_on_without_etcd(cluster: Nodes, etcd: Member) -> None:
    client = logged_in(cluster["node1"], ALICE)
    had = exists(client)
    etcd.kill()
    try:
        wait_for(lambda: "etcd cannot be asked" in cluster["node1"].log.read_text())
        send(cluster, "node2", 3)
        client.ok(b"NOOP")
        assert len(uids(client)) == had + 3
    finally:
        etcd.start()
        etcd.wait_until_ready()
    wait_for(lambda: "etcd answers again" in cluster["node1"].log.read_text())


def test_a_command_that_needs_a_node_says_so_while_none_of_its_directory_runs(cluster: Nodes) -> None:
    node = cluster["node3"]
    node.stop()
    said = refused("account", "list", "--dir", str(node.directory))
    assert "start it" in said
    config = node.directory / "mailnode.toml"
    text = config.read_text()
    config.write_text(text[: text.index("\n[cluster]")])
    assert "belongs to cluster" in refused("up", str(node.directory))
    config.write_text(text)
    node.start()


def refused(*words: str) -> str:
    done = subprocess.run([*program(), *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    return done.stderr


def exists(client: Client) -> int:
    (line,) = [line for line in client.ok(b"SELECT INBOX") if line.endswith(b" EXISTS")]
    return int(line.split()[1])


def uids(client: Client) -> list[bytes]:
    return [line.split()[4] for line in client.ok(b"FETCH 1:* (UID)") if line.startswith(b"* ")]

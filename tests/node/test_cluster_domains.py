"""Domains of a cluster: one is added at a node, has its accounts at another, and is signed for at a third."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import Iterator
from pathlib import Path

import dkim
import pytest

from mailnode.config import FILE
from tests.cluster.members import Member, members
from tests.node.clustered import Nodes, ask
from tests.node.several import SECONDS_MAX, wait_for
from tests.node.test_any_node import PASSWORD, logged_in
from tests.node.test_domains import answer_for
from tests.relay.host import Scripted, listening
from tests.relay.test_over_the_wire import NAMES, point
from tests.wire.nameserver import Nameserver
from tests.wire.node import Node
from tests.wire.server import HOST

CAROL = "carol@second.test"
MESSAGE = f"From: {CAROL}\r\nSubject: out\r\n\r\nhello\r\n"


@pytest.fixture(scope="module")
def etcd() -> Iterator[Member]:
    with members(1) as made:
        yield made[0]


def test_a_domain_is_added_at_one_node_and_served_and_signed_for_at_the_others(
    etcd: Member, tmp_path: Path
) -> None:
    host = Scripted()
    nodes = Nodes(tmp_path, [etcd], ("one", "two", "three"), copies=1, options=("--allow-plaintext-auth",))

    async def work() -> None:
        with Nameserver(NAMES) as nameserver:
            async with asyncio.timeout(120), listening(host) as port:
                for node in nodes.nodes.values():
                    point(node, port, nameserver.port)
                _call(nodes["three"], "mx3.example.test")
                await asyncio.to_thread(nodes.start)
                await asyncio.to_thread(_add_and_send, nodes)
                await host.came.acquire()
                _check_signature(nodes, host.contents[0])
                _check_hosts(nodes)
                await asyncio.to_thread(_remove, nodes)

    try:
        asyncio.run(work())
    finally:
        nodes.end()


def _call(node: Node, hostname: str) -> None:
    file = node.directory / FILE
    text = file.read_text()
    assert 'hostname = "mail.example.test"' in text
    file.write_text(text.replace('hostname = "mail.example.test"', f'hostname = "{hostname}"'))


def _add_and_send(nodes: Nodes) -> None:
    assert answer_for(nodes["three"], CAROL) == 550
    ask(nodes["one"], "domain", "add", "second.test")
    wait_for(lambda: "second.test" in ask(nodes["two"], "domain", "list"))
    ask(nodes["two"], "account", "add", CAROL, stdin=PASSWORD)
    wait_for(lambda: answer_for(nodes["three"], CAROL) == 250)
    with smtplib.SMTP(HOST, nodes["three"].port("submission"), timeout=SECONDS_MAX) as client:
        client.login(CAROL, PASSWORD)
        assert client.sendmail(CAROL, ["bob@there.test", CAROL], MESSAGE) == {}
    client = logged_in(nodes["one"], CAROL)
    assert b"* 1 EXISTS" in client.ok(b"SELECT INBOX")
    client.close()


def _check_signature(nodes: Nodes, content: bytes) -> None:
    records = {ask(node, "dkim", "publish", "second.test") for node in nodes.nodes.values()}
    (record,) = records
    assert not any(list((node.directory / "dkim").glob("second*")) for node in nodes.nodes.values())
    public = "".join(record.split('"')[1::2]).encode()
    assert b"d=second.test; s=m1;" in content
    assert dkim.verify(content, dnsfunc=lambda name, timeout=5: public)


def _check_hosts(nodes: Nodes) -> None:
    """Others may send to any node of the cluster."""
    hosts = ["mail.example.test", "mx3.example.test"]
    for node in nodes.nodes.values():
        lines = ask(node, "dns", "second.test").splitlines()
        for host in hosts:
            assert f"second.test.\tIN\tMX\t10 {host}." in lines
            assert f";\tmx: {host}" in lines


def _remove(nodes: Nodes) -> None:
    nodes["two"].kill()
    nodes["two"].start()
    assert answer_for(nodes["two"], CAROL) == 250
    ask(nodes["three"], "domain", "set", "second.test", "separator=-")
    wait_for(lambda: answer_for(nodes["two"], "carol-tag@second.test") == 250)
    ask(nodes["three"], "domain", "remove", "second.test", "--keep-accounts")
    wait_for(lambda: answer_for(nodes["one"], CAROL) == 550)

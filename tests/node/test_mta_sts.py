"""A node that serves the MTA-STS policies of its domains, and what `doctor` makes of such a server."""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailnode import certificate
from mailnode.clock import SystemClock
from mailnode.config import FILE
from mailnode.limits import Limits
from mailnode.mailauth.published import policy
from mailnode.mailauth.resolver import Resolver
from mailnode.mailauth.sts import Absent, fetched
from protocols.sts import Policy
from tests.mailauth.zone import Zone
from tests.wire.node import Node
from tests.wire.server import HOST, free_base_port

MTA_STS_PORT = 80
"""Beyond the base: none of the standard ports of mail."""
HOSTNAME = "mail.example.test"
NAMES = {f"mta-sts.{name}": {"A": [HOST]} for name in ("example.test", "other.test")}


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    made = Node(tmp_path / "node", free_base_port(random.Random()), {})
    made.init()
    chain = made.directory / "tls" / "cert.pem"
    for path in chain.parent.iterdir():
        path.unlink()
    names = [HOSTNAME, "mta-sts.example.test", "mta-sts.other.test"]
    certificate.write_self_signed(chain, chain.with_name("key.pem"), names, SystemClock())
    monkeypatch.setenv("SSL_CERT_FILE", str(chain))
    file, port = made.directory / FILE, made.base_port + MTA_STS_PORT
    file.write_text(re.sub(r"\n# mta_sts = 443", f"\nmta_sts = {port}", file.read_text()))
    made.start()
    yield made
    made.stop()


def read(node: Node, domain: str = "example.test", port: int = 0) -> Policy:
    resolver = Resolver(Zone(NAMES), SystemClock(), Limits())
    return asyncio.run(fetched(resolver, domain, port or node.base_port + MTA_STS_PORT))


def test_others_read_the_policy_of_a_domain_and_of_none_that_is_not_ours(node: Node) -> None:
    assert read(node) == policy([HOSTNAME], "testing")
    with pytest.raises(Absent, match=r"mta-sts\.other\.test answers 404"):
        read(node, "other.test")
    with pytest.raises(Absent, match=r"mta-sts\.nowhere\.test has no address"):
        read(node, "nowhere.test")
    with pytest.raises(Absent, match=r"refused"):
        read(node, port=node.base_port + MTA_STS_PORT + 1)


def test_a_policy_that_changes_is_served_at_once(node: Node) -> None:
    file = node.directory / FILE
    file.write_text(file.read_text().replace('mta_sts = "testing"', 'mta_sts = "enforce"'))
    os.kill(node.process_id, signal.SIGHUP)
    while read(node).mode != "enforce":  # each look is a TLS connection: it takes its time
        assert node.is_running


def test_a_certificate_for_another_name_is_no_policy(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(Absent, match="certificate"):
        read(node)


def test_nothing_else_is_served_there(node: Node) -> None:
    async def answered(request: bytes) -> bytes:
        context = ssl.create_default_context(cafile=str(node.certificate))
        reader, writer = await asyncio.open_connection(
            HOST, node.base_port + MTA_STS_PORT, ssl=context, server_hostname=HOSTNAME
        )
        writer.write(request)
        said = await reader.read()
        writer.close()
        return said.partition(b"\r\n")[0]

    for request in (
        b"GET / HTTP/1.0\r\nHost: mta-sts.example.test\r\n\r\n",
        b"GET /metrics HTTP/1.0\r\nHost: mta-sts.example.test\r\n\r\n",
        b"GET /.well-known/mta-sts.txt HTTP/1.0\r\nHost: example.test\r\n\r\n",
        b"GET /.well-known/mta-sts.txt HTTP/1.0\r\nHost: mta-sts.\xff\r\n\r\n",
        b"GET /.well-known/mta-sts.txt HTTP/1.0\r\n\r\n",
    ):
        assert b" 404 " in asyncio.run(answered(request))

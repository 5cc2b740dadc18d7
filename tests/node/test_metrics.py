"""What Prometheus reads, what /healthz says, and the dashboard that shows it, of a node that serves."""

from __future__ import annotations

import imaplib
import json
import random
import re
import smtplib
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailnode.config import FILE
from tests.node.test_node import ALICE, HOST, PASSWORD, deliver
from tests.wire.node import Node
from tests.wire.server import free_base_port

DASHBOARD = Path(__file__).parents[2] / "docs" / "grafana.json"
SAMPLE = re.compile(r"^([a-z_0-9]+)(?:\{(.*)\})? (\S+)$")
METRICS_PORT = 80
"""Beyond the base: none of the standard ports of mail."""


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    running = Node(tmp_path / "node", free_base_port(random.Random()), {ALICE: PASSWORD})
    running.init()
    file = running.directory / FILE
    told = f'[metrics]\nport = {running.base_port + METRICS_PORT}\ntoken = {{ file = "token" }}\n'
    file.write_text(file.read_text() + told)
    (running.directory / "token").write_text("sesame\n")
    running.start()
    yield running
    running.stop()


def read(node: Node, path: str, token: str = "sesame") -> str:
    url = f"http://{HOST}:{node.base_port + METRICS_PORT}{path}"
    asked = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(asked, timeout=10) as answer:
        text: str = answer.read().decode()
        return text


def samples(node: Node) -> dict[tuple[str, str], float]:
    """By name and labels, as written."""
    found = (SAMPLE.match(line) for line in read(node, "/metrics").splitlines() if not line.startswith("#"))
    return {(each[1], each[2] or ""): float(each[3]) for each in found if each}


def work(node: Node) -> None:
    deliver(node, b"one")
    deliver(node, b"two")
    with (
        smtplib.SMTP(HOST, node.port("submission")) as client,
        pytest.raises(smtplib.SMTPAuthenticationError),
    ):
        client.login(ALICE, "wrong")
    client = imaplib.IMAP4(HOST, node.port("imap"))
    client.login(ALICE, PASSWORD)
    client.select()
    client.fetch("1:*", "(BODY[])")


def test_what_happened_is_counted_and_timed(node: Node) -> None:
    work(node)
    found = samples(node)
    assert found["mailnode_messages_total", 'result="taken",service="smtp"'] == 2
    assert found["mailnode_message_stored_seconds_count", 'service="smtp"'] == 2
    assert found["mailnode_transaction_seconds_bucket", 'le="+Inf",service="smtp"'] == 2
    assert found["mailnode_logins_total", 'result="wrong",service="smtp"'] == 1
    assert found["mailnode_logins_total", 'result="right",service="imap"'] == 1
    assert found["mailnode_command_seconds_count", 'command="fetch",service="imap"'] == 1
    assert found["mailnode_sessions", 'service="imap"'] == 1
    assert found["mailnode_queue_items", ""] == 0
    changes, groups = (found[f"mailnode_{name}_count", ""] for name in ("apply_seconds", "group_changes"))
    assert changes >= groups >= 1 and found["mailnode_group_changes_sum", ""] == changes
    assert found["mailnode_shard_memtable_octets", ""] > 0
    assert found["mailnode_disk_free_octets", ""] > 0
    assert found["mailnode_scrub_faults", ""] == 0
    assert found["process_resident_memory_bytes", ""] > 0


def test_the_metrics_are_for_who_bears_the_token_and_the_health_for_all(node: Node) -> None:
    assert read(node, "/healthz", "none") == "ok\n"
    with pytest.raises(urllib.error.HTTPError, match="401"):
        read(node, "/metrics", "open")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        read(node, "/")


def test_the_dashboard_shows_what_is_exported_and_all_of_it(node: Node) -> None:
    work(node)
    text = read(node, "/metrics")
    told = {line.split()[2]: line.split()[3] for line in text.splitlines() if line.startswith("# TYPE")}
    exported = {f"{name}_bucket" if kind == "histogram" else name for name, kind in told.items()}
    dashboard = json.loads(DASHBOARD.read_text())
    asked = " ".join(target["expr"] for panel in dashboard["panels"] for target in panel["targets"])
    shown = set(re.findall(r"\b(?:mailnode|process)_[a-z0-9_]+", asked))
    assert shown <= exported
    assert {name for name in exported if name.startswith("mailnode_")} <= shown

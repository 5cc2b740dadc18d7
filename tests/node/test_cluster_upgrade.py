"""Two builds in one cluster: nodes are upgraded one by one while mail goes on, then the format is raised."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from mailnode.config import load
from mailnode.limits import MiB
from mailnode.store import keys
from mailnode.store.formats import FORMAT
from mailnode.store.keys import Family
from mailnode.store.shard import RocksShard
from tests.cluster.members import members
from tests.node.clustered import Nodes, ask, nodes
from tests.node.several import wait_for
from tests.node.test_any_node import PASSWORD, logged_in
from tests.node.test_cluster import ALICE, NAMES, send
from tests.node.test_cluster_verify import is_whole
from tests.wire.server import ServerFailed

ROOT = Path(__file__).parents[2]
LATER = 99
"""Kind of a row that only the later format has, one a change."""

CHANGED = {
    "mailnode/store/formats.py": (f"\nFORMAT = {FORMAT}\n", f"\nFORMAT = {FORMAT + 1}\n"),
    "mailnode/mailbox/rows.py": (
        "    for mailbox in change.mailboxes:\n",
        f"    if format > {FORMAT}:\n"
        f'        yield STATE, keys.state(account, {LATER}, change.position.to_bytes(8, "big")), b"later"\n'
        "    for mailbox in change.mailboxes:\n",
    ),
}


def later_build(folder: Path) -> Path:
    """The same program, but it knows one more format."""
    for package in ("mailnode", "protocols"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name, (before, after) in CHANGED.items():
        text = (folder / name).read_text()
        assert text.count(before) == 1
        (folder / name).write_text(text.replace(before, after))
    return folder


def format_of(cluster: Nodes) -> int:
    status = json.loads(ask(cluster["node1"], "cluster", "status", "--json"))
    return int(status["format"])


def later_rows(cluster: Nodes, name: str) -> list[bytes]:
    config = load(cluster[name].directory)
    with closing(RocksShard(config.shard, 64 * MiB)) as shard:
        found = list(shard.scan(Family.STATE, b"", keys.END))
    return [key for key, _ in found if keys.kind_of(key) == LATER]


def test_nodes_are_upgraded_one_by_one_and_the_format_is_raised_once_all_are(tmp_path: Path) -> None:
    later = later_build(tmp_path / "later")
    with members(1) as etcd, nodes(tmp_path, etcd, NAMES, copies=3) as cluster:
        cluster.wait_until(is_whole)
        ask(cluster["node1"], "account", "add", ALICE, stdin=PASSWORD)
        for name in NAMES:
            assert format_of(cluster) == FORMAT
            cluster[name].stop()
            cluster[name].run_by("env", f"PYTHONPATH={later}")
            cluster[name].start()
            cluster.wait_until(is_whole)
            for node in NAMES:
                send(cluster, node, 1)
        wait_for(lambda: format_of(cluster) == FORMAT + 1)
        send(cluster, "node2", 3)
        said = ask(cluster["node3"], "cluster", "verify", ALICE)
        assert "all copies are equal" in said
        client = logged_in(cluster["node1"], ALICE)
        assert b"* 12 EXISTS" in client.ok(b"SELECT INBOX")
        client.close()
        for name in NAMES:
            cluster[name].stop()
        first, *others = [later_rows(cluster, name) for name in NAMES]
        assert 3 <= len(first) < 12 and others == [first, first], "of what came after the raise alone"
        cluster["node1"].run_by()
        with pytest.raises(
            ServerFailed, match=f"format {FORMAT + 1}, this program knows {FORMAT}: use a newer"
        ):
            cluster["node1"].start()

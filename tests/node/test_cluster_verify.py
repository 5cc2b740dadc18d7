"""Copies of three nodes over a real etcd: compared on demand, and equal again after damage to one."""

from __future__ import annotations

import json
import smtplib
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mailnode.cluster.map import Map
from mailnode.config import load
from mailnode.directory.address import Address, canonical, directory_account
from mailnode.limits import MiB
from mailnode.store import keys
from mailnode.store.keys import Family, Kind
from mailnode.store.shard import RocksShard, open_shard
from tests.cluster.members import members
from tests.faults.copies import unequal
from tests.node.clustered import Nodes, ask, nodes
from tests.node.test_any_node import PASSWORD, logged_in
from tests.node.test_cluster import ALICE, NAMES, primary, send
from tests.store.damaging import flip, flush, where
from tests.wire.node import program
from tests.wire.server import HOST

BODY = "".join(f"{number:08x}" for number in range(4000))


LOST = (Family.STATE, Family.BLOB)


def is_whole(known: Map) -> bool:
    """What alice has."""
    return len(known.row(partition()).in_sync) == 3


def partition() -> int:
    address = canonical(ALICE)
    assert isinstance(address, Address)
    return keys.partition(directory_account(address))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with members(1) as etcd, nodes(tmp_path_factory.mktemp("verify"), etcd, NAMES, copies=3) as made:
        made.wait_until(is_whole)
        ask(made["node1"], "account", "add", ALICE, stdin=PASSWORD)
        send(made, "node1", 3)
        yield made


def verify(cluster: Nodes, *words: str) -> tuple[int, str, str]:
    node = next(each for each in cluster.nodes.values() if each.is_running)
    command = [*program(), "cluster", "verify", *words, "--dir", str(node.directory)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def opened(directory: Path) -> RocksShard:
    return open_shard(load(directory).shard, 64 * MiB, b"")


def stopped(cluster: Nodes, name: str) -> RocksShard:
    """Once the others go on without it."""
    cluster[name].stop()
    cluster.wait_until(lambda known: len(known.row(partition()).in_sync) == 2)
    return opened(cluster[name].directory)


def back(cluster: Nodes, name: str) -> None:
    cluster[name].start()
    cluster.wait_until(is_whole)


def test_all_copies_are_equal_and_so_are_those_of_an_account_or_a_partition(cluster: Nodes) -> None:
    assert unequal(cluster["node2"].directory) == []
    (answer,) = json.loads(verify(cluster, ALICE, "--json")[1])
    assert int(answer["rows"]) > 20 and int(answer["partitions"]) == 1
    code, said, _ = verify(cluster, "7")
    assert code == 0 and "of 1 partition," in said
    assert verify(cluster, "nobody@example.test")[0] == 1
    assert verify(cluster, "70000")[0] == 2 == verify(cluster)[0]


def test_what_the_disk_of_the_primary_lost_is_told_and_repaired_and_read_by_a_client(cluster: Nodes) -> None:
    leader = primary(cluster)
    send_long(cluster, leader)
    with closing(stopped(cluster, leader)) as shard:
        keys_of = {family: [key for key, _ in shard.scan(family, b"", keys.END)] for family in LOST}
        entry = next(key for key in keys_of[Family.STATE] if keys.kind_of(key) == Kind.ENTRY)
        blob = keys_of[Family.BLOB][-1]
        shard.write([(Family.STATE, entry, None)], sync=True)
        flush(shard)
    code, _, complained = verify(cluster, ALICE)
    assert code == 1 and f"the copy of {leader} is not in sync" in complained
    file, at = where(load(cluster[leader].directory).shard, blob, ".blob")
    flip(file, at + len(blob) + 10)
    back(cluster, leader)
    code, said, complained = verify(cluster, ALICE)
    assert code == 1 and entry.hex() in said and blob.hex() in said, (said, complained)
    code, _, complained = verify(cluster, ALICE, "--repair")
    assert code == 0, complained  # what was met may have been mended by itself meanwhile
    assert "all copies are equal" in verify(cluster, ALICE)[1]
    client = logged_in(cluster[primary(cluster)], ALICE)
    assert b"* 4 EXISTS" in client.ok(b"SELECT INBOX")
    assert BODY.encode()[:70] in client.ok(b"FETCH 4 BODY[]")


def send_long(cluster: Nodes, name: str) -> None:
    lines = "\r\n".join(BODY[start : start + 70] for start in range(0, len(BODY), 70))
    with smtplib.SMTP(HOST, cluster[name].port("smtp")) as client:
        client.sendmail("bob@example.org", [ALICE], f"Subject: long\r\n\r\n{lines}\r\n")

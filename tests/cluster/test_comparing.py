"""Copies compared and mended while entries are written: on shards, with nodes moved by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mailnode.cluster.log_rows import APART_OCTETS_MIN
from mailnode.limits import Limits
from mailnode.store import keys
from mailnode.store.keys import OF_ACCOUNTS, Family
from tests.cluster.looking import Looking
from tests.cluster.nodes import Cluster, Node, _key

STATE = Family.STATE
LIMITS = replace(Limits(), part_rows_max=3, compare_part_octets=20_000)


@pytest.fixture(params=["ab", "abc"])
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    cluster = Cluster(request.param, limits=LIMITS)
    fill(cluster)
    yield cluster
    cluster.close()


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Looking]:
    cluster = Cluster("abc", limits=LIMITS)
    fill(cluster)
    yield Looking(cluster, tmp_path)
    cluster.close()


@pytest.fixture
def looking(cluster: Cluster, tmp_path: Path) -> Looking:
    return Looking(cluster, tmp_path)


def fill(cluster: Cluster, count: int = 700) -> None:
    a = cluster.nodes["a"]
    for number in range(count):
        content = b"|" + b"%d" % number * APART_OCTETS_MIN if number % 100 == 0 else b""
        a.append(b"row%05d" % number + content)
    cluster.settle()
    cluster.pass_time(1)


def rows(node: Node) -> dict[str, list[tuple[bytes, bytes]]]:
    return {family: list(node.shard.scan(family, b"", keys.END)) for family in OF_ACCOUNTS}


def are_equal(cluster: Cluster) -> bool:
    cluster.pass_time(1)
    first, *others = [rows(node) for node in cluster.nodes.values()]
    return all(each == first for each in others)


def test_equal_copies_have_no_differences(looking: Looking) -> None:
    found = looking.compare()
    assert (found.partitions, found.differences, found.not_compared) == (1, 0, 0)
    assert found.rows == 707, "all of them, in several parts"


@pytest.mark.parametrize("value", [b"other", None])
def test_a_row_that_is_other_or_missing_at_a_follower_is_what_it_was_again(
    looking: Looking, value: bytes | None
) -> None:
    """Of two that are sound the primary's is taken."""
    is_mended(looking, "b", value)


@pytest.mark.parametrize("value", [b"other", None])
def test_two_followers_that_agree_are_right_against_the_primary(three: Looking, value: bytes | None) -> None:
    is_mended(three, "a", value)


def is_mended(looking: Looking, name: str, value: bytes | None) -> None:
    cluster = looking.cluster
    cluster.nodes[name].shard.write([(STATE, _key(b"row00444"), value)], sync=True)
    found = looking.compare()
    assert (found.differences, found.mended) == (1, 1)
    assert are_equal(cluster) and cluster.nodes[name].shard.get(STATE, _key(b"row00444")) == b"row00444"
    assert looking.compare().differences == 0


def test_a_row_that_no_other_copy_has_goes_and_is_kept_aside(looking: Looking) -> None:
    cluster = looking.cluster
    cluster.nodes["b"].shard.write([(STATE, _key(b"row00444x"), b"\xfe")], sync=True)
    assert looking.compare().mended == 1
    assert are_equal(cluster)
    (line,) = looking.aside("b").read_text().splitlines()
    kept = json.loads(line)
    assert (kept["key"], kept["was"], kept["now"]) == (_key(b"row00444x").hex(), "/g==", None)


def test_without_mending_what_differs_is_only_told(looking: Looking) -> None:
    cluster = looking.cluster
    cluster.nodes["b"].shard.write([(STATE, _key(b"row00444"), b"other")], sync=True)
    found = looking.compare(mends=False)
    assert (found.differences, found.mended) == (1, 0)
    assert cluster.nodes["b"].shard.get(STATE, _key(b"row00444")) == b"other"
    (told,) = found.told
    assert told.key == _key(b"row00444").hex() and told.what.startswith("a: ") and "b: " in told.what


def test_copies_are_compared_and_mended_while_entries_are_written(looking: Looking) -> None:
    cluster = looking.cluster
    a, b = cluster.nodes["a"], cluster.nodes["b"]
    b.shard.write([(STATE, _key(b"row00%03d" % number), b"other") for number in range(0, 700, 50)], sync=True)
    written = [0]

    def write() -> None:
        for _ in range(5):
            written[0] += 1
            long = b"|" + b"z" * APART_OCTETS_MIN if written[0] % 3 == 0 else b""
            a.append(b"row%05d" % (written[0] % 900) + long)
            a.hand.settle()

    found = looking.compare(meanwhile=write)
    assert found.mended == 14 and not found.not_compared and written[0] > 20
    assert are_equal(cluster)
    assert len(a.told) == 700 + written[0], "nothing that was appended is lost"


def test_contents_of_entries_that_are_not_committed_are_no_difference(looking: Looking) -> None:
    cluster = looking.cluster
    a = cluster.nodes["a"]
    cluster.cut.add("b")
    a.append(b"row00001x|" + b"q" * APART_OCTETS_MIN)
    a.hand.settle()
    a.work()
    assert len(a.contents()) == 8 and len(cluster.nodes["b"].contents()) == 7
    cluster.cut.clear()
    found = looking.compare()
    assert found.differences == 0
    assert are_equal(cluster)


def test_what_was_read_of_rows_that_were_wrong_is_forgotten(three: Looking) -> None:
    cluster = three.cluster
    a = cluster.nodes["a"]
    told: list[str] = []
    a.partitions.follow(lambda partition: told.append("begun"), lambda partition: told.append("ended"))
    a.shard.write([(STATE, _key(b"row00444"), b"other")], sync=True)
    three.compare()
    assert told == ["begun", "ended", "begun"] and a.partitions.leads(3)


def test_a_copy_that_is_not_in_sync_is_told_to_be_missing(looking: Looking) -> None:
    looking.cluster.crash("b")
    looking.cluster.pass_time(8)
    found = looking.compare()
    assert found.not_compared == 1 and "the copy of b is not in sync" in found.failures[0]


def test_a_copy_that_cannot_be_asked_is_told_and_ends_nothing(cluster: Cluster, tmp_path: Path) -> None:
    looking = Looking(cluster, tmp_path)
    replica = cluster.nodes["b"].replication.core.partitions[3]
    replica.stop("tried")
    found = looking.compare()
    assert found.not_compared == 1 and "b" in found.failures[0]


@pytest.fixture(params=["a", "ab"])
def afar(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Looking]:
    """x has a copy in another data centre."""
    cluster = Cluster(request.param, limits=LIMITS, far="x")
    fill(cluster)
    yield Looking(cluster, tmp_path)
    cluster.close()


@pytest.mark.parametrize("value", [b"other", None])
def test_a_copy_in_another_data_centre_is_made_equal(afar: Looking, value: bytes | None) -> None:
    assert afar.compare().differences == 0
    is_mended(afar, "x", value)


def test_a_copy_in_another_data_centre_proves_the_primary_wrong(tmp_path: Path) -> None:
    cluster = Cluster("ab", limits=LIMITS, far="x")
    fill(cluster)
    is_mended(Looking(cluster, tmp_path), "a", b"other")
    cluster.close()


def test_a_data_centre_that_cannot_be_asked_is_told_and_the_copies_at_home_are_mended(afar: Looking) -> None:
    cluster = afar.cluster
    cluster.nodes["x"].replication.core.partitions[3].stop("tried")
    at_home = "b" in cluster.nodes
    if at_home:
        cluster.nodes["b"].shard.write([(STATE, _key(b"row00444"), b"other")], sync=True)
    found = afar.compare()
    assert found.mended == at_home
    assert found.not_compared == 1 and "x" in found.failures[0]
    assert afar.compare().differences == 0


def test_a_data_centre_that_is_cut_off_is_not_asked(afar: Looking) -> None:
    cluster = afar.cluster
    cluster.cut.add("x")
    cluster.nodes["a"].append(b"row00001")
    cluster.pass_time(60)
    found = afar.compare()
    assert (found.differences, found.not_compared) == (0, 1) and "x, in another" in found.failures[0]


def test_copies_in_another_data_centre_are_compared_while_entries_are_written(afar: Looking) -> None:
    cluster = afar.cluster
    cluster.nodes["x"].shard.write([(STATE, _key(b"row00500"), b"other")], sync=True)
    written = [0]

    def write() -> None:
        for _ in range(5):
            written[0] += 1
            cluster.nodes["a"].append(b"row%05d" % (written[0] % 400))
        cluster.nodes["a"].hand.settle()

    found = afar.compare(meanwhile=write)
    assert (found.mended, found.not_compared) == (1, 0) and written[0] > 10
    assert are_equal(cluster)

"""Blocks and blobs that the disk changed, mended from another copy: on RocksDB, with nodes moved by hand."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mailnode.cluster.log_rows import APART_OCTETS_MIN
from mailnode.limits import Limits
from mailnode.store import keys
from mailnode.store.damage import Unreadable, readable
from mailnode.store.keys import OF_ACCOUNTS, Family
from mailnode.store.shard import RocksShard, open_shard
from tests.cluster.looking import Looking
from tests.cluster.nodes import PARTITION, Cluster
from tests.store.damaging import flip, flush, table, where

MEMORY_OCTETS = 16 * 1024 * 1024
LIMITS = replace(Limits(), compare_part_octets=50_000)
ROWS = 1500


def name(number: int) -> bytes:
    return b"%05d-" % number + random.Random(number).randbytes(40).hex().encode()


def content(number: int) -> bytes:
    return random.Random(number).randbytes(APART_OCTETS_MIN)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    def shard(of: str) -> RocksShard:
        return open_shard(tmp_path / of, MEMORY_OCTETS, of.encode() * 16)

    cluster = Cluster("ab", limits=LIMITS, shards=shard)
    a = cluster.nodes["a"]
    for number in range(ROWS):
        a.append(name(number) + (b"|" + content(number) if number % 150 == 0 else b""))
    cluster.settle()
    cluster.pass_time(1)
    for node in cluster.nodes.values():
        flush(node.shard)
    yield cluster
    shards = [node.shard for node in cluster.nodes.values()]
    cluster.close()
    for each in shards:
        each.close()


def rows(cluster: Cluster, of: str) -> list[list[tuple[bytes, bytes]]]:
    """All there are; raises Unreadable."""
    shard = cluster.nodes[of].shard
    return [list(shard.scan(family, *keys.partition_range(family, PARTITION))) for family in OF_ACCOUNTS]


Damage = Callable[[RocksShard, Path, int], None]


def damage_block(shard: RocksShard, path: Path, number: int) -> None:
    file = table(shard, path, keys.applied(PARTITION))
    octets, whole = file.read_bytes(), name(number)
    # Compressed, a name may be cut where a few octets of it were met before.
    places = (octets.find(whole[start : start + 12]) for start in range(6, len(whole) - 12))
    flip(file, next(place for place in places if place >= 0))


def damage_blob(shard: RocksShard, path: Path, number: int) -> None:
    file, at = where(path, content(number)[100:200], ".blob")
    flip(file, at + 10)


@pytest.mark.parametrize("of", ["a", "b"])
@pytest.mark.parametrize(
    ("damage", "numbers"),
    [
        (damage_block, (700,)),
        (damage_block, (0,)),
        (damage_block, (ROWS - 1, 720, 300)),
        (damage_blob, (750,)),
    ],
)
def test_what_cannot_be_read_is_written_anew_from_the_other_copy(
    cluster: Cluster, tmp_path: Path, of: str, damage: Damage, numbers: tuple[int, ...]
) -> None:
    sound = rows(cluster, of)
    for number in numbers:
        damage(cluster.nodes[of].shard, tmp_path / of, number)
    with pytest.raises(Unreadable):
        rows(cluster, of)
    looking = Looking(cluster, tmp_path)
    found = looking.compare()
    assert found.differences and found.mended == found.differences and not found.not_compared
    assert rows(cluster, of) == sound == rows(cluster, "b" if of == "a" else "a")
    assert looking.compare().differences == 0
    assert cluster.nodes["a"].partitions.leads(3)


def test_of_rows_that_neither_copy_can_read_nothing_is_lost_that_can_be_read(
    cluster: Cluster, tmp_path: Path
) -> None:
    for of in "ab":
        damage_block(cluster.nodes[of].shard, tmp_path / of, 700)
    left = {of: list(readable(cluster.nodes[of].shard, Family.STATE, b"", keys.END)) for of in "ab"}
    looking = Looking(cluster, tmp_path)
    found = looking.compare()
    assert found.differences and not found.not_compared
    for of in "ab":
        assert list(readable(cluster.nodes[of].shard, Family.STATE, b"", keys.END)) == left[of]

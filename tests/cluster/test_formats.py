"""One format of entries for a cluster, raised when every node reads it; what is later stops a partition."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mailnode.cluster import etcd_rows as rows
from mailnode.cluster.etcd import Put
from mailnode.cluster.joined import Joined, _put_node
from mailnode.pb.row_pb2 import LogRow
from mailnode.store import keys
from mailnode.store.formats import FORMAT
from mailnode.store.keys import Family
from mailnode.store.shard import ShardError
from tests.cluster.members import Member, members
from tests.cluster.moves import at_of, init, node, until
from tests.cluster.nodes import PARTITION, Cluster


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    cluster = Cluster()
    yield cluster
    cluster.close()


def formats(cluster: Cluster, name: str) -> list[int]:
    found = cluster.nodes[name].shard.scan(Family.LOG, keys.log(PARTITION, 1), keys.END)
    return [LogRow.FromString(value).format for _, value in found if LogRow.FromString(value).entry]


def test_entries_are_made_in_the_clusters_format_and_shards_say_so_before(cluster: Cluster) -> None:
    a, b = cluster.nodes["a"], cluster.nodes["b"]
    a.replication.format = lambda: 1
    cluster.pass_time(1)
    a.append(b"one")
    cluster.settle()
    a.replication.format = lambda: FORMAT + 7
    cluster.pass_time(1)
    a.append(b"two")
    cluster.settle()
    assert formats(cluster, "a") == formats(cluster, "b") == [1, FORMAT], "never later than it knows"
    assert a.shard.format == b.shard.format == FORMAT


def test_a_log_of_a_later_program_stops_its_partition_and_not_the_node(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    a = cluster.nodes["a"]
    shard = cluster.crash("b")
    seq = a.replication.core.partitions[PARTITION].log.last.seq + 1
    later = LogRow(epoch=1, entry=b"x", format=FORMAT + 1).SerializeToString()
    shard.write([(Family.LOG, keys.log(PARTITION, seq), later)], sync=True)
    b = cluster.start("b", shard)
    cluster.pass_time(12)
    replica = b.replication.core.partitions[PARTITION]
    assert f"format {FORMAT + 1}, this program knows {FORMAT}: use a newer one" in replica.stopped
    said = [vars(each)["reason"] for each in caplog.records if each.message == "a replica stopped"]
    assert said == [replica.stopped]
    a.append(b"two")
    cluster.pass_time(12)
    assert a.told == [b"two"] and b.rows() == [], "others go on without it"


@pytest.fixture(scope="module")
def etcd() -> Iterator[Member]:
    with members(1) as made:
        yield made[0]


async def register(made: Joined, name: str, format: int) -> None:
    source = made.source
    other = replace(source.nodes[name], format=format)
    await source.etcd.transact([], [Put(source.keys.node(name), rows.node_octets(other))])


def test_the_format_is_raised_once_every_registered_node_reads_it(etcd: Member, tmp_path: Path) -> None:
    async def scene() -> None:
        at = at_of(etcd)
        await init(at, 1)
        async with asyncio.timeout(60), node(at, "a", tmp_path) as made, node(at, "b", tmp_path):
            await until(made, lambda: format_of(made) == FORMAT)
            await register(made, "b", FORMAT + 1)
            await until(made, lambda: made.source.nodes["b"].format == FORMAT + 1)
            await register(made, "a", FORMAT + 2)
            await until(made, lambda: format_of(made) == FORMAT + 1)

    asyncio.run(scene())


def format_of(made: Joined) -> int:
    return made.source.cluster.format if made.source.cluster else 0


def test_a_node_that_does_not_read_the_clusters_format_is_not_registered(
    etcd: Member, tmp_path: Path
) -> None:
    async def scene() -> None:
        at = at_of(etcd)
        await init(at, 1)
        async with asyncio.timeout(60), node(at, "a", tmp_path) as made:
            await until(made, lambda: format_of(made) == FORMAT)
            source, before = made.source, made.source.cluster_revision
            await _put_node(source, source.nodes["a"])
            await until(made, lambda: source.cluster_revision > before)
            later = replace(cluster_of(made), format=FORMAT + 1)
            await source.etcd.transact([], [Put(source.keys.cluster(), rows.cluster_octets(later))])
            await until(made, lambda: format_of(made) == FORMAT + 1)
            with pytest.raises(ShardError, match=f"format {FORMAT + 1}, this program knows {FORMAT}"):
                async with node(at, "b", tmp_path):
                    pass

    asyncio.run(scene())


def cluster_of(made: Joined) -> rows.Cluster:
    assert made.source.cluster is not None
    return made.source.cluster

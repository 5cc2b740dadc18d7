"""Another number of nodes: every row comes over, whenever it is cut short."""

from __future__ import annotations

import json
import random
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from mailnode.cli.making import _config
from mailnode.cluster import local_map
from mailnode.cluster.reshard import copy, reshard, summed
from mailnode.config import Config, ConfigError
from mailnode.limits import MiB
from mailnode.store import keys
from mailnode.store.keys import FAMILIES
from mailnode.store.shard import RocksShard, ShardError, open_shard

Row = tuple[str, bytes, bytes]


@pytest.fixture
def config(tmp_path: Path) -> Config:
    directory = tmp_path / "data"
    directory.mkdir()
    return replace(_config(directory, "example.test", 10_000, True), memory_octets=32 * MiB)


def filled(config: Config, partitions: int) -> list[Row]:
    """Rows of all families: short and long, at both ends of a partition, in the first and the last of all."""
    dice = random.Random(7)
    slots = [0, keys.SLOTS - 1, *dice.sample(range(1, keys.SLOTS - 1), partitions - 2)]
    rows = []
    for slot in slots:
        prefix = slot.to_bytes(2, "big")
        for family in FAMILIES:
            for rest in (bytes(6), b"\xff" * 14, dice.randbytes(12)):
                rows.append((family, prefix + rest, dice.randbytes(dice.choice((0, 20, 3000)))))
    rows.append(("blob", slots[1].to_bytes(2, "big") + b"long", dice.randbytes(5 * MiB)))
    with closing(open_shard(config.shard, config.memory_octets, dice.randbytes(16))) as shard:
        shard.write(rows, sync=True)
        shard.write([(rows[5][0], rows[5][1], None)], sync=True)  # what was dropped stays dropped
    del rows[5]
    return sorted(rows)


def opened(config: Config, node: int) -> RocksShard:
    return open_shard(replace(config, node=node).shard, config.memory_octets, b"")


def stored(config: Config) -> list[Row]:
    """Of all nodes; each row lies where the map says."""
    mapped = local_map.read(config.map_file)
    assert mapped is not None
    rows = []
    for node in range(len(mapped.incarnations)):
        with closing(opened(config, node)) as shard:
            assert shard.incarnation == mapped.incarnations[node]
            here = [(family, *row) for family in FAMILIES for row in shard.scan(family, b"", keys.END)]
        assert {mapped.owners[int.from_bytes(key[:2], "big")] for _, key, _ in here} <= {node}
        rows += here
    return sorted(rows)


def resharded(config: Config, count: int, upto: int | None = None) -> int:
    """Up to the `upto`-th partition; how many there were."""
    steps = reshard(config, count, random.Random(count).randbytes, lambda shard: None)
    done = 0
    with closing(steps) as going:
        for done, _ in enumerate(going):
            if done == upto:
                break
    return done


def test_one_to_two_to_three_to_one_keeps_every_row(config: Config) -> None:
    rows = filled(config, 60)
    for count in (2, 3, 1):
        resharded(config, count)
        assert stored(config) == rows
        assert not config.reshard_file.exists()
    assert not (config.directory / "node1").exists()


def test_whenever_it_is_cut_short_it_goes_on(config: Config) -> None:
    rows = filled(config, 12)
    for count, upto in ((3, 0), (3, 3), (3, 5), (1, 2), (1, 4)):
        resharded(config, count, upto)
        assert config.reshard_file.exists()
        with pytest.raises(ConfigError, match="half resharded"):
            resharded(config, 2)
        if upto in (5, 4):
            resharded(config, 0)
            assert stored(config) == rows


def test_once_the_map_has_changed_only_what_moved_is_left_to_drop(config: Config) -> None:
    rows = filled(config, 12)
    resharded(config, 2)
    after = local_map.read(config.map_file)
    assert after is not None
    before = local_map.alone(after.incarnations[0])
    plan = {"before": local_map.values_of(before), "after": local_map.values_of(after)}
    for source_again in (True, False):
        if source_again:  # as if it had ended just before they were dropped
            with closing(opened(config, 0)) as first, closing(opened(config, 1)) as second:
                for slot in after.partitions_of(1):
                    copy(second, first, slot, fresh=True)
        config.reshard_file.write_text(json.dumps(plan))
        resharded(config, 0)
        assert stored(config) == rows


def test_what_a_crash_left_of_a_copy_is_replaced(config: Config, tmp_path: Path) -> None:
    filled(config, 3)
    with (
        closing(opened(config, 0)) as source,
        closing(open_shard(tmp_path / "to", 32 * MiB, b"t" * 16)) as to,
    ):
        to.write([("state", bytes(2) + b"left", b"of another try")], sync=True)
        copy(source, to, 0, fresh=False)
        assert summed(to, 0) == summed(source, 0)
        assert summed(to, 0)[0] > 20


def test_nothing_of_others_is_overwritten(config: Config) -> None:
    filled(config, 3)
    (config.directory / "node1").mkdir()
    with pytest.raises(ConfigError, match=r"node1 is there, but no node of"):
        resharded(config, 2)
    assert not config.reshard_file.exists()


def test_a_shard_of_another_directory_is_refused(config: Config) -> None:
    filled(config, 3)
    resharded(config, 2)
    with closing(opened(config, 1)) as shard:
        shard.renew(b"x" * 16)
    with pytest.raises(ShardError, match="its incarnation: found"):
        resharded(config, 3)

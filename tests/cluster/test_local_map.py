"""The map of several nodes in one directory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mailnode.cluster import local_map
from mailnode.cluster.local_map import LocalMap
from mailnode.cluster.ring import SLOTS
from mailnode.table import ConfigError


def incarnations(count: int) -> list[bytes]:
    return [bytes([node + 1]) * 16 for node in range(count)]


@pytest.mark.parametrize("count", (1, 2, 3, 7))
def test_each_node_has_its_share(count: int) -> None:
    mapped = local_map.placed(incarnations(count))
    shares = [len(mapped.partitions_of(node)) for node in range(count)]
    assert sum(shares) == SLOTS
    assert max(shares) - min(shares) <= 1


@pytest.mark.parametrize(("before", "after"), ((1, 2), (2, 3), (3, 1), (4, 2)))
def test_no_more_moves_than_must(before: int, after: int) -> None:
    held = local_map.placed(incarnations(before))
    mapped = local_map.placed(incarnations(after), held)
    moved = sum(one != other for one, other in zip(held.owners, mapped.owners, strict=True))
    least = SLOTS * abs(after - before) / max(before, after)
    assert moved <= least + max(before, after)
    assert mapped.version == held.version + 1


def test_a_map_comes_back_as_it_was_written(tmp_path: Path) -> None:
    file, mapped = tmp_path / "map.json", local_map.placed(incarnations(3))
    assert local_map.read(file) is None
    local_map.write(file, mapped)
    assert local_map.read(file) == mapped
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("key", "value", "told"),
    (
        ("format", 9, "format: found 9, expected 1"),
        ("version", 0, "version: found 0, expected a number, 1 or more"),
        ("nodes", [], "nodes: found [], expected one or more tables"),
        (
            "nodes",
            [{"name": "node0", "incarnation": "xyz"}],
            "nodes[0].incarnation: found 'xyz', expected 16",
        ),
        ("nodes", [{"name": "nodeX"}], "nodes[0].name: found 'nodeX', expected \"node0\""),
        ("partitions", [0, 1], "partitions: found '2 of them', expected 4096 numbers from 0 to 1"),
        ("partitions", [2] * SLOTS, "partitions: found 2, expected 4096 numbers from 0 to 1"),
        ("partitions", [1] * SLOTS, "checksum: found"),
        ("checksum", "00", "checksum: found '00', expected"),
        ("more", 1, "more: found 1, expected only"),
    ),
)
def test_a_wrong_file_is_refused_with_what_would_be_right(
    key: str, value: object, told: str, tmp_path: Path
) -> None:
    file = tmp_path / "map.json"
    values = local_map.values_of(local_map.placed(incarnations(2))) | {key: value}
    file.write_text(json.dumps(values))
    with pytest.raises(ConfigError) as refused:
        local_map.read(file)
    assert str(refused.value).startswith(f"{file}: {told}")


@pytest.mark.parametrize("text", ("", "{", "[]", "\xff"))
def test_what_is_no_map_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "map.json"
    file.write_text(text, encoding="latin-1")
    with pytest.raises(ConfigError, match=r"map\.json: "):
        local_map.read(file)


def test_a_node_sees_who_leads_what() -> None:
    mapped = LocalMap(4, tuple(incarnations(2)), (0, 1) * (SLOTS // 2))
    seen = local_map.seen_by(mapped, 1, ["unix:/a", "unix:/b"])
    assert seen.me == ("node1", int.from_bytes(b"\2" * 16))
    assert (seen.primary(6), seen.primary(7)) == ("node0", "node1")
    peer = seen.peer("node0")
    assert peer is not None and peer.address == "unix:/a"
    assert seen.row(7).revision == 4

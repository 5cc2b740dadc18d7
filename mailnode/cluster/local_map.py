"""The map of several nodes in one directory: a file, made by the ring, with one copy of each partition.

It changes only while no node runs (`cluster/reshard`). A directory without it is one node that has all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

from mailnode.cluster.layer import Node
from mailnode.cluster.map import Map, Peer
from mailnode.cluster.replica_messages import Member, Row
from mailnode.cluster.ring import SLOTS, placements
from mailnode.durable import write_whole
from mailnode.table import ConfigError, Table

FORMAT = 1
NODES_MAX = 256
"""On one host: sixteen partitions each."""
_HOST = "localhost"


@dataclass(frozen=True, slots=True)
class LocalMap:
    version: int
    """Rises by one with each map that follows another."""
    incarnations: tuple[bytes, ...]
    """Of each node's shard: random octets made with its RocksDB directory."""
    owners: tuple[int, ...]
    """Of each slot: which node has it."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name_of(index) for index in range(len(self.incarnations)))

    def partitions_of(self, node: int) -> list[int]:
        return [slot for slot, owner in enumerate(self.owners) if owner == node]


def name_of(node: int) -> str:
    return f"node{node}"


def alone(incarnation: bytes) -> LocalMap:
    """What holds where there is no file."""
    return LocalMap(1, (incarnation,), (0,) * SLOTS)


def placed(incarnations: Sequence[bytes], held: LocalMap | None = None) -> LocalMap:
    """By the ring, with the least that moves away from where `held` says it is."""
    names = [name_of(index) for index in range(len(incarnations))]
    nodes = [Node(name, _HOST) for name in names]
    holds = {slot: (name_of(owner),) for slot, owner in enumerate(held.owners)} if held else None
    indexes = {name: index for index, name in enumerate(names)}
    owners = [indexes[each.home[0]] for each in placements(nodes, "", 1, holds)]
    return LocalMap(held.version + 1 if held else 1, tuple(incarnations), tuple(owners))


def seen_by(mapped: LocalMap, node: int, addresses: Sequence[str]) -> Map:
    """As the node of that index keeps it in memory; `addresses` are where each node's peers ask it."""
    members = [
        Member(name, int.from_bytes(incarnation))
        for name, incarnation in zip(mapped.names, mapped.incarnations, strict=True)
    ]
    made = Map(members[node])
    for member, address in zip(members, addresses, strict=True):
        made.put_peer(Peer(member.node, _HOST, "", "", 1.0, member.incarnation, address))
    rows = [Row(mapped.version, 0, each, 0, (each,), (each.node,)) for each in members]
    for slot, owner in enumerate(mapped.owners):
        made.put(slot, rows[owner])
    return made


# -- the file


def read(file: Path) -> LocalMap | None:
    """None where there is no file; raises ConfigError."""
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"{file}: is not JSON: {error}; restore it from a backup") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{file}: found {type(values).__name__}, expected an object")
    return from_values(str(file), values)


def from_values(file: str, values: Mapping[str, Any]) -> LocalMap:
    """Of what `values_of` gave; raises ConfigError that names `file`."""
    table = Table(file, "", values)
    if (found := table.number("format", 0, 0)) != FORMAT:
        raise table.error("format", found, f"{FORMAT}, which this program knows")
    nodes = table.tables("nodes", 1)
    if len(nodes) > NODES_MAX:
        raise table.error("nodes", len(nodes), f"{NODES_MAX} at most")
    incarnations = tuple(_incarnation(node, index) for index, node in enumerate(nodes))
    owners = tuple(table.numbers("partitions", SLOTS, len(nodes)))
    version = table.number("version", 0, 1)
    made = LocalMap(version, incarnations, owners)
    if (found_sum := table.text("checksum", "")) != (right := _checksum(made)):
        raise table.error("checksum", found_sum, f'"{right}": the file was changed, restore it from a backup')
    table.refuse_others()
    return made


def _incarnation(table: Table, index: int) -> bytes:
    name, text = table.text("name", ""), table.text("incarnation", "")
    if name != name_of(index):
        raise table.error("name", name, f'"{name_of(index)}"')
    try:
        octets = bytes.fromhex(text)
    except ValueError:
        octets = b""
    if len(octets) != 16:
        raise table.error("incarnation", text, "16 octets in hexadecimal digits")
    table.refuse_others()
    return octets


def write(file: Path, mapped: LocalMap) -> None:
    """Raises OSError."""
    write_whole(file, json.dumps(values_of(mapped)) + "\n")


def renew(file: Path, node: int, incarnation: bytes) -> None:
    """A node's shard is another one; nothing where there is no file. Raises ConfigError and OSError."""
    mapped = read(file)
    if mapped is not None:
        kept = mapped.incarnations
        write(file, replace(mapped, incarnations=(*kept[:node], incarnation, *kept[node + 1 :])))


def values_of(mapped: LocalMap) -> dict[str, Any]:
    """For JSON."""
    nodes = [
        {"name": name, "incarnation": incarnation.hex()}
        for name, incarnation in zip(mapped.names, mapped.incarnations, strict=True)
    ]
    return {
        "format": FORMAT,
        "version": mapped.version,
        "nodes": nodes,
        "partitions": mapped.owners,
        "checksum": _checksum(mapped),
    }


def _checksum(mapped: LocalMap) -> str:
    text = json.dumps([mapped.version, [each.hex() for each in mapped.incarnations], mapped.owners])
    return blake2b(text.encode(), digest_size=16).hexdigest()

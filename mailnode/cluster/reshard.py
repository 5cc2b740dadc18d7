"""Another number of nodes in one directory, while none of them runs: partitions move between their shards.

Whatever the moment at which it is cut short, it goes on where it was: the plan is written first, and until
it is gone no node starts. Rows are copied and what came is read again and compared; then the map changes, at
once; only then what moved is dropped where it was.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from mailnode import durable
from mailnode.cluster import local_map
from mailnode.cluster.local_map import LocalMap
from mailnode.config import Config, ConfigError
from mailnode.limits import MiB
from mailnode.store import keys
from mailnode.store.damage import Unreadable
from mailnode.store.keys import FAMILIES
from mailnode.store.shard import DropTo, Put, RocksShard, Shard, ShardError, open_shard

_BATCH_OCTETS = 4 * MiB
_ROOM = 1.1
"""Of what moves, for that it lies twice for a while."""

Random = Callable[[int], bytes]
Finish = Callable[[Shard], object]
"""Of what a crash left half done in a shard."""


@dataclass(frozen=True, slots=True)
class Moved:
    """How far it is, in partitions that have rows."""

    done: int
    whole: int


@dataclass(frozen=True, slots=True)
class Plan:
    before: LocalMap
    after: LocalMap

    def moves(self) -> Iterator[tuple[int, int, int]]:
        """Slots that move, from which node to which."""
        owners = zip(self.before.owners, self.after.owners, strict=True)
        for slot, (source, target) in enumerate(owners):
            if source != target:
                yield slot, source, target


def reshard(config: Config, count: int, random: Random, finish: Finish) -> Iterator[Moved]:
    """From as many nodes as there are to `count`; 0: go on with what was begun.

    The caller holds the directory's lock. Raises ConfigError, ShardError and OSError; then asking again goes
    on.
    """
    plan = _begun(config, count) or _planned(config, count, random)
    if plan is None:
        return
    current = local_map.read(config.map_file)
    if current is None or current.version != plan.after.version:
        yield from _copy_all(config, plan, finish)
        local_map.write(config.map_file, plan.after)
    _drop_moved(config, plan)
    for node in range(len(plan.after.incarnations), len(plan.before.incarnations)):
        shutil.rmtree(replace(config, node=node).home, ignore_errors=True)
    durable.unlink(config.reshard_file)
    for node in {source for _, source, _ in plan.moves() if source < len(plan.after.incarnations)}:
        with closing(_opened(config, node, plan.after)) as shard:
            shard.reclaim()


# -- the plan


def _begun(config: Config, count: int) -> Plan | None:
    """That of before, which must end first."""
    file = config.reshard_file
    try:
        values: Any = json.loads(file.read_text(encoding="utf-8"))
        before, after = values["before"], values["after"]
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{file}: is no plan: {error}; restore a backup") from None
    maps = (
        local_map.from_values(f"{file}: {of}", each) for of, each in (("before", before), ("after", after))
    )
    plan = Plan(*maps)
    nodes = len(plan.after.incarnations)
    if count not in (0, nodes):
        raise ConfigError(f"{config.directory} is half resharded to {nodes} nodes: that must end first")
    return plan


def _planned(config: Config, count: int, random: Random) -> Plan | None:
    """A new one, written down; None where nothing is to be done."""
    if count == 0:
        raise ConfigError(f"{config.directory}: nodes: found nothing, expected how many there shall be")
    if count > local_map.NODES_MAX:
        raise ConfigError(f"nodes: found {count}, expected {local_map.NODES_MAX} at most")
    before = local_map.read(config.map_file) or _alone(config)
    nodes = len(before.incarnations)
    if nodes == count:
        return None
    for node in range(nodes, count):
        home = replace(config, node=node).home
        if home.exists():
            raise ConfigError(f"{home} is there, but no node of {config.map_file}: take it away first")
    kept = before.incarnations[:count]
    fresh = [random(16) for _ in range(count - len(kept))]
    plan = Plan(before, local_map.placed((*kept, *fresh), before))
    _check_room(config, plan)
    values = {"before": local_map.values_of(plan.before), "after": local_map.values_of(plan.after)}
    durable.write_whole(config.reshard_file, json.dumps(values) + "\n")
    return plan


def _alone(config: Config) -> LocalMap:
    if not config.shard.exists():
        raise ShardError(f"{config.shard} is not there: restore a backup")
    with closing(open_shard(config.shard, config.memory_octets, b"")) as shard:
        return local_map.alone(shard.incarnation)


def _check_room(config: Config, plan: Plan) -> None:
    share = sum(1 for _ in plan.moves()) / len(plan.before.owners)
    homes = [replace(config, node=node).shard for node in range(len(plan.before.incarnations))]
    octets = sum(file.stat().st_size for home in homes for file in home.iterdir())
    needed, free = int(octets * share * _ROOM), shutil.disk_usage(config.directory).free
    if needed > free:
        raise ShardError(
            f"{config.directory}: {needed} octets move, and lie twice meanwhile: {free} are free"
        )


# -- what is done


def _copy_all(config: Config, plan: Plan, finish: Finish) -> Iterator[Moved]:
    nodes = max(len(plan.before.incarnations), len(plan.after.incarnations))
    with ExitStack() as stack:
        shards = []
        for node in range(nodes):
            mapped = plan.before if node < len(plan.before.incarnations) else plan.after
            shards.append(stack.enter_context(closing(_opened(config, node, mapped))))
        for shard in shards[: len(plan.before.incarnations)]:
            finish(shard)
        full = [frozenset(_slots_with_rows(shard)) for shard in shards]
        moves = [move for move in plan.moves() if move[0] in full[move[1]]]
        for done, (slot, source, target) in enumerate(moves):
            yield Moved(done, len(moves))
            try:
                copy(shards[source], shards[target], slot, fresh=slot not in full[target])
            except Unreadable as error:
                where = replace(config, node=source).shard
                raise ShardError(f"{where} is damaged ({error}): see `mailnode doctor shard`") from error
        yield Moved(len(moves), len(moves))


def _drop_moved(config: Config, plan: Plan) -> None:
    for node in range(min(len(plan.before.incarnations), len(plan.after.incarnations))):
        gone = [slot for slot, source, _ in plan.moves() if source == node]
        with closing(_opened(config, node, plan.after)) as shard:
            _drop(shard, gone)


def _opened(config: Config, node: int, mapped: LocalMap) -> RocksShard:
    of, expected = replace(config, node=node), mapped.incarnations[node]
    of.home.mkdir(0o700, exist_ok=True)
    shard = open_shard(of.shard, config.memory_octets, expected)
    if shard.incarnation != expected:
        shard.close()
        found = f"found {shard.incarnation.hex()}, expected {expected.hex()}"
        raise ShardError(f"{of.shard}: its incarnation: {found}, as the map has it: restore a backup")
    return shard


# -- of one partition


def copy(source: Shard, target: Shard, slot: int, fresh: bool) -> None:
    """All rows, durably; `fresh`: the target has none. Raises ShardError where they differ then, OSError and
    Unreadable."""
    if not fresh:
        if summed(target, slot) == summed(source, slot):
            return
        _drop(target, [slot])
    sent = _Sum()
    batch: list[Put] = []
    octets = 0
    for family, key, value in _rows(source, slot):
        sent.add(family, key, value)
        batch.append((family, key, value))
        octets += len(key) + len(value)
        if octets >= _BATCH_OCTETS:
            target.write(batch, sync=False)
            batch, octets = [], 0
    target.write(batch, sync=True)
    if summed(target, slot) != sent.value():
        raise ShardError(f"partition {slot} came over with other rows than it had: nothing was dropped")


def summed(shard: Shard, slot: int) -> tuple[int, bytes]:
    """How many rows, and their checksum. Raises Unreadable."""
    found = _Sum()
    for row in _rows(shard, slot):
        found.add(*row)
    return found.value()


class _Sum:
    def __init__(self) -> None:
        self._count = 0
        self._hash = blake2b(digest_size=16)

    def add(self, family: str, key: bytes, value: bytes) -> None:
        self._count += 1
        self._hash.update(b"%s %d %d " % (family.encode(), len(key), len(value)))
        self._hash.update(key)
        self._hash.update(value)

    def value(self) -> tuple[int, bytes]:
        return self._count, self._hash.digest()


def _rows(shard: Shard, slot: int) -> Iterator[tuple[str, bytes, bytes]]:
    """Every key of every family begins with its partition."""
    start, end = _range(slot)
    for family in FAMILIES:
        for key, value in shard.scan(family, start, end):
            yield family, key, value


def _drop(shard: Shard, slots: Sequence[int]) -> None:
    if slots:
        shard.write(_drops(slots), sync=True)


def _drops(slots: Iterable[int]) -> Iterator[Put]:
    for slot in slots:
        start, end = _range(slot)
        for family in FAMILIES:
            yield family, start, DropTo(end)


def _range(slot: int) -> tuple[bytes, bytes]:
    return slot.to_bytes(2, "big"), (slot + 1).to_bytes(2, "big")


def _slots_with_rows(shard: Shard) -> Iterator[int]:
    for family in FAMILIES:
        slot = 0
        while (found := next(shard.scan(family, slot.to_bytes(2, "big"), keys.END), None)) is not None:
            slot = int.from_bytes(found[0][:2], "big")
            yield slot
            slot += 1

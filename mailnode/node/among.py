"""A node among others, or alone: whose each partition is, what is appended to it, and the ways to the others.

Decided here alone: with the table [cluster] the map is etcd's and partitions are replicated; else it is a
file of the directory, or there is no other node, and they stand alone.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial

from mailnode.clock import Clock
from mailnode.cluster import authority, local_map, log_rows, whole
from mailnode.cluster.hello import Hello
from mailnode.cluster.joined import Joined, joined
from mailnode.cluster.map import Map
from mailnode.cluster.partitions import Partitions
from mailnode.cluster.passes import Passes
from mailnode.cluster.peers import Peers
from mailnode.cluster.renewal import Renewal
from mailnode.cluster.replicas import Replicas
from mailnode.cluster.replication import Replication
from mailnode.cluster.sending import SERVICE
from mailnode.cluster.streams import Streams
from mailnode.cluster.vital import vital
from mailnode.clustered import ClusterAt
from mailnode.config import FILE, Config, ConfigError
from mailnode.directory.creation import first_home
from mailnode.limits import Limits
from mailnode.mailbox.appended import Changes, replay
from mailnode.metrics import Metrics
from mailnode.node.comparing import comparing
from mailnode.node.members import refuse_half_resharded
from mailnode.store.formats import FORMAT, FORMAT_FIRST
from mailnode.store.shard import RocksShard
from mailnode.store.space import Space

log = logging.getLogger(__name__)

SHARD_FAILED = 74
"""Exit status, EX_IOERR of sysexits: what was being written is not known."""


@dataclass(frozen=True, slots=True)
class Among:
    map: Map
    peers: Peers
    partitions: Partitions
    begin: Callable[[], None]
    """To serve partitions: once whoever follows them does, and every service of `peers` is there."""
    joined: Joined | None = None
    replication: Replication | None = None
    passes: Passes | None = None
    """Of copies, which are compared."""
    streams: Streams | None = None

    @property
    def is_alone(self) -> bool:
        """There is no other node, and never will be while this one runs."""
        return self.joined is None and len(self.map.peers) == 1

    @property
    def copies_max(self) -> int:
        """Of a change, as the homes say; 0: there is no cluster."""
        homes = self.joined.source.homes.values() if self.joined is not None else ()
        return max((home.copies for home in homes), default=0)

    def dcs(self) -> set[str]:
        """The data centres of the cluster."""
        return {_dc(self.joined), *self.joined.source.dcs} if self.joined is not None else set()

    def hostnames(self, own: str) -> list[str]:
        """Under which mail comes to this node and the others of its cluster; `own` is this one's."""
        return sorted({own} | (self.joined.source.hostnames() if self.joined is not None else set()))

    def others(self) -> list[str]:
        """The names of those that should answer."""
        names: Iterable[str] = self.map.peers
        if self.joined is not None:
            source = self.joined.source
            reached = [each for each in source.others.values() if not each.ailment]
            held = [each.leases for each in (source, *reached)]
            names = {member.node for leases in held for member in leases} & self.map.peers.keys()
        return sorted(name for name in names if name != self.map.me.node)

    def home_of(self, dc: str) -> int | None:
        """That which a data centre owns, the first of several; empty: the data centre of this node."""
        if self.joined is None:
            return first_home(dc)
        source = self.joined.source
        own = source.cluster.dc if source.cluster is not None else ""
        homes = sorted(source.latest_homes().items())
        return next((number for number, home in homes if home.dc == (dc or own)), None)

    async def leave(self) -> None:
        """Before the node stops: others lead what it led, so that nobody waits for them to notice."""
        if self.joined is not None and self.replication is not None:
            await self.joined.lease.leave()
            await self.replication.leave()


@dataclass(frozen=True, slots=True)
class Ground:
    """What stands before."""

    shard: RocksShard
    writer: Executor
    loads: Executor
    upkeep: Executor
    clock: Clock
    space: Space
    metrics: Metrics


@asynccontextmanager
async def among(config: Config, ground: Ground) -> AsyncIterator[Among]:
    """Once the map is known. Raises ConfigError, ShardError and OSError."""
    refuse_half_resharded(config)
    if config.cluster is None:
        async with _of_directory(config, ground) as made:
            yield made
    else:
        async with _of_cluster(config, config.cluster, ground) as made:
            yield made


# -- of a directory


@asynccontextmanager
async def _of_directory(config: Config, ground: Ground) -> AsyncIterator[Among]:
    shard, limits = ground.shard, config.limits
    if shard.cluster:
        raise ConfigError(
            f"{config.directory / FILE}: {config.shard} belongs to cluster {shard.cluster.hex()}, "
            "which alone knows what of it is true: expected the table [cluster]"
        )
    shard.reach(FORMAT)
    if finished := whole.finish(shard, replay, limits.part_rows_max):
        log.info("large changes finished", extra={"changes": finished})
    mapped = _local_map(config, shard.incarnation)
    partitions = Partitions(shard, ground.writer, limits, _end_at_once, ground.space.is_short, ground.metrics)
    try:
        yield Among(mapped, Peers(mapped, limits), partitions, lambda: None)
    finally:
        await partitions.idle()


def _local_map(config: Config, incarnation: bytes) -> Map:
    """As the file says, which nobody changes while the shard is open; raises ConfigError."""
    mapped = local_map.read(config.map_file) or local_map.alone(incarnation)
    nodes = [replace(config, node=node) for node in range(len(mapped.incarnations))]
    if config.nodes not in (0, len(nodes)) or config.node >= len(nodes):
        raise ConfigError(f"{config.map_file}: it has another number of nodes now: start again")
    if mapped.incarnations[config.node] != incarnation:
        where = f"{config.map_file}: nodes[{config.node}].incarnation"
        found = f"found {mapped.incarnations[config.node].hex()}, expected {incarnation.hex()}"
        raise ConfigError(f"{where}: {found}: {config.shard} is another one, restore a backup")
    sockets = [f"unix:{each.peer_socket.absolute()}" if len(nodes) > 1 else "" for each in nodes]
    return local_map.seen_by(mapped, config.node, sockets)


# -- of a cluster


@asynccontextmanager
async def _of_cluster(config: Config, at: ClusterAt, ground: Ground) -> AsyncIterator[Among]:
    run = int.from_bytes(ground.clock.random(16))
    address = at.listen or f"unix:{config.peer_socket.absolute()}"
    async with joined(at, address, ground.shard, run, limits=config.limits, hostname=config.hostname) as made:
        peers = Peers(made.map, config.limits, *(authority.credentials(config) or ()))
        cluster, limits, clock = made.source.joined.hex(), config.limits, ground.clock
        hello = Hello(cluster, made.map.me, made.run, made.generations)
        streams = Streams(peers, hello, made.map.me, clock, limits)
        peers.add(streams.add_to)
        peers.add_near(SERVICE, streams.take_near)
        replication = _replication(made, streams, ground, config.limits)
        partitions = Partitions(
            ground.shard,
            ground.writer,
            config.limits,
            _end_at_once,
            ground.space.is_short,
            ground.metrics,
            replication,
        )
        replication.format = partial(_format, made)
        replication.dc = partial(_dc, made)
        source, files = made.source, authority.files_of(config)
        renewal = Renewal(source.etcd, source.keys, files, ground.clock, peers.show)
        running = [asyncio.ensure_future(renewal.run())]
        try:
            begin = partial(_begin, made, replication, running)
            pools = ground.upkeep, ground.loads
            async with comparing(config, replication, peers, hello, clock, *pools) as passes:
                yield Among(made.map, peers, partitions, begin, made, replication, passes, streams)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await streams.stop()
            await replication.stop()
            await partitions.idle()


def _replication(made: Joined, streams: Streams, ground: Ground, limits: Limits) -> Replication:
    changes, now = Changes(), ground.clock.boot_seconds
    found = log_rows.read(ground.shard, made.map.me, made.run, changes)
    return Replication(
        Replicas(made.map.me, made.run, now(), found, float(limits.replica_returns_seconds)),
        ground.shard,
        changes,
        streams,
        made.swaps.ask,
        ground.writer,
        ground.loads,
        limits,
        now,
        ground.space.is_short,
    )


def _format(made: Joined) -> int:
    return made.source.cluster.format if made.source.cluster is not None else FORMAT_FIRST


def _dc(made: Joined) -> str:
    return made.source.cluster.dc if made.source.cluster is not None else ""


def _begin(made: Joined, replication: Replication, running: list[asyncio.Task[None]]) -> None:
    made.source.follow_leases(replication.lease)
    replication.mapped(made.map)
    made.may_renew = replication.may_renew
    running.append(vital(replication.run()))


def _end_at_once(error: OSError) -> None:
    """Nothing may be answered any more: a restart reads what is there."""
    log.critical("the node ends: %s", error)
    sys.stderr.flush()
    os._exit(SHARD_FAILED)

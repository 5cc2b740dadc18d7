"""A node in its cluster: from when etcd knows it, to when it gives its lease back.

Nothing is served before the map is known. What stands in the way is told once in the log, and is in `waits`
until it is gone: no etcd, no cluster in it, another node of this name, too few nodes for the first map.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace

from mailnode.cluster import etcd_rows as rows
from mailnode.cluster.balancer import Balancer
from mailnode.cluster.etcd import CALL_SECONDS, EtcdError, Put, Unchanged
from mailnode.cluster.etcd_at import etcd_at
from mailnode.cluster.etcd_lease import Lease
from mailnode.cluster.etcd_map import AGAIN_SECONDS, EtcdMap, OtherCluster
from mailnode.cluster.etcd_rows import Cluster, Keys, Registered
from mailnode.cluster.etcd_swaps import Swaps
from mailnode.cluster.generations import Generations
from mailnode.cluster.map import Map, Peer
from mailnode.cluster.others import Others
from mailnode.cluster.replica_messages import Member
from mailnode.cluster.ring import SLOTS
from mailnode.cluster.vital import vital
from mailnode.clustered import ClusterAt
from mailnode.limits import Limits
from mailnode.store.formats import FORMAT
from mailnode.store.keys import Family
from mailnode.store.shard import RocksShard, ShardError
from mailnode.table import ConfigError

log = logging.getLogger(__name__)

_LIMITS = Limits()

_NAME_TAKEN = "another node named {name} runs, with another disk"
_NAME_ELSEWHERE = "another data centre has a node named {name}"
_NO_ROWS = "the map has no rows yet: {reason}"


@dataclass(slots=True)
class Joined:
    source: EtcdMap
    others: Others
    generations: Generations
    swaps: Swaps
    lease: Lease
    balancer: Balancer
    run: int
    """Of this process: an epoch belongs to one."""
    waits: str = "begins"
    """What it waits for; empty: nothing."""
    may_renew: Callable[[], bool] = lambda: True
    """Whether this node's lease may be renewed."""
    told: Callable[[str], None] = lambda waits: None
    """Of each change of `waits`."""
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def map(self) -> Map:
        return self.source.map


@asynccontextmanager
async def joined(
    at: ClusterAt,
    address: str,
    shard: RocksShard,
    run: int,
    told: Callable[[str], None] | None = None,
    limits: Limits = _LIMITS,
    hostname: str = "",
) -> AsyncIterator[Joined]:
    """Once the map is known. `address`: where the other nodes reach this one; `told` of what is waited for;
    `hostname`: under which mail comes to it.

    Raises ConfigError where waiting would not help.
    """
    etcd = etcd_at(at)
    keys, me = Keys(at.prefix), Member(at.name, int.from_bytes(shard.incarnation))
    known = Map(me)
    source, swaps = EtcdMap(etcd, keys, known, shard.cluster), Swaps(etcd, keys, known)
    others = Others(source, lambda endpoints: etcd_at(replace(at, endpoints=tuple(endpoints))))
    balancer = Balancer(source, swaps, limits)
    made = Joined(source, others, Generations(source), swaps, Lease(etcd, keys, me, run), balancer, run)
    made.told = told or made.told
    try:
        await _until(made, source.read)
        _claim(made, shard)
        made.tasks.append(vital(made.others.run()))
        await _until_asked(made)
        await _until(made, lambda: _register(made, at, address, hostname))
        await _until(made, made.lease.take)
        _begin(made)
        await _mapped(made)
        _wait_for(made, "")
        yield made
    finally:
        for task in made.tasks:
            task.cancel()
        await asyncio.gather(*made.tasks, return_exceptions=True)
        await made.lease.leave()
        await etcd.close()


async def _until(made: Joined, step: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            return await step()
        except (EtcdError, OtherCluster) as error:
            _wait_for(made, str(error))
            await asyncio.sleep(AGAIN_SECONDS)


async def _until_asked(made: Joined) -> None:
    """Each other data centre once, whether it answers or not: it may lead by now what this one did."""
    source = made.source
    own = source.cluster.dc if source.cluster is not None else ""
    changes = -1
    with suppress(TimeoutError):
        async with asyncio.timeout(CALL_SECONDS):
            while any(not _is_asked(source.others.get(dc)) for dc in source.dcs if dc != own):
                changes = await source.changed(changes)


def _is_asked(other: EtcdMap | None) -> bool:
    return other is not None and bool(other.revision or other.ailment)


def _wait_for(made: Joined, what: str) -> None:
    if what == made.waits:
        return
    made.waits = what
    made.told(what)
    if what:
        log.warning("the node waits, and serves nobody", extra={"reason": what})
    else:
        log.info("the map is known", extra={"cluster": made.source.joined.hex(), "run": f"{made.run:x}"})


def _claim(made: Joined, shard: RocksShard) -> None:
    """The shard belongs to the cluster from now on. Raises ConfigError, ShardError."""
    source = made.source
    assert source.cluster is not None
    if shard.cluster:
        return
    is_mapped = any(source.map.me in row.in_sync for _, row in source.map.rows())
    if not is_mapped and not is_empty(shard):
        raise ConfigError(
            "[cluster]: this node has mail of its own, of which the cluster's map does not know: "
            "begin with an empty directory, and import it"
        )
    check_format(source.cluster)
    shard.join(source.cluster.id)
    source.joined = source.cluster.id


def is_empty(shard: RocksShard) -> bool:
    """It has no mail, and never had."""
    return next(iter(shard.scan(Family.STATE, b"", b"\xff" * 16)), None) is None


async def _register(made: Joined, at: ClusterAt, address: str, hostname: str) -> None:
    """What others shall know of this node. Raises EtcdError while another one of its name runs."""
    source = made.source
    me = source.map.me
    await source.read()
    others = [member for member in source.leases if member.node == me.node and member != me]
    if others:
        raise EtcdError(_NAME_TAKEN.format(name=me.node))
    if any(me.node in other.nodes for other in source.others.values()):
        raise EtcdError(_NAME_ELSEWHERE.format(name=me.node))
    dc = at.dc or (source.cluster.dc if source.cluster is not None else "")
    peer = Peer(me.node, at.failure_host, at.rack, dc, float(at.weight), me.incarnation, address)
    before = source.nodes.get(me.node)
    node = Registered(peer, FORMAT, before is not None and before.is_leaving, hostname)
    if node != before:
        await _put_node(source, node)
        await source.read()


async def _put_node(source: EtcdMap, node: Registered) -> None:
    """Together with the cluster's row as it is: whoever raises its format at this moment looks again.

    Raises EtcdError where somebody did, and ShardError where this program does not read that format.
    """
    cluster = source.cluster
    assert cluster is not None
    check_format(cluster)
    key = source.keys.cluster()
    answer = await source.etcd.transact(
        [Unchanged(key, source.cluster_revision)],
        [
            Put(source.keys.node(node.peer.name), rows.node_octets(node)),
            Put(key, rows.cluster_octets(cluster)),
        ],
    )
    if not answer.is_done:
        raise EtcdError("the row of the cluster has just changed")


def check_format(cluster: Cluster) -> None:
    """Raises ShardError."""
    if cluster.format > FORMAT:
        raise ShardError(
            f"the cluster writes format {cluster.format}, this program knows {FORMAT}: use a newer one"
        )


def _begin(made: Joined) -> None:
    works = (
        made.source.run(),
        made.swaps.run(),
        made.generations.run(),
        made.balancer.run(made.lease),
        made.lease.keep(lambda: made.may_renew()),
    )
    made.tasks += map(vital, works)


async def _mapped(made: Joined) -> None:
    """Until each home has all its rows."""
    changes = -1
    while True:
        source = made.source
        if missing := unmapped(source):
            _wait_for(made, _NO_ROWS.format(reason=missing))
            changes = await source.changed(changes)
        else:
            return


def unmapped(source: EtcdMap) -> str:
    """Why some partition has no row; empty: each has, or is of a home that an operator gave here."""
    if not source.latest_homes():
        return "no home is owned by any data centre"
    for number, home in sorted(source.own_homes().items()):
        first = number * SLOTS
        if home.generation > 1 or all(source.map.revision(first + slot) for slot in range(SLOTS)):
            continue
        hosts = {node.peer.host for node in source.nodes.values() if node.peer.dc == home.dc}
        return f"{len(hosts)} of {home.copies} hosts in {home.dc or 'the data centre'} have joined"
    return ""

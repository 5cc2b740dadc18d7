"""Nodes of a real etcd whose cores learn and hand over in no time: all 4,096 partitions move in seconds."""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

from mailnode.cluster import etcd_rows as rows
from mailnode.cluster.etcd import Etcd, Put
from mailnode.cluster.etcd_rows import Cluster, Home, Keys
from mailnode.cluster.etcd_swaps import SWAPS_MAX
from mailnode.cluster.joined import Joined, joined
from mailnode.cluster.replica_messages import Row, Swap
from mailnode.cluster.ring import SLOTS
from mailnode.clustered import EXAMPLE, ClusterAt
from mailnode.limits import Limits
from mailnode.store.shard import open_shard
from tests.cluster.members import Member

MEMORY = 16 << 20
AT_ONCE = Limits(moves_per_node_max=SLOTS, node_lost_seconds=1)


def at_of(etcd: Member) -> ClusterAt:
    return replace(EXAMPLE, endpoints=(etcd.endpoint,), prefix=f"test-{secrets.token_hex(4)}")


async def init(at: ClusterAt, copies: int) -> None:
    etcd, keys = Etcd(at.endpoints), Keys(at.prefix)
    puts = [
        Put(keys.cluster(), rows.cluster_octets(Cluster(at.prefix.encode(), "", 1, 0))),
        Put(keys.home(0), rows.home_octets(Home("", 1, copies, 1))),
    ]
    await etcd.transact([], puts)
    await etcd.close()


@asynccontextmanager
async def node(at: ClusterAt, name: str, path: Path) -> AsyncIterator[Joined]:
    """With a core that learns and hands over in no time."""
    here = replace(at, name=name, host=name)
    with closing(open_shard(path / name, MEMORY, name.encode() * 16)) as shard:
        async with joined(here, f"unix:/{name}", shard, 1, limits=AT_ONCE) as made:
            working = asyncio.create_task(work(made))
            yield made
            working.cancel()
            await asyncio.wait([working])


async def work(made: Joined) -> None:
    """As `cluster/membership` asks for the rows that this node leads, or may take over."""
    touched, changes = {at for at, _ in made.map.rows()}, -1
    made.map.follow(lambda at, row: touched.add(at))
    made.source.follow_leases(lambda member, is_held: touched.update(at for at, _ in made.map.rows()))
    while True:
        changes = await made.source.changed(changes)
        looked = [(at, made.map.row(at)) for at in touched]
        touched.clear()
        wanted = [Swap(at, row) for at, known in looked if (row := next_row(made, known)) != known]
        for begin in range(0, len(wanted), SWAPS_MAX):
            await made.swaps.swap(wanted[begin : begin + SWAPS_MAX])


def next_row(made: Joined, row: Row) -> Row:
    me, alive = made.map.me, {member.node: member for member in made.source.leases}
    in_sync = tuple(member for member in row.in_sync if member.node in alive)
    if row.primary.node not in alive and in_sync[:1] == (me,):
        return replace(row, primary=me, epoch=row.epoch + 1, in_sync=in_sync)
    if row.primary != me:
        return row
    learning = [alive[name] for name in row.replicas if name in alive and alive[name] not in in_sync]
    if learning or in_sync != row.in_sync:
        return replace(row, in_sync=(*in_sync, *learning))
    staying = tuple(member for member in in_sync if member.node in row.replicas)
    first = next((member for member in staying if member.node == row.replicas[0]), me)
    if {member.node for member in staying} == set(row.replicas):
        return replace(row, in_sync=staying, primary=first, epoch=row.epoch + (in_sync != staying))
    return row


async def until(made: Joined, holds: Callable[[], bool]) -> None:
    changes = -1
    while not holds():
        changes = await made.source.changed(changes)


def copies_of(made: Joined) -> Counter[str]:
    return Counter(member.node for _, row in made.map.rows() for member in row.in_sync)


def is_whole(made: Joined) -> bool:
    return all(
        {member.node for member in row.in_sync} == set(row.replicas) and row.primary.node == row.replicas[0]
        for _, row in made.map.rows()
    )

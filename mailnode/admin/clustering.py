"""What an operator sees and wants of the cluster, as this node knows it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import TypeVar

from mailnode.admin.refusal import Refusal
from mailnode.cluster.census import State, census, state
from mailnode.cluster.etcd import EtcdError
from mailnode.cluster.joined import Joined
from mailnode.cluster.lag import far_lags, lags, learning
from mailnode.cluster.map import NotMapped
from mailnode.cluster.replica_messages import Row
from mailnode.cluster.replicas import Replicas
from mailnode.cluster.ring import SLOTS
from mailnode.cluster.wishes import Refused, Wishes
from mailnode.directory.lookup import Lookup
from mailnode.pb import admin_pb2 as pb
from mailnode.store.space import free_and_whole

T = TypeVar("T")

MOVES_SHOWN_MAX = 200
"""Of one node: after a restart all of its copies catch up."""

Seen = Mapping[str, pb.ClusterSeenAnswer]
"""By node, of those that answered."""


@dataclass(frozen=True, slots=True)
class Clustering:
    joined: Joined
    core: Replicas
    lookup: Lookup
    shard: Path
    written: Callable[[], Awaitable[None]]
    """Once what the core has is durable."""

    # -- what is so

    def seen(self) -> pb.ClusterSeenAnswer:
        """What no other node knows."""
        free, _ = free_and_whole(self.shard)
        moving, me = self.joined.balancer.moving, self.core.me.node
        found = pb.ClusterSeenAnswer.Lag
        moves = islice(learning(self.core), MOVES_SHOWN_MAX)
        return pb.ClusterSeenAnswer(
            version=version("mailnode"),
            disk_free_octets=free,
            etcd=self.joined.source.ailment,
            lags=[
                found(node=name, entries=lag.entries, seconds=lag.seconds)
                for name, lag in lags(self.core).items()
            ],
            far=[
                pb.FarLag(dc=dc, entries=lag.entries, seconds=lag.seconds, partition=lag.partition)
                for dc, lag in far_lags(self.core).items()
            ],
            moves=[
                pb.ClusterSeenAnswer.Move(
                    partition=each.partition, to=each.node, entries=each.entries, of=each.of, **{"from": me}
                )
                for each in moves
            ],
            moved=moving.moved,
            left=moving.left,
            under_way=moving.under_way,
            rate=moving.rate(),
            aside=sum(each.beyond is not None for each in self.core.partitions.values()),
        )

    def status(self, seen: Seen) -> pb.ClusterStatusAnswer:
        source = self.joined.source
        leases = source.all_leases()
        found = census(source.map.rows(), source.latest_homes(), leases)
        answer = pb.ClusterStatusAnswer(
            cluster=source.joined.hex(),
            format=source.cluster.format if source.cluster is not None else 0,
            etcd=source.etcd.endpoints,
            revision=source.revision,
            balancer=source.balancer,
            states=[
                pb.ClusterStatusAnswer.State(state=each, partitions=found.states[each]) for each in State
            ],
        )
        for name, node in sorted(source.all_nodes().items()):
            peer = node.peer
            added = answer.nodes.add(
                name=name,
                address=peer.address,
                host=peer.host,
                rack=peer.rack,
                dc=peer.dc,
                weight=peer.weight,
                leased=node.member in leases,
                leaving=node.is_leaving,
                format=node.format,
                led=found.led[name],
                copied=found.copied[name],
                learning=found.learning[name],
                seen=seen.get(name),
            )
            for lag in _lags_of(name, seen):
                added.lag_entries += lag.entries
                added.lag_seconds = max(added.lag_seconds, lag.seconds)
        answer.dcs.extend(self._dcs(seen))
        return answer

    def _dcs(self, seen: Seen) -> Iterator[pb.ClusterStatusAnswer.DataCentre]:
        homes = self.joined.source.latest_homes()
        names = sorted({home.dc for home in homes.values()} | self.joined.source.dcs.keys())
        for name in names if len(names) > 1 else ():
            told = [lag for each in seen.values() for lag in each.far if lag.dc == name]
            led = sorted(number for number, home in homes.items() if home.dc == name)
            yield pb.ClusterStatusAnswer.DataCentre(name=name, homes=led, lag=_joined(told))

    async def map(self, request: pb.ClusterMapRequest) -> pb.ClusterMapAnswer:
        if request.all:
            return self._told(self.joined.map.rows())
        if not request.address:
            return self._of(request.partition)
        owner = await self.lookup.owner(request.address)
        if owner is None:
            raise Refusal(f"{request.address!a} is no account of this cluster")
        return self._of(owner.account >> 48)

    def _of(self, partition: int) -> pb.ClusterMapAnswer:
        try:
            return self._told([(partition, self.joined.map.row(partition))])
        except NotMapped as error:
            raise Refusal(str(error)) from None

    def _told(self, rows: Iterable[tuple[int, Row]]) -> pb.ClusterMapAnswer:
        homes, leases = self.joined.source.latest_homes(), self.joined.source.all_leases()
        answer = pb.ClusterMapAnswer()
        for partition, row in rows:
            home = homes.get(partition // SLOTS)
            answer.rows.add(
                partition=partition,
                primary=row.primary.node,
                in_sync=[member.node for member in row.in_sync],
                replicas=row.replicas,
                epoch=row.epoch,
                min_insync=row.min_insync,
                state=state(row, home, leases) if home is not None else "",
                far=[far.node for far in row.far],
            )
        return answer

    # -- what is wanted

    @property
    def _wishes(self) -> Wishes:
        return Wishes(self.joined.source, self.joined.swaps)

    async def move(self, request: pb.ClusterMoveRequest) -> pb.ClusterMapAnswer:
        row = await _granted(self._wishes.move(request.partition, request.node))
        return self._told([(request.partition, row)])

    async def drain(self, request: pb.ClusterDrainRequest) -> pb.ClusterDrainAnswer:
        has_room = await _granted(self._wishes.leave(request.node, not request.back))
        return pb.ClusterDrainAnswer(node=request.node, keeps_copies=not has_room)

    async def remove(self, request: pb.ClusterRemoveRequest) -> pb.ClusterRemoveAnswer:
        partitions = await _granted(self._wishes.remove(request.node))
        return pb.ClusterRemoveAnswer(node=request.node, partitions=partitions)


async def _granted(wish: Awaitable[T]) -> T:
    """Raises Refusal."""
    try:
        return await wish
    except (Refused, EtcdError) as error:
        raise Refusal(str(error)) from None


def _joined(lags: Sequence[pb.FarLag]) -> pb.FarLag | None:
    """Of the copies in one data centre, as each node says that leads the partitions."""
    if not lags:
        return None
    worst = max(lags, key=lambda lag: lag.seconds)
    entries = sum([lag.entries for lag in lags])
    return pb.FarLag(dc=worst.dc, entries=entries, seconds=worst.seconds, partition=worst.partition)


def _lags_of(name: str, seen: Seen) -> Iterator[pb.ClusterSeenAnswer.Lag]:
    return (lag for each in seen.values() for lag in each.lags if lag.node == name)

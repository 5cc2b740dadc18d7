"""What is read of a cluster when Prometheus asks, as this node sees it; no label is a partition."""

from __future__ import annotations

from collections.abc import Iterator

from mailnode.cluster.census import State, census
from mailnode.cluster.joined import Joined
from mailnode.cluster.lag import far_lags, lags
from mailnode.cluster.replicas import Replicas
from mailnode.cluster.streams import Streams
from mailnode.http.exposition import Gauge
from mailnode.metrics import Labels


def cluster_gauges(joined: Joined, core: Replicas, streams: Streams) -> Iterator[Gauge]:
    source, me = joined.source, core.me.node
    yield _one("mailnode_cluster_etcd_answers", "1 while etcd can be asked", float(not source.ailment))
    about = "Swaps of rows of the map that were not done, or had no answer"
    yield _one("mailnode_cluster_swaps_failed", about, joined.swaps.failed, total=True)
    known, leases = source.all_nodes().values(), source.all_leases()
    alive = sum(node.member in leases for node in known)
    nodes: dict[Labels, float] = {("known",): float(len(known)), ("alive",): float(alive)}
    yield Gauge("mailnode_cluster_nodes", "Nodes of the cluster", ("state",), nodes)
    yield from _partitions(joined, me)
    yield from _peers(core, streams)
    about = "Partitions that this node began to lead in place of another"
    began: dict[Labels, float] = {
        ("handed over",): float(core.handed_over),
        ("taken over",): float(core.taken_over),
    }
    yield Gauge("mailnode_cluster_led_anew", about, ("why",), began, total=True)
    yield _one("mailnode_cluster_moves_left", "Partitions that are to move yet", joined.balancer.moving.left)


def _partitions(joined: Joined, me: str) -> Iterator[Gauge]:
    source = joined.source
    found = census(source.map.rows(), source.latest_homes(), source.all_leases())
    states: dict[Labels, float] = {(state.value,): float(found.states[state]) for state in State}
    about = "Partitions of the cluster, by the worst that is true of them"
    yield Gauge("mailnode_cluster_partitions", about, ("state",), states)
    here: dict[Labels, float] = {
        ("led",): float(found.led[me]),
        ("copied",): float(found.copied[me]),
        ("learning",): float(found.learning[me]),
    }
    yield Gauge("mailnode_cluster_copies", "Copies of partitions at this node", ("role",), here)


def _peers(core: Replicas, streams: Streams) -> Iterator[Gauge]:
    entries, seconds = dict[Labels, float](), dict[Labels, float]()
    for peer, lag in lags(core).items():
        entries[peer,], seconds[peer,] = float(lag.entries), lag.seconds
    about = "Entries that copies at a peer lack of what this node leads"
    yield Gauge("mailnode_cluster_lag_entries", about, ("peer",), entries)
    about = "Since when a peer has acknowledged nothing of something that it lacks"
    yield Gauge("mailnode_cluster_lag_seconds", about, ("peer",), seconds)
    yield from _far(core)
    frames, octets = dict[Labels, float](), dict[Labels, float]()
    for peer, (count, size) in streams.sent().items():
        frames[peer,], octets[peer,] = float(count), float(size)
    yield Gauge("mailnode_cluster_frames", "Frames to a peer", ("peer",), frames, total=True)
    about = "Octets of frames to a peer, snapshots not among them"
    yield Gauge("mailnode_cluster_frame_octets", about, ("peer",), octets, total=True)


def _far(core: Replicas) -> Iterator[Gauge]:
    found = far_lags(core)
    entries: dict[Labels, float] = {(dc,): float(lag.entries) for dc, lag in found.items()}
    about = "Entries that copies in another data centre lack of what this node leads"
    yield Gauge("mailnode_cluster_far_lag_entries", about, ("dc",), entries)
    seconds: dict[Labels, float] = {(dc,): lag.seconds for dc, lag in found.items()}
    about = "Since when something of that is committed"
    yield Gauge("mailnode_cluster_far_lag_seconds", about, ("dc",), seconds)


def _one(name: str, about: str, value: float, *, total: bool = False) -> Gauge:
    return Gauge(name, about, (), {(): value}, total)

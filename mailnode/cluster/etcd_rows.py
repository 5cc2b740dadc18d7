"""What lies in etcd under which key, and as which octets. Pure.

    PREFIX/cluster            ClusterRow
    PREFIX/node/NAME          NodeRow: what the node said of itself when it last started
    PREFIX/lease/NAME/SHARD   LeaseRow, which goes with the node's lease; SHARD is its incarnation in hex
    PREFIX/row/0a1b           MapRow of a partition, by its number in hex
    PREFIX/home/0             HomeRow of a home, in hex
    PREFIX/dc/NAME            DataCentreRow
    PREFIX/domain/NAME        DomainRow
    PREFIX/key/DOMAIN/NAME    KeyRow: a key that the domain's mail is signed with, by its selector
    PREFIX/authority          AuthorityRow
    PREFIX/name/NAME          NameRow: whose the name of a node is
    PREFIX/token/HASH         TokenRow, which goes with its lease or when it is used
    PREFIX/balancer           the name of the node that says where copies should be; goes with its lease

The values are defined in protos/cluster.proto. A key that this program does not know is none of its business.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError

from mailnode.cluster.frames import number, number_of
from mailnode.cluster.map import Peer
from mailnode.cluster.replica_messages import Far, Member, Position, Row
from mailnode.pb import cluster_pb2 as pb


@dataclass(frozen=True, slots=True)
class Cluster:
    id: bytes
    dc: str
    format: int
    made: int
    """Microseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A node in the registry."""

    peer: Peer
    format: int
    is_leaving: bool = False
    hostname: str = ""
    """Under which mail comes to it."""

    @property
    def member(self) -> Member:
        return Member(self.peer.name, self.peer.incarnation)


@dataclass(frozen=True, slots=True)
class Home:
    """One of the 16: its partitions are led in `dc`, in `copies`, of which `min_insync` must be in sync."""

    dc: str
    generation: int
    copies: int
    min_insync: int
    sync_dcs: tuple[str, ...] = ()
    """Of the others, those that must have what is acknowledged."""


@dataclass(frozen=True, slots=True)
class DomainText:
    """A domain, as a file of its own would say it."""

    text: str
    made: int
    """Microseconds since 1970: they stand in this order."""
    revision: int = 0
    """Of etcd, when it was last changed; 0: it is not there yet."""


@dataclass(frozen=True, slots=True)
class SealedKey:
    """What a domain's mail is signed with; `sealed` is empty once that is over."""

    number: int
    kind: str
    state: str
    since: int
    """Seconds since 1970."""
    sealed: bytes
    revision: int = 0
    """As that of DomainText."""


@dataclass(frozen=True, slots=True)
class Name:
    """Whose the name of a node is: who has the key."""

    key: bytes
    """SHA-256 of the public one."""
    machine: str
    base_port: int
    made: int
    """Microseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Of one cluster: several may share an etcd."""

    prefix: str = "mailnode"

    def cluster(self) -> bytes:
        return self._key("cluster")

    def balancer(self) -> bytes:
        return self._key("balancer")

    def node(self, name: str) -> bytes:
        return self._key(f"node/{name}")

    def lease(self, member: Member) -> bytes:
        return self._key(f"lease/{member.node}/{member.incarnation:032x}")

    def row(self, partition: int) -> bytes:
        return self._key(f"row/{partition:04x}")

    def home(self, home: int) -> bytes:
        return self._key(f"home/{home:x}")

    def dc(self, name: str) -> bytes:
        return self._key(f"dc/{name}")

    def domain(self, name: str) -> bytes:
        return self._key(f"domain/{name}")

    def key(self, domain: str, selector: str) -> bytes:
        return self._key(f"key/{domain}/{selector}")

    def authority(self) -> bytes:
        return self._key("authority")

    def name(self, node: str) -> bytes:
        return self._key(f"name/{node}")

    def token(self, name: str) -> bytes:
        return self._key(f"token/{name}")

    def all(self) -> tuple[bytes, bytes]:
        """The first of all keys, and what lies behind them."""
        return self._range("")

    def kind(self, kind: str) -> tuple[bytes, bytes]:
        """As `all`, of those of one kind that have a rest."""
        return self._range(f"{kind}/")

    def parted(self, key: bytes) -> tuple[str, str]:
        """The kind of a key of this cluster, and the rest."""
        kind, _, rest = key.decode(errors="replace").removeprefix(f"{self.prefix}/").partition("/")
        return kind, rest

    def _range(self, rest: str) -> tuple[bytes, bytes]:
        begin = self._key(rest)
        return begin, begin[:-1] + bytes((begin[-1] + 1,))

    def _key(self, rest: str) -> bytes:
        return f"{self.prefix}/{rest}".encode()


def member_of(rest: str) -> Member:
    """Of a lease's key. Raises ValueError."""
    name, _, incarnation = rest.rpartition("/")
    return Member(name, int(incarnation, 16))


# -- octets; what is read raises ValueError


def row_octets(row: Row) -> bytes:
    return pb.MapRow(
        epoch=row.epoch,
        primary=_shard(row.primary),
        run=number(row.run),
        in_sync=map(_shard, row.in_sync),
        replicas=row.replicas,
        min_insync=row.min_insync,
        far=[pb.FarName(node=far.node, dc=far.dc) for far in row.far],
        sync_dcs=row.sync_dcs,
        since=[number for at in row.since for number in at],
    ).SerializeToString()


def row_of(octets: bytes, revision: int) -> Row:
    found = _read(pb.MapRow, octets)
    return Row(
        revision,
        found.epoch,
        _member(found.primary),
        number_of(found.run),
        tuple(map(_member, found.in_sync)),
        tuple(found.replicas),
        found.min_insync,
        tuple(Far(far.node, far.dc) for far in found.far),
        tuple(found.sync_dcs),
        tuple(Position(*pair) for pair in zip(found.since[::2], found.since[1::2], strict=True)),
    )


def node_octets(node: Registered) -> bytes:
    peer = node.peer
    return pb.NodeRow(
        host=peer.host,
        rack=peer.rack,
        dc=peer.dc,
        weight=peer.weight,
        incarnation=number(peer.incarnation),
        address=peer.address,
        format=node.format,
        is_leaving=node.is_leaving,
        hostname=node.hostname,
    ).SerializeToString()


def node_of(name: str, octets: bytes) -> Registered:
    found = _read(pb.NodeRow, octets)
    incarnation = number_of(found.incarnation)
    peer = Peer(name, found.host, found.rack, found.dc, found.weight, incarnation, found.address)
    return Registered(peer, found.format, found.is_leaving, found.hostname)


def cluster_octets(cluster: Cluster) -> bytes:
    return pb.ClusterRow(
        id=cluster.id, dc=cluster.dc, format=cluster.format, made=cluster.made
    ).SerializeToString()


def cluster_of(octets: bytes) -> Cluster:
    found = _read(pb.ClusterRow, octets)
    return Cluster(found.id, found.dc, found.format, found.made)


def home_row(home: Home) -> pb.HomeRow:
    return pb.HomeRow(
        dc=home.dc,
        generation=home.generation,
        copies=home.copies,
        min_insync=home.min_insync,
        sync_dcs=home.sync_dcs,
    )


def home_octets(home: Home) -> bytes:
    return home_row(home).SerializeToString()


def home_of(octets: bytes) -> Home:
    return home_in(_read(pb.HomeRow, octets))


def home_in(found: pb.HomeRow) -> Home:
    return Home(found.dc, found.generation, found.copies, found.min_insync, tuple(found.sync_dcs))


def dc_octets(endpoints: Iterable[str]) -> bytes:
    return pb.DataCentreRow(endpoints=endpoints).SerializeToString()


def endpoints_of(octets: bytes) -> tuple[str, ...]:
    return tuple(_read(pb.DataCentreRow, octets).endpoints)


def domain_octets(domain: DomainText) -> bytes:
    return pb.DomainRow(text=domain.text, made=domain.made).SerializeToString()


def domain_of(octets: bytes, revision: int) -> DomainText:
    found = _read(pb.DomainRow, octets)
    return DomainText(found.text, found.made, revision)


def key_octets(key: SealedKey) -> bytes:
    return pb.KeyRow(
        number=key.number, kind=key.kind, state=key.state, since=key.since, sealed=key.sealed
    ).SerializeToString()


def key_of(octets: bytes, revision: int) -> SealedKey:
    found = _read(pb.KeyRow, octets)
    return SealedKey(found.number, found.kind, found.state, found.since, found.sealed, revision)


def name_octets(name: Name) -> bytes:
    return pb.NameRow(
        key=name.key, machine=name.machine, base_port=name.base_port, made=name.made
    ).SerializeToString()


def name_of(octets: bytes) -> Name:
    found = _read(pb.NameRow, octets)
    return Name(found.key, found.machine, found.base_port, found.made)


def lease_octets(run: int) -> bytes:
    return pb.LeaseRow(run=number(run)).SerializeToString()


def run_of(octets: bytes) -> int:
    return number_of(_read(pb.LeaseRow, octets).run)


def _shard(member: Member) -> pb.ShardName:
    return pb.ShardName(node=member.node, incarnation=number(member.incarnation))


def _member(shard: pb.ShardName) -> Member:
    return Member(shard.node, number_of(shard.incarnation))


def _read(kind: Any, octets: bytes) -> Any:
    try:
        return kind.FromString(octets)
    except DecodeError as error:
        raise ValueError(f"no {kind.__name__}: {error}") from None

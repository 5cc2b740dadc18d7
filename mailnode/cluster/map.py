"""Where each partition *is*: read at once from memory, fed by a source (a file, or etcd).

Invariants: a row is only followed by one that is later (`Row.order`), whatever order they come in; a follower
is told of each such row once, on the loop, after it can be read here. Of a home that another data
centre was given no row of before is believed: nobody leads what no later row names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from mailnode.cluster.replica_messages import NOBODY, Member, Row, first_epoch
from mailnode.cluster.ring import SLOTS

PARTITIONS = 1 << 16
"""The first two octets of an account id: 4 bits of home, 12 of slot."""

Changed = Callable[[int, Row], None]


class NotMapped(LookupError):
    """No source has said anything of this partition."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A node as the registry says it."""

    name: str
    host: str
    rack: str
    dc: str
    weight: float
    incarnation: int
    """Of its shard: random octets made with the RocksDB directory."""
    address: str
    """Where its gRPC server listens: "unix:/path" or "host:port"; empty: nowhere."""


class Map:
    """What this node knows of the map. Lives on the loop.

    The source gives rows and peers (`put`, `put_peer`, `drop_peer`); everybody else reads.
    """

    def __init__(self, me: Member, everywhere: Row | None = None) -> None:
        """`everywhere`: the row of every partition that has none of its own."""
        self.me = me
        self._everywhere = everywhere
        self._rows: dict[int, Row] = {}
        self._peers: dict[str, Peer] = {}
        self._generations: dict[int, tuple[int, str]] = {}
        """By home, and the data centre that leads it since."""
        self.generations_begun = 0
        self._followers: list[Changed] = []
        self.peers: Mapping[str, Peer] = MappingProxyType(self._peers)
        """By name, this node among them."""

    @classmethod
    def alone(cls, name: str, incarnation: int = 0) -> Map:
        """Of one node that leads all partitions, and stands in no registry but its own."""
        me = Member(name, incarnation)
        row = Row(revision=1, epoch=0, primary=me, run=0, in_sync=(me,), replicas=(name,))
        alone = cls(me, everywhere=row)
        alone.put_peer(Peer(name, name, name, "", 1.0, incarnation, ""))
        return alone

    def row(self, partition: int) -> Row:
        """NotMapped where the source knows none."""
        row = self._rows.get(partition, self._everywhere)
        if row is None:
            raise NotMapped(f"partition {partition} has no row in the map")
        return row

    def primary(self, partition: int) -> str:
        """The name of the node that leads it; `me.node`: it is ours. NotMapped as of `row`."""
        primary = self.row(partition).primary
        if primary == NOBODY:
            _, dc = self._generations[partition // SLOTS]
            raise NotMapped(f"data centre {dc} leads partition {partition}, and its map does not say who")
        return primary.node

    def revision(self, partition: int) -> int:
        """Of its row; 0: there is none."""
        row = self._rows.get(partition, self._everywhere)
        return row.revision if row is not None else 0

    def peer(self, node: str) -> Peer | None:
        return self._peers.get(node)

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Each partition that has a row, in order."""
        if self._everywhere is None:
            yield from sorted(self._rows.items())
            return
        for partition in range(PARTITIONS):
            yield partition, self.row(partition)

    def follow(self, changed: Changed) -> None:
        """`changed(partition, row)` is called with each row that changes from now on."""
        self._followers.append(changed)

    # -- for the source

    def put(self, partition: int, row: Row) -> None:
        """Without effect if this row, or a later one, is there."""
        row = self._fenced(partition, row)
        known = self._rows.get(partition)
        if known is not None and row.order <= known.order:
            return
        self._rows[partition] = row
        for changed in self._followers:
            changed(partition, row)

    def begin_generation(self, home: int, generation: int, dc: str) -> None:
        """What is known of it by rows of an earlier one is over; of the same or a later one, it is known."""
        if generation <= self._generations.get(home, (1, ""))[0]:
            return
        self._generations[home] = generation, dc
        self.generations_begun += 1
        first = home * SLOTS
        for partition in range(first, first + SLOTS):
            if (row := self._rows.get(partition)) is not None:
                self.put(partition, row)

    def _fenced(self, partition: int, row: Row) -> Row:
        """As it is, or as one that nobody leads; who had a copy keeps it."""
        generation, _ = self._generations.get(partition // SLOTS, (1, ""))
        epoch = first_epoch(generation)
        if row.epoch >= epoch:
            return row
        return replace(row, revision=0, epoch=epoch, primary=NOBODY, run=0, in_sync=())

    def put_peer(self, peer: Peer) -> None:
        self._peers[peer.name] = peer

    def drop_peer(self, name: str) -> None:
        self._peers.pop(name, None)

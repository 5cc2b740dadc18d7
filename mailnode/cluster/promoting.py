"""A data centre takes over homes that another one leads, because an operator says so (design §5.10).

The home's row comes first, with the next generation: from then on nobody who hears of it believes a row of
before. Then each partition gets a row, led by the node whose far copy has most; what is done is not done
again, so whoever was killed half-way begins anew and goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from mailnode.cluster import etcd_rows as rows
from mailnode.cluster.etcd import Put, Unchanged
from mailnode.cluster.etcd_map import EtcdMap
from mailnode.cluster.etcd_rows import Home
from mailnode.cluster.etcd_swaps import SWAPS_MAX
from mailnode.cluster.map import NotMapped
from mailnode.cluster.replica_messages import Far, Member, Position, Row, first_epoch, generation_of
from mailnode.cluster.replicas import Replicas
from mailnode.cluster.ring import SLOTS
from mailnode.cluster.wishes import TRIES_MAX, Refused


@dataclass(frozen=True, slots=True)
class Copy:
    """Of a partition that is led elsewhere, at one node."""

    partition: int
    member: Member
    last: Position
    """That it has."""
    told: int
    """The seq up to which its primary had committed when it last said so."""
    age: float | None
    """Seconds since that node was last heard; None: not in this run."""
    epochs: tuple[Position, ...] = ()
    """The first entry of each epoch that it has."""

    def since(self, generation: int) -> tuple[Position, ...]:
        """Where each generation up to this one began, of those behind the first, as of `Row`."""
        return tuple(self._before(each) for each in range(2, generation + 1))

    def _before(self, generation: int) -> Position:
        before = Position(0, 0)
        for at, first in enumerate(self.epochs):
            if generation_of(first.epoch) >= generation:
                return Position(before.epoch, first.seq - 1) if at else before
            before = first
        return self.last


def copies_of(core: Replicas, home: int) -> list[Copy]:
    """Those that this node has of a home, without the ones that are not whole."""
    found = []
    for partition in range(home * SLOTS, (home + 1) * SLOTS):
        replica = core.partitions.get(partition)
        if replica is None or replica.stopped or not replica.log.last.seq:
            continue
        heard = core.heard.get(replica.told_by) if replica.told_by is not None else None
        age = core.now - heard if heard is not None else None
        told = max(replica.commit, replica.log.last.seq)
        found.append(Copy(partition, core.me, replica.log.last, told, age, tuple(replica.log.epochs)))
    return found


def best(copies: Iterable[Copy]) -> dict[int, Copy]:
    """By partition, the one that has most."""
    found: dict[int, Copy] = {}
    for copy in copies:
        known = found.get(copy.partition)
        if known is None or copy.last > known.last:
            found[copy.partition] = copy
    return found


@dataclass(frozen=True, slots=True)
class Promoting:
    """Into the data centre of `source`. Raises Refused and EtcdError."""

    source: EtcdMap

    @property
    def dc(self) -> str:
        return self.source.cluster.dc if self.source.cluster is not None else ""

    def homes(self, lost: Iterable[str]) -> dict[int, Home]:
        """That these data centres lead, and those that came here and lack rows."""
        source, gone = self.source, set(lost)
        return {
            number: home
            for number, home in source.latest_homes().items()
            if (home.dc in gone and home.dc != self.dc)
            or (home.dc == self.dc and self._is_half_done(number, home))
        }

    def _is_half_done(self, number: int, home: Home) -> bool:
        known, first = self.source.map, number * SLOTS
        return home.generation > 1 and not all(known.revision(first + slot) for slot in range(SLOTS))

    async def take(self, number: int, home: Home) -> Home:
        """The home is led here, as its row in the own etcd says; it stays so if it is already."""
        if home.dc == self.dc:
            return home
        key, etcd = self.source.keys.home(number), self.source.etcd
        taken = self._taken(home)
        pair = await etcd.get(key)
        if pair is not None and rows.home_of(pair.value).generation > home.generation:
            raise Refused(
                f"home {number} has just come to data centre {rows.home_of(pair.value).dc}: look again"
            )
        at = Unchanged(key, pair.revision if pair is not None else 0)
        answer = await etcd.transact([at], [Put(key, rows.home_octets(taken))])
        if not answer.is_done:
            raise Refused(f"the row of home {number} was changed meanwhile: try again")
        await self.source.reached(answer.revision)
        return taken

    def _taken(self, home: Home) -> Home:
        """As many copies as it had, or as there are hosts for here."""
        peers = [node.peer for node in self.source.nodes.values() if not node.is_leaving]
        copies = max(1, min(home.copies, len({peer.host for peer in peers if peer.dc == self.dc})))
        others = tuple(dc for dc in home.sync_dcs if dc not in (self.dc, home.dc))
        return Home(self.dc, home.generation + 1, copies, min(home.min_insync, copies), others)

    async def write(self, number: int, was: str, home: Home, copies: Mapping[int, Copy]) -> int:
        """The rows that are not there yet, of those that have a copy; how many were written.

        `was`: the data centre that had it.
        """
        written = 0
        for _ in range(TRIES_MAX):
            known = await self._known(number)
            first = first_epoch(home.generation)
            left = [
                copy
                for at, copy in sorted(copies.items())
                if at not in known or known[at].epoch < first  # of a time when the home was here before
            ]
            if not left:
                return written
            for begin in range(0, len(left), SWAPS_MAX):
                part = left[begin : begin + SWAPS_MAX]
                made = [self._row(copy, home, was, known.get(copy.partition)) for copy in part]
                written += await self._put([copy.partition for copy in part], made)
        raise Refused(f"the rows of home {number} change all the time: try again")

    async def _known(self, number: int) -> dict[int, Row]:
        """The rows of a home that lie in the own etcd."""
        keys, found = self.source.keys, dict[int, Row]()
        begin, end = keys.row(number * SLOTS), keys.row((number + 1) * SLOTS - 1) + b"\0"
        async for _, pairs in self.source.etcd.pages(begin, end):
            for pair in pairs:
                found[int(keys.parted(pair.key)[1], 16)] = rows.row_of(pair.value, pair.revision)
        return found

    def _row(self, copy: Copy, home: Home, was: str, known: Row | None) -> Row:
        """Alone in sync, for nobody else has what it has; the balancer makes the other copies."""
        me = copy.member
        epoch = max(first_epoch(home.generation), copy.last.epoch + 1)
        revision = known.revision if known is not None else 0
        far = tuple(Far(node, was) for node in self._before(copy.partition)[:1] if was)
        return Row(
            revision,
            epoch,
            me,
            0,
            (me,),
            (me.node,),
            far=far,
            sync_dcs=home.sync_dcs,
            since=copy.since(home.generation),
        )

    def _before(self, partition: int) -> tuple[str, ...]:
        """The nodes that had it, of which the first led: it has most of what a far copy needs."""
        try:
            return self.source.map.row(partition).replicas
        except NotMapped:
            return ()

    async def _put(self, partitions: Sequence[int], made: Sequence[Row]) -> int:
        at = [self.source.keys.row(partition) for partition in partitions]
        conditions = [Unchanged(key, row.revision) for key, row in zip(at, made, strict=True)]
        puts = [Put(key, rows.row_octets(row)) for key, row in zip(at, made, strict=True)]
        answer = await self.source.etcd.transact(conditions, puts)
        if not answer.is_done:
            return 0
        for partition, row in zip(partitions, made, strict=True):
            self.source.map.put(partition, replace(row, revision=answer.revision))
        return len(made)

    def empty(self, number: int, without: Sequence[int]) -> dict[int, Copy]:
        """Of partitions that nobody has a copy of: new ones, at the nodes that are there in turn."""
        source = self.source
        alive = sorted(node.member for node in source.nodes.values() if node.member in source.leases)
        if not alive:
            raise Refused(f"no node of {self.dc} has a lease")
        first = number * SLOTS
        return {at: Copy(at, alive[(at - first) % len(alive)], Position(0, 0), 0, None) for at in without}

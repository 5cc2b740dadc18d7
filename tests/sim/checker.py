"""What must hold after every step."""

from __future__ import annotations

from collections.abc import Callable

from mailnode.cluster.replica_messages import Entry, Member, Position, Write


class Broken(AssertionError):
    """An invariant does not hold."""


class Checker:
    def __init__(self, is_everywhere: Callable[[int, Position], bool]) -> None:
        """`is_everywhere`: on the disk of each shard that the map says is in sync."""
        self._is_everywhere = is_everywhere
        self.applied: dict[tuple[int, int], Entry] = {}
        """By (partition, seq): what the first replica applied there, so all others must."""
        self.seqs: dict[tuple[int, bytes], int] = {}
        self.acked: dict[int, int] = {}
        """By partition: the highest seq that was acknowledged or read."""
        self.acknowledged: dict[bytes, tuple[int, Position]] = {}
        self.primaries: dict[tuple[int, int], tuple[Member, int]] = {}
        self.reads = 0
        self.durable: dict[tuple[int, str], int] = {}
        """By (partition, data centre): the highest seq that a far copy ever had there."""

    def apply(self, partition: int, entry: Entry, rows: list[Entry]) -> None:
        """Replicas apply the same, in order, each once, and only what everyone in sync has."""
        seq = entry.position.seq
        if seq != len(rows):
            raise Broken(f"{entry.position} of {partition} applied as row {len(rows)}")
        if self.applied.setdefault((partition, seq), entry) != entry:
            raise Broken(f"{entry} of {partition} differs from {self.applied[partition, seq]}")
        if not self._is_everywhere(partition, entry.position):
            raise Broken(f"{entry.position} of {partition} is applied, but not durable in all of the set")
        if entry.data and self.seqs.setdefault((partition, entry.data), seq) != seq:
            raise Broken(f"{entry.data!r} is twice in {partition}")

    def learn_far(self, write: Write) -> None:
        """A far copy has what is committed, and nothing else at any time."""
        if write.truncated:
            raise Broken(f"a far copy of {write.partition} had {write.truncated}")
        for entry in write.entries:
            if self.applied.get((write.partition, entry.position.seq)) != entry:
                raise Broken(f"{entry.position} of {write.partition} is far away before it is committed")

    def acknowledge(
        self, partition: int, entry: Entry, primary: Member, run: int, sync_dcs: tuple[str, ...] = ()
    ) -> None:
        """Only one in an epoch, and never what another was acknowledged as; where it should be, it is."""
        for dc in sync_dcs:
            if self.durable.get((partition, dc), 0) < entry.position.seq:
                raise Broken(f"{entry.position} of {partition} acknowledged, but not durable in {dc}")
        key = partition, entry.position.epoch
        if self.primaries.setdefault(key, (primary, run)) != (primary, run):
            raise Broken(f"two primaries of {partition} acknowledge in {entry.position.epoch}")
        if self.applied[partition, entry.position.seq] != entry:
            raise Broken(f"{entry.position} of {partition} acknowledged, but another is there")
        self.acknowledged[entry.data] = partition, entry.position
        self._see(partition, entry.position.seq)

    def read(self, partition: int, rows: list[Entry]) -> None:
        """Not older than anything acknowledged or read before. That seqs are not reused, `apply` says."""
        self.reads += 1
        if len(rows) < self.acked.get(partition, 0):
            raise Broken(f"a stale read of {partition}: {len(rows)}, after {self.acked[partition]}")
        self._see(partition, len(rows))

    def _see(self, partition: int, seq: int) -> None:
        self.acked[partition] = max(self.acked.get(partition, 0), seq)

    def healed(self, partition: int, copies: list[list[Entry]]) -> None:
        """All equal; everything that was acknowledged is there, once."""
        for rows in copies:
            if rows != copies[0]:
                raise Broken(f"copies of {partition} differ: {[len(rows) for rows in copies]}")
        have = [entry.data for entry in copies[0] if entry.data]
        if len(set(have)) < len(have):
            raise Broken(f"something is twice in {partition}")
        for data, (where, position) in self.acknowledged.items():
            if where == partition and copies[0][position.seq - 1].data != data:
                raise Broken(f"{position} of {partition}, acknowledged, is lost")

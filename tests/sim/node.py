"""One simulated process: the core, its disk, its clock, and the rows as its readers see them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from mailnode.cluster.replica import Replica
from mailnode.cluster.replica_messages import (
    Drop,
    Entry,
    Frame,
    Install,
    Member,
    Position,
    Snapshot,
    Swap,
    Write,
)
from mailnode.cluster.replicas import Ready, Replicas
from tests.sim.checker import Broken, Checker
from tests.sim.disk import Disk, Kept

Rows = dict[int, list[Entry]]
"""By partition: what goes beside the snapshots of a frame."""


class Node:
    def __init__(self, name: str, offset: float, rate: float, dc: str = "") -> None:
        self.name = name
        self.dc = dc
        """Empty: that whose map it is."""
        self.offset, self.rate = offset, rate
        """Of its clock: what it shows at 0, and how fast it goes."""
        self.disk = Disk()
        self.incarnation = 1
        self.run = 0
        self.core: Replicas | None = None
        self.rows: Rows = {}
        self.proposed: dict[tuple[int, Position], bytes] = {}
        self.unconfirmed: dict[int, list[Entry]] = {}
        """Committed, and not yet acknowledged, for other data centres are waited for."""
        self.slow_until = 0.0
        """A sync takes until then."""
        self.hung_until = 0.0
        """The process does nothing until then, and goes on where it was."""
        self.quiet_until = 0.0
        """Clients write nothing until then."""

    @property
    def me(self) -> Member:
        return Member(self.name, self.incarnation)

    def clock(self, now: float) -> float:
        return self.offset + self.rate * now

    def start(self, run: int, now: float, return_seconds: float, frame_octets_max: int) -> None:
        self.run = run
        self.proposed.clear()
        self.unconfirmed.clear()
        self.rows = {partition: list(kept.rows) for partition, kept in self.disk.kept.items()}
        replicas = [
            Replica(partition, self.me, run, kept.log(), len(kept.rows), kept.epoch)
            for partition, kept in self.disk.kept.items()
        ]
        self.core = Replicas(self.me, run, self.clock(now), replicas, return_seconds, frame_octets_max)

    def replace_disk(self) -> None:
        self.disk = Disk()
        self.incarnation += 1

    def step(self, frame: Frame, rows: Rows) -> None:
        """What a snapshot installs is in the frame: kept aside until its write comes out."""
        assert self.core is not None
        self._incoming = rows
        self.core.step(frame)

    _incoming: Rows = {}  # noqa: RUF012

    def work(
        self,
        checker: Checker,
        send: Callable[[Frame, Rows], None],
        swap: Callable[[Swap], None],
        sync: Callable[[int, int], None],
    ) -> None:
        """Do what the core says."""
        assert self.core is not None
        ready = self.core.ready()
        for writing in ready.writes:
            at = writing.snapshot.partition if isinstance(writing, Install) else writing.partition
            rows: list[Entry] = []
            if isinstance(writing, Install):
                rows = self._incoming[at]
                self.rows[at] = list(rows)
            elif isinstance(writing, Drop):
                self.rows[at] = []
            elif isinstance(writing, Write) and self.dc:
                checker.learn_far(writing)
            self.disk.put(partial(self.disk.of(at).write, writing, rows))
        self._apply(ready, checker)
        self._acknowledge(ready, checker)
        for group in ready.swaps:
            for one in group:
                swap(one)
        for frame in ready.frames:
            send(frame, self._beside(frame))
        if ready.writes:
            sync(ready.number, self.disk.mark())
        for fetch in ready.fetches:
            self.core.fetched(fetch, self.disk.of(fetch.partition).after(fetch.after, fetch.octets_max))
        for replica in self.core.partitions.values():
            if replica.stopped and replica.beyond is None:
                raise Broken(f"{self.name} stopped {replica.partition}: {replica.stopped}")

    def _apply(self, ready: Ready, checker: Checker) -> None:
        for at, entries in ready.committed:
            rows = self.rows.setdefault(at, [])
            for entry in entries:
                rows.append(entry)
                checker.apply(at, entry, rows)
                self.disk.put(partial(put_row, self.disk.of(at), entry))
                if self.proposed.pop((at, entry.position), None) == entry.data:
                    self.unconfirmed.setdefault(at, []).append(entry)

    def _acknowledge(self, ready: Ready, checker: Checker) -> None:
        for replica in ready.touched:
            waiting = self.unconfirmed.pop(replica.partition, [])
            if not waiting or not replica.is_leading or replica.row is None:
                continue
            confirmed = replica.confirmed()
            for entry in waiting:
                if entry.position.seq <= confirmed:
                    checker.acknowledge(replica.partition, entry, self.me, self.run, replica.row.sync_dcs)
                else:
                    self.unconfirmed.setdefault(replica.partition, []).append(entry)

    def _beside(self, frame: Frame) -> Rows:
        rows = {}
        for message in frame.messages:
            if isinstance(message, Snapshot):
                rows[message.partition] = list(self.rows.get(message.partition, ()))
                if len(rows[message.partition]) != message.at.seq:
                    raise Broken(f"a snapshot of {message.at} is of {len(rows[message.partition])} rows")
        return rows


def put_row(kept: Kept, entry: Entry) -> None:
    kept.rows.append(entry)

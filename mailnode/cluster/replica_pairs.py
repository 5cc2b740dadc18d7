"""All pairs of one node: whose promises it has, and to whom it gave some."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator

from mailnode.cluster.replica import Replica
from mailnode.cluster.replica_messages import Frame, Heartbeat, Member, Promise
from mailnode.cluster.replica_pair import BEAT_SECONDS, Following, Leading


class Pairs:
    def __init__(self, started: float, unleased: Container[Member]) -> None:
        """`unleased`: whose lease of the map is gone."""
        self._started = started
        self._unleased = unleased
        self._leading: dict[Member, Leading] = {}
        self._following: dict[Member, Following] = {}
        self._holds: dict[int, float] = {}
        """Until when a partition is promised to one whose claim was refused since."""
        self.news = 0
        """Rises when the latest epoch of any partition may be another."""
        self._unsaid: set[Member] = set()
        """To whom something is claimed that no heartbeat said: who serves next waits for nothing else."""

    def claim(self, replica: Replica, now: float) -> None:
        """What is led, of every member that is required or learns; and what is not, of nobody."""
        followers: set[Member] = set()
        if replica.is_leading:
            followers = (replica.required() | set(replica.progress)) - {replica.me}
        for member in sorted(followers - self._leading.keys()):
            self._leading[member] = Leading(now)
        for member, pair in self._leading.items():
            if member in followers:
                if not pair.has_claims():
                    pair.since = now
                pair.claim(replica.partition, replica.epoch)
                if pair.said is None or pair.version > pair.said.version:
                    self._unsaid.add(member)
            elif replica.partition in pair.claims:
                pair.claim(replica.partition, 0)

    def tell_commit(self, replica: Replica) -> None:
        """By the next heartbeat, where it moved."""
        told = replica.epoch, replica.commit
        for member in sorted(replica.progress.keys() & self._leading.keys()):
            pair = self._leading[member]
            if pair.told.get(replica.partition) != told:
                pair.told[replica.partition] = pair.commits[replica.partition] = told

    def beats(self, now: float) -> Iterator[tuple[Member, Heartbeat]]:
        """Those that are due."""
        for member, pair in self._leading.items():
            is_due = pair.said is None or now >= pair.said.sent + BEAT_SECONDS
            if is_due and pair.has_claims():
                yield member, pair.heartbeat(now)

    def urgent(self, now: float) -> Iterator[tuple[Member, Heartbeat]]:
        """What is claimed anew is said at once, one heartbeat at a time."""
        for member in sorted(self._unsaid):
            pair = self._leading[member]
            if pair.is_unsaid() and pair.has_claims():
                yield member, pair.heartbeat(now)
            if pair.said is not None and pair.said.version == pair.version:
                self._unsaid.discard(member)

    def promise(
        self, frame: Frame, beat: Heartbeat, now: float, known: Callable[[int], int | None], is_short: bool
    ) -> Promise | None:
        """The answer to a heartbeat; see `Following.promise`."""
        pair = self._following.setdefault(frame.sender, Following())
        return pair.promise(frame.run, beat, now, known, self.news, self._holds, is_short)

    def answered(self, member: Member, promise: Promise) -> None:
        if member in self._leading:
            self._leading[member].answered(promise)

    def is_claimed(self, member: Member, partition: int, epoch: int) -> bool:
        """That it leads the partition in that epoch, and counts me among those who follow or learn."""
        pair = self._following.get(member)
        return pair is not None and pair.claims.get(partition) == epoch

    def promised_until(self, partition: int) -> float:
        """When nobody can serve the partition on a promise of mine."""
        untils = [pair.until for pair in self._following.values() if partition in pair.accepted]
        return max([self._holds.get(partition, self._started), *untils])

    def holds(self, member: Member, replica: Replica, now: float) -> bool:
        """It promised me not to take the partition over."""
        pair = self._leading.get(member)
        return pair is not None and pair.holds(replica.partition, replica.epoch, now)

    def claimed_of_silent(self, now: float) -> Iterator[tuple[Member, int]]:
        """Who no longer answers, and the partitions that I lead with it."""
        for member, pair in self._leading.items():
            if self.is_gone(member, now):
                yield from ((member, partition) for partition, (epoch, _) in pair.claims.items() if epoch)

    def hung(self, seconds: float) -> None:
        """For so long I heard nobody."""
        for pair in self._leading.values():
            pair.since = max(pair.since, pair.acked) + seconds

    def is_gone(self, member: Member, now: float) -> bool:
        """Nobody should wait for it."""
        return self._leading[member].is_leaving or self.is_silent(member, now)

    def is_silent(self, member: Member, now: float) -> bool:
        return self._leading[member].is_silent(now, self.is_leased(member))

    def is_leased(self, member: Member) -> bool:
        """As far as is known: else it left, or hangs, and gets nothing new to do."""
        return member not in self._unleased

    def is_short(self, member: Member) -> bool:
        return member in self._leading and self._leading[member].is_short

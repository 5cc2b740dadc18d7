"""Two nodes: what one leads and the other promises, for all partitions together.

The leading side *claims* partitions, each in an epoch, and sends heartbeats; it says a claim once, then only
the version of all of them. A follower that knows them in that version promises for `PROMISE_SECONDS` not to
take over what they claim; what it knows in a later epoch it refuses in the same answer. So one whose
partition was taken over while it could not be reached cannot serve it on the strength of the pair's others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import inf, nextafter

from mailnode.cluster.replica_messages import Heartbeat, Promise

LEASE_SECONDS = 3.0  # since the heartbeat was sent, by the sender's clock
PROMISE_SECONDS = 4.0  # since it was answered, by the follower's: their clocks may differ by a third in speed
BEAT_SECONDS = 0.5  # some may be lost in a lease
SILENT_SECONDS_MAX = 5.0  # longer than the lease of the map: one that fell is taken over, not removed from
QUIET_SECONDS_MAX = 1.5  # of one whose lease of the map is gone: it left, or is dead; beats may be late

_NEVER = float("-inf")


@dataclass(slots=True)
class Leading:
    """What I claim of a follower."""

    since: float
    """When the pair began, or had nothing to say until then."""
    version: int = 0
    known: int = 0
    """The version that the follower is known to have."""
    acked: float = _NEVER
    """When the last heartbeat that it answered was sent."""
    is_short: bool = False
    is_leaving: bool = False
    said: Heartbeat | None = None
    """The last heartbeat."""
    claims: dict[int, tuple[int, int]] = field(default_factory=dict)
    """(epoch, version in which it was claimed)."""
    refused: dict[int, int] = field(default_factory=dict)
    commits: dict[int, tuple[int, int]] = field(default_factory=dict)
    """That moved: (epoch, commit)."""
    told: dict[int, tuple[int, int]] = field(default_factory=dict)
    """The last of each that was put there."""

    def claim(self, partition: int, epoch: int) -> None:
        """0 gives it up."""
        if self.claims.get(partition, (0, 0))[0] != epoch:
            self.version += 1
            self.claims[partition] = epoch, self.version
            self.commits.pop(partition, None)
            self.told.pop(partition, None)

    def has_claims(self) -> bool:
        return any(epoch for epoch, _ in self.claims.values())

    def heartbeat(self, now: float) -> Heartbeat:
        changed = self.claims.items() if self.known < self.version else ()
        claims = [(at, epoch) for at, (epoch, version) in changed if version > self.known]
        commits = tuple((at, epoch, commit) for at, (epoch, commit) in self.commits.items())
        # Two are never alike in `sent`: an answer is to one of them.
        sent = now if self.said is None or now > self.said.sent else nextafter(self.said.sent, inf)
        self.said = Heartbeat(sent, self.known, self.version, tuple(claims), commits)
        return self.said

    def is_unsaid(self) -> bool:
        """A claim is not on its way yet, and no answer is waited for that would bring the next heartbeat."""
        said = self.said
        return said is None or (self.version > said.version and self.acked >= said.sent)

    def answered(self, promise: Promise) -> None:
        """Of those that come late, only what is refused counts: that never becomes less."""
        for partition, epoch in promise.refused:
            self.refused[partition] = max(epoch, self.refused.get(partition, 0))
        if promise.version > self.version or _NEVER < promise.sent < self.acked:
            return
        if promise.version < self.known:
            self.acked = _NEVER  # it started anew
        self.known = promise.version
        self.acked = max(self.acked, promise.sent)
        self.is_short, self.is_leaving = promise.is_short, promise.is_leaving
        if self.said is not None and promise.sent == self.said.sent:
            for partition, epoch, commit in self.said.commits:
                if self.commits.get(partition) == (epoch, commit):
                    del self.commits[partition]

    def holds(self, partition: int, epoch: int, now: float) -> bool:
        """It promised not to take over the partition as I lead it."""
        claimed, version = self.claims.get(partition, (0, 0))
        is_known = claimed == epoch and version <= self.known
        return is_known and self.refused.get(partition, 0) <= epoch and now <= self.acked + LEASE_SECONDS

    def is_silent(self, now: float, is_leased: bool) -> bool:
        seconds_max = SILENT_SECONDS_MAX if is_leased else QUIET_SECONDS_MAX
        return now > max(self.acked, self.since) + seconds_max


@dataclass(slots=True)
class Following:
    """What I promised to one who leads."""

    run: int = 0
    version: int = 0
    until: float = _NEVER
    claims: dict[int, int] = field(default_factory=dict)
    accepted: frozenset[int] = frozenset()
    refused: tuple[tuple[int, int], ...] = ()
    judged: tuple[int, int] | None = None
    """The version of the claims and the news that `accepted` and `refused` are of."""

    def promise(
        self,
        run: int,
        beat: Heartbeat,
        now: float,
        known: Callable[[int], int | None],
        news: int,
        holds: dict[int, float],
        is_short: bool,
    ) -> Promise | None:
        """None: nothing is promised, for the map was not read yet, or a later heartbeat came first.

        `known`: the latest epoch of a partition known here, as of the count `news`. `holds` takes until when
        what is refused is held.
        """
        if run != self.run:
            self.run, self.version, self.claims, self.judged = run, 0, {}, None
        if beat.version < self.version:
            return None
        if beat.base > self.version:
            return Promise(run, _NEVER, self.version, (), is_short)
        self.version = beat.version
        self.claims.update(beat.claims)
        if self.judged != (self.version, news) and not self._judge(known, holds):
            return None
        self.judged = self.version, news
        self.until = now + PROMISE_SECONDS
        return Promise(run, beat.sent, self.version, self.refused, is_short)

    def _judge(self, known: Callable[[int], int | None], holds: dict[int, float]) -> bool:
        """Which claims are accepted; False where the map was not read yet."""
        claims = {at: epoch for at, epoch in self.claims.items() if epoch}
        latest = {at: known(at) for at in claims}
        if None in latest.values():
            return False
        refused = {at: epoch for at, epoch in latest.items() if epoch is not None and epoch > claims[at]}
        accepted = frozenset(claims.keys() - refused.keys())
        self._hold(self.accepted - accepted, holds)
        self.accepted, self.refused = accepted, tuple(refused.items())
        return True

    def _hold(self, dropped: Iterable[int], holds: dict[int, float]) -> None:
        for partition in dropped:
            holds[partition] = max(holds.get(partition, _NEVER), self.until)

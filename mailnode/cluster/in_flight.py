"""What replicas that learn were sent, and what is read for them, until they have it: bounded for each. Pure.

One in sync is sent all at once: what is not committed is bounded where it is made. One that learns may lack
all of the log; without a bound it would lie in its memory, or in that of the primary, if its disk is slow.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from mailnode.cluster.replica import Progress, Replica
from mailnode.cluster.replica_messages import Member


class _Sent(NamedTuple):
    replica: Replica
    epoch: int
    seq: int
    """Of its last entry; 0: it is being read."""
    octets: int

    def is_over(self, progress: Progress | None) -> bool:
        """It has it, or it is to be sent anew."""
        if progress is None or self.epoch != self.replica.epoch or progress.is_given or progress.is_probed:
            return True
        if not self.seq:
            return not progress.is_fetched
        return not progress.matched < self.seq < progress.next


class InFlight:
    def __init__(self, octets_max: int) -> None:
        """`octets_max`: beyond it nothing more is sent to a member; what begins below it is sent whole."""
        self._octets_max = octets_max
        self._sent: dict[Member, deque[_Sent]] = {}
        self._octets: dict[Member, int] = {}

    def octets(self, to: Member) -> int:
        return self._octets.get(to, 0)

    def is_full(self, to: Member) -> bool:
        """Those before were acknowledged in about the order in which they were sent."""
        if self.octets(to) < self._octets_max:
            return False
        sent = self._sent[to]
        while sent and sent[0].is_over(sent[0].replica.progress.get(to)):
            self._octets[to] -= sent.popleft().octets
        return self.octets(to) >= self._octets_max

    def sent(self, replica: Replica, to: Member, octets: int) -> None:
        """Or begun to be read."""
        progress = replica.progress[to]
        if not octets or progress.is_given or not (progress.is_fetched or replica.learns(to)):
            return
        seq = 0 if progress.is_fetched else progress.next - 1
        self._sent.setdefault(to, deque()).append(_Sent(replica, replica.epoch, seq, octets))
        self._octets[to] = self.octets(to) + octets

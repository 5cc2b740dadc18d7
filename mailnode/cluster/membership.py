"""Who is in sync and who leads, as a primary asks it of the map. Pure; times are of the node's clock.

A primary removes who is silent and adds who has everything. Where `replicas` of the row was changed, it goes
from the copies that are to those that should be by itself: first all of the new ones are in sync, then the
primary is handed over if it should not stay one, and only then those go that should have no copy.

Handover. The giver takes no more intents, waits until all it has is committed, and asks for a row that names
the taker and the taker's run in the next epoch. From the asking on it serves no reads, so the taker needs no
promise and begins as it reads the row; and until the row is read back in a later revision the giver does not
go on, for its swap may still come.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mailnode.cluster.replica import Giving, Replica
from mailnode.cluster.replica_messages import Member, Row, Swap
from mailnode.cluster.replica_pairs import Pairs

GIVE_SECONDS_MAX = (
    1.0  # intents wait that long for what is under way; the taker is in sync, so it takes rounds
)
PREFER_SECONDS = 5.0  # since who is in sync changed: the one who should lead may just have come back
GIVES_MAX = 8  # under way at a time to one member: each is a pause of its partition


class Membership:
    def __init__(
        self, me: Member, pairs: Pairs, runs: Mapping[Member, int], started: float, return_seconds: float
    ) -> None:
        """`runs`: of the process of each shard, as it was last heard."""
        self._me = me
        self._pairs = pairs
        self._runs = runs
        self._started = started
        self._return_seconds = return_seconds
        self._gives: dict[int, Replica] = {}

    def judge(self, replica: Replica, now: float) -> None:
        """Of what is led: the one next thing that should be otherwise is asked for.

        One that should have no copy goes in a new epoch, so that no acknowledgement of a copy that is dropped
        counts if it learns again.
        """
        row = replica.row
        assert row is not None
        if replica.asked or replica.has_lapsed or replica.giving:
            return
        gone = {
            member for member in row.in_sync if member != self._me and self._is_gone(replica, member, now)
        }
        ripe = next((member for member in replica.progress if self._is_ripe(replica, member, now)), None)
        leaving = self._leaving(replica, row, now)
        if gone:
            if all(member.node in row.replicas for member in gone):
                replica.change(_without(row.in_sync, gone), now)
            else:
                replica.take(now, _without(row.in_sync, gone), None)
        elif ripe is not None:
            replica.returned_at[ripe] = now
            replica.change((*row.in_sync, ripe), now)
        elif (far := replica.far_wanted()) != row.far:
            replica.ask(Swap(replica.partition, replace(row, far=far)), now)
        elif leaving - {self._me} or (replica.has_dismissed and replica.has_begun()):
            replica.take(now, _without(row.in_sync, leaving - {self._me}), None)
        else:
            self._prefer(replica, row, now, at_once=bool(leaving))

    def is_settled(self, replica: Replica) -> bool:
        """Who is in sync, and who leads, is as the row says it should be."""
        row = replica.row
        assert row is not None
        has_all = {member.node for member in row.in_sync} == set(row.replicas)
        is_led = replica.giving is None and row.replicas[:1] == (self._me.node,)
        return has_all and is_led and not replica.has_dismissed and replica.far_wanted() == row.far

    def reaches(self, replica: Replica, dc: str, now: float) -> bool:
        """A copy there keeps up."""
        return any(not self._is_gone(replica, member, now) for member in replica.far_in(dc))

    def far_reached(self, replica: Replica, now: float) -> list[Member]:
        """Copies in other data centres that keep up."""
        far = [member for member in replica.progress if replica.far_dc(member)]
        return [member for member in far if not self._is_gone(replica, member, now)]

    def _is_gone(self, replica: Replica, member: Member, now: float) -> bool:
        progress = replica.progress.get(member)
        is_stuck = progress is not None and progress.is_stuck(now)
        return is_stuck or self._pairs.is_gone(member, now)

    def _is_ripe(self, replica: Replica, member: Member, now: float) -> bool:
        """A learner that has everything."""
        row = replica.row
        assert row is not None
        if member in row.in_sync or member.node not in row.replicas or not self._pairs.is_leased(member):
            return False
        if now < replica.returned_at.get(member, self._started - 1e9) + self._return_seconds:
            return False
        # Of what commits from now on it is asked too, so it need not have what is under way.
        has_all = replica.progress[member].matched >= replica.commit and replica.has_begun()
        return has_all and self._pairs.holds(member, replica, now)

    def _leaving(self, replica: Replica, row: Row, now: float) -> set[Member]:
        """Those in sync that should have no copy, once everybody has one who should."""
        staying = {member.node: member for member in row.in_sync if member.node in row.replicas}
        has_all = replica.has_begun() and staying.keys() == set(row.replicas)
        others = set(staying.values()) - {self._me}
        if not has_all or not all(self._pairs.holds(member, replica, now) for member in others):
            return set()
        return set(row.in_sync) - set(staying.values())

    def _prefer(self, replica: Replica, row: Row, now: float, at_once: bool) -> None:
        """The first of `replicas` should lead."""
        if row.replicas[:1] == (self._me.node,) or not replica.has_begun():
            return
        first = next((member for member in row.in_sync if member.node in row.replicas[:1]), None)
        if first is None or not (at_once or now >= replica.settled_at + PREFER_SECONDS):
            return
        if self.may_give(replica, first, now) and self._under_way(first) < GIVES_MAX:
            self.give(replica, first, now)

    # -- handover

    def may_give(self, replica: Replica, to: Member, now: float) -> bool:
        row = replica.row
        return (
            row is not None
            and replica.has_begun()
            and not replica.has_lapsed
            and not replica.giving
            and to in row.in_sync
            and to.node in row.replicas
            and to in self._runs
            and self._pairs.holds(to, replica, now)
            and self._pairs.is_leased(to)
        )

    def give(self, replica: Replica, to: Member, now: float) -> None:
        """No more intents; `hand_over` does the rest."""
        replica.giving = Giving(to, self._runs[to], now + GIVE_SECONDS_MAX)
        self._gives[replica.partition] = replica

    def hand_over(self, replica: Replica, now: float) -> None:
        """The row that names the taker is asked for once all is committed; too late, the giver goes on."""
        giving, row = replica.giving, replica.row
        if giving is None or row is None or replica.asked:
            return
        is_his = replica.is_leading and not replica.has_lapsed and not replica.stopped
        if not is_his or giving.to not in row.in_sync or now >= giving.until:
            replica.giving = None
        elif replica.commit == replica.log.last.seq:
            others = _without(row.in_sync, {giving.to, *self._leaving(replica, row, now)})
            wanted = (giving.to.node, *(node for node in row.replicas if node != giving.to.node))
            given = replace(
                row,
                epoch=row.epoch + 1,
                primary=giving.to,
                run=giving.run,
                in_sync=(giving.to, *others),
                replicas=wanted,
            )
            replica.ask(Swap(replica.partition, given), now)

    def _under_way(self, to: Member) -> int:
        self._gives = {at: replica for at, replica in self._gives.items() if replica.giving}
        return sum(replica.giving.to == to for replica in self._gives.values() if replica.giving)


def _without(members: tuple[Member, ...], gone: set[Member]) -> tuple[Member, ...]:
    return tuple(member for member in members if member not in gone)

"""All partitions of one node as one state machine: `tick`, `step`, `read` take in, `ready` says what to do.

It has no clock, I/O or randomness. The node does what a `Ready` says: `writes` in order as one batch;
`committed` as rows, in order, behind them in the same log of the disk; `frames` and `swaps` at once. Then it
syncs, and says so with `synced(number)`. What waits for that (an acknowledgement, a commit) comes out of the
next `ready`. So nothing promises what is not durable, and one sync covers whatever all partitions wrote.

Time, heartbeats and silence belong to pairs of nodes (`replica_pair`). A partition with nothing under way has
no timer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import TypeVar

from mailnode.cluster.append import NotPrimary, Unavailable
from mailnode.cluster.in_flight import InFlight
from mailnode.cluster.membership import Membership
from mailnode.cluster.replica import RESEND_SECONDS, Replica
from mailnode.cluster.replica_log import Log
from mailnode.cluster.replica_messages import (
    NOBODY,
    Ack,
    Append,
    Entry,
    Fetch,
    Frame,
    Heartbeat,
    Join,
    Member,
    Message,
    Position,
    Promise,
    Row,
    Snapshot,
    Swap,
    Writing,
)
from mailnode.cluster.replica_pair import PROMISE_SECONDS
from mailnode.cluster.replica_pairs import Pairs
from mailnode.store.formats import FORMAT_FIRST

T = TypeVar("T")

FRAME_OCTETS_MAX = 1 << 20  # a frame of any size costs its CPU once; a larger one delays what comes behind
LEARNED_OCTETS_MAX = 4 << 20  # on their way to one that learns: who is in sync there waits behind them
CANDIDATE_SECONDS = 1.0  # between the attempts of one and the next in the set
SWAP_SECONDS = 1.0  # until one that was not answered is asked again
HUNG_SECONDS_MIN = 1.0  # between two ticks, of which there are some a second
SYNC_SECONDS_MAX = 2.0  # a disk that hangs longer must not keep its lease of the map
SWAPS_MAX = 100  # of one transaction


@dataclass(frozen=True, slots=True)
class Ready:
    number: int
    """Of the writes: `synced` names it."""
    writes: tuple[Writing, ...]
    frames: tuple[Frame, ...]
    committed: tuple[tuple[int, tuple[Entry, ...]], ...]
    """By partition; a snapshot in `frames` is of the rows once these are written."""
    swaps: tuple[tuple[Swap, ...], ...]
    """Each as one transaction, or one by one."""
    fetches: tuple[Fetch, ...]
    """To be read from what was written before, and given to `fetched`; a frame goes on without them."""
    touched: tuple[Replica, ...]
    """Of which anything may be other than it was: whether they lead, what is theirs to serve."""


class Replicas:
    def __init__(
        self,
        me: Member,
        run: int,
        now: float,
        replicas: Iterable[Replica] = (),
        return_seconds: float = 60.0,
        frame_octets_max: int = FRAME_OCTETS_MAX,
        learned_octets_max: int = LEARNED_OCTETS_MAX,
    ) -> None:
        """`run`: of this process, never used before; `now`: seconds of a clock that never stops."""
        self._frame_octets_max = frame_octets_max
        self.me = me
        self.run = run
        self.now = now
        self.started = self._ticked = now
        self.partitions = {replica.partition: replica for replica in replicas}
        self.lease_lost: dict[Member, float] = {}
        self.heard: dict[Member, float] = {}
        """When each shard last said something."""
        self.pairs = Pairs(now, self.lease_lost)
        self._runs: dict[Member, int] = {}
        self.membership = Membership(me, self.pairs, self._runs, now, return_seconds)
        self.format = FORMAT_FIRST
        """Of what is proposed: the cluster's."""
        self.is_short = False
        self.is_leaving = False
        """It says so to those who count on it, and does what it is asked until they do no more."""
        self.taken_over = self.handed_over = 0
        """How often this node began to lead in place of another: which was lost, or gave."""
        self._in_flight = InFlight(learned_octets_max)
        self._busy: dict[Member, int] = {}
        """To whom a frame is on its way, and how many octets of entries."""
        self._outbox: dict[Member, list[Message]] = {}
        self._touched: dict[int, Replica] = {}
        """With something to do since the last `ready`: the others cost it nothing."""
        self._active = set(self.partitions)
        """Which `tick` looks at: it finds nothing to do in the others until they are touched."""
        self._unjudged: set[int] = set()
        """Of which a later epoch may be known than in `_judged`."""
        self._judged: dict[int, int | None] = {}
        self._number = 0
        self._synced = 0
        self._unsynced: deque[tuple[int, float]] = deque()
        self._waiting: deque[tuple[int, Replica, Member | None, int, int]] = deque()

    # -- in

    def tick(self, now: float) -> None:
        """Some times a second."""
        if now > self._ticked + HUNG_SECONDS_MIN:
            self._hung(now - self._ticked)
        self.now = max(now, self.now)
        self._ticked = self.now
        for member, partition in self.pairs.claimed_of_silent(self.now):
            if not self.partitions[partition].far_dc(member):
                self._active.add(partition)
        for partition in sorted(self._active):
            replica = self.partitions[partition]
            if not replica.stopped and replica.row is not None:
                self._look_at(replica)
            if not self._is_waiting(replica):
                self._active.discard(partition)
        for member, beat in self.pairs.beats(self.now):
            self._say(member, beat)

    def _hung(self, seconds: float) -> None:
        """What was said to me meanwhile is not read yet: nobody was silent for that long, nor may be lost."""
        self.pairs.hung(seconds)
        self.lease_lost.update(dict.fromkeys(self.lease_lost, self.now + seconds + CANDIDATE_SECONDS))

    def _look_at(self, replica: Replica) -> None:
        if replica.is_leading:
            replica.mark(self.now)
            replica.resend(self.now)
            self.membership.judge(replica, self.now)
            if replica.asked:
                self.pairs.claim(replica, self.now)
        self._try_to_lead(replica)
        self._ask_again(replica)
        self._join(replica)
        if replica.swaps or replica.giving or replica.is_behind():
            self._touch(replica)

    def _is_waiting(self, replica: Replica) -> bool:
        """For time alone to pass: whatever else happens touches it."""
        row = replica.row
        if replica.stopped or row is None:
            return False
        if replica.asked or (row.primary == self.me and not replica.is_leading):
            return True
        if replica.is_leading:
            near = {member for member in replica.progress if not replica.far_dc(member)}
            is_complete = near | {self.me} == set(row.in_sync) and self.membership.is_settled(replica)
            under_way = any(progress.is_under_way() for progress in replica.progress.values())
            return replica.has_lapsed or under_way or replica.is_behind() or not is_complete
        return row.primary in self.lease_lost or self._lacks_primary(replica, row)

    def read(self, partition: int, row: Row) -> None:
        """The map's row, as a watch, a read or the answer to a swap gives it; possibly late or twice."""
        replica = self.partitions.get(partition)
        if replica is None:
            replica = self.partitions[partition] = Replica(partition, self.me, self.run, Log(), 0, 0)
        before, has_asked = replica.row, bool(replica.asked)
        if before is None or (
            row.order > before.order and (row.epoch, row.in_sync) != (before.epoch, before.in_sync)
        ):
            replica.settled_at = self.now
        wanted = {member for swap in replica.asked for member in swap.row.in_sync}
        replica.read(row)
        if row is replica.row:
            for member in wanted - set(row.in_sync):  # somebody else was first: it may be asked for again
                replica.returned_at.pop(member, None)
        if before is not None and before.primary != self.me and row is replica.row and row.primary == self.me:
            self.taken_over += has_asked
            self.handed_over += not has_asked
        self._touch(replica)
        self.pairs.claim(replica, self.now)

    def lease(self, member: Member, is_held: bool) -> None:
        """Whether a shard's lease of the map stands."""
        if is_held:
            self.lease_lost.pop(member, None)
        elif member not in self.lease_lost:
            self.lease_lost[member] = self.now
            self._active.update(
                at for at, replica in self.partitions.items() if replica.row and replica.row.primary == member
            )

    def step(self, frame: Frame) -> None:
        if frame.to != self.me:
            return
        self._runs[frame.sender] = frame.run
        self.heard[frame.sender] = self.now
        for message in frame.messages:
            match message:
                case Heartbeat():
                    self._promise(frame, message)
                case Promise():
                    self._promised(frame.sender, message)
                case _:
                    replica = self.partitions.get(message.partition)
                    if replica is not None:
                        replica.step(frame.sender, message, self.now)
                        self._touch(replica)
                        self.pairs.claim(replica, self.now)

    def synced(self, number: int) -> None:
        """Everything up to the `writes` of that number is durable."""
        self._synced = max(self._synced, number)
        while self._unsynced and self._unsynced[0][0] <= number:
            self._unsynced.popleft()

    def taken(self, to: Member) -> None:
        """The last frame with entries to that shard is on its way: the next may be made."""
        self._busy.pop(to, None)

    def check(self, partition: int) -> Replica:
        """Whether it takes an intent now. Raises Unavailable; while it `is_giving`, wait for the next row."""
        replica = self.partitions.get(partition)
        if replica is None or not replica.has_begun() or replica.has_lapsed or replica.row is None:
            raise NotPrimary(partition, self._owner(replica))
        if replica.giving:
            raise Unavailable(f"partition {partition} is being given to {replica.giving.to.node}")
        if replica.in_sync_min() < replica.row.min_insync:
            raise Unavailable(f"partition {partition} has {replica.in_sync_min()} in sync")
        for dc in replica.row.sync_dcs:
            if not self.membership.reaches(replica, dc, self.now):
                raise Unavailable(f"partition {partition} has no copy that keeps up in {dc}")
        return replica

    def copies(self, partition: int) -> int:
        """In how many copies everything is that is committed in a partition which is led here."""
        replica = self.partitions.get(partition)
        return replica.in_sync_min() if replica is not None and replica.row is not None else 0

    def _owner(self, replica: Replica | None) -> str:
        row = replica.row if replica is not None else None
        return row.primary.node if row is not None and row.primary != self.me else ""

    def propose(self, partition: int, data: bytes) -> Position:
        """Raises Unavailable."""
        replica = self.check(partition)
        self._touch(replica)
        return replica.propose(data, self.format)

    def fetched(self, fetch: Fetch, entries: tuple[Entry, ...]) -> None:
        """What a `Ready` asked to be read."""
        replica = self.partitions[fetch.partition]
        if replica.is_leading:
            if replica.fetched(fetch, entries):
                octets = sum([len(entry.data) + 64 for entry in entries])
                self._in_flight.sent(replica, fetch.to, octets)
            self._touch(replica)

    def give(self, partition: int, to: str) -> None:
        """Hand over to another node that is in sync. It may fail: the row that is read tells. Unavailable."""
        replica = self.partitions.get(partition)
        members = replica.row.in_sync if replica is not None and replica.row is not None else ()
        taker = next((member for member in members if member.node == to and member != self.me), None)
        if replica is None or taker is None or not self.membership.may_give(replica, taker, self.now):
            raise Unavailable(f"partition {partition} cannot be given to {to} now")
        self.membership.give(replica, taker, self.now)
        self._touch(replica)

    def renew(self, partition: int, stopped: str = "") -> None:
        """All that the replica had is gone: it learns from the beginning, unless something is in the way."""
        before = self.partitions[partition]
        before.stop("its rows were dropped")
        renewed = Replica(partition, self.me, self.run, Log(), 0, before.epoch)
        renewed.epoch_before, renewed.row = before.epoch_before, before.row
        renewed.far_dcs = before.far_dcs
        renewed.stopped = stopped
        self.partitions[partition] = renewed
        self._touch(renewed)

    def given(self, to: Member, snapshot: Snapshot) -> None:
        """It is durable there: as good as an acknowledgement, which a late word of before may overtake."""
        replica = self.partitions[snapshot.partition]
        replica.step(to, Ack(snapshot.partition, snapshot.epoch, snapshot.at.seq), self.now)
        self._touch(replica)

    def hold(self, partition: int, to: Member) -> None:
        """A snapshot for it still waits or is on its way: it is not asked again."""
        self.partitions[partition].hold(to, self.now)

    def trim(self, partition: int, upto: int) -> None:
        """Forget entries up to that seq, as far as nobody in sync needs them."""
        replica = self.partitions[partition]
        if replica.row is not None and replica.beyond is None:
            replica.trim(upto)
            self._touch(replica)

    # -- asked

    def serves(self, partition: int, now: float) -> bool:
        """A read of what is applied is not stale: nobody else can have acknowledged a later write."""
        replica = self.partitions.get(partition)
        if replica is None or not replica.has_begun() or replica.has_lapsed or replica.is_given():
            return False
        return all(self.pairs.holds(member, replica, now) for member in replica.required() - {self.me})

    def is_giving(self, partition: int) -> bool:
        """Intents should wait: soon the row names another, or it goes on here."""
        return self.partitions[partition].giving is not None

    def may_renew(self) -> bool:
        """My lease of the map: not while a sync hangs."""
        return not self._unsynced or self.now <= self._unsynced[0][1] + SYNC_SECONDS_MAX

    def has_room(self, partition: int) -> bool:
        """No disk in sync is short."""
        replica = self.partitions[partition]
        others = replica.required() - {self.me} if replica.row else set()
        return not self.is_short and not any(map(self.pairs.is_short, others))

    def has_more(self) -> bool:
        """Another `ready` says something, without anything that comes in."""
        return bool(self._waiting) and self._waiting[0][0] <= self._synced

    # -- out

    def ready(self) -> Ready:
        """Everything that there is to do since the last one."""
        self._acknowledge()
        touched, self._touched = list(self._touched.values()), {}
        committed = []
        for replica in touched:
            entries = replica.applicable()
            if entries:
                committed.append((replica.partition, entries))
            if replica.is_leading:
                self.pairs.tell_commit(replica)
                self.membership.hand_over(replica, self.now)
                self._unjudged.add(replica.partition)  # it may have asked for an epoch
        for member, beat in self.pairs.urgent(self.now):
            self._say(member, beat)
        frames = tuple(self._frames(touched))
        writes = tuple(writing for replica in touched for writing in replica.drained_writes())
        if writes:
            self._number += 1
            self._unsynced.append((self._number, self.now))
        for replica in touched:
            for to, epoch, matched in _drained(replica.acks):
                self._waiting.append((self._number, replica, to, epoch, matched))
        swaps = iter([swap for replica in touched for swap in _drained(replica.swaps)])
        groups = tuple(iter(lambda: tuple(islice(swaps, SWAPS_MAX)), ()))
        fetches = tuple(fetch for replica in touched for fetch in _drained(replica.fetches))
        return Ready(self._number, writes, frames, tuple(committed), groups, fetches, tuple(touched))

    def _acknowledge(self) -> None:
        while self._waiting and self._waiting[0][0] <= self._synced:
            _, replica, to, epoch, matched = self._waiting.popleft()
            if replica.stopped:
                continue
            self._touch(replica)
            if to is None:
                replica.synced(epoch, matched)
            elif epoch == replica.epoch:
                replica.sends.append((to, Ack(replica.partition, epoch, matched)))

    def _touch(self, replica: Replica) -> None:
        self._touched[replica.partition] = replica
        self._active.add(replica.partition)
        self._unjudged.add(replica.partition)

    def _frames(self, touched: list[Replica]) -> Iterator[Frame]:
        self._fill(touched)
        for replica in touched:
            for to, message in _drained(replica.sends):
                self._say(to, message)
        for to in list(self._outbox):
            if to not in self._busy:
                yield Frame(self.me, self.run, to, self._taken_out(to))
            elif self._busy[to] >= FRAME_OCTETS_MAX and (passing := self._passing(to)):
                yield Frame(self.me, self.run, to, passing)

    def _passing(self, to: Member) -> tuple[Message, ...]:
        """What waits for no large entry that is on its way: promises would end meanwhile."""
        waiting = self._outbox.pop(to)
        left: list[Message] = [each for each in waiting if isinstance(each, Append | Snapshot)]
        if left:
            self._outbox[to] = left
        return tuple(each for each in waiting if not isinstance(each, Append | Snapshot))

    def _taken_out(self, to: Member) -> tuple[Message, ...]:
        """What is in the next frame: not all, if what was read for many partitions is too much for one."""
        taken: list[Message] = []
        left: list[Message] = []
        octets = 0
        for message in self._outbox.pop(to):
            if not isinstance(message, Append):
                taken.append(message)  # a heartbeat must not wait; a snapshot is of the rows as they are now
            elif octets >= FRAME_OCTETS_MAX:
                left.append(message)
            else:
                taken.append(message)
                octets += sum([len(entry.data) for entry in message.entries])
        if left:
            self._outbox[to] = left
        self._busy[to] = octets
        return tuple(taken)

    def _say(self, to: Member, message: Message) -> None:
        self._outbox.setdefault(to, []).append(message)

    def _fill(self, touched: list[Replica]) -> None:
        left: dict[Member, int] = {}
        for replica in touched:
            if not replica.is_leading:
                continue
            for to in [*replica.progress, *sorted(replica.required() - replica.progress.keys())]:
                room = left.get(to, self._frame_octets_max)
                if to == self.me or (replica.far_dc(to) and self.pairs.is_silent(to, self.now)):
                    continue  # of a data centre that is cut off nobody else takes the place
                if to not in self._busy and room > 0 and not self._is_full(replica, to):
                    octets = replica.fill(to, self.now, room)
                    left[to] = room - octets
                    self._in_flight.sent(replica, to, octets)
                if replica.lacks(to):
                    self._touch(replica)

    def _is_full(self, replica: Replica, to: Member) -> bool:
        """It learns, and has not taken what it was sent before."""
        return self._in_flight.is_full(to) and (replica.learns(to) or replica.is_read_for(to))

    # -- pairs

    def _promise(self, frame: Frame, beat: Heartbeat) -> None:
        self._active.update(at for at, epoch in beat.claims if not epoch and at in self.partitions)
        self._look_for_epochs()
        promise = self.pairs.promise(frame, beat, self.now, self._known_epoch, self.is_short)
        if promise is None:
            return
        self._say(frame.sender, replace(promise, is_leaving=self.is_leaving))
        for partition, epoch, commit in beat.commits:
            if partition in self.partitions:
                self.partitions[partition].learn(epoch, commit)
                self._touch(self.partitions[partition])

    def _look_for_epochs(self) -> None:
        """All claims of a pair are judged anew where any is another: not for what only has more entries."""
        for partition in self._unjudged:
            epoch = self._known_epoch(partition)
            if epoch != self._judged.get(partition):
                self._judged[partition] = epoch
                self.pairs.news += 1
        self._unjudged.clear()

    def _known_epoch(self, partition: int) -> int | None:
        """Of what the map was not read yet, any epoch may be over: None."""
        replica = self.partitions.get(partition)
        return replica.known_epoch() if replica is not None and replica.row is not None else None

    def _promised(self, sender: Member, promise: Promise) -> None:
        if promise.run != self.run:
            return
        self.pairs.answered(sender, promise)
        for partition, epoch in promise.refused:
            replica = self.partitions.get(partition)
            if replica is not None and replica.is_leading and epoch > replica.known_epoch():
                replica.has_lapsed = True
                self._touch(replica)

    # -- the map

    def _try_to_lead(self, replica: Replica) -> None:
        row = replica.row
        if row is None or replica.asked or self.now < self.pairs.promised_until(replica.partition):
            return
        is_over = self.now >= self.started + PROMISE_SECONDS
        if row.primary == self.me:
            # A run before this one led in the epoch that it wrote: it promised it to nobody.
            was_mine = row.epoch == 0 or replica.epoch_before == row.epoch or replica.is_leading
            if (row.run != self.run or replica.has_lapsed) and (is_over or was_mine):
                replica.take(self.now, row.in_sync, None)
                self.pairs.claim(replica, self.now)
        elif self.me in row.in_sync and is_over and row.primary in self.lease_lost and not self.is_leaving:
            others = tuple(member for member in row.in_sync if member != row.primary)
            wait = CANDIDATE_SECONDS * others.index(self.me)
            if self.now >= self.lease_lost[row.primary] + wait:
                replica.take(self.now, others, row.primary)

    def _ask_again(self, replica: Replica) -> None:
        """The answer may be lost, the swap may come late: only a later revision tells."""
        if replica.asked and self.now >= replica.asked_at + SWAP_SECONDS:
            replica.asked_at = self.now
            replica.swaps.append(replica.asked[-1])

    def _join(self, replica: Replica) -> None:
        row = replica.row
        if row is None or row.primary == self.me or replica.is_leading:
            return
        if self._lacks_primary(replica, row) and self.now >= replica.joined_at + RESEND_SECONDS:
            replica.joined_at = self.now
            self._say(row.primary, Join(replica.partition, replica.log.last))

    def _lacks_primary(self, replica: Replica, row: Row) -> bool:
        """A copy that its primary has said nothing to in its epoch, or does not claim, as those in sync."""
        is_far = bool(replica.far_dc(self.me))
        is_part = self.me in row.in_sync or self.me.node in row.replicas or is_far
        if not is_part or row.primary == NOBODY:
            return False
        is_known = replica.epoch == row.epoch and replica.matched > 0
        is_claimed = self.pairs.is_claimed(row.primary, replica.partition, row.epoch)
        return not (is_known and (is_far or self.me in row.in_sync or is_claimed))


def _drained(items: list[T]) -> list[T]:
    drained = items[:]
    items.clear()
    return drained

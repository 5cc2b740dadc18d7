"""One partition on one node: primary/backup with an ordered log, in the manner of PacificA.

No clock, I/O or randomness. Invariants. An entry is committed once it is durable at every member of the set
in force: the map's `in_sync` and, while a change was asked for and the map is not read back in a later
revision, each set asked for as well. What is applied is committed, so nothing applied is ever truncated: a
replica that would have to stops itself. An epoch is written before anything is acknowledged in it; frames of
an older one are refused. Who asked for an epoch leads in it only if the map says so, with this process's run.
A far copy, of another data centre, is sent what is committed, so it never has to truncate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from mailnode.cluster.far import Lag, Marks
from mailnode.cluster.replica_log import Log
from mailnode.cluster.replica_messages import (
    NOBODY,
    Ack,
    Append,
    Drop,
    Entry,
    Far,
    Fetch,
    Install,
    Join,
    Member,
    Message,
    Mismatch,
    Position,
    Refused,
    Row,
    Snapshot,
    Swap,
    Trim,
    Write,
    Writing,
    generation_of,
)
from mailnode.store.formats import FORMAT, FORMAT_FIRST

RESEND_SECONDS = 1.0  # a stream that broke lost what was on it
FETCH_OCTETS_MAX = 1 << 16  # read at once: of many partitions most lack little, and each counts as so much
APPEND_SECONDS_MAX = 10.0  # a follower that answers heartbeats, but writes nothing


@dataclass(slots=True)
class Progress:
    """What the primary knows of another replica, in its own epoch."""

    next: int
    matched: int = 0
    """Durable there, as here."""
    since: float | None = None
    """When the oldest of what is under way was sent, or its last progress."""
    stuck: float | None = None
    """Since when nothing was acknowledged though something is under way."""
    is_probed: bool = False
    """Something must be sent, though there may be no entry."""
    is_fetched: bool = False
    """What comes next is being read."""
    is_given: bool = False
    """A snapshot is on its way: nothing else is heard there."""

    def is_stuck(self, now: float) -> bool:
        """It may answer heartbeats, but makes nothing durable."""
        return self.stuck is not None and now > self.stuck + APPEND_SECONDS_MAX

    def is_under_way(self) -> bool:
        return self.since is not None or self.stuck is not None or self.is_probed


@dataclass(frozen=True, slots=True)
class Giving:
    """A handover under way."""

    to: Member
    run: int
    """Of the taker's process."""
    until: float
    """If nothing was asked of the map by then, it is given up."""


def not_known(entry: Entry) -> str:
    """Of one that a later program made."""
    known = f"this program knows {FORMAT}: use a newer one"
    return f"its entry {entry.position.seq} has format {entry.format}, {known}"


class Replica:
    def __init__(self, partition: int, me: Member, run: int, log: Log, applied: int, epoch: int) -> None:
        """`log`, `applied` and `epoch` as they lie on the disk."""
        self.partition = partition
        self.me = me
        self.run = run
        self.log = log
        self.applied = applied
        self.epoch = epoch
        """Known from frames or won; durable once its `Write` is."""
        self.epoch_before = epoch
        """The one found on the disk when the run began."""
        self.commit = applied
        self.told_by: Member | None = None
        """A follower: who said so."""
        self.matched = 0
        """A follower: as the primary of `epoch` has it, written here."""
        self.durable = 0
        """A primary: synced here in its epoch."""
        self.start = 0
        """The seq of the empty entry that began my epoch."""
        self.row: Row | None = None
        self.far_dcs: dict[str, str] = {}
        """The data centre of each node that has a far copy, or should."""
        self.asked: list[Swap] = []
        """Compare-and-swaps at the row's revision whose outcome is not read back."""
        self.asked_at = 0.0
        self.settled_at = float("-inf")
        """When who leads or is in sync was last another."""
        self.giving: Giving | None = None
        self.is_leading = False
        self.has_lapsed = False
        self.stopped = ""
        self.beyond: int | None = None
        """It is set aside: what lies behind that seq was taken before a later generation of its home began,
        and who leads by now has not got it."""
        self.progress: dict[Member, Progress] = {}
        self.marks = Marks()
        self.has_dismissed = False
        """In this epoch a copy that learned was told to learn no more: the next one lets it go."""
        self.returned_at: dict[Member, float] = {}
        """When each was last added to those in sync."""
        self.joined_at = float("-inf")
        self.writes: list[Writing] = []
        self._proposed: list[Entry] = []
        """Of one epoch: not among the writes yet."""
        self.sends: list[tuple[Member, Message]] = []
        self.swaps: list[Swap] = []
        self.fetches: list[Fetch] = []
        self.acks: list[tuple[Member | None, int, int]] = []
        """(to whom, None is myself; epoch; matched), once what is written now is durable."""

    # -- what is known of the map

    def known_epoch(self) -> int:
        """The latest that there may be."""
        asked = max((swap.row.epoch for swap in self.asked), default=0)
        return max(self.epoch, asked, self.row.epoch if self.row else 0)

    def required(self) -> set[Member]:
        """Whose acknowledgement makes an entry committed."""
        assert self.row is not None
        return set(self.row.in_sync).union(*[swap.row.in_sync for swap in self.asked])

    def in_sync_min(self) -> int:
        assert self.row is not None
        if not self.asked:
            return len(self.row.in_sync)
        return min(len(row.in_sync) for row in (self.row, *(swap.row for swap in self.asked)))

    def far_dc(self, member: Member) -> str:
        """The data centre of a far copy; empty: it is none, or not any more."""
        return self.far_dcs.get(member.node, "")

    def read(self, row: Row) -> None:
        """The map as it is, or was: an older row says nothing."""
        if self.row is not None and row.order <= self.row.order:
            return
        self.row = row
        self.far_dcs = {far.node: far.dc for far in row.far}
        self.asked.clear()
        common = self._common(row)
        if common is not None and common < self.log.last.seq and row.primary != self.me:
            self._set_aside(common)
        elif self._may_drop(row) and common is not None:
            self._drop(row.epoch)
        is_mine = row.primary == self.me and row.run == self.run and row.epoch >= self.epoch
        if not is_mine:
            self._step_down()
        elif row.epoch > self.epoch:
            self._lead(row.epoch)
        self.has_dismissed |= self._forget(lambda member: not self._should_have_one(member))
        self._advance()

    def _may_drop(self, row: Row) -> bool:
        """No copy should be here; and whoever leads from now on does not count what was acknowledged here."""
        is_named = self.me in row.in_sync or self.me.node in row.replicas or self.far_dc(self.me)
        has_any = self.log.last.seq > 0 or self.epoch > 0
        return not is_named and row.epoch > self.epoch and has_any and self.beyond is None

    def _common(self, row: Row) -> int | None:
        """The seq up to which a later generation of its home has what is here; None: it is not known yet."""
        last = self.log.last
        generation = generation_of(last.epoch)
        if not last.seq or generation_of(row.epoch) <= generation:
            return last.seq
        later = row.since[generation - 1 :]
        return min(at.seq for at in later) if later and row.primary != NOBODY else None

    def _set_aside(self, common: int) -> None:
        self.beyond = common
        self.stop(f"it has more than the {common} entries with which a later generation of its home began")

    def _drop(self, epoch: int) -> None:
        self._step_down()
        self.log = Log()
        self.applied = self.commit = self.matched = 0
        self.epoch = epoch
        self.writes.append(Drop(self.partition))

    def is_given(self) -> bool:
        """Another may lead already, in the row that was asked for."""
        return any(swap.row.primary != self.me for swap in self.asked)

    def ask(self, swap: Swap, now: float) -> None:
        self.asked.append(swap)
        self.asked_at = now
        self.swaps.append(swap)

    def take(self, now: float, in_sync: tuple[Member, ...], unless_leased: Member | None) -> None:
        """The next epoch, for this run."""
        assert self.row is not None
        # Beyond what this shard had while it stood alone, too.
        epoch = max(self.row.epoch, self.epoch) + 1
        row = replace(self.row, epoch=epoch, primary=self.me, run=self.run, in_sync=in_sync)
        self.ask(Swap(self.partition, row, unless_leased), now)

    def change(self, in_sync: tuple[Member, ...], now: float) -> None:
        """Who is in sync, in this epoch."""
        assert self.row is not None
        self.ask(Swap(self.partition, replace(self.row, in_sync=in_sync)), now)

    # -- leading

    def propose(self, data: bytes, format: int = FORMAT_FIRST) -> Position:
        """The position of a new entry. It is committed once `ready` says so, or not known."""
        assert self.is_leading and not self.stopped
        entry = Entry(Position(self.epoch, self.log.last.seq + 1), data, format)
        self.log.append(entry)
        self._proposed.append(entry)
        return entry.position

    def drained_writes(self) -> list[Writing]:
        """What is to be written, and no longer here."""
        self._write_proposed()
        writes, self.writes = self.writes, []
        return writes

    def _write_proposed(self) -> None:
        """As one, and in order with all else."""
        if not self._proposed:
            return
        first, last = self._proposed[0].position, self._proposed[-1].position
        self.writes.append(Write(self.partition, last.epoch, first.seq - 1, tuple(self._proposed)))
        self.acks.append((None, last.epoch, last.seq))
        self._proposed.clear()

    def has_begun(self) -> bool:
        """What the epochs before left is committed and applied: it may serve."""
        return self.is_leading and not self.stopped and self.applied >= self.start

    def _lead(self, epoch: int) -> None:
        self._write_proposed()
        self.epoch = epoch
        self.is_leading, self.has_lapsed, self.giving = True, False, None
        self.has_dismissed = False
        self.durable = self.matched = 0
        self.progress.clear()
        # A far copy may have heard that more was committed, where it led before, than it has.
        self.commit = min(self.commit, self.log.last.seq)
        self.start = self.log.last.seq + 1
        self.propose(b"")

    def _step_down(self) -> None:
        self.is_leading, self.giving = False, None
        self.progress.clear()

    def _write(self, after: int, entries: tuple[Entry, ...], truncated: tuple[Entry, ...] = ()) -> None:
        self._write_proposed()
        self.writes.append(Write(self.partition, self.epoch, after, entries, truncated))

    def synced(self, epoch: int, matched: int) -> None:
        """What I wrote as the primary of that epoch is durable."""
        if self.is_leading and epoch == self.epoch:
            self.durable = max(self.durable, matched)
            self._advance()

    def fill(self, to: Member, now: float, octets_max: int) -> int:
        """Queue what another replica lacks; how many octets."""
        if to not in self.progress:
            # From its end on, as most are equal; one that is not says so.
            self.progress[to] = Progress(self.start)
        progress = self.progress[to]
        if not self.lacks(to):
            return 0
        progress.is_probed = False
        progress.since = now if progress.since is None else progress.since
        progress.stuck = now if progress.stuck is None else progress.stuck
        before = progress.next - 1
        if before < self.log.trimmed:
            at = Position(self.log.epoch_at(self.applied), self.applied)
            epochs = tuple(first for first in self.log.epochs if first.seq <= self.applied)
            self.sends.append((to, Snapshot(self.partition, self.epoch, at, epochs)))
            progress.next, progress.is_given = self.applied + 1, True
            return octets_max
        if before < self.log.released:
            progress.is_fetched = True
            octets = min(octets_max, FETCH_OCTETS_MAX)
            self.fetches.append(Fetch(self.partition, to, before, octets))
            return octets
        entries, octets = [], 0
        for entry in self.log.after(before, self._end(to)):
            entries.append(entry)
            octets += len(entry.data) + 64
            if octets >= octets_max:
                break
        self._send_entries(to, before, tuple(entries))
        return octets

    def _end(self, to: Member) -> int:
        """What it may have: a far copy what is committed."""
        return self.commit if self.far_dc(to) else self.log.last.seq

    def _send_entries(self, to: Member, before: int, entries: tuple[Entry, ...]) -> None:
        position = Position(self.log.epoch_at(before), before)
        self.sends.append((to, Append(self.partition, self.epoch, position, entries, self.commit)))
        self.progress[to].next += len(entries)

    def fetched(self, fetch: Fetch, entries: tuple[Entry, ...]) -> bool:
        """What was read; nothing, where it was trimmed meanwhile or could not be: it is asked again later.

        Whether it was sent.
        """
        progress = self.progress.get(fetch.to)
        if progress is None or not progress.is_fetched:
            return False
        # What is in memory may have been another when the disk was read.
        entries = tuple(entry for entry in entries if entry.position.seq <= self.log.released)
        if entries and progress.next == fetch.after + 1 and fetch.after >= self.log.trimmed:
            progress.is_fetched = False
            self._send_entries(fetch.to, fetch.after, entries)
            return True
        return False

    def lacks(self, to: Member) -> bool:
        """There is something to say to it."""
        progress = self.progress.get(to)
        if progress is None:
            return True
        if progress.is_fetched or progress.is_given:
            return False
        return progress.is_probed or progress.next <= self._end(to)

    def learns(self, to: Member) -> bool:
        """Nothing waits for its word."""
        return self.row is None or to not in self.row.in_sync

    def is_read_for(self, to: Member) -> bool:
        """What comes next for it is on the disk alone."""
        return to in self.progress and self.progress[to].next <= self.log.released

    def is_giving_to(self, to: Member) -> bool:
        """A snapshot."""
        return self.is_leading and to in self.progress and self.progress[to].is_given

    def hold(self, to: Member, now: float) -> None:
        if self.is_leading and to in self.progress:
            self.progress[to].is_given, self.progress[to].since = True, now

    def is_behind(self) -> bool:
        """There is something to say to somebody."""
        return any(map(self.lacks, self.progress))

    def resend(self, now: float) -> None:
        for progress in self.progress.values():
            if progress.since is not None and now > progress.since + RESEND_SECONDS:
                progress.next = progress.matched + 1
                if not progress.matched:  # it may have all, and says so if not: no snapshot for nothing
                    progress.next = max(self.start, self.log.trimmed + 1)
                self._probe(progress)

    def _advance(self) -> None:
        """The commit position is what each member that is required has."""
        if not self.is_leading:
            return
        others = self.required() - {self.me}
        have = [self.durable, *(self.progress[m].matched if m in self.progress else 0 for m in others)]
        self.commit = max(self.commit, min(have))

    def _probe(self, progress: Progress) -> None:
        """From `next` on it is tried anew."""
        progress.is_probed, progress.since = True, None
        progress.is_fetched = progress.is_given = False

    # -- far copies

    def confirmed(self) -> int:
        """Up to where appends have ended: committed, and in each data centre that is waited for."""
        assert self.row is not None
        return min([self.commit, *map(self.matched_in, self.row.sync_dcs)])

    def matched_in(self, dc: str) -> int:
        """Up to where a copy there has everything."""
        return max((self.progress[member].matched for member in self.far_in(dc)), default=0)

    def far_in(self, dc: str) -> list[Member]:
        """The copies there that the primary hears of."""
        return [member for member in self.progress if self.far_dc(member) == dc]

    def far_wanted(self) -> tuple[Far, ...]:
        """Of several in one data centre the first alone, once it has everything."""
        assert self.row is not None
        firsts = {far.dc: far for far in reversed(self.row.far)}
        if len(firsts) == len(self.row.far):
            return self.row.far
        complete = {member.node for member, each in self.progress.items() if each.matched >= self.commit}
        return tuple(
            far for far in self.row.far if far == firsts[far.dc] or firsts[far.dc].node not in complete
        )

    def mark(self, now: float) -> None:
        """What is committed by then."""
        if self.row is not None and self.row.far:
            found = [self.progress[member].matched for member in self.progress if self.far_dc(member)]
            self.marks.mark(self.commit, now, min(found) if len(found) == len(self.row.far) else 0)

    def lags(self, now: float) -> list[Lag]:
        """Of each far copy that there should be."""
        assert self.row is not None
        matched = {member.node: progress.matched for member, progress in self.progress.items()}
        return [
            Lag(node, dc, max(0, self.commit - has), self.marks.seconds(has, now))
            for node, dc in self.row.far
            for has in (matched.get(node, 0),)
        ]

    # -- messages

    def step(self, sender: Member, message: Message, now: float) -> None:
        if self.stopped:
            return
        match message:
            case Append() | Snapshot():
                self._followed(sender, message)
            case Ack():
                self._acknowledged(sender, message, now)
            case Mismatch() if message.epoch == self.epoch and sender in self.progress:
                progress = self.progress[sender]
                progress.next = max(progress.matched, self.log.nearest(message.nearest).seq) + 1
                self._probe(progress)
            case Refused() if message.epoch > self.known_epoch():
                self.has_lapsed = True
            case Join() if self.is_leading and self._should_have_one(sender):
                self._forget(lambda member: member.node == sender.node and member != sender)
                progress = self.progress.setdefault(sender, Progress(self.start))
                progress.next = max(progress.matched, self.log.nearest(message.last).seq) + 1
                self._probe(progress)
            case _:
                pass

    def _forget(self, is_gone: Callable[[Member], bool]) -> bool:
        """Of those who only learn: a disk that was replaced, a node that should have no copy. Whether any."""
        learning = self.progress.keys() - self.required() if self.is_leading else ()
        gone = [member for member in learning if is_gone(member)]
        for member in gone:
            del self.progress[member]
        return bool(gone)

    def _should_have_one(self, member: Member) -> bool:
        """A copy: what was said before the map was another comes late."""
        if self.row is None or member in self.required():
            return self.row is not None
        return member.node in self.row.replicas or member.node in [far.node for far in self.row.far]

    def _acknowledged(self, sender: Member, ack: Ack, now: float) -> None:
        progress = self.progress.get(sender)
        if not self.is_leading or ack.epoch != self.epoch or progress is None:
            return
        if ack.matched > progress.matched:
            progress.matched, progress.since, progress.stuck = ack.matched, now, now
            progress.is_given = False
            progress.next = max(progress.next, ack.matched + 1)
        if progress.matched + 1 >= progress.next and not progress.is_fetched:
            progress.since = progress.stuck = None
        self._advance()

    def _followed(self, sender: Member, message: Append | Snapshot) -> None:
        if message.epoch < self.epoch:
            self.sends.append((sender, Refused(self.partition, self.epoch)))
            return
        if self._is_of_another_generation(message.epoch):
            return  # an earlier one is over; before a later one what is here may have to be set aside
        if message.epoch > self.epoch:
            self._step_down()
            self.epoch, self.matched = message.epoch, 0
            self._write(self.log.last.seq, ())
        if self.is_leading:
            self.stop(f"{sender} leads in my epoch {self.epoch}")
            return
        self.told_by = sender
        if isinstance(message, Append):
            self._append(sender, message)
        else:
            self._install(message)
            self.acks.append((sender, self.epoch, self.matched))

    def _is_of_another_generation(self, epoch: int) -> bool:
        """Than the map says of its home."""
        if self.row is None and not self.log.last.seq:
            return False
        known = self.row.epoch if self.row is not None else self.log.last.epoch
        return generation_of(epoch) != generation_of(known)

    def _append(self, sender: Member, append: Append) -> None:
        if not self.log.has(append.before):
            nearest = self.log.nearest(append.before)
            self.sends.append((sender, Mismatch(self.partition, self.epoch, nearest)))
            return
        new = [entry for entry in append.entries if not self.log.has(entry.position)]
        unknown = next((entry for entry in new if entry.format > FORMAT), None)
        if unknown is not None:
            self.stop(not_known(unknown))
            return
        if new:
            self._replace(new)
        if self.stopped:
            return
        self.matched = max(self.matched, append.before.seq + len(append.entries))
        self.learn(append.epoch, append.commit)
        self.acks.append((sender, self.epoch, self.matched))

    def _replace(self, new: list[Entry]) -> None:
        after = new[0].position.seq - 1
        if after < self.log.last.seq and after < self.applied:
            self.stop(f"truncation to {after} below what is applied, {self.applied}")
            return
        truncated = tuple(self.log.after(after, self.log.last.seq))
        self.log.truncate(after)
        for entry in new:
            self.log.append(entry)
        self._write(after, tuple(new), truncated)

    def _install(self, snapshot: Snapshot) -> None:
        at = snapshot.at
        if not self.log.has(at):
            if at.seq < self.applied:
                self.stop(f"a snapshot of {at} below what is applied, {self.applied}")
                return
            self.log = Log(snapshot.epochs, at.seq)
            self.applied = at.seq
            self._write_proposed()
            self.writes.append(Install(snapshot))
        self.matched = max(self.matched, at.seq)
        self.commit = max(self.commit, self.applied)

    def learn(self, epoch: int, commit: int) -> None:
        """How far the primary of that epoch has committed."""
        if epoch == self.epoch and not self.is_leading:
            self.commit = max(self.commit, commit)

    # -- applying

    def applicable(self) -> tuple[Entry, ...]:
        """Committed, and here as the primary has it. In order, each once."""
        upto = min(self.commit, self.log.last.seq if self.is_leading else self.matched)
        if self.stopped or upto <= self.applied:
            return ()
        entries = tuple(self.log.after(self.applied, upto))
        self.applied = upto
        return entries

    def trim(self, upto: int) -> None:
        """Forget entries: never what is not applied, nor what one in sync may still lack."""
        upto = min(upto, self.applied)
        if self.is_leading:
            others = self.required() - {self.me}
            upto = min([upto, *(self.progress[m].matched if m in self.progress else 0 for m in others)])
        if upto > self.log.trimmed:
            self.log.trim(upto)
            self._write_proposed()
            self.writes.append(Trim(self.partition, upto))

    def release(self, upto: int) -> None:
        """Forget entries in memory that are on the disk: only what is applied."""
        self.log.release(min(upto, self.applied))

    def stop(self, reason: str) -> None:
        self.stopped = reason
        self._step_down()

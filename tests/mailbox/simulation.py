"""Accounts under everything that may happen to them, drawn from a seed.

A process lives over a `FaultyShard`: many callers ask at once, readers read and watch, arrays are forgotten,
and every turn of the loop, every job of the writer and every load happens when the dice say so. It ends by a
failed disk, a death between two steps, or in order; then the next one opens what the disk kept, and those who
were not answered ask again.

What was seen is only noted meanwhile. Each time a process has ended, `Judge` replays what the disk says was
done, intent by intent, on the `Reference`, and compares everything that any reader ever saw with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random
from weakref import WeakKeyDictionary

from mailnode.cluster.partitions import Append, Entry, NotKnown, Partitions
from mailnode.cluster.whole import finish
from mailnode.limits import Limits
from mailnode.mailbox.account import LocalAccount
from mailnode.mailbox.accounts import Accounts
from mailnode.mailbox.appended import Appended, replay
from mailnode.mailbox.quota import Quotas
from mailnode.mailbox.verbs import ALL_UIDS, Expunged, Resync, Want, Watch
from mailnode.pb.change_pb2 import Intent, Result, Touched
from mailnode.store import keys
from mailnode.store.keys import Family, Kind
from tests.cluster.by_hand import HandClock, HandLoop, HandPool
from tests.mailbox import asks
from tests.mailbox.asking import Asking
from tests.mailbox.judge import Judge, ListSeen, MessagesSeen, RecentSeen, WatchSeen
from tests.store.faulty_shard import Died, Fate, FaultyShard, Step

LIMITS = replace(
    Limits(),
    store_slice_entries=3,
    few_entries_max=2,
    part_rows_max=2,
    messages_run_max=4,
    entries_run_max=6,
    run_octets_max=300,
    messages_octets_max=100,
    watch_pending_max=8,
    arrays_octets_max=600,
    accounts_kept_max=1,
    group_octets_max=3000,
    group_pending_octets_max=6000,
    intents_queued_max=6,
)
ACCOUNTS = (3 << 48 | 0xA11CE, 3 << 48 | 0xB0B)

ASKING: ContextVar[Intent] = ContextVar("ASKING")
"""Of the task that asks."""


@dataclass
class Asked:
    """An intent and its asker, who does not rest before he is answered."""

    account: int
    intent: Intent
    uploaded: bool = False
    """The octets of its first message go ahead of it."""
    arrived: bool = False
    """At the account: from then on a second asking is a retry."""
    gave_up: bool = False
    task: asyncio.Task[Result] | None = None
    told: list[Result] = field(default_factory=list)


class Witnessed(Partitions):
    """Notes who appends a change that does not say it."""

    def __init__(self, shard: FaultyShard, writer: HandPool, failed: Callable[[OSError], None]) -> None:
        super().__init__(shard, writer, LIMITS, failed)
        self.slices: dict[int, dict[int, Intent]] = {account: {} for account in ACCOUNTS}

    def append(self, entry: Entry) -> Append:
        if isinstance(entry, Appended) and entry.durable and not entry.change.intent:
            self.slices[entry.change.account][entry.change.position] = ASKING.get()
        return super().append(entry)


class Process:
    """One run of a node."""

    def __init__(self, dice: Random, shard: FaultyShard, clock: HandClock) -> None:
        self.hand = HandLoop()
        self.failures: list[OSError] = []
        self.partitions = Witnessed(shard, self.hand.writer, self.failures.append)
        self.accounts = Accounts(shard, self.partitions, self.hand.loads, clock, LIMITS, Quotas({}))
        self._dice = dice
        self.readers: list[asyncio.Task[None]] = []
        self._numbers: WeakKeyDictionary[LocalAccount, int] = WeakKeyDictionary()
        self._last = 0

    async def open(self, account: int) -> LocalAccount:
        opened = await self.accounts.open(account)
        assert isinstance(opened, LocalAccount)
        return opened

    def number(self, account: LocalAccount) -> int:
        """Of an account in memory: one that was put away and opened again has another."""
        if account not in self._numbers:
            self._last += 1
            self._numbers[account] = self._last
        return self._numbers[account]

    def step(self) -> None:
        """One of the things that can go on."""
        ways: list[Callable[[], None]] = [self.hand.turn] * 4
        for pool in (self.hand.writer, self.hand.loads):
            if pool.unheard:
                ways += [pool.hear] * 2
        if self.hand.writer.waiting:
            ways += [self.hand.writer.run] * 2
        if self.hand.loads.waiting:
            ways += [lambda: self.hand.loads.run(self._dice.randrange(self.hand.loads.waiting))] * 2
        self._dice.choice(ways)()

    @property
    def ended(self) -> bool:
        return bool(self.failures)


class Simulation:
    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)
        self.clock = HandClock()
        self.shard = FaultyShard()
        self.judges = {account: Judge() for account in ACCOUNTS}
        self.asking = {
            account: Asking(self.dice, self.judges[account], partial(self._expunged, account))
            for account in ACCOUNTS
        }
        self.open_asks: list[Asked] = []
        self._number = 0
        self._gone: set[asyncio.Task[None]] = set()

    def run(self, processes: int, steps: int) -> None:
        for _ in range(processes):
            process = Process(self.dice, self.shard, self.clock)
            self._live(process, self.dice.randrange(steps // 4, steps))
            self._end(process)

    def _expunged(self, account: int) -> list[bytes]:
        start = keys.state(account, Kind.EXPUNGED)
        return [key[len(start) :] for key, _ in self.shard.scan(Family.STATE, start, keys.after(start))]

    # -- while a process lives

    def _live(self, process: Process, steps: int) -> None:
        self.shard.plan = self._plan()
        self._ask_again(process)
        try:
            for _ in range(steps):
                self._happen(process)
                if process.ended or self.shard.dead:
                    return
            if self.dice.random() < 0.5:
                self._calm(process)
        except Died:
            return

    def _plan(self) -> Callable[[Step], Fate]:
        """Now and then a fault, at any step."""
        left = self.dice.choice((10, 40, 150, 10**9, 10**9))
        fate = self.dice.choice((Fate.DIE, Fate.FAIL))

        def plan(step: Step) -> Fate:
            nonlocal left
            left -= step is not Step.READ
            return fate if left <= 0 and step is not Step.READ else Fate.GO_ON

        return plan

    def _happen(self, process: Process) -> None:
        roll = self.dice.random()
        if roll < 0.78:
            process.step()
        elif roll < 0.88:
            self._ask(process)
        elif roll < 0.97:
            self._read(process)
        else:
            self._disturb(process)

    def _ask(self, process: Process) -> None:
        account = self.dice.choice(ACCOUNTS)
        self._number += 1
        made = self.asking[account].draw(self._number)
        asked = Asked(account, made)
        self.judges[account].asked[made.id] = made
        asked.uploaded = made.HasField("add") and self.dice.random() < 0.2
        self.open_asks.append(asked)
        asked.task = process.hand.start(self._apply(process, asked))

    async def _apply(self, process: Process, asked: Asked) -> Result:
        account = await process.open(asked.account)
        asking = Intent()
        asking.CopyFrom(asked.intent)
        if asked.uploaded:
            # One chunk, which is 256 KiB at most; a retry needs an upload of its own.
            self._number += 1
            octets = asking.add.messages[0].octets
            asks.uploaded(asking.add.messages[0], self._number)
            kept = await account.apply(asks.intent(asks.upload(self._number, 0, octets)))
            if kept.refused:
                return kept
        asked.arrived = True
        position = (await account.mailboxes()).position
        self.judges[asked.account].asked_at.setdefault(asking.id, position)
        ASKING.set(asking)
        return await account.apply(asking)

    def _ask_again(self, process: Process) -> None:
        """Those who know no outcome; some of them twice at once."""
        for asked in self.open_asks:
            again = Intent()
            again.CopyFrom(asked.intent)
            again.retry = True
            asked.intent, asked.gave_up = again, False
            asked.task = process.hand.start(self._apply(process, asked))

    def _hear(self) -> None:
        """Who has an answer is content; who was told that it is not known asks the next process."""
        for asked in tuple(self.open_asks):
            task = asked.task
            if task is None or not task.done():
                continue
            if task.cancelled():
                assert asked.gave_up, "somebody else's end became his"
                continue
            error = task.exception()
            if error is None:
                self.judges[asked.account].told(asked.intent, task.result())
                self.open_asks.remove(asked)
            elif not isinstance(error, NotKnown | Died):
                raise error

    def _disturb(self, process: Process) -> None:
        roll = self.dice.random()
        if roll < 0.3:
            account = process.accounts._open.get(self.dice.choice(ACCOUNTS))
            if account is not None:
                account.forget(self.dice.randint(1, 4))
        elif roll < 0.5:
            self.clock.microseconds += self.dice.choice((-5_000_000, 1, 1000, 3_000_000))
        elif roll < 0.7 and process.readers:
            self._send_away(self.dice.choice(process.readers))
        elif self.open_asks:
            self._disturb_asker(process, self.dice.choice(self.open_asks))

    def _send_away(self, reader: asyncio.Task[None]) -> None:
        reader.cancel()
        self._gone.add(reader)

    def _disturb_asker(self, process: Process, asked: Asked) -> None:
        """He gives up, and may ask again at once; or he asks a second time while the first is under way."""
        again = Asked(asked.account, Intent(), asked.uploaded)
        again.intent.CopyFrom(asked.intent)
        again.intent.retry = True
        if asked.task is not None and self.dice.random() < 0.5:
            asked.gave_up |= asked.task.cancel()
        if asked.arrived and self.dice.random() < 0.7:
            self.open_asks.append(again)
            again.task = process.hand.start(self._apply(process, again))

    # -- readers

    def _read(self, process: Process) -> None:
        account = self.dice.choice(ACCOUNTS)
        reader = self.dice.choice(
            (self._list, self._list, self._fetch, self._fetch, self._select, self._watch)
        )
        task = process.hand.start(reader(process, account))
        process.readers.append(task)

    async def _list(self, process: Process, account: int) -> None:
        listed = await (await process.open(account)).mailboxes()
        self.judges[account].saw(ListSeen(listed))

    async def _fetch(self, process: Process, account: int) -> None:
        opened = await process.open(account)
        mailbox = self._some_mailbox(account)
        first = self.dice.randint(1, 12)
        uids = self.dice.choice(
            (ALL_UIDS, ((first, first + 3),), ((1, 2), (first + 3, first + 3), (20, 900)))
        )
        want = self.dice.choice(
            (Want.UIDS, Want.ENTRIES, Want.MAILS, Want.ENTRIES | Want.MAILS | Want.HEADS | Want.OCTETS)
        )
        try:
            async for run in opened.messages(mailbox, uids, want):
                self.judges[account].saw(MessagesSeen(mailbox, uids, want, run))
                for mail in run.mails:
                    await self._body(opened, mail.mail, mail.size, mail.message_id)
        except KeyError:
            assert mailbox not in (await opened.mailboxes()).rows

    async def _body(self, account: LocalAccount, mail: int, size: int, tag: bytes) -> None:
        try:
            octets = b"".join([chunk async for chunk in account.octets(mail, 0, size)])
        except Expunged:
            start, end = keys.place(account.id, mail, 0, 0), keys.place(account.id, mail + 1, 0, 0)
            assert not list(self.shard.scan(Family.STATE, start, end)), (
                "octets are gone of what lies somewhere"
            )
            return
        assert tag in octets and len(octets) == size

    async def _select(self, process: Process, account: int) -> None:
        opened = await process.open(account)
        mailbox = self._some_mailbox(account)
        rows = (await opened.mailboxes()).rows
        if mailbox in rows:
            first, _ = await opened.claim_recent(mailbox)
            self.judges[account].saw(
                RecentSeen(mailbox, first, rows[mailbox].uid_next, process.number(opened))
            )

    async def _watch(self, process: Process, account: int) -> None:
        opened = await process.open(account)
        at = (await opened.mailboxes()).position
        since = self.dice.randint(0, at)
        mailbox = self.dice.choice((0, 0, 1, 2, 3))
        watch = await opened.watch(since, mailbox)
        seen = WatchSeen(since, mailbox)
        self.judges[account].saw(seen)
        for _ in range(self.dice.randint(1, 6)):
            if not await self._follow(opened, watch, seen):
                break
        watch.close()

    async def _follow(self, account: LocalAccount, watch: Watch, seen: WatchSeen) -> bool:
        """Read once, then wait; False when the reader fell behind."""
        try:
            came: list[Touched] = watch.pending()
        except Resync:
            seen.lost = True
            return False
        seen.came += came
        # Everything up to here has been told, so far as it concerns this reader.
        seen.upto = (await account.mailboxes()).position
        await asyncio.sleep(0)
        await watch.wait()
        return True

    def _some_mailbox(self, account: int) -> int:
        return self.dice.choice((1, 1, self.dice.randint(1, 8)))

    # -- when a process ends

    def _calm(self, process: Process) -> None:
        """Everything that is under way comes to its end; nobody waits for ever."""
        for _ in range(10_000):
            process.hand.work()
            busy = [a for a in self.open_asks if a.task and not a.task.done() and not self.shard.dead]
            if not busy or process.ended:
                break
        else:
            raise AssertionError(f"never answered: {[asked.intent for asked in busy]}")

    def _end(self, process: Process) -> None:
        self._hear()
        for reader in process.readers:
            if reader.done() and reader not in self._gone:
                error = reader.exception()
                if error is not None and not isinstance(error, Died | NotKnown):
                    raise error
        mistakes = list(process.hand.mistakes)
        self.shard.dead = True
        process.hand.close()
        assert not [each for each in mistakes if "never retrieved" not in each], mistakes
        self.shard = self.shard.reopen(self.dice.randint(0, self.shard.unsynced))
        finish(self.shard, replay, LIMITS.part_rows_max)
        self.clock.microseconds += self.dice.choice((-2_000_000, 0, 5_000_000))
        for account, judge in self.judges.items():
            judge.slices = process.partitions.slices[account]
            judge.judge(self.shard, account)

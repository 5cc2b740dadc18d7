"""One account on its node: the object that its mail is. Lives on the loop.

Load, decide, append: what an intent needs is read in the pool, then it is decided at once, then appended;
intents queue in order. A change crosses from the decided to the committed edge when it is durable, in order;
all that is read here is on the committed side.
"""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from concurrent.futures import Executor
from typing import Any, TypeVar

from google.protobuf.message import DecodeError

from mailnode.clock import Clock
from mailnode.cluster.partitions import Append, NotKnown, NotPrimary, Partitions
from mailnode.limits import Limits
from mailnode.mailbox.appended import Appended, LargeAppended, entries_of
from mailnode.mailbox.arrays import Arrays
from mailnode.mailbox.asked import alone, grows, mailbox_needed, messages_asked, rows_asked, slices_of
from mailnode.mailbox.committed import Committed
from mailnode.mailbox.decide import add_slice, decide, ended
from mailnode.mailbox.decided import Decided, Loaded, Moment
from mailnode.mailbox.dues import Dues
from mailnode.mailbox.quota import Quotas, Usage
from mailnode.mailbox.reads import Head, Reads
from mailnode.mailbox.remembered import RememberedRows
from mailnode.mailbox.rows import BLOB_CHUNK_OCTETS, ENTRY_OCTETS, uids_of
from mailnode.mailbox.runs import next_run
from mailnode.mailbox.search import Stage, stages
from mailnode.mailbox.verbs import ALL_UIDS, Gone, Mailboxes, Messages, UidRanges, Want
from mailnode.mailbox.watch import Follower
from mailnode.pb.account_pb2 import SearchKey
from mailnode.pb.change_pb2 import Change, Intent, Result
from mailnode.store import keys
from mailnode.store.damage import Unreadable, told
from mailnode.store.keys import Family, Kind
from protocols.imap.sequence import ranges_of

T = TypeVar("T")

Outcome = tuple[Result, Append | None]
"""A result, and when it may be told: its change is committed, or those that it rests on are."""


class LocalAccount:
    """`verbs.Account` on the node that owns it; `accounts` makes it, and never two of one id."""

    __slots__ = (
        "__weakref__",
        "_asked",
        "_clock",
        "_committed",
        "_deciding",
        "_dues",
        "_ended",
        "_in_flight",
        "_last_append",
        "_limits",
        "_loading",
        "_loads",
        "_partition",
        "_partitions",
        "_queued",
        "_quotas",
        "_reads",
        "_remembered",
        "_revoked",
        "_turn",
        "_used",
        "_whole",
        "id",
    )

    def __init__(
        self,
        account: int,
        head: Head,
        reads: Reads,
        partitions: Partitions,
        loads: Executor,
        clock: Clock,
        limits: Limits,
        dues: Dues,
        quotas: Quotas,
        remembered: RememberedRows,
        used: Callable[[LocalAccount, int, int], None],
        revoked: Callable[[int], None],
    ) -> None:
        """`used(account, mailbox, octets)` is told of arrays in memory each time they are needed,
        `revoked(account)` of each change after which sessions may be no longer good."""
        self.id = account
        self._reads = reads
        self._partitions = partitions
        self._partition = keys.partition(account)
        self._ended = False
        self._loads = loads
        self._clock = clock
        self._limits = limits
        self._dues = dues
        self._quotas = quotas
        self._remembered = remembered
        self._used = used
        self._revoked = revoked
        self._deciding: Decided | None = None
        self._whole = True
        """What was decided was appended: a decision that failed half-way is not in `_deciding`."""
        self._committed = Committed(head, limits.departed_entries_max)
        self._turn = asyncio.Lock()
        self._queued = 0
        self._last_append: Append | None = None
        self._asked: dict[bytes, asyncio.Future[None]] = {}
        self._in_flight: dict[bytes, Outcome] = {}
        self._loading: dict[int, tuple[asyncio.Task[None], list[Change]]] = {}

    @property
    def _decided(self) -> Decided:
        """Made of what is committed when it is first needed: most accounts are only read."""
        if self._deciding is None:
            listed = self._committed.mailboxes()
            mailboxes = dict(listed.rows)
            subscribed, few = set(listed.subscribed), self._limits.few_entries_max
            self._deciding = Decided(self.id, self._committed.row, mailboxes, subscribed, few)
        return self._deciding

    def end(self) -> None:
        """Another object is the account from now on, here or elsewhere: this one says and does nothing."""
        self._ended = True
        for follower in list(self._committed.followers):  # some leave at once
            follower.end()

    def _check_read(self) -> None:
        if self._ended:
            raise NotPrimary(self._partition, "")
        self._partitions.check_read(self._partition)

    # -- reading

    async def mailboxes(self) -> Mailboxes:
        self._check_read()
        return self._committed.mailboxes()

    async def messages(self, mailbox: int, uids: UidRanges, want: Want) -> AsyncGenerator[Messages, None]:
        self._check_read()
        arrays = await self._loaded(mailbox)
        if want == Want.UIDS:
            yield self._uids(arrays, mailbox, uids)
            return
        rest = list(uids)
        while rest:
            self._check_read()
            arrays = await self._loaded(mailbox)
            entries, rest = next_run(arrays, rest, want, self._limits)
            if entries:
                yield await self._run_read(entries, arrays, want)

    async def departed(self, mailbox: int, uids: UidRanges, want: Want) -> AsyncGenerator[Messages, None]:
        self._check_read()
        gone = await self._read(self._committed.departed.entries, mailbox, uids)
        rest = list(uids)
        while rest:
            entries, rest = next_run(gone, rest, want, self._limits)
            if entries:
                yield await self._run_read(entries, gone, want)

    async def octets(self, mail: int, start: int, end: int) -> AsyncGenerator[bytes, None]:
        self._check_read()
        row = await self._read(self._reads.mail, mail)
        while start < end:
            self._check_read()
            chunk = start // BLOB_CHUNK_OCTETS
            offset = chunk * BLOB_CHUNK_OCTETS
            octets = await self._read(self._reads.chunk, row, chunk)
            yield octets[start - offset : end - offset]
            start = offset + BLOB_CHUNK_OCTETS

    async def search(self, mailbox: int, key: SearchKey) -> array[int]:
        self._check_read()
        ranges: UidRanges = ALL_UIDS
        found: array[int] | None = None
        for stage in stages(key, self._committed.rows[mailbox]):
            if found is not None:
                ranges = await self._read(ranges_of, found)
            found = array("I")
            # Entries even where UIDs alone are asked for: they come in runs, and others go on in between.
            async for run in self.messages(mailbox, ranges, stage.want or Want.ENTRIES):
                found.extend(await self._read(self._matching, stage, run))
        return found if found is not None else array("I")

    async def watch(self, position: int, mailbox: int) -> Follower:
        self._check_read()
        committed = self._committed
        upto = committed.position
        follower = Follower(mailbox, upto, self._limits.watch_pending_max, committed.leave)
        committed.followers.append(follower)
        if position < committed.row.touched_floor:
            follower.lose()
        elif position < upto:
            try:
                # One more than it may lag behind tells that it does.
                count_max = self._limits.watch_pending_max + 1
                missed = await self._read(self._reads.touched, position, mailbox, count_max)
            except Unreadable as error:
                told.tell(error.family, error.key, error.reason)
                follower.lose()
                return follower
            except BaseException:
                follower.close()
                raise
            decided = self._deciding.row if self._deciding is not None else committed.row
            if position < decided.touched_floor:
                follower.lose()  # it was raised meanwhile, and the rows may be gone already
            else:
                follower.precede(touched for touched in missed if touched.position <= upto)
        return follower

    async def row(self, kind: int, key: bytes) -> bytes:
        self._check_read()
        remembered = self._remembered.get((self.id, kind, key))
        if remembered is not None:
            return remembered
        position = self._committed.position
        row = await self._read(self._reads.small_row, kind, key)
        # Else it may be older than what was committed meanwhile, here or elsewhere.
        if not self._ended and position == self._committed.position:
            self._remembered.take((self.id, kind, key), row)
        return row

    async def rows(self, kind: int, prefix: bytes, after: bytes, count_max: int) -> list[tuple[bytes, bytes]]:
        self._check_read()
        return await self._read(self._reads.small_rows, kind, prefix, after, count_max)

    async def expunged(self) -> list[Gone]:
        self._check_read()
        return await self._read(self._reads.gone)

    async def unique_ids(self, mailbox: int) -> dict[int, str]:
        self._check_read()
        return await self._read(self._reads.unique_ids, mailbox)

    async def known(self, origins: Sequence[bytes]) -> list[bool]:
        self._check_read()
        return await self._read(self._reads.known, origins)

    async def usage(self) -> Usage:
        self._check_read()
        row = self._committed.row
        return Usage(row, self._quotas.of(row), len(self._committed.rows))

    async def usage_lately(self) -> Usage:
        return await self.usage()

    async def claim_recent(self, mailbox: int) -> tuple[int, int]:
        self._check_read()
        first, following = self._committed.claim_recent(mailbox)
        # Written along with the mailbox's next change: a SELECT writes nothing.
        decided = self._deciding.mailboxes.get(mailbox) if self._deciding is not None else None
        if first < following and decided is not None:
            decided.recent_uid = following
        return first, following

    async def recent(self, mailbox: int) -> int:
        self._check_read()
        row = self._committed.rows[mailbox]
        if row.recent_uid >= row.uid_next or not row.messages:
            return 0
        if row.messages == row.uid_next - 1:
            return row.uid_next - row.recent_uid  # no UID is missing
        arrays = self._committed.arrays.get(mailbox)
        if arrays is not None:
            return sum(end - start for start, end in arrays.slices(((row.recent_uid, row.uid_next - 1),)))
        count = await self._read(self._reads.entries_within, mailbox, row.recent_uid, row.uid_next)
        if self._last_append is not None:
            await self._last_append.wait()  # what was read may be ahead of what is committed
        return count

    # -- writing

    async def apply(self, intent: Intent) -> Result:
        needed = mailbox_needed(intent)
        if self._may_decide_at_once(intent, needed):
            result, committed = self._decide(intent, self._committed.arrays.get(needed))
        else:
            asking: Coroutine[Any, Any, Outcome] = (
                self._ask_once(intent, needed) if intent.id else self._ask(intent, needed)
            )
            if alone(intent) or (needed and not intent.HasField("store")):
                # What is decided in the pool must be appended, whether its caller waits for it or not.
                result, committed = await asyncio.shield(asyncio.ensure_future(asking))
            else:
                result, committed = await asking
        if committed is not None:
            await committed.wait()
        return await self._told(intent, result)

    async def _told(self, intent: Intent, result: Result) -> Result:
        """Once there are as many copies of it as were asked for, and where. Raises NotKnown."""
        copies = self._partitions.copies(self._partition)
        if not copies or result.refused:
            return result
        wanted = self._copies(intent)
        if copies < wanted or intent.dcs:
            await self._partitions.have(self._partition, wanted, intent.dcs)
        told = Result(copies=max(copies, wanted), dcs=intent.dcs)
        told.MergeFrom(result)  # which is part of a change that may be encoded again
        return told

    def _copies(self, intent: Intent) -> int:
        """That shall have what it changes; never fewer than the domain wants."""
        return max(intent.copies, self._quotas.copies(self._committed.row))

    async def _ask_once(self, intent: Intent, needed: int) -> Outcome:
        """So that a retry finds what is asked but not decided yet, and two retries each other."""
        while intent.retry and (asked := self._asked.get(intent.id)) is not None:
            await asyncio.wait((asked,))
        asked = asyncio.get_running_loop().create_future()
        self._asked[intent.id] = asked
        try:
            earlier = await self._earlier(intent.id) if intent.retry else None
            return earlier or await self._ask(intent, needed)
        finally:
            if self._asked.get(intent.id) is asked:
                del self._asked[intent.id]
            asked.set_result(None)

    async def _earlier(self, intent_id: bytes) -> Outcome | None:
        """The outcome of an intent that was decided before: still on its way, else as kept."""
        outcome = self._in_flight.get(intent_id)
        if outcome is not None:
            return outcome
        try:
            kept = await self.row(Kind.RESULT, intent_id)
            return (Result.FromString(kept), None) if kept else None
        except (Unreadable, DecodeError) as error:
            told.tell(Family.STATE, keys.state(self.id, Kind.RESULT, intent_id), str(error))
            raise NotKnown from None

    async def _ask(self, intent: Intent, needed: int) -> Outcome:
        await self._partitions.room()
        if grows(intent) and self._partitions.is_short(self._partition):
            return Result(refused="DISKFULL"), None
        if self._queued > self._limits.intents_queued_max:
            return Result(refused="UNAVAILABLE"), None
        return await self._decide_in_turn(intent, needed)

    def _may_decide_at_once(self, intent: Intent, needed: int) -> bool:
        """Nobody is before it, it was never asked, what it needs is in memory, and it is short."""
        if self._queued or intent.retry or not self._whole or not self._partitions.has_room():
            return False
        if alone(intent) or self._partitions.is_short(self._partition):
            return False
        if not needed:
            return True
        arrays = self._committed.arrays.get(needed)
        return arrays is not None and messages_asked(intent, arrays) <= self._limits.store_slice_entries

    async def _decide_in_turn(self, intent: Intent, needed: int) -> Outcome:
        self._queued += 1
        try:
            if intent.HasField("store"):
                return await self._store_in_slices(intent, needed)
            async with self._turn:
                if alone(intent):
                    return await self._decide_in_pool(intent, 0)
                arrays = await self._needed(needed)
                if needed and messages_asked(intent, arrays) > self._limits.store_slice_entries:
                    async with self._partitions.large_turns:
                        return await self._decide_in_pool(intent, needed)
                return self._decide(intent, arrays)
        finally:
            self._queued -= 1

    async def _decide_in_pool(self, intent: Intent, mailbox: int) -> Outcome:
        """Nothing else of the account is on its way meanwhile, nor after it."""
        if self._last_append is not None:
            await self._last_append.over()
        decision = await self._read(self._decision, intent, await self._needed(mailbox))
        if isinstance(decision, Change) and entries_of(decision) > self._limits.store_slice_entries:
            await self._read(self._committed.prepare, decision)
            outcome = self._append(decision, LargeAppended)
        else:
            outcome = self._append(decision, Appended)
        if outcome[1] is not None:
            await outcome[1].over()
        return outcome

    async def _needed(self, mailbox: int) -> Arrays:
        """What the next decision needs: a decided edge that is whole, and the arrays of a mailbox (0: none).

        For a mailbox that is not committed yet, or gone meanwhile, all that counts is in the overlay.
        """
        if not self._whole:
            await self._decide_anew()
        return await self._present(mailbox) or Arrays(bytearray(), {})

    async def _decide_anew(self) -> None:
        """A decision failed half-way: go on from what is committed, once all is that was appended."""
        if self._last_append is not None:
            await self._last_append.wait()
        self._deciding, self._whole = None, True

    async def _store_in_slices(self, intent: Intent, mailbox: int) -> Outcome:
        """Several changes, those of others in between; the last one carries the intent's id."""
        async with self._turn:
            arrays = await self._needed(mailbox)
            row = self._decided.mailboxes.get(mailbox)
            if row is None or messages_asked(intent, arrays) <= self._limits.store_slice_entries:
                return self._decide(intent, arrays)
            uid_next = row.uid_next
        *slices, last = await self._read(slices_of, intent, arrays.uids, uid_next, self._limits)
        done = Result()
        before = self._last_append
        for slice_ in slices:
            async with self._turn:
                result, append = self._decide(slice_, await self._needed(mailbox))
            if result.refused:
                return result, append
            add_slice(done, result)
            # One is written while the next is decided: others find the writer's queue short.
            if before is not None:
                await before.over()
            before = append
            await self._partitions.room()
        async with self._turn:
            decision = self._decision(last, await self._needed(mailbox))
            return self._append(ended(self._decided, intent.id, done, decision), Appended)

    def _decide(self, intent: Intent, arrays: Arrays | None) -> Outcome:
        return self._append(self._decision(intent, arrays), Appended)

    def _decision(self, intent: Intent, arrays: Arrays | None) -> Change | Result:
        if self._ended:
            raise NotPrimary(self._partition, "")
        self._partitions.check(self._partition, self._copies(intent), intent.dcs)
        # Few, and mostly absent: the shard's filters answer from memory.
        rows = {each: self._reads.row_asked(*each) for each in rows_asked(intent)}
        quota = self._quotas.of(self._decided.row)
        moment = Moment(self._clock.now_microseconds(), self._limits, quota)
        loaded = Loaded(arrays, rows)
        if intent.HasField("collect"):
            leaving, following = self._reads.leaving(rows)
            loaded = loaded._replace(leaving=leaving, expunged_next=following)
        self._whole = False
        return decide(self._decided, intent, loaded, moment)

    def _append(self, decision: Change | Result, entry: type[Appended]) -> Outcome:
        """Where nothing changes, what was decided before must be durable all the same."""
        if isinstance(decision, Result):
            self._whole = True
            return decision, self._last_append
        self._last_append = self._partitions.append(entry(decision, self.commit))
        self._whole = True
        if decision.intent:
            self._in_flight[decision.intent] = decision.result, self._last_append
        return decision.result, self._last_append

    def commit(self, change: Change) -> None:
        """The change is durable: it crosses to the committed edge, and readers are told."""
        self._decided.leave(change)
        self._committed.take(change)
        self._remembered.commit(change)
        for _, backlog in self._loading.values():
            backlog.append(change)
        self._in_flight.pop(change.intent, None)
        if change.dues:
            self._dues.commit(self.id, change.dues)
        if change.purged:
            self._dues.forget(self.id)
        if change.revokes:
            self._revoked(self.id)
        if not change.mailboxes and not self._committed.arrays:
            self._rest()  # a login wrote a small row: its account holds no more for it

    # -- loading

    async def _loaded(self, mailbox: int) -> Arrays:
        """The arrays of a mailbox; raises KeyError when there is no such mailbox."""
        arrays = await self._present(mailbox)
        if arrays is None:
            raise KeyError(mailbox)
        return arrays

    async def _present(self, mailbox: int) -> Arrays | None:
        """The arrays of a mailbox as committed, which they stay until the caller waits; None without it."""
        while mailbox in self._committed.rows:
            arrays = self._committed.arrays.get(mailbox)
            if arrays is not None:
                self._used(self, mailbox, arrays.octets)
                return arrays
            # A task of its own: one who no longer waits for it takes it from nobody.
            await asyncio.shield(self._load(mailbox))
        return None

    def _load(self, mailbox: int) -> asyncio.Task[None]:
        if mailbox not in self._loading:
            backlog: list[Change] = []
            self._loading[mailbox] = asyncio.ensure_future(self._read_arrays(mailbox, backlog)), backlog
        return self._loading[mailbox][0]

    async def _read_arrays(self, mailbox: int, backlog: list[Change]) -> None:
        """What is read may be ahead of what is committed; when that is committed, `backlog` has it all.

        Where it never is, NotKnown: half of a large change may have been read.
        """
        try:
            arrays = await self._read(self._reads.arrays, mailbox)
            if self._last_append is not None:
                await self._last_append.wait()
            for change in backlog:
                arrays.commit(mailbox, change)
            if mailbox in self._committed.rows:
                self._committed.arrays[mailbox] = arrays
        finally:
            del self._loading[mailbox]

    def forget(self, mailbox: int) -> None:
        """Arrays that were not used for long; sessions keep the UID lists that they hold."""
        self._committed.arrays.pop(mailbox, None)
        self._rest()

    def _rest(self) -> None:
        """Where all that was decided is committed one edge is enough, and no last change need be held."""
        decided = self._deciding
        if decided is None or self._queued or not self._whole:
            return
        if decided.row.position == self._committed.position:
            self._deciding = self._last_append = None

    def _uids(self, arrays: Arrays, mailbox: int, ranges: UidRanges) -> Messages:
        unseen = arrays.first_unseen() if self._committed.rows[mailbox].unseen else 0
        if ranges == ALL_UIDS:
            return Messages(self._committed.position, arrays.uids, len(arrays.uids), first_unseen=unseen)
        uids = array("I")
        for start, end in arrays.slices(ranges):
            uids += arrays.uids[start:end]
        return Messages(self._committed.position, uids, len(uids), first_unseen=unseen)

    async def _run_read(self, entries: bytes, arrays: Arrays, want: Want) -> Messages:
        overflow = arrays.overflow_of(entries)
        if want == Want.ENTRIES:
            count = len(entries) // ENTRY_OCTETS
            return Messages(self._committed.position, uids_of(entries), count, entries, overflow=overflow)
        return await self._read(self._reads.messages, self._committed.position, entries, overflow, want)

    def _matching(self, stage: Stage, run: Messages) -> array[int]:
        long_pieces = self._reads.long_pieces(run)
        return array("I", [run.uids[index] for index in stage.matches(run, long_pieces)])

    def _read(self, read: Callable[..., T], *arguments: object) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._loads, read, *arguments)

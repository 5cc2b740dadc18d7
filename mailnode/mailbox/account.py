"""One account on its node: the object that its mail is. Lives on the loop.

Load, decide, append: what an intent needs is read in the pool, then it is decided at once, then appended;
intents queue in order. A change crosses from the decided to the committed edge when it is durable, in order;
all that is read here is on the committed side.
"""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import Executor
from itertools import accumulate, takewhile
from typing import TypeVar

from mailnode.clock import Clock
from mailnode.cluster.partitions import Partitions
from mailnode.limits import Limits
from mailnode.mailbox.add import related
from mailnode.mailbox.arrays import Arrays
from mailnode.mailbox.decide import decide
from mailnode.mailbox.decided import Decided, Loaded, Moment
from mailnode.mailbox.names import full_names
from mailnode.mailbox.ranges import packed, pairs, sliced
from mailnode.mailbox.reads import Head, Reads
from mailnode.mailbox.rows import BLOB_CHUNK_OCTETS, ENTRY_OCTETS, SIZE, UID, rows, uids_of, words
from mailnode.mailbox.search import Stage, stages
from mailnode.mailbox.verbs import ALL_UIDS, Mailboxes, Messages, UidRanges, Want
from mailnode.mailbox.watch import Follower
from mailnode.pb.account_pb2 import SearchKey
from mailnode.pb.change_pb2 import Change, Intent, Result, UidRange
from mailnode.pb.row_pb2 import MailboxRow
from mailnode.store import keys
from mailnode.store.keys import Kind
from mailnode.store.shard import Put

T = TypeVar("T")


class Appended:
    """A change on its way to disk."""

    __slots__ = ("_account", "change", "durable", "octets", "partition")

    def __init__(self, account: LocalAccount, change: Change) -> None:
        self._account = account
        self.change = change
        self.partition = keys.partition(change.account)
        self.durable = not change.HasField("upload")
        self.octets = _weight(change) if self.durable else len(change.upload.octets)

    def rows(self, format: int) -> Iterable[Put]:
        return rows(self.change, format)

    def committed(self) -> None:
        if self.durable:
            self._account.commit(self.change)


def _weight(change: Change) -> int:
    octets = 500
    for mail in change.mails:
        octets += 500 + len(mail.octets) + len(mail.head)
    for entries in change.entries:
        octets += 3 * len(entries.entries)
    for dropped in change.entries_dropped:
        octets += 3 * len(dropped.entries)
    return octets


class LocalAccount:
    """`verbs.Account` on the node that owns it; `accounts` makes it, and never two of one id."""

    def __init__(
        self,
        account: int,
        head: Head,
        reads: Reads,
        partitions: Partitions,
        loads: Executor,
        clock: Clock,
        limits: Limits,
        used: Callable[[LocalAccount, int, int], None],
    ) -> None:
        """`used(account, mailbox, octets)` is told of arrays in memory each time they are needed."""
        self.id = account
        self._reads = reads
        self._partitions = partitions
        self._loads = loads
        self._clock = clock
        self._limits = limits
        self._used = used
        mailboxes = {mailbox: _copied(row) for mailbox, row in head.mailboxes.items()}
        self._decided = Decided(account, head.row, mailboxes, set(head.subscribed))
        self._turn = asyncio.Lock()
        self._queued = 0
        self._last_append: asyncio.Future[None] | None = None
        self._in_flight: dict[bytes, list[asyncio.Future[Result]]] = {}
        self._position = head.row.position
        self._touched_floor = head.row.touched_floor
        self._rows = dict(head.mailboxes)
        self._subscribed = frozenset(head.subscribed)
        self._names = full_names(self._rows)
        self._listed: Mailboxes | None = None
        self._arrays: dict[int, Arrays] = {}
        self._loading: dict[int, tuple[asyncio.Future[Arrays], list[Change]]] = {}
        self._followers: list[Follower] = []

    # -- reading

    async def mailboxes(self) -> Mailboxes:
        if self._listed is None:
            self._listed = Mailboxes(self._position, dict(self._rows), self._names, self._subscribed)
        return self._listed

    async def messages(self, mailbox: int, uids: UidRanges, want: Want) -> AsyncIterator[Messages]:
        arrays = await self._loaded(mailbox)
        if want == Want.UIDS:
            yield self._uids(arrays, mailbox, uids)
            return
        rest = list(uids)
        while rest:
            arrays = await self._loaded(mailbox)
            entries, rest = _run(arrays, rest, want, self._limits)
            if entries:
                yield await self._run_read(entries, arrays, want)

    async def octets(self, mail: int, start: int, end: int) -> AsyncIterator[bytes]:
        row = await self._read(self._reads.mail, mail)
        while start < end:
            chunk = start // BLOB_CHUNK_OCTETS
            offset = chunk * BLOB_CHUNK_OCTETS
            octets = await self._read(self._reads.chunk, row, chunk)
            yield octets[start - offset : end - offset]
            start = offset + BLOB_CHUNK_OCTETS

    async def search(self, mailbox: int, key: SearchKey) -> array[int]:
        ranges: UidRanges = ALL_UIDS
        found = array("I")
        for stage in stages(key, self._rows[mailbox]):
            found = array("I")
            async for run in self.messages(mailbox, ranges, stage.want):
                found.extend(await self._read(self._matching, stage, run))
            ranges = [(r.first, r.last) for r in packed(found)]
        return found

    async def watch(self, position: int, mailbox: int) -> Follower:
        upto = self._position
        follower = Follower(mailbox, upto, self._limits.watch_pending_max, self._followers.remove)
        self._followers.append(follower)
        if position < self._touched_floor:
            follower.lose()
        elif position < upto:
            missed = await self._read(self._reads.touched, position)
            follower.precede(touched for touched in missed if touched.position <= upto)
        return follower

    async def row(self, kind: int, key: bytes) -> bytes:
        return await self._read(self._reads.small_row, kind, key)

    async def claim_recent(self, mailbox: int) -> int:
        row = self._rows[mailbox]
        first = row.recent_uid
        if first < row.uid_next:
            claimed = _copied(row)
            claimed.recent_uid = row.uid_next
            self._rows[mailbox] = claimed
            self._listed = None
            # Written along with the mailbox's next change: a SELECT writes nothing.
            decided = self._decided.mailboxes.get(mailbox)
            if decided is not None:
                decided.recent_uid = row.uid_next
        return first

    # -- writing

    async def apply(self, intent: Intent) -> Result:
        if intent.retry:
            earlier = await self._earlier(intent.id)
            if earlier is not None:
                return earlier
        await self._partitions.room()
        if self._queued > self._limits.intents_queued_max:
            return Result(refused="UNAVAILABLE")
        needed = _mailbox_needed(intent)
        if self._may_decide_at_once(intent, needed):
            result, committed = self._decide(intent, self._arrays.get(needed))
        else:
            result, committed = await self._decide_in_turn(intent, needed)
        if committed is not None:
            await committed
        return result

    def _may_decide_at_once(self, intent: Intent, needed: int) -> bool:
        """Nobody is before it, what it needs is in memory, and it is short."""
        if self._queued or (needed and needed not in self._arrays):
            return False
        span = sum([uids.last - uids.first + 1 for uids in intent.store.uids])
        return span <= self._limits.store_slice_entries

    async def _decide_in_turn(
        self, intent: Intent, needed: int
    ) -> tuple[Result, asyncio.Future[None] | None]:
        self._queued += 1
        try:
            async with self._turn:
                if needed not in self._rows:
                    return self._decide(intent, None if not needed else Arrays(bytearray(), {}))
                if intent.HasField("store"):
                    return await self._store_in_slices(intent, needed)
                return self._decide(intent, await self._loaded(needed))
        finally:
            self._queued -= 1

    async def _store_in_slices(
        self, intent: Intent, mailbox: int
    ) -> tuple[Result, asyncio.Future[None] | None]:
        """Several changes, so that no long STORE holds the loop; the last one carries the intent's id."""
        arrays = await self._loaded(mailbox)
        parts = sliced(pairs(intent.store.uids), arrays, self._limits.store_slice_entries)
        whole = Result()
        committed = None
        for part in parts:
            slice_ = Intent(id=intent.id if part is parts[-1] else b"", store=intent.store)
            del slice_.store.uids[:]
            slice_.store.uids.extend(UidRange(first=first, last=last) for first, last in part)
            result, committed = self._decide(slice_, await self._loaded(mailbox))
            if result.refused:
                return result, committed
            whole.position = result.position
            whole.first_position = whole.first_position or result.position
            whole.modified.extend(result.modified)
            if part is not parts[-1]:
                await asyncio.sleep(0)
                await self._partitions.room()
        return whole, committed

    def _decide(self, intent: Intent, arrays: Arrays | None) -> tuple[Result, asyncio.Future[None] | None]:
        """Decide and append. Where nothing changes, what was decided before must be durable all the same."""
        loaded = Loaded(arrays, self._small_rows(intent))
        decision = decide(self._decided, intent, loaded, Moment(self._clock.now_microseconds(), self._limits))
        if isinstance(decision, Result):
            return decision, self._last_append
        if intent.id:
            self._in_flight[intent.id] = []
        self._last_append = self._partitions.append(Appended(self, decision))
        return decision.result, self._last_append

    def _small_rows(self, intent: Intent) -> dict[tuple[int, bytes], bytes]:
        """Few, and mostly absent: the shard's filters answer from memory."""
        if intent.HasField("put_row"):
            wanted = [(intent.put_row.kind, intent.put_row.key)] if intent.put_row.if_absent else []
        elif intent.HasField("add"):
            wanted = [(Kind.MSGID, h) for message in intent.add.messages for h in related(message)]
        else:
            wanted = []
        return {(kind, key): self._reads.small_row(kind, key) for kind, key in wanted}

    async def _earlier(self, intent_id: bytes) -> Result | None:
        """The result of an intent that was decided before: joined while on its way, else as kept."""
        waiting = self._in_flight.get(intent_id)
        if waiting is not None:
            joined: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
            waiting.append(joined)
            return await joined
        kept = await self.row(Kind.RESULT, intent_id)
        return Result.FromString(kept) if kept else None

    def commit(self, change: Change) -> None:
        """The change is durable: it crosses to the committed edge, and readers are told."""
        self._decided.leave(change)
        self._position = change.position
        for mailbox in change.mailboxes:
            self._commit_row(mailbox)
        for dropped in change.mailboxes_dropped:
            del self._rows[dropped]
            self._arrays.pop(dropped, None)
        for subscription in change.subscriptions:
            name = {subscription.name}
            self._subscribed = self._subscribed | name if subscription.subscribed else self._subscribed - name
        if change.touched.list:
            self._names = full_names(self._rows)
        self._listed = None
        self._commit_arrays(change)
        for joined in self._in_flight.pop(change.intent, ()):
            if not joined.done():
                joined.set_result(change.result)
        if change.HasField("touched"):
            for follower in tuple(self._followers):
                follower.offer(change.touched)

    def _commit_row(self, row: MailboxRow) -> None:
        before = self._rows.get(row.mailbox)
        if before is not None and before.recent_uid > row.recent_uid:
            row.recent_uid = before.recent_uid
        self._rows[row.mailbox] = row

    def _commit_arrays(self, change: Change) -> None:
        for _, backlog in self._loading.values():
            backlog.append(change)
        for mailbox in {t.mailbox for t in change.touched.mailboxes}:
            arrays = self._arrays.get(mailbox)
            if arrays is not None:
                arrays.commit(mailbox, change)

    # -- loading

    async def _loaded(self, mailbox: int) -> Arrays:
        """The arrays of a mailbox; raises KeyError when there is no such mailbox."""
        arrays = self._arrays.get(mailbox)
        if arrays is None:
            arrays = await self._load(mailbox)
        self._used(self, mailbox, arrays.octets)
        return arrays

    async def _load(self, mailbox: int) -> Arrays:
        row = self._rows[mailbox]
        loading = self._loading.get(mailbox)
        if loading is not None:
            return await asyncio.shield(loading[0])
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Arrays] = loop.create_future()
        backlog: list[Change] = []
        self._loading[mailbox] = future, backlog
        try:
            arrays = await self._read(self._reads.arrays, mailbox)
            # What was written but not yet committed when the load began comes again when it commits.
            arrays.cut_off(row.uid_next)
            for change in backlog:
                arrays.commit(mailbox, change)
        except BaseException as error:
            future.set_exception(error)
            future.exception()
            raise
        finally:
            del self._loading[mailbox]
        future.set_result(arrays)
        if mailbox in self._rows:
            self._arrays[mailbox] = arrays
        return arrays

    def forget(self, mailbox: int) -> None:
        """Arrays that were not used for long; sessions keep the UID lists that they hold."""
        self._arrays.pop(mailbox, None)

    def _uids(self, arrays: Arrays, mailbox: int, ranges: UidRanges) -> Messages:
        unseen = arrays.first_unseen() if self._rows[mailbox].unseen else 0
        if ranges == ALL_UIDS:
            return Messages(self._position, arrays.uids, len(arrays.uids), first_unseen=unseen)
        uids = array("I")
        for start, end in arrays.slices(ranges):
            uids += arrays.uids[start:end]
        return Messages(self._position, uids, len(uids), first_unseen=unseen)

    async def _run_read(self, entries: bytes, arrays: Arrays, want: Want) -> Messages:
        if want == Want.ENTRIES:
            count = len(entries) // ENTRY_OCTETS
            return Messages(self._position, uids_of(entries), count, entries, overflow=arrays.overflow)
        return await self._read(self._reads.messages, self._position, entries, arrays.overflow, want)

    def _matching(self, stage: Stage, run: Messages) -> list[int]:
        long_pieces = self._reads.long_pieces(run)
        return [run.uids[index] for index in stage.matches(run, long_pieces)]

    def _read(self, read: Callable[..., T], *arguments: object) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._loads, read, *arguments)


def _copied(row: MailboxRow) -> MailboxRow:
    copy = MailboxRow()
    copy.CopyFrom(row)
    return copy


def _mailbox_needed(intent: Intent) -> int:
    """The mailbox whose messages an intent is about, 0 for none."""
    ask = intent.WhichOneof("ask")
    return getattr(intent, ask).mailbox if ask in _ABOUT_MESSAGES else 0


_ABOUT_MESSAGES = frozenset(("store", "copy", "expunge", "delete_mailbox", "rename_mailbox"))


def _run(
    arrays: Arrays, ranges: list[tuple[int, int]], want: Want, limits: Limits
) -> tuple[bytes, list[tuple[int, int]]]:
    """The entries of the next run of `ranges`, and the ranges behind it."""
    room = limits.entries_run_max if want == Want.ENTRIES else limits.messages_run_max
    cut = b""
    rest: list[tuple[int, int]] = []
    for number, (first, last) in enumerate(ranges):
        for start, end in arrays.slices(((first, last),)):
            taken = min(end, start + room)
            cut += arrays.cut(start, taken)
            room -= taken - start
            if taken < end:
                rest = [(arrays.uids[taken], last), *ranges[number + 1 :]]
        if rest:
            break
    if want & Want.OCTETS:
        return _bounded(cut, rest, ranges, limits)
    return cut, rest


def _bounded(
    entries: bytes, rest: list[tuple[int, int]], ranges: list[tuple[int, int]], limits: Limits
) -> tuple[bytes, list[tuple[int, int]]]:
    """As many of a run's entries as bring `run_octets_max` of octets, at least one."""
    sums = accumulate(size if size <= limits.messages_octets_max else 0 for size in words(entries, SIZE))
    fitting = sum(1 for _ in takewhile(lambda octets: octets <= limits.run_octets_max, sums))
    kept = max(fitting, 1)
    if kept * ENTRY_OCTETS >= len(entries):
        return entries, rest
    following = words(entries, UID)[kept]
    behind = [(max(first, following), last) for first, last in ranges if last >= following]
    return entries[: kept * ENTRY_OCTETS], behind

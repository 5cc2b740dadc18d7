"""Every account: which of this node's are open, and which live elsewhere. Decided here alone."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from concurrent.futures import Executor
from itertools import takewhile
from typing import NamedTuple
from weakref import WeakValueDictionary

from mailnode import memory
from mailnode.clock import Clock
from mailnode.cluster.partitions import NotKnown, NotPrimary, Partitions, Unavailable
from mailnode.limits import Limits
from mailnode.mailbox import raising
from mailnode.mailbox.account import LocalAccount
from mailnode.mailbox.appended import Appended
from mailnode.mailbox.bulletin import Bulletin
from mailnode.mailbox.dues import Dues
from mailnode.mailbox.places import Places
from mailnode.mailbox.quota import Quotas
from mailnode.mailbox.reads import Head, Reads
from mailnode.mailbox.remembered import RememberedRows
from mailnode.mailbox.remote import RemoteAccount
from mailnode.mailbox.said import stored_meant
from mailnode.mailbox.verbs import Account
from mailnode.pb.account_pb2 import Ask
from mailnode.store import keys
from mailnode.store.damage import readable
from mailnode.store.keys import Due, Family
from mailnode.store.shard import Shard

_DUES = (
    Due.QUEUE,
    Due.CREATION,
    Due.EXPUNGED,
    Due.REMOVED,
    Due.RENAMING,
    Due.DMARC_REPORT,
    Due.TLS_REPORT,
)


class _Used(NamedTuple):
    """Arrays in memory."""

    octets: int
    at_seconds: float


class Accounts:
    """Opens accounts, one object each; keeps those used last, and their arrays, within bounds."""

    def __init__(
        self,
        shard: Shard,
        partitions: Partitions,
        loads: Executor,
        clock: Clock,
        limits: Limits,
        quotas: Quotas,
    ) -> None:
        self._shard = shard
        self._partitions = partitions
        self._loads = loads
        self._clock = clock
        self._limits = limits
        self._quotas = quotas
        self._places: Places | None = None
        self.bulletin = Bulletin(limits)
        self._terms: Counter[int] = Counter()
        """By partition: how often it was begun."""
        self.dues = Dues(_DUES, self.leads)
        if partitions.is_alone:
            self.dues.read(shard)
        # Whoever holds an account, a change on its way to disk too, keeps it the only one.
        self._open: WeakValueDictionary[int, LocalAccount] = WeakValueDictionary()
        self._opening: dict[int, asyncio.Future[LocalAccount]] = {}
        self._kept: OrderedDict[int, LocalAccount] = OrderedDict()
        self._kept_of_system: OrderedDict[int, LocalAccount] = OrderedDict()
        self.remembered = RememberedRows(limits.directory_rows_cached_max)
        self._arrays: OrderedDict[tuple[int, int], _Used] = OrderedDict()
        self._arrays_octets = 0
        self._give_back = memory.giver()
        self._looking: asyncio.TimerHandle | None = None
        self._beginning: set[asyncio.Task[None]] = set()
        self._begun = asyncio.Event()
        partitions.follow(self._begin, self._end)

    @property
    def kept(self) -> int:
        """Accounts in memory because they were used last."""
        return len(self._kept)

    @property
    def arrays_octets(self) -> int:
        return self._arrays_octets

    def beside(self, places: Places) -> None:
        """There are other nodes; before anything is opened."""
        self._places = places
        places.check = self.check

    async def open(self, account: int) -> Account:
        """The account of an id; one that was never created has no mailboxes yet."""
        if self._places is None:
            return await self.here(account)
        return RemoteAccount(account, self._places)

    async def local(self, account: int) -> LocalAccount:
        """One that this node leads; raises NotPrimary, or Unavailable where nobody knows who does."""
        self._check_owner(account)
        return await self.here(account)

    def check(self, account: int) -> None:
        """Whether this node leads it, and knows all that is committed; raises as `local`."""
        self._check_owner(account)
        self._partitions.check_read(keys.partition(account))

    def _check_owner(self, account: int) -> None:
        if self._places is None:
            return
        partition = keys.partition(account)
        owner = self._places.owner(partition)
        if owner != self._places.me:
            raise NotPrimary(partition, owner)

    async def here(self, account: int) -> LocalAccount:
        """As this node's shard has it."""
        found = self._open.get(account)
        if found is None:
            found = await self._load(account)
        limits = self._limits
        if keys.is_system(account):
            _keep(self._kept_of_system, found, limits.system_accounts_kept_max)
        else:
            _keep(self._kept, found, limits.accounts_kept_max)
        return found

    def leads(self, account: int) -> bool:
        """Whether it is this node that works for it."""
        return self.term(account) is not None

    def term(self, account: int) -> int | None:
        """None: another node works for it; else a number, another one where one did so meanwhile."""
        partition = keys.partition(account)
        if not self._partitions.leads(partition):
            return None
        if self._places is not None and self._places.owner(partition) != self._places.me:
            return None
        return self._terms[partition]

    async def begun(self) -> None:
        """Returns when this node has begun to lead partitions since the last call."""
        await self._begun.wait()
        self._begun.clear()

    def _begin(self, partition: int) -> None:
        self._terms[partition] += 1
        task = asyncio.ensure_future(self._take_over(partition))
        self._beginning.add(task)
        task.add_done_callback(self._beginning.discard)

    async def _take_over(self, partition: int) -> None:
        await self.dues.begin(partition, self._shard, self._loads)
        self._begun.set()

    def _end(self, partition: int) -> None:
        """Its accounts are another node's; what is held of them here is of the past."""
        self.dues.end(partition)
        self.remembered.forget(partition)
        for account in [each for each in self._open if keys.partition(each) == partition]:
            opened = self._open.get(account)
            if opened is not None:
                opened.end()
            self._drop(account)

    def forget(self, account: int) -> None:
        """Its rows are written anew by somebody else: it is read again when it is next opened."""
        self._drop(account)
        self.remembered.forget(keys.partition(account))

    def _drop(self, account: int) -> None:
        for opened in (self._kept, self._kept_of_system, self._open):
            opened.pop(account, None)

    async def directory_rows(self, kind: int) -> list[tuple[bytes, bytes]]:
        """Every row of a kind of the directory accounts of home 0, as key and value; raises Unavailable.

        Where a node that leads some of them is lost, it waits until others do.
        """
        if self._places is None:
            return await self.own_directory_rows(kind)
        tries = self._places.tries()
        while True:
            try:
                return await self._directory_rows_of_all(self._places, kind)
            except Unavailable as error:
                await tries.wait(error)

    async def _directory_rows_of_all(self, places: Places, kind: int) -> list[tuple[bytes, bytes]]:
        owners = _owners(places)
        rows = await self.own_directory_rows(kind)
        for node in sorted({*owners} - {places.me}):
            async for answer in places.each(node, Ask(directory_rows=kind)):
                rows += stored_meant(answer.rows)
        if owners != _owners(places):  # who leads a partition now may have been asked before it did
            raise Unavailable("partitions of the directory moved meanwhile")
        return rows

    async def own_directory_rows(self, kind: int) -> list[tuple[bytes, bytes]]:
        """Of the partitions that this node leads; raises Unavailable."""
        places = self._places
        own = [each for each in range(keys.SLOTS) if places is None or places.owner(each) == places.me]
        for partition in own:
            self._partitions.check_read(partition)
        return await asyncio.get_running_loop().run_in_executor(self._loads, self._directory_rows, kind, own)

    def _directory_rows(self, kind: int, partitions: list[int]) -> list[tuple[bytes, bytes]]:
        rows: list[tuple[bytes, bytes]] = []
        for partition in partitions:
            start = keys.state(keys.directory_account(partition), kind)
            found = readable(self._shard, Family.STATE, start, keys.after(start))
            rows += [(key[len(start) :], value) for key, value in found]
        return rows

    async def _load(self, account: int) -> LocalAccount:
        opening = self._opening.get(account)
        if opening is None:
            opening = asyncio.ensure_future(self._read(account))
            self._opening[account] = opening
            opening.add_done_callback(lambda _: self._opening.pop(account))
        return await asyncio.shield(opening)

    async def _read(self, account: int) -> LocalAccount:
        partition = keys.partition(account)
        self._partitions.check_read(partition)
        term = self._terms[partition]
        reads = Reads(self._shard, account)
        head = await asyncio.get_running_loop().run_in_executor(self._loads, reads.head)
        if self._partitions.generation(partition) > max(1, head.row.generation):
            head = await self._raised(account, reads, head)
        if self._terms[partition] != term or not self._partitions.leads(partition):
            raise NotPrimary(partition, "")  # what was read may be of before
        opened = LocalAccount(
            account,
            head,
            reads,
            self._partitions,
            self._loads,
            self._clock,
            self._limits,
            self.dues,
            self._quotas,
            self.remembered,
            self._used,
            self.bulletin.add,
        )
        self._open[account] = opened
        return opened

    async def _raised(self, account: int, reads: Reads, head: Head) -> Head:
        """Before anybody reads it: a data centre that led it before told more than is known here."""
        generation = self._partitions.generation(keys.partition(account))
        if keys.is_system(account) or not head.row.position:
            head.row.generation = generation  # written with its next change
            return head
        now, entries_max = self._clock.now_microseconds(), self._limits.store_slice_entries
        changes = raising.changes(self._shard, account, generation, now, entries_max)
        loop = asyncio.get_running_loop()
        while (change := await loop.run_in_executor(self._loads, next, changes, None)) is not None:
            await self._partitions.room()
            try:
                await self._partitions.append(Appended(change, lambda change: None)).wait()
            except NotKnown:
                raise Unavailable(f"account {account:x} is not raised yet") from None
        return await loop.run_in_executor(self._loads, reads.head)

    def _used(self, account: LocalAccount, mailbox: int, octets: int) -> None:
        """Arrays were needed: they go last when memory is short, those not used for long go first."""
        key = account.id, mailbox
        before = self._arrays.pop(key, None)
        self._arrays_octets += octets - (before.octets if before is not None else 0)
        self._arrays[key] = _Used(octets, self._clock.monotonic_seconds())
        while self._arrays_octets > self._limits.arrays_octets_max and len(self._arrays) > 1:
            self._forget(next(iter(self._arrays)))
        if self._looking is None:
            self._look_later()

    def _forget(self, key: tuple[int, int]) -> None:
        self._arrays_octets -= self._arrays.pop(key).octets
        holder = self._open.get(key[0])
        if holder is not None:
            holder.forget(key[1])

    def _look_later(self) -> None:
        loop = asyncio.get_running_loop()
        self._looking = loop.call_later(self._limits.arrays_idle_seconds, self._forget_idle)

    def _forget_idle(self) -> None:
        """Small arrays are read again in no time: connections that only wait need not hold them."""
        self._looking = None
        until = self._clock.monotonic_seconds() - self._limits.arrays_idle_seconds
        small = self._limits.arrays_small_octets
        idle = takewhile(lambda each: each[1].at_seconds <= until, self._arrays.items())
        forgotten = [key for key, used in idle if used.octets <= small]
        for key in forgotten:
            self._forget(key)
        if forgotten:
            self._loads.submit(self._give_back)
        if any(used.octets <= small for used in self._arrays.values()):
            self._look_later()


def _owners(places: Places) -> list[str]:
    """Of the directory's partitions, in order; raises Unavailable."""
    return [places.owner(partition) for partition in range(keys.SLOTS)]


def _keep(kept: OrderedDict[int, LocalAccount], account: LocalAccount, count_max: int) -> None:
    kept[account.id] = account
    kept.move_to_end(account.id)
    if len(kept) > count_max:
        kept.popitem(last=False)

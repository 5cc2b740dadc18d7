"""This node's copies of partitions, as they are compared and mended by whoever leads them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from typing import Protocol, TypeVar

from mailnode.cluster.append import Unavailable
from mailnode.cluster.aside import Aside, Record
from mailnode.cluster.compare import (
    LAST,
    LEAF_OCTETS,
    LEAF_ROWS,
    Leaves,
    Place,
    Range,
    Tree,
    behind,
    damage_hash,
    family_of,
    key_of,
    row_hash,
    spans,
    summed,
)
from mailnode.cluster.compared import Compared
from mailnode.cluster.log_rows import applied_row
from mailnode.cluster.points import Seen
from mailnode.cluster.repairs import Row, Rows, Written
from mailnode.cluster.replica_messages import Position
from mailnode.cluster.replication import Replication
from mailnode.limits import Limits
from mailnode.store.damage import Unreadable
from mailnode.store.keys import Family
from mailnode.store.shard import DropTo, Put
from mailnode.store.view import View

T = TypeVar("T")

ROWS_TOLD = 4 * LEAF_ROWS
"""At once: another copy may have more rows where the first has a leaf."""


class Unreached(Unavailable):
    """The rows did not come to that entry in time."""


class Copy(Protocol):
    """One copy as of one entry."""

    node: str
    at: Position

    async def hashes(self, asked: Sequence[Range]) -> list[int]:
        """Raises Unavailable, as all here."""

    async def rows(self, asked: Range) -> Rows: ...

    async def wrong(self, places: Sequence[Place]) -> list[str]:
        """Of each place, how this copy's row is known by itself to be wrong; empty: it is not."""

    async def values(self, places: Sequence[Place]) -> list[bytes | None]: ...

    async def mend(self, unread: Sequence[Range], rows: Sequence[Written]) -> None:
        """What could not be read goes, then these are as they should be. Only of what is held."""

    async def close(self) -> None:
        """It may go on."""


Proof = Callable[[View, str, bytes], str]
"""How a row (family, key), or the lack of one, is known to be wrong by what rows say of each other; raises
Unreadable. Of those who know what they are."""


class Copies:
    """Lives on the loop; reads in the pool of upkeep, and what is held in that for loads, for others wait."""

    def __init__(
        self,
        node: str,
        replication: Replication,
        proof: Proof,
        aside: Aside,
        upkeep: Executor,
        loads: Executor,
        limits: Limits,
    ) -> None:
        self.node = node
        self.replication = replication
        self.proof = proof
        self.aside = aside
        self.limits = limits
        self._upkeep = upkeep
        self._loads = loads

    async def open(self, partition: int, seq: int, octets_a_second: int) -> OwnCopy:
        """As of that entry; raises Beyond and Unavailable. `octets_a_second` are read; 0: without a pause."""
        seen = await self._reach(partition, seq, holds=False)
        return OwnCopy(self, seen, self._upkeep, octets_a_second)

    async def hold(self, partition: int, seq: int) -> OwnCopy:
        """The same, and its rows stay so for some seconds, or until it is closed."""
        return OwnCopy(self, await self._reach(partition, seq, holds=True), self._loads, 0)

    async def _reach(self, partition: int, seq: int, *, holds: bool) -> Seen:
        replica = self.replication.core.partitions.get(partition)
        if replica is None or replica.stopped:
            raise Unavailable(f"partition {partition} has no copy at {self.node} that follows its log")
        try:
            async with asyncio.timeout(self.limits.compare_reached_seconds_max):
                return await self.replication.points.reach(partition, seq, holds=holds)
        except TimeoutError:
            raise Unreached(f"{self.node} did not come to entry {seq} of partition {partition}") from None


class OwnCopy:
    def __init__(self, copies: Copies, seen: Seen, pool: Executor, octets_a_second: int) -> None:
        self.node = copies.node
        self.at = seen.at
        self._copies = copies
        self._seen = seen
        self._pool = pool
        self._octets_a_second = octets_a_second
        self._compared = Compared(seen, copies.replication.changes)
        self._lock = asyncio.Lock()
        """A view takes one question at a time."""

    async def tree(self, start: Place, octets_max: int) -> tuple[Tree, int, int]:
        """Of what lies from there on, as much as goes into one; how many rows and octets that are."""
        leaves = Leaves(start, octets_max)
        end = [LAST]
        await self._slowly(self._cut(leaves, start, end))
        return leaves.tree(end[0]), leaves.rows, leaves.octets

    def _cut(self, leaves: Leaves, start: Place, end: list[Place]) -> Iterator[int]:
        octets = 0
        for at, size, hash in self._hashed(Range(start, LAST)):
            leaves.add(at, size, hash)
            octets += size + len(at)
            if leaves.are_enough:
                end[0] = behind(at)
                break
            if octets >= LEAF_OCTETS:
                yield octets
                octets = 0
        yield octets

    async def hashes(self, asked: Sequence[Range]) -> list[int]:
        sums: list[int] = []
        await self._slowly(self._summed(asked, sums))
        return sums

    def _summed(self, asked: Sequence[Range], sums: list[int]) -> Iterator[int]:
        octets = 0
        for each in asked:
            hashes: list[int] = []
            for at, size, hash in self._hashed(each):
                hashes.append(hash)
                octets += size + len(at)
                if octets >= LEAF_OCTETS:
                    yield octets
                    octets = 0
            sums.append(summed(hashes))
        yield octets

    def _hashed(self, asked: Range) -> Iterator[tuple[Place, int, int]]:
        """Place, octets and hash of all that is compared."""
        for each in self._compared.rows(asked):
            if isinstance(each, Range):
                yield max(each.start, asked.start), 0, damage_hash(self.node, each.start)
            elif not self._compared.is_own(each[0]):
                yield each[0], len(each[1]), row_hash(*each)

    async def rows(self, asked: Range) -> Rows:
        return await self._at_once(lambda: self._told(asked))

    def _told(self, asked: Range) -> Rows:
        rows: list[Row] = []
        unread: list[Range] = []
        for each in self._compared.rows(asked):
            if isinstance(each, Range):
                unread.append(each)
            elif len(rows) == ROWS_TOLD:
                return Rows(rows, unread, each[0])
            else:
                rows.append(Row(each[0], row_hash(*each), self._compared.is_own(each[0])))
        return Rows(rows, unread, asked.end)

    async def wrong(self, places: Sequence[Place]) -> list[str]:
        return await self._at_once(lambda: [self._proven(at) for at in places])

    def _proven(self, at: Place) -> str:
        try:
            return self._copies.proof(self._seen.view, family_of(at), key_of(at))
        except Unreadable:
            return ""

    async def values(self, places: Sequence[Place]) -> list[bytes | None]:
        return await self._at_once(lambda: [self._value(at) for at in places])

    def _value(self, at: Place) -> bytes | None:
        try:
            return self._compared.get(at)
        except Unreadable as error:
            raise Unavailable(str(error)) from None

    async def mend(self, unread: Sequence[Range], rows: Sequence[Written]) -> None:
        puts = await self._at_once(lambda: self._puts(unread, rows))
        await self._copies.replication.points.mend(self._seen, puts)
        if any(family in (Family.STATE, Family.DUE) for family, _, _ in puts):
            self._copies.replication.begin_anew(self._seen.partition)

    def _puts(self, unread: Sequence[Range], rows: Sequence[Written]) -> list[Put]:
        self._keep(rows)
        puts: list[Put] = []
        for lost in unread:
            for family, start, end in spans(self._seen.partition, lost):
                puts.append((family, start, DropTo(end)))
            for each in self._compared.rows(lost):
                if isinstance(each, tuple) and self._compared.is_own(each[0]):
                    puts.append((family_of(each[0]), key_of(each[0]), each[1]))
        puts += [(family_of(row.at), key_of(row.at), row.value) for row in rows]
        if unread:
            puts.append(applied_row(self._seen.partition, self.at))
        return puts

    def _keep(self, rows: Sequence[Written]) -> None:
        records = []
        for row in rows:
            if row.aside:
                was = self._value(row.at)
                records.append(
                    Record(self.node, self._seen.partition, self.at, row.at, was, row.value, row.aside)
                )
        try:
            self._copies.aside.keep(records)
        except OSError as error:
            raise Unavailable(f"what would be overwritten could not be kept: {error}") from error

    async def close(self) -> None:
        self._copies.replication.points.let_go(self._seen)
        async with self._lock:
            self._seen.view.close()

    async def _slowly(self, steps: Iterator[int]) -> None:
        """Octets that each step has read."""
        async with self._lock:
            while (octets := await self._in_pool(lambda: next(steps, None))) is not None:
                if self._octets_a_second:
                    await asyncio.sleep(octets / self._octets_a_second)

    async def _at_once(self, work: Callable[[], T]) -> T:
        async with self._lock:
            return await self._in_pool(work)

    async def _in_pool(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

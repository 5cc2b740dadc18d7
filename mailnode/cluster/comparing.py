"""Partitions that this node leads, compared with the other copies part by part, and mended where they differ.

Each part is read at a point of its own, so no view is open for long. What differs there is looked at once
more with all copies held at one entry: only that tells, and only then a row can be written without a race.

Copies in other data centres are compared too: hashes go there, and what differs. One that gives no answer is
left out, for those at home are not to wait for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from mailnode.cluster.append import NotPrimary, Unavailable
from mailnode.cluster.compare import FIRST, LAST, Differences, Place, Range, Tree, family_of, key_of
from mailnode.cluster.copies import Copies, Copy, OwnCopy, Unreached
from mailnode.cluster.points import Beyond
from mailnode.cluster.repairs import Table
from mailnode.cluster.replica import Replica
from mailnode.cluster.replica_messages import Member, Row
from mailnode.limits import Limits

log = logging.getLogger(__name__)

MARGINS = (0, 0, 16, 256, 0, 16, 256, 0)
"""Entries ahead at which to meet, one try after the other: none when little is written, many when much is."""
LOOKS_MAX = 4
"""At a range that was mended, until it is equal: what lay below what could not be read may come up."""
KEPT = 1000
"""Differences and failures that are told one by one."""


class Opens(Protocol):
    """The copies of a node."""

    async def open(self, partition: int, seq: int, octets_a_second: int) -> Copy:
        """As `Copies.open`; raises Beyond and Unavailable."""

    async def hold(self, partition: int, seq: int) -> Copy: ...


class Elsewhere(Opens, Protocol):
    """Of another one."""

    async def suspect(self, partition: int) -> None:
        """To whoever leads it: something of its rows is wrong here. Raises Unavailable."""


@dataclass(frozen=True, slots=True)
class Difference:
    partition: int
    family: str
    key: str
    what: str
    """By node what it has."""
    why: str
    """Whose row is right; or why none is known to be."""
    is_mended: bool


@dataclass(slots=True)
class Found:
    """By a look at one partition or many; times in microseconds, 0 for what has not been."""

    started: int = 0
    finished: int = 0
    following: int = 0
    """The partition that it goes on at."""
    partitions: int = 0
    rows: int = 0
    octets: int = 0
    differences: int = 0
    mended: int = 0
    not_compared: int = 0
    told: list[Difference] = field(default_factory=list)
    """The first of them."""
    failures: list[str] = field(default_factory=list)

    def differ(self, difference: Difference) -> None:
        self.differences += 1
        self.mended += difference.is_mended
        if len(self.told) < KEPT:
            self.told.append(difference)
        fields = {name: getattr(difference, name) for name in ("partition", "family", "key", "what", "why")}
        log.error("copies differ", extra=fields | {"mended": difference.is_mended})

    def lack(self, partition: int, reason: object) -> None:
        """Not all of its copies were compared."""
        self.not_compared += 1
        if len(self.failures) < KEPT:
            self.failures.append(f"partition {partition}: {reason}")

    def fail(self, partition: int, reason: object) -> None:
        self.lack(partition, reason)
        log.warning("copies were not compared", extra={"partition": partition, "reason": reason})


class Comparing:
    """`mends`: whether what differs is made equal; `octets_a_second`: of each copy; 0: as fast as it goes."""

    def __init__(
        self,
        copies: Copies,
        elsewhere: Callable[[Member], Elsewhere],
        limits: Limits,
        *,
        mends: bool,
        octets_a_second: int,
    ) -> None:
        self._copies = copies
        self._elsewhere = elsewhere
        self._limits = limits
        self._mends = mends
        self._octets_a_second = octets_a_second
        self._left_out: set[Member] = set()
        """Of the partition that is being compared."""

    async def compare(self, partition: int, found: Found) -> None:
        """All of it; what is not led here any more is another's to compare."""
        self._left_out.clear()
        try:
            start = FIRST
            while start < LAST:
                start = await self._part(partition, start, found)
            if reasons := [*self._lacking(partition)]:
                found.lack(partition, "; ".join(reasons))
        except NotPrimary:
            return
        except Unavailable as error:
            found.fail(partition, error)
        except Exception as mistake:  # of one partition: the others are to be compared too
            log.exception("a partition could not be compared")
            found.fail(partition, repr(mistake))
        found.partitions += 1

    async def _part(self, partition: int, start: Place, found: Found) -> Place:
        """From there on; where the next one begins."""
        if not self._others(partition):
            return LAST
        copies = await self._meet(partition, found, is_held=False)
        try:
            mine = copies[0]
            assert isinstance(mine, OwnCopy)
            tree, rows, octets = await mine.tree(start, self._limits.compare_part_octets)
            found.rows, found.octets = found.rows + rows, found.octets + octets
            differing = await asyncio.gather(*[_differing(tree, other) for other in copies[1:]])
        finally:
            await _close(copies)
        for leaf in sorted({leaf for each in differing for leaf in each}, key=lambda leaf: leaf.start):
            await self._leaf(partition, leaf, found)
        return tree.end

    def _followers(self, partition: int) -> list[Member]:
        """Raises NotPrimary."""
        _, row = self._led(partition)
        return [member for member in row.in_sync if member.node != self._copies.node]

    def _far(self, partition: int) -> list[Member]:
        """Copies in other data centres that can be asked; raises NotPrimary."""
        core = self._copies.replication.core
        reached = core.membership.far_reached(self._led(partition)[0], core.now)
        return [member for member in reached if member not in self._left_out]

    def _others(self, partition: int) -> list[Member]:
        return [*self._followers(partition), *self._far(partition)]

    def _led(self, partition: int) -> tuple[Replica, Row]:
        replica = self._copies.replication.core.partitions.get(partition)
        if replica is None or replica.row is None or not replica.has_begun():
            raise NotPrimary(partition, "")
        return replica, replica.row

    def _lacking(self, partition: int) -> Iterator[str]:
        """Why copies that there should be were not compared; raises NotPrimary."""
        _, row = self._led(partition)
        followers = {member.node for member in self._followers(partition)}
        if learning := [node for node in row.replicas if node not in {*followers, self._copies.node}]:
            yield f"the copy of {', '.join(learning)} is not in sync"
        asked = {member.node for member in self._far(partition)}
        if far := [each.node for each in row.far if each.node not in asked]:
            yield f"the copy of {', '.join(far)}, in another data centre, could not be asked"

    # -- meeting at one entry

    async def _meet(self, partition: int, found: Found, *, is_held: bool) -> list[Copy]:
        """All copies at one entry, this node's first; raises Unavailable."""
        error: Exception = Unavailable("each is of another epoch")
        beyond = 0
        for margin in MARGINS:
            if not self._others(partition):
                raise Unavailable("; ".join(self._lacking(partition)))
            log_end = self._copies.replication.core.partitions[partition].log.last.seq
            seq = max(log_end, beyond) + margin
            outcomes = await self._opened(partition, seq, is_held)
            copies = [each for each in outcomes if not isinstance(each, BaseException)]
            errors = [each for each in outcomes if isinstance(each, BaseException)]
            if not errors and len(copies) > 1 and len({copy.at for copy in copies}) == 1:
                return copies
            await _close(copies)
            beyond = max([beyond, *(each.seq for each in errors if isinstance(each, Beyond))])
            for each in errors:
                if not isinstance(each, Beyond | Unreached):
                    raise each
                error = each
        raise Unavailable(f"copies did not come to one entry: {error}")

    async def _opened(self, partition: int, seq: int, is_held: bool) -> list[Copy | BaseException]:
        """A copy in another data centre that could not be asked is left out from now on."""
        rate, far = self._octets_a_second, self._far(partition)
        asked = [*self._followers(partition), *far]
        nodes: list[Opens] = [self._copies, *map(self._elsewhere, asked)]
        opening = [
            node.hold(partition, seq) if is_held else node.open(partition, seq, rate) for node in nodes
        ]
        mine, *others = await asyncio.gather(*opening, return_exceptions=True)
        silent = {
            member
            for member, outcome in zip(asked, others, strict=True)
            if member in far and isinstance(outcome, Unavailable)
        }
        self._left_out |= silent
        kept = [outcome for member, outcome in zip(asked, others, strict=True) if member not in silent]
        return [mine, *kept]

    # -- what differs

    async def _leaf(self, partition: int, leaf: Range, found: Found) -> None:
        left = leaf
        while left.start < leaf.end:
            for _ in range(LOOKS_MAX):
                copies = await self._meet(partition, found, is_held=self._mends)
                try:
                    end, is_mended = await self._look(partition, copies, left, found)
                finally:
                    await _close(copies)
                if not is_mended:
                    break
            left = Range(end, leaf.end)

    async def _look(
        self, partition: int, copies: Sequence[Copy], asked: Range, found: Found
    ) -> tuple[Place, bool]:
        """Up to where it looked, and whether anything was written."""
        table = await _tabled(copies, asked)
        if table.is_equal:
            return table.end, False
        table.proven(await asyncio.gather(*[copy.wrong(table.differing) for copy in copies]))
        mended = self._mends and await self._mend(table, copies)
        for difference in _told(partition, table, copies, is_mended=mended):
            found.differ(difference)
        return table.end, mended

    async def _mend(self, table: Table, copies: Sequence[Copy]) -> bool:
        """Whether anything could be."""
        mending = [(copy, table.lost(at), table.needed(at)) for at, copy in enumerate(copies)]
        right: dict[int, set[Place]] = {}
        for _, _, needed in mending:
            for at, who in needed:
                right.setdefault(who, set()).add(at)
        values: dict[Place, bytes | None] = {}
        for who, places in right.items():
            asked = sorted(places)
            values.update(zip(asked, await copies[who].values(asked), strict=True))
        writing = []
        for number, (copy, lost, needed) in enumerate(mending):
            rows = [table.written(number, at, values[at]) for at, _ in needed]
            if lost or rows:
                writing.append(copy.mend(lost, rows))
        await asyncio.gather(*writing)
        return bool(writing)


async def _tabled(copies: Sequence[Copy], asked: Range) -> Table:
    """Of what is asked, and of all that cannot be read together with some of it."""
    rows = await asyncio.gather(*[copy.rows(asked) for copy in copies])
    unread = [lost for each in rows for lost in each.unread]
    start = min([asked.start, *(lost.start for lost in unread)])
    end = max([asked.end, *(lost.end for lost in unread)])
    if (start, end) != (asked.start, asked.end):
        asked = Range(start, end)
        rows = await asyncio.gather(*[copy.rows(asked) for copy in copies])
    return Table(asked, rows)


async def _differing(tree: Tree, other: Copy) -> list[Range]:
    looking = Differences(tree)
    while asked := looking.ask():
        looking.told(await other.hashes(asked))
    return looking.leaves


async def _close(copies: Sequence[Copy]) -> None:
    await asyncio.gather(*[copy.close() for copy in copies])


def _told(partition: int, table: Table, copies: Sequence[Copy], *, is_mended: bool) -> Iterator[Difference]:
    for at, verdict in table.verdicts.items():
        said = ", ".join(
            f"{copy.node}: {held.said}" for copy, held in zip(copies, table.held[at], strict=True)
        )
        right = f"{copies[verdict.right].node} has it right: " if verdict.right is not None else ""
        mended = is_mended and verdict.right is not None
        yield Difference(partition, family_of(at), key_of(at).hex(), said, right + verdict.why, mended)
    for copy, unread in zip(copies, table.unread, strict=True):
        for each in unread:
            what = f"{copy.node}: not readable up to {key_of(each.end).hex()}"
            yield Difference(partition, family_of(each.start), key_of(each.start).hex(), what, "", is_mended)

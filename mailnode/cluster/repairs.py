"""Rows of copies that differ, whose is right, and what makes them equal. Pure.

A row that cannot be read, or that others of its copy prove wrong (a content with another checksum), is wrong.
Between sound ones the majority decides, and between as many the primary: that is a guess, and what it
overwrites is kept aside.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from mailnode.cluster.compare import Place, Range


@dataclass(frozen=True, slots=True)
class Row:
    at: Place
    hash: int
    is_own: bool


@dataclass(frozen=True, slots=True)
class Rows:
    """All that there is up to `end`, which is the end that was asked for, or before it."""

    rows: Sequence[Row]
    unread: Sequence[Range]
    """Each from the last row before it on, which is written anew with it."""
    end: Place


@dataclass(frozen=True, slots=True)
class Written:
    """A row as it should be; None: there should be none."""

    at: Place
    value: bytes | None
    aside: str = ""
    """Why, where what it takes the place of may be right, and is kept."""


@dataclass(frozen=True, slots=True)
class Held:
    """What one copy has at a place."""

    hash: int | None = None
    """None: no row."""
    wrong: str = ""
    """How it is known by itself to be wrong."""
    is_unread: bool = False
    is_own: bool = False
    """It is there, but of this copy alone: of an entry that is not committed, for one."""

    @property
    def said(self) -> str:
        if self.is_unread:
            return "not readable"
        return self.wrong or ("no row" if self.hash is None else f"{self.hash:032x}")


@dataclass(frozen=True, slots=True)
class Verdict:
    right: int | None
    """Which of the copies, if any is."""
    why: str
    is_certain: bool = True
    """All that is overwritten is known to be wrong by itself; else it is kept aside."""


def judge(copies: Sequence[Held]) -> Verdict:
    """Of the copies at one place, the primary's first, of which some differ."""
    sound = [at for at, held in enumerate(copies) if not held.is_unread and not held.wrong]
    if not sound:
        return Verdict(None, "no copy is sound")
    votes = {
        hash: [at for at in sound if copies[at].hash == hash] for hash in {copies[at].hash for at in sound}
    }
    if len(votes) == 1:
        return Verdict(sound[0], "the others are not readable, or not what was written")
    most = max(len(voters) for voters in votes.values())
    winners = [voters for voters in votes.values() if len(voters) == most]
    if len(winners) == 1 and most > 1:
        return Verdict(winners[0][0], f"{most} of {len(copies)} copies have it", is_certain=False)
    if 0 in sound:
        return Verdict(0, "the primary has it, and no more copies than one another", is_certain=False)
    return Verdict(sound[0], "of the sound copies the first has it", is_certain=False)


class Table:
    """What each of some copies has in one range."""

    def __init__(self, asked: Range, copies: Sequence[Rows]) -> None:
        self.end = min(rows.end for rows in copies)
        self.unread = [list(_clipped(rows.unread, asked.start, self.end)) for rows in copies]
        held = [{row.at: Held(row.hash, is_own=row.is_own) for row in rows.rows} for rows in copies]
        places = sorted({at for each in held for at in each if at < self.end})
        self.held = {
            at: [self._held(number, each.get(at), at) for number, each in enumerate(held)] for at in places
        }
        self.differing = [at for at, copies in self.held.items() if _differ(copies)]
        self.verdicts: dict[Place, Verdict] = {}

    def _held(self, number: int, held: Held | None, at: Place) -> Held:
        is_unread = any(each.start <= at < each.end for each in self.unread[number])
        return replace(held or Held(), is_unread=is_unread)

    @property
    def is_equal(self) -> bool:
        return not self.differing and not any(self.unread)

    def proven(self, wrong: Sequence[Sequence[str]]) -> None:
        """By copy: how the row at each differing place is wrong."""
        for number, at in enumerate(self.differing):
            copies = [
                replace(held, wrong=each[number]) for held, each in zip(self.held[at], wrong, strict=True)
            ]
            self.held[at] = copies
            self.verdicts[at] = judge(copies)

    def lost(self, copy: int) -> list[Range]:
        """What that copy cannot read, and others can."""
        return [each for each in self.unread[copy] if all(self._is_known(at) for at in self._within(each))]

    def _within(self, range: Range) -> Iterator[Place]:
        return (at for at in self.differing if range.start <= at < range.end)

    def _is_known(self, at: Place) -> bool:
        return self.verdicts[at].right is not None

    def needed(self, copy: int) -> list[tuple[Place, int]]:
        """Of that copy: each place that should be otherwise, and the copy that has it right."""
        lost = self.lost(copy)
        found = []
        for at, verdict in self.verdicts.items():
            if verdict.right is None:
                continue
            held, right = self.held[at][copy], self.held[at][verdict.right]
            if held.is_unread and not any(each.start <= at < each.end for each in lost):
                continue
            if held.is_unread or held.hash != right.hash:
                found.append((at, verdict.right))
        return found

    def written(self, copy: int, at: Place, value: bytes | None) -> Written:
        verdict, held = self.verdicts[at], self.held[at][copy]
        is_guess = not verdict.is_certain and not held.is_unread and not held.wrong
        return Written(at, value, verdict.why if is_guess else "")


def _differ(copies: Sequence[Held]) -> bool:
    if any(held.is_own for held in copies):
        return False
    return any(held.is_unread for held in copies) or len({held.hash for held in copies}) > 1


def _clipped(ranges: Iterable[Range], start: Place, end: Place) -> Iterator[Range]:
    clipped = (Range(max(each.start, start), min(each.end, end)) for each in ranges)
    return (each for each in clipped if each.start < each.end)

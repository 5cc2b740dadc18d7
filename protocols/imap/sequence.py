"""Sequence sets (RFC 9051 §9, sequence-set): ranges of message sequence numbers or UIDs."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter

NUMBER_MAX = 0xFFFFFFFF
STAR = NUMBER_MAX + 1  # "*": the largest in use; ordered above every number

Ranges = tuple[tuple[int, int], ...]
"""Inclusive ranges, ascending, neither overlapping nor adjacent."""


@dataclass(frozen=True, slots=True)
class SequenceSet:
    """A set as it was sent: `ranges` in order of appearance, either end may be STAR or the greater one."""

    ranges: tuple[tuple[int, int], ...]

    def resolve(self, largest: int) -> Ranges:
        """The set with "*" as `largest`, in order; `n:*` holds `largest` even where n is above it.

        With nothing in use (`largest` 0) "*" means nothing: ranges that name it are left out.
        """
        if not largest:
            return normalise(r for r in self.ranges if STAR not in r)
        return normalise(
            (min(a, largest) if a == STAR else a, largest if b == STAR else b) for a, b in self.ranges
        )

    @property
    def has_star(self) -> bool:
        return any(STAR in r for r in self.ranges)


def normalise(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Ordered, merged ranges of any ranges."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted((a, b) if a <= b else (b, a) for a, b in ranges):
        if merged and first <= merged[-1][1] + 1:
            if last > merged[-1][1]:
                merged[-1] = (merged[-1][0], last)
        else:
            merged.append((first, last))
    return tuple(merged)


def ranges_of(numbers: Sequence[int]) -> Ranges:
    """The ranges of ascending numbers."""
    count = len(numbers)
    if not count:
        return ()
    if numbers[-1] - numbers[0] == count - 1:
        return ((numbers[0], numbers[-1]),)
    merged: list[tuple[int, int]] = []
    first = last = numbers[0]
    for number in numbers:
        if number > last + 1:
            merged.append((first, last))
            first = number
        last = number
    merged.append((first, last))
    return tuple(merged)


NONE = SequenceSet(())
SAVED = SequenceSet(((STAR + 1, STAR + 1),))
""" "$": what the last SEARCH with SAVE found (RFC 5182 §2.1); `View` knows which messages these are."""


def common(ranges: Ranges, others: Ranges) -> Ranges:
    """What both of two have."""
    return tuple(without(ranges, tuple(without(ranges, others))))


def without(ranges: Iterable[tuple[int, int]], taken: Ranges) -> list[tuple[int, int]]:
    """Ranges less others that are ascending and do not overlap."""
    left = []
    for first, last in ranges:
        # by index: a slice would copy the rest of what is taken for each range
        for at in range(bisect_left(taken, first, key=itemgetter(1)), len(taken)):
            a, b = taken[at]
            if a > last:
                break
            if first < a:
                left.append((first, a - 1))
            first = b + 1
        if first <= last:
            left.append((first, last))
    return left


def text(ranges: Iterable[tuple[int, int]]) -> str:
    """A sequence set of the ranges, such as `1:3,7`; empty for none (which the grammar does not know)."""
    return ",".join(f"{a}:{b}" if a != b else str(a) for a, b in ranges)

"""Runs: messages in bounded portions, so that no reader holds the loop or much memory."""

from __future__ import annotations

from itertools import accumulate, takewhile

from mailnode.limits import Limits
from mailnode.mailbox.arrays import Arrays
from mailnode.mailbox.rows import ENTRY_OCTETS, SIZE, UID, words
from mailnode.mailbox.verbs import Want


def next_run(
    arrays: Arrays, ranges: list[tuple[int, int]], want: Want, limits: Limits
) -> tuple[bytes, list[tuple[int, int]]]:
    """The entries of the next run of `ranges`, and the ranges behind it."""
    room = limits.entries_run_max if want == Want.ENTRIES else limits.messages_run_max
    cut: list[bytes] = []
    rest: list[tuple[int, int]] = []
    for number, (first, last) in enumerate(ranges):
        for start, end in arrays.slices(((first, last),)):
            taken = min(end, start + room)
            cut.append(arrays.cut(start, taken))
            room -= taken - start
            if taken < end:
                rest = [(arrays.uids[taken], last), *ranges[number + 1 :]]
        if rest:
            break
    entries = b"".join(cut)
    if want & Want.OCTETS:
        return _bounded(entries, rest, ranges, limits)
    return entries, rest


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

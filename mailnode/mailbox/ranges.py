"""UIDs as inclusive ranges: how sets of them are stored, sent and asked for."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from google.protobuf.internal.containers import RepeatedCompositeFieldContainer

from mailnode.mailbox.verbs import UidRanges
from mailnode.pb.change_pb2 import UidRange

_PIECE_RANGES = 1_000


def packed(uids: Sequence[int]) -> list[UidRange]:
    """Ascending UIDs as ranges."""
    if not uids:
        return []
    if uids[-1] - uids[0] == len(uids) - 1:
        return [UidRange(first=uids[0], last=uids[-1])]
    ranges: list[UidRange] = []
    first = last = uids[0]
    for uid in uids:
        if uid > last + 1:
            ranges.append(UidRange(first=first, last=last))
            first = uid
        last = uid
    ranges.append(UidRange(first=first, last=last))
    return ranges


def put(ranges: Sequence[UidRange], *fields: RepeatedCompositeFieldContainer[UidRange]) -> None:
    """Into repeated fields, by pieces: each copy of very many would hold all other threads."""
    for start in range(0, len(ranges), _PIECE_RANGES):
        piece = ranges[start : start + _PIECE_RANGES]
        for field in fields:
            field.extend(piece)


def pairs(ranges: Sequence[UidRange]) -> list[tuple[int, int]]:
    """Ranges in any order, perhaps overlapping, as `UidRanges`."""
    if len(ranges) == 1:
        only = ranges[0]
        return [(only.first, only.last)] if only.first <= only.last else []
    ordered = sorted((r.first, r.last) for r in ranges if r.first <= r.last)
    merged: list[tuple[int, int]] = []
    for first, last in ordered:
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def within(uid: int, ranges: UidRanges) -> bool:
    index = bisect_left(ranges, (uid + 1,))
    return index > 0 and ranges[index - 1][0] <= uid <= ranges[index - 1][1]


def sliced(ranges: UidRanges, uids: array[int], entries_max: int, ranges_max: int) -> list[UidRanges]:
    """The same UIDs in parts of few ranges that hold at most `entries_max` of a mailbox's `uids` each."""
    parts: list[UidRanges] = []
    part: list[tuple[int, int]] = []
    room = entries_max
    end = 0
    for first, last in ranges:
        if len(part) == ranges_max:
            parts.append(part)
            part, room = [], entries_max
        start = bisect_left(uids, first, end)
        end = bisect_right(uids, last, start)
        while end - start > room:
            cut = uids[start + room]
            part.append((first, cut - 1))
            parts.append(part)
            part, first, start, room = [], cut, start + room, entries_max
        room -= end - start
        part.append((first, last))
    parts.append(part)
    return parts

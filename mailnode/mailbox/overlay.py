"""What is on its way to disk of one mailbox's entries: decided, not committed yet."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from mailnode.mailbox.ranges import within
from mailnode.mailbox.rows import ENTRY_OCTETS, UID, cut, uid_of, uids_of, words
from mailnode.mailbox.verbs import UidRanges

Standing = tuple[int, bytes | None]
"""The position of the change that an entry has its image from; None: it is gone."""


class _Large(NamedTuple):
    """A change of many entries, kept whole: nothing is done for each of them."""

    position: int
    uids: array[int]
    entries: bytes
    gone: bool

    def standing(self, ranges: UidRanges) -> Iterable[tuple[int, Standing]]:
        for first, last in ranges:
            for index in range(bisect_left(self.uids, first), bisect_right(self.uids, last)):
                image = self.entries[index * ENTRY_OCTETS : (index + 1) * ENTRY_OCTETS]
                yield self.uids[index], (self.position, None if self.gone else image)


class Overlay:
    """Of one mailbox. A change of at most `few_max` entries stands by UID, a larger one as a whole."""

    __slots__ = ("_few", "_few_octets_max", "_large")

    def __init__(self, few_max: int) -> None:
        self._few_octets_max = few_max * ENTRY_OCTETS
        self._few: dict[int, Standing] = {}
        self._large: list[_Large] = []

    def enter(self, position: int, entries: bytes, gone: bool) -> None:
        """After-images (or, gone, the last images) of entries, in UID order."""
        if len(entries) > self._few_octets_max:
            self._large.append(_Large(position, uids_of(entries), entries, gone))
            return
        for image in cut(entries):
            self._few[uid_of(image)] = (position, None if gone else image)

    def leave(self, position: int, entries: bytes) -> None:
        """They are committed; what a later change made of them stays."""
        if len(entries) > self._few_octets_max:
            # Changes leave in the order in which they came; one change may have two of them here.
            index = next(i for i, large in enumerate(self._large) if large.position == position)
            del self._large[index]
            return
        few = self._few
        for uid in map(uid_of, cut(entries)):
            standing = few.get(uid)
            if standing is not None and standing[0] == position:
                del few[uid]

    def over(self, committed: bytes, ranges: UidRanges) -> bytes:
        """The entries of `ranges` as decided, given those that are committed."""
        if not self._few and not self._large:
            return committed
        changed: dict[int, Standing] = {}
        for large in self._large:
            changed.update(large.standing(ranges))
        for uid in _common(self._few, ranges):
            standing = self._few[uid]
            if uid not in changed or changed[uid][0] < standing[0]:
                changed[uid] = standing
        return _merged(committed, changed) if changed else committed


def _merged(committed: bytes, changed: Mapping[int, Standing]) -> bytes:
    uids = words(committed, UID)
    pieces: list[bytes] = []
    start = 0
    for uid in sorted(changed):
        index = bisect_left(uids, uid, start)
        pieces.append(committed[start * ENTRY_OCTETS : index * ENTRY_OCTETS])
        image = changed[uid][1]
        if image is not None:
            pieces.append(image)
        start = index + (index < len(uids) and uids[index] == uid)
    pieces.append(committed[start * ENTRY_OCTETS :])
    return b"".join(pieces)


def _common(few: Mapping[int, object], ranges: UidRanges) -> list[int]:
    """The UIDs that are in both, found from the side that has fewer."""
    span = sum([last - first + 1 for first, last in ranges])
    if span == 1:
        return [ranges[0][0]] if ranges[0][0] in few else []
    if span <= len(few):
        return [uid for first, last in ranges for uid in range(first, last + 1) if uid in few]
    return [uid for uid in few if within(uid, ranges)]

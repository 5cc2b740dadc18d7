"""Entries of messages that are gone, for readers that were not told yet (RFC 2180 §4.1.3)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from mailnode.mailbox.arrays import Arrays
from mailnode.mailbox.ranges import within
from mailnode.mailbox.rows import ENTRY_OCTETS, cut, uid_of
from mailnode.mailbox.verbs import UidRanges
from mailnode.pb.change_pb2 import Change


class Departed:
    """Of one account: of mailboxes that somebody watches, the last `entries_max` of each.

    What all readers of a mailbox have told their clients goes when the next ones come.
    """

    __slots__ = ("_kept", "_octets_max")

    def __init__(self, entries_max: int) -> None:
        self._octets_max = entries_max * ENTRY_OCTETS
        self._kept: dict[int, _Kept] = {}

    def keep(self, change: Change, told: Mapping[int, int]) -> None:
        """What a change drops; `told`: of each mailbox that is watched the position that all readers told."""
        for gone in change.entries_dropped:
            if gone.mailbox in told:
                kept = self._kept.setdefault(gone.mailbox, _Kept())
                kept.drop(told[gone.mailbox])
                kept.add(change.position, gone.entries, self._octets_max)

    def forget(self, mailbox: int) -> None:
        """Nobody watches the mailbox any more."""
        self._kept.pop(mailbox, None)

    def entries(self, mailbox: int, uids: UidRanges) -> Arrays:
        """Those of `uids`; for any thread, as they may be very many."""
        kept = self._kept.get(mailbox)
        return Arrays(bytearray(), {}) if kept is None else kept.entries(uids)


class _Kept:
    """Joined entries in UID order, one block a change; no UID is in two, for it is never given out again."""

    __slots__ = ("_blocks", "_octets")

    def __init__(self) -> None:
        self._blocks: deque[tuple[int, bytes]] = deque()
        self._octets = 0

    def add(self, position: int, entries: bytes, octets_max: int) -> None:
        self._blocks.append((position, entries))
        self._octets += len(entries)
        while self._octets > octets_max:
            self._drop_oldest()

    def drop(self, position: int) -> None:
        """What went up to this position."""
        while self._blocks and self._blocks[0][0] <= position:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        self._octets -= len(self._blocks.popleft()[1])

    def entries(self, uids: UidRanges) -> Arrays:
        images: dict[int, bytes] = {}
        for _, block in tuple(self._blocks):  # others come meanwhile
            images.update(_asked(block, uids))
        return Arrays(bytearray(b"".join(image for _, image in sorted(images.items()))), {})


def _asked(block: bytes, uids: UidRanges) -> Iterable[tuple[int, bytes]]:
    """UID and image of those of `uids`, found from the side that has fewer: both may be many."""
    if len(block) <= len(uids) * ENTRY_OCTETS:
        return ((uid, image) for image in cut(block) if within(uid := uid_of(image), uids))
    return ((uid_of(image), image) for image in cut(Arrays(bytearray(block), {}).joined(uids)))

"""The committed messages of one mailbox in memory: 52 octets each, UIDs and entries as columns."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from mailnode.mailbox.rows import ENTRY_OCTETS, SEEN, UID, cut, uid_of, uids_of, words
from mailnode.mailbox.verbs import UidRanges
from mailnode.pb.change_pb2 import Change
from mailnode.pb.row_pb2 import Keywords

_FLAGS_OCTET = 24
"""Where the low octet of the flags lies in an entry."""
_RUNS_IN_PLACE_MAX = 4
_PIECE_ENTRIES = 20_000
"""A copy of that many is a fraction of a millisecond."""
_UNSEEN_STEP = 64
"""Messages looked at first: mostly one of them is unseen, or there is none behind the mark."""
_UNSEEN = bytes(0 if octet & SEEN else 1 for octet in range(256))


class Arrays:
    """UIDs and entries of a mailbox, in UID order.

    `uids` is shared with sessions: it grows in place, and is replaced (never shortened) when messages go, so
    that whoever holds it keeps what it saw.
    """

    __slots__ = ("_unseen_from", "entries", "overflow", "uids")

    def __init__(self, entries: bytearray, overflow: dict[int, Keywords]) -> None:
        self.entries = entries
        self.uids = uids_of(entries)
        self.overflow = overflow
        self._unseen_from = 0

    @property
    def octets(self) -> int:
        return len(self.entries) + 4 * len(self.uids)

    def index(self, uid: int) -> int:
        """Where the UID is, or -1."""
        index = bisect_left(self.uids, uid)
        return index if index < len(self.uids) and self.uids[index] == uid else -1

    def slices(self, ranges: UidRanges) -> list[tuple[int, int]]:
        """The index ranges [start, end) of the existing messages of `ranges`; none is empty."""
        uids = self.uids
        found = ((bisect_left(uids, first), bisect_right(uids, last)) for first, last in ranges)
        return [(start, end) for start, end in found if start < end]

    def cut(self, start: int, end: int) -> bytes:
        """The entries of indexes [start, end)."""
        return bytes(self.entries[start * ENTRY_OCTETS : end * ENTRY_OCTETS])

    def joined(self, ranges: UidRanges) -> bytes:
        """The entries of `ranges`."""
        slices = self.slices(ranges)
        if len(slices) == 1:
            return self.cut(*slices[0])
        return b"".join([self.cut(start, end) for start, end in slices])

    def overflow_of(self, entries: bytes) -> dict[int, Keywords]:
        """As they are now, of the messages of these entries."""
        if not self.overflow:
            return {}
        return {uid: self.overflow[uid] for uid in words(entries, UID) if uid in self.overflow}

    def commit(self, mailbox: int, change: Change) -> None:
        """What a change did to this mailbox; doing it twice is the same as once."""
        for gone in change.entries_dropped:
            if gone.mailbox == mailbox:
                uids = words(gone.entries, UID)
                self.drop(uids)
                for uid in self.overflow.keys() & set(uids) if self.overflow else ():
                    del self.overflow[uid]
        self.commit_written(mailbox, change)

    def commit_written(self, mailbox: int, change: Change) -> None:
        """The entries that a change wrote; those that it dropped are gone already."""
        for entries in change.entries:
            if entries.mailbox == mailbox:
                self.put(entries.entries)
                for uid, keywords in entries.overflow.items() if entries.overflow else ():
                    if keywords.names:
                        # Not the change's own: it would keep the whole change in memory.
                        self.overflow[uid] = Keywords(names=keywords.names)
                    else:
                        self.overflow.pop(uid, None)

    def put(self, entries: bytes) -> None:
        """After-images in UID order: new ones behind the last, others in their place.

        An entry that is neither there nor behind the last is one that went meanwhile: it is left out.
        """
        if len(entries) == ENTRY_OCTETS and self.uids and uid_of(entries) <= self.uids[-1]:
            self._put_one(uid_of(entries), entries)
            return
        uids = words(entries, UID)
        fresh = bisect_right(uids, self.uids[-1]) if self.uids else 0
        if fresh:
            self._put_in_place(uids[:fresh], entries[: fresh * ENTRY_OCTETS])
        if fresh < len(uids):
            self.entries += entries[fresh * ENTRY_OCTETS :]
            self.uids.extend(uids[fresh:])

    def _put_in_place(self, uids: memoryview[int], entries: bytes) -> None:
        first = self.index(uids[0])
        if first >= 0 and self.uids[first : first + len(uids)].tobytes() == uids.tobytes():
            self.entries[first * ENTRY_OCTETS : first * ENTRY_OCTETS + len(entries)] = entries
            self._unseen_from = min(self._unseen_from, first)
            return
        for uid, image in zip(uids, cut(entries), strict=True):
            self._put_one(uid, image)

    def _put_one(self, uid: int, image: bytes) -> None:
        index = self.index(uid)
        if index >= 0:
            self.entries[index * ENTRY_OCTETS : (index + 1) * ENTRY_OCTETS] = image
            self._unseen_from = min(self._unseen_from, index)

    def without(self, uids: Sequence[int]) -> Arrays:
        """What is left when many messages go, as arrays of its own; made in pieces, for others to run."""
        gone = set(uids) if self.overflow else set()
        rest = Arrays(bytearray(), {uid: names for uid, names in self.overflow.items() if uid not in gone})
        start = 0
        for first, end in (*self._runs(uids), (len(self.uids), 0)):
            for piece in range(start, first, _PIECE_ENTRIES):
                upto = min(first, piece + _PIECE_ENTRIES)
                rest.uids += self.uids[piece:upto]
                rest.entries += self.entries[piece * ENTRY_OCTETS : upto * ENTRY_OCTETS]
            start = end
        return rest

    def drop(self, uids: Iterable[int]) -> None:
        """Messages that went, ascending; those that are not there are passed over."""
        runs = self._runs(uids)
        if not runs:
            return
        kept = array("I")
        start = 0
        for first, end in runs:
            kept += self.uids[start:first]
            start = end
        self.uids = kept + self.uids[start:]
        self._drop_entries(runs)
        self._unseen_from = min(self._unseen_from, runs[0][0])

    def _drop_entries(self, runs: list[tuple[int, int]]) -> None:
        """In place for a few runs (nobody shares the entries), else by a copy: linear either way."""
        if len(runs) <= _RUNS_IN_PLACE_MAX:
            for first, end in reversed(runs):
                del self.entries[first * ENTRY_OCTETS : end * ENTRY_OCTETS]
            return
        kept = bytearray()
        start = 0
        for first, end in runs:
            kept += self.entries[start * ENTRY_OCTETS : first * ENTRY_OCTETS]
            start = end
        kept += self.entries[start * ENTRY_OCTETS :]
        self.entries = kept

    def _runs(self, uids: Iterable[int]) -> list[tuple[int, int]]:
        """Index ranges [start, end) of the UIDs, neighbours joined."""
        runs: list[tuple[int, int]] = []
        for index in map(self.index, uids):
            if index < 0:
                continue
            if runs and runs[-1][1] == index:
                runs[-1] = (runs[-1][0], index + 1)
            else:
                runs.append((index, index + 1))
        return runs

    def first_unseen(self) -> int:
        """The UID of the first message without \\Seen, 0 when there is none."""
        count, step = len(self.uids), _UNSEEN_STEP
        while self._unseen_from < count:
            start, end = self._unseen_from * ENTRY_OCTETS + _FLAGS_OCTET, self._unseen_from + step
            offset = self.entries[start : end * ENTRY_OCTETS : ENTRY_OCTETS].translate(_UNSEEN).find(1)
            if offset >= 0:
                self._unseen_from += offset
                return self.uids[self._unseen_from]
            self._unseen_from = min(end, count)
            step *= 4
        return 0

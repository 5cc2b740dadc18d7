"""What a client was told of its selected mailbox, and what it must be told of what happened since.

The view keeps the list of UIDs behind the client's sequence numbers: a range where each follows the one
before, for thousands of clients do nothing but wait. Else it shares the account's own array as long as both
say the same, and has a private copy while an EXPUNGE is withheld. What happened is noted as
ranges of UIDs; `expunges`, `arrivals` and `changed` turn it into responses and take it from the notes.

Order of use at the end of a command: `expunges` unless the command forbids them (RFC 9051 §7.5.1), then
`arrivals`, then FETCH of the flags of `changed`.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import chain

from protocols.fault import Fault
from protocols.imap import response
from protocols.imap.search import Key, Op
from protocols.imap.sequence import SAVED, STAR, Ranges, SequenceSet, normalise, ranges_of, without

Pairs = Iterable[tuple[int, int]]
_RECENT_RANGES_MAX = 1000  # of one session, when several sessions take turns in being told first


class View:
    """Only the first `count` items of `uids` are told: where it is shared, its owner appends to it."""

    __slots__ = (
        "_answered",
        "_changed",
        "_destroyed",
        "_grown",
        "_private",
        "_saved",
        "count",
        "recent",
        "uids",
    )

    def __init__(self, uids: array[int], count: int) -> None:
        """Messages told by SELECT; `recent` the UIDs that are \\Recent in this session."""
        self.uids = _held(uids, count)
        self.count = count
        self.recent: Ranges = ()
        self._destroyed: list[tuple[int, int]] = []
        self._changed: list[tuple[int, int]] = []
        self._answered: list[tuple[int, int, Ranges]] = []
        self._saved = array("I")  # first and last UID of each range of `saved`
        self._grown = False
        self._private = False  # `uids` is ours: nobody else adds to it

    # ---- numbers and UIDs

    @property
    def last_uid(self) -> int:
        return self.uids[self.count - 1] if self.count else 0

    @property
    def saved(self) -> Ranges:
        """UIDs that "$" stands for (RFC 5182); kept small, for they stay while the mailbox is selected."""
        ends = self._saved
        return tuple(zip(ends[::2], ends[1::2], strict=True))

    @saved.setter
    def saved(self, ranges: Ranges) -> None:
        self._saved = array("I", chain.from_iterable(ranges))

    def claim(self, first: int, following: int) -> None:
        """The UIDs [first, following) are \\Recent in this session, whether they were told yet or not."""
        if first < following:
            # Another session may have had those between; of so many gaps nobody asks any more.
            self.recent = normalise((*self.recent[-_RECENT_RANGES_MAX:], (first, following - 1)))

    def ranges(self, numbers: SequenceSet, by_uid: bool) -> Ranges:
        """A sequence set as ranges of UIDs that hold no message which this client was not told of.

        Raises Fault for a sequence number that there is not (RFC 9051 §9, seq-number).
        """
        count = self.count
        if numbers is SAVED:
            return self.saved
        if not by_uid and any(
            count < n < STAR for a, b in numbers.ranges if STAR not in (a, b) for n in (a, b)
        ):
            raise Fault("BAD", "There is no message of that number")
        return self._existing(numbers, by_uid)

    def _existing(self, numbers: SequenceSet, by_uid: bool) -> Ranges:
        """As `ranges`, of those numbers that there are."""
        if numbers is SAVED:
            return self.saved
        if by_uid:
            last = self.last_uid
            return tuple((a, min(b, last)) for a, b in numbers.resolve(last) if a <= last)
        count, uids = self.count, self.uids
        ranges = ((a, min(b, count)) for a, b in numbers.resolve(count) if a <= count)
        return tuple((uids[a - 1], uids[b - 1]) for a, b in ranges)

    def numbers(self, uids: Sequence[int]) -> Sequence[int]:
        """Sequence numbers of ascending UIDs that this client knows of: a range where they are neighbours."""
        count = len(uids)
        if not count:
            return ()
        first = bisect_left(self.uids, uids[0], 0, self.count)
        if first + count <= self.count and self.uids[first + count - 1] == uids[-1]:
            return range(first + 1, first + count + 1)
        return self._each_number(uids, first)

    def _each_number(self, uids: Sequence[int], at: int) -> array[int]:
        told, count = self.uids, self.count
        numbers = array("I")
        for uid in uids:
            if told[at] != uid:
                at = bisect_left(told, uid, at, count)
            at += 1
            numbers.append(at)
        return numbers

    def number(self, uid: int) -> int:
        """The sequence number of a UID; 0 when this client knows of none."""
        index = bisect_left(self.uids, uid, 0, self.count)
        return index + 1 if index < self.count and self.uids[index] == uid else 0

    def within(self, ranges: Pairs) -> int:
        """How many messages this client knows of in ranges of UIDs."""
        return sum(last - first for first, last in self._slices(ranges))

    def missing(self, ranges: Pairs, found: Iterable[int]) -> Ranges:
        """Those of ranges of UIDs that this client knows of and that were not found."""
        left = set(found)
        uids = self.uids
        told = (uids[at] for start, end in self._slices(ranges) for at in range(start, end))
        return ranges_of([uid for uid in told if uid not in left])

    def _slices(self, ranges: Pairs) -> Iterable[tuple[int, int]]:
        uids, count = self.uids, self.count
        for first, last in ranges:
            start = bisect_left(uids, first, 0, count)
            yield start, bisect_right(uids, last, start, count)

    def bind(self, key: Key) -> Key:
        """A search key with NUMBERS and RECENT said as UIDS, and every UIDS resolved.

        Leniency: a number that there is not matches nothing; imaptest and other servers take it so.
        """
        if key.op is Op.NUMBERS or key.op is Op.UIDS:
            return _uids(self._existing(key.numbers, key.op is Op.UIDS))
        if key.op is Op.RECENT:
            return _uids(self.recent)
        if key.keys:
            return Key(key.op, tuple(map(self.bind, key.keys)))
        return key

    # ---- what happened

    def note(self, position: int, created: Pairs, modified: Pairs, destroyed: Pairs) -> None:
        """A change of the mailbox, in order of positions; what this client was told already is left out."""
        self._grown = self._grown or any(last > self.last_uid for _, last in created)
        self._destroyed += destroyed
        told = [ranges for first, last, ranges in self._answered if first <= position <= last]
        for one in told:
            modified = without(modified, one)
        self._changed += modified
        self._answered = [one for one in self._answered if one[1] > position]

    def answered(self, first_position: int, position: int, ranges: Ranges) -> None:
        """Changes of flags at these positions are this client's own and known to it: no FETCH says them."""
        self._answered.append((first_position, position, ranges))

    def note_unknown(self, uids: array[int], count: int) -> None:
        """Changes were missed: who is not in `uids[:count]` is gone, and any flags may have changed."""
        left = set(uids[:count])
        gone = [uid for uid in self.uids[: self.count] if uid not in left]
        self._destroyed = list(ranges_of(gone))
        self._changed = [(1, self.last_uid)]
        self._answered.clear()
        self._grown = True

    @property
    def has_expunged(self) -> bool:
        return bool(self._destroyed)

    @property
    def has_grown(self) -> bool:
        """Whether `arrivals` has something to say."""
        return self._grown

    @property
    def changed(self) -> Ranges:
        """UIDs whose flags are to be said, of those that this client knows of."""
        last = self.last_uid
        return (
            tuple((a, min(b, last)) for a, b in normalise(self._changed) if a <= last)
            if self._changed
            else ()
        )

    def told_changes(self) -> None:
        """The flags of `changed` were said."""
        self._changed.clear()

    def untold(self, changed: Ranges) -> None:
        """They were not: of some of it."""
        self._changed += changed

    def expunges(self) -> bytes:
        """EXPUNGE of each message that is gone; from here on the numbers are new ones."""
        lines: list[bytes] = []
        before = 0
        for start, end in self._drop_destroyed(self.uids):
            lines.append(b"* %d EXPUNGE\r\n" % (start - before + 1) * (end - start))
            before += end - start
        return b"".join(lines)

    def vanished(self) -> bytes:
        """The same as VANISHED, after ENABLE QRESYNC (RFC 7162 §3.2.10.2)."""
        told = self.uids
        gone = [uid for start, end in self._drop_destroyed(told) for uid in told[start:end]]
        return response.vanished(ranges_of(gone), earlier=False) if gone else b""

    def _drop_destroyed(self, told: array[int] | range) -> list[tuple[int, int]]:
        """Forget messages that are gone; gives where in `told` they were."""
        if not self._destroyed:
            return []
        gone = [(start, end) for start, end in self._slices(normalise(self._destroyed)) if start < end]
        self._destroyed.clear()
        if not gone:
            return []
        kept = array("I")
        at = 0
        for start, end in gone:
            kept.extend(told[at:start])
            at = end
        kept.extend(told[at : self.count])
        self.uids, self.count, self._private = _held(kept, len(kept)), len(kept), True
        return gone

    def arrivals(self, uids: array[int], count: int) -> bytes:
        """EXISTS after messages came; `uids[:count]` is the account's own list as it is now."""
        self._grown = False
        last = self.last_uid
        first_new = bisect_right(uids, last, 0, count)
        new = count - first_new
        if self.uids is uids:
            self.count = count
        else:
            self._take(uids, first_new, count)
        if not new:
            return b""
        return response.exists(self.count)

    def _take(self, uids: array[int], first_new: int, count: int) -> None:
        """Share the account's list where it says what we told, else add to a list of our own."""
        if first_new == self.count and self._is_start_of(uids):
            self.uids, self._private = _held(uids, count), False
        else:
            if not self._private or isinstance(self.uids, range):
                self.uids, self._private = array("I", self.uids[: self.count]), True
            self.uids.extend(uids[first_new:count])
        self.count += count - first_new

    def _is_start_of(self, uids: array[int]) -> bool:
        """Whether it begins with what was told; as many of it as were told are not above `last_uid`."""
        if isinstance(self.uids, range):
            return not self.count or uids[0] == self.uids[0]
        return uids[: self.count] == self.uids[: self.count]


def _held(uids: array[int], count: int) -> array[int] | range:
    """`uids[:count]` as a view holds it."""
    if not count:
        return range(0)
    first, last = uids[0], uids[count - 1]
    return range(first, last + 1) if last - first == count - 1 else uids


def _uids(ranges: Ranges) -> Key:
    return Key(Op.UIDS, numbers=SequenceSet(ranges))

"""Quick resynchronisation (RFC 7162 §3.2.5): what a client says that it knows of a mailbox."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from protocols.imap.sequence import NONE, Ranges, SequenceSet, common

_PAIRS_MAX = 100_000  # of the sequence match data: more tell nothing new


@dataclass(frozen=True, slots=True)
class Known:
    """`uids` None: all up to UIDNEXT. `numbers` and `their_uids` are pairs in ascending order, or empty."""

    uid_validity: int
    modseq: int
    uids: SequenceSet | None
    numbers: SequenceSet = NONE
    their_uids: SequenceSet = NONE

    def asked(self, uid_next: int) -> Ranges:
        """The UIDs that the client wants to know about; of a mailbox that never had one there are none."""
        last = uid_next - 1
        everything: Ranges = ((1, last),) if last else ()
        return everything if self.uids is None else common(everything, self.uids.resolve(last))

    def matched(self, there: Sequence[int]) -> int:
        """The UID up to which the client knows of every expunge (RFC 7162 §3.2.5.2), of the UIDs `there`."""
        matched = 0
        pairs = zip(_each(self.numbers), _each(self.their_uids), strict=False)
        for number, uid in islice(pairs, _PAIRS_MAX):
            if number > len(there) or there[number - 1] != uid:
                break
            matched = uid
        return matched


def _each(numbers: SequenceSet) -> Iterator[int]:
    for first, last in numbers.ranges:
        yield from range(first, last + 1)

"""A partition's list of entries, the old ones trimmed; the first position of each epoch is kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mailnode.cluster.replica_messages import START, Entry, Position


class Log:
    """Invariants: seq rises by one from entry to entry, the epoch never falls; `epochs` has them all.

    Those up to `released` are on the disk alone: memory holds what was not applied, and some before it.
    """

    def __init__(
        self,
        epochs: Iterable[Position] = (),
        trimmed: int = 0,
        entries: Iterable[Entry] = (),
        released: int = 0,
    ) -> None:
        """`entries`: those behind `released`."""
        self.epochs = list(epochs)
        """The position of the first entry of each epoch that has any."""
        self.trimmed = trimmed
        """The seq of the last entry that is gone."""
        self.released = max(trimmed, released)
        """The seq of the last entry that is not in memory."""
        self._entries = list(entries)
        self.last = self._last()

    def _last(self) -> Position:
        seq = self.released + len(self._entries)
        return Position(self.epochs[-1].epoch, seq) if seq else START

    def epoch_at(self, seq: int) -> int:
        """0 before the first and after the last."""
        if seq > self.last.seq:
            return 0
        return next((first.epoch for first in reversed(self.epochs) if first.seq <= seq), 0)

    def has(self, position: Position) -> bool:
        return position == START or self.epoch_at(position.seq) == position.epoch

    def nearest(self, position: Position) -> Position:
        """The last entry of neither a later epoch nor a later seq: a common point is not behind it."""
        end = self.last.seq
        for first in reversed(self.epochs):
            if first.epoch <= position.epoch and first.seq <= position.seq:
                return Position(first.epoch, min(end, position.seq))
            end = first.seq - 1
        return START

    def append(self, entry: Entry) -> None:
        position, last = entry.position, self.last
        assert position.seq == last.seq + 1
        assert position.epoch >= last.epoch
        if position.epoch > last.epoch:
            self.epochs.append(position)
        self._entries.append(entry)
        self.last = position

    def truncate(self, after: int) -> None:
        """Keep what has a seq up to `after`, behind which all is in memory."""
        assert after >= self.released
        del self._entries[after - self.released :]
        while self.epochs and self.epochs[-1].seq > after:
            self.epochs.pop()
        self.last = self._last()

    def trim(self, upto: int) -> None:
        self.release(upto)
        self.trimmed = max(self.trimmed, upto)

    def release(self, upto: int) -> None:
        """What is on the disk need not be in memory."""
        del self._entries[: max(0, upto - self.released)]
        self.released = max(self.released, upto)

    def after(self, seq: int, upto: int) -> Sequence[Entry]:
        """Of seq + 1 to `upto`; they are in memory."""
        assert seq >= self.released
        return self._entries[seq - self.released : max(0, upto - self.released)]

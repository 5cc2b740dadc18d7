"""How far the moves of copies have come, and how long they will take."""

from __future__ import annotations

from collections import deque

RATE_SECONDS = 60.0
"""What was moved in so long says how fast it goes."""


class Moving:
    """Partitions; a campaign begins when some should move and ends when none should."""

    def __init__(self) -> None:
        self.moved = 0
        """In this campaign."""
        self.left = 0
        self.under_way = 0
        """Of those left."""
        self._seen: deque[tuple[float, int]] = deque()
        """(when, `moved` then)."""

    def see(self, left: int, under_way: int, now: float) -> None:
        if left == 0:
            self.moved = 0
            self._seen.clear()
        else:
            self.moved += max(0, self.left - left)
            self._seen.append((now, self.moved))
        self.left, self.under_way = left, under_way
        while len(self._seen) > 2 and self._seen[1][0] <= now - RATE_SECONDS:
            self._seen.popleft()

    def rate(self) -> float:
        """Partitions a second."""
        if len(self._seen) < 2:
            return 0.0
        (began, before), (now, moved) = self._seen[0], self._seen[-1]
        return (moved - before) / (now - began) if now > began else 0.0

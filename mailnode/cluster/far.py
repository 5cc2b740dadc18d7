"""How far copies in other data centres are behind what is committed. Pure; times are of the node's clock."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

MARK_SECONDS = 1.0  # a lag is known that exactly, until it is long
MARKS_MAX = 64


@dataclass(frozen=True, slots=True)
class Lag:
    """Of one far copy, as the primary knows it."""

    node: str
    dc: str
    entries: int
    seconds: float
    """Since what it lacks was committed, or since this primary began."""


class Marks:
    """When what was committed, for as long as somebody lacks it: the older, the rougher."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque()

    def mark(self, seq: int, now: float, everywhere: int) -> None:
        """`seq` is committed, `everywhere` is what all far copies have."""
        marks = self._marks
        while marks and marks[0][1] <= everywhere:
            marks.popleft()
        if seq <= everywhere or (marks and (marks[-1][1] >= seq or now < marks[-1][0] + MARK_SECONDS)):
            return
        if len(marks) >= MARKS_MAX:
            self._marks = marks = deque(list(marks)[::2])
        marks.append((now, seq))

    def seconds(self, matched: int, now: float) -> float:
        """Since when something behind `matched` is committed."""
        return next((now - since for since, seq in self._marks if seq > matched), 0.0)

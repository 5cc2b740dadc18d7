"""One coarse timer for all connections: each costs one set entry, not a timer of its own."""

from __future__ import annotations

import logging
from typing import Any, Protocol

log = logging.getLogger(__name__)

TICK_SECONDS = 1


class Timed(Protocol):
    """Whoever is to be looked at later; `slot` is the wheel's own mark in it, 0: not filed."""

    slot: int

    def due(self) -> None:
        """The time asked for has passed; it may file itself again."""


class Wheel:
    """Ticks once a second while anything is filed; `now` counts the ticks, so wall clock steps do not matter.

    `clock` has Twisted's `callLater` (IReactorTime). A time is kept to the second, never early.
    """

    __slots__ = ("_clock", "_slots", "_ticking", "now")

    def __init__(self, clock: Any) -> None:
        self.now = 1
        self._clock = clock
        self._slots: dict[int, set[Timed]] = {}
        self._ticking = False

    def file(self, timed: Timed, seconds: float) -> None:
        """Call `timed.due()` when `seconds` have passed, instead of any time asked for before."""
        self.drop(timed)
        timed.slot = self.now + 1 + int(seconds / TICK_SECONDS)
        self._slots.setdefault(timed.slot, set()).add(timed)
        if not self._ticking:
            self._ticking = True
            self._clock.callLater(TICK_SECONDS, self._tick)

    def drop(self, timed: Timed) -> None:
        """Forget it; nothing happens when it is not filed."""
        if not timed.slot:
            return
        filed = self._slots[timed.slot]
        filed.discard(timed)
        if not filed:
            del self._slots[timed.slot]
        timed.slot = 0

    def _tick(self) -> None:
        self.now += 1
        while filed := self._slots.get(self.now):
            timed = next(iter(filed))
            self.drop(timed)
            try:
                timed.due()
            except Exception:
                log.exception("one that was due failed")  # the others still have their time
        self._ticking = bool(self._slots)
        if self._ticking:
            self._clock.callLater(TICK_SECONDS, self._tick)

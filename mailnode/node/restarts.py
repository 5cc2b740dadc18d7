"""How long a node that died waits before it is started again."""

from __future__ import annotations

from dataclasses import dataclass

from mailnode.limits import Limits


@dataclass(slots=True)
class Restarts:
    """Of one node: the first is at once, then each pause is twice the last, up to the longest. Who served is
    down no longer than it served; and who served long enough begins anew."""

    limits: Limits
    _unserved: int = 0
    """In a row, each without having served."""
    _soon: int = 0
    """In a row, each after having served for a short time."""

    def pause_seconds(self, served_seconds: float) -> float:
        """It died, after it had served so long; 0: it never did."""
        if not served_seconds:
            self._unserved += 1
            return self._grown(self._unserved)
        self._unserved = 0
        self._soon = self._soon + 1 if served_seconds < self.limits.restart_settled_seconds else 0
        return min(self._grown(self._soon), served_seconds)

    def _grown(self, deaths: int) -> float:
        if deaths <= 1:
            return 0.0
        limits = self.limits
        return min(limits.restart_pause_seconds_max, limits.restart_pause_seconds_min * 2.0 ** (deaths - 2))

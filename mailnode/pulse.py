"""The node's pulse: how late its loop is, and how many messages came lately."""

from __future__ import annotations

import asyncio
from collections import deque

from mailnode.metrics import Metrics

BEAT_SECONDS = 1.0
BEATS_KEPT = 60  # a rate over the last minute


class Pulse:
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._lag = metrics.loop_lag.of()
        self._totals = deque([0], BEATS_KEPT)

    @property
    def messages_rate(self) -> float:
        """Messages that came in, a second."""
        since = self._totals[0]
        return (self._metrics.messages.total - since) / (BEAT_SECONDS * len(self._totals))

    async def run(self) -> None:
        while True:
            began = self._metrics.seconds()
            await asyncio.sleep(BEAT_SECONDS)
            self._lag.observe(max(0.0, self._metrics.seconds() - began - BEAT_SECONDS))
            self._totals.append(self._metrics.messages.total)

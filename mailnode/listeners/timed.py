"""A listener whose rows are timed, by the name of their event."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from mailnode.listeners.listener import Listener, S
from mailnode.metrics import Distribution, Metrics

Row = Callable[[S, Any], Awaitable[None]]


def timed(listener: Listener[S], metrics: Metrics) -> Listener[S]:
    """What goes on beside the rows (the end of a content) is not part of them."""
    rows = {
        event: _timed(row, metrics.seconds, metrics.commands.of(listener.name, event.__name__.lower()))
        for event, row in listener.rows.items()
    }
    return replace(listener, rows=rows)


def _timed(row: Row[S], seconds: Callable[[], float], taken: Distribution) -> Row[S]:
    async def timed_row(state: S, event: Any) -> None:
        began = seconds()
        try:
            await row(state, event)
        finally:
            taken.observe(seconds() - began)

    return timed_row

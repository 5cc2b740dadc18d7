"""Twisted's reactor on uvloop, told of every connection that breaks.

When a connection is reset, uvloop runs its reader once more and then watches it no longer. If octets had come
before the reset, that one read finds them and no error, and nobody hears of the connection again: it
stays open for ever, and the next write to it fails within the loop.
"""

from __future__ import annotations

import asyncio
import select
import socket
from typing import Any

from twisted.internet.asyncioreactor import AsyncioSelectorReactor
from twisted.internet.main import installReactor


class Reactor(AsyncioSelectorReactor):
    """Reads on where the connection is broken, until that read too finds it out."""

    _readers: dict[Any, int]

    def _readOrWrite(self, selectable: Any, read: bool) -> None:
        super()._readOrWrite(selectable, read)  # type: ignore[no-untyped-call]  # Twisted is not typed here
        if not read or selectable not in self._readers or not _is_broken(selectable):
            return
        while selectable in self._readers:  # ends: nothing comes to it any more; a paused one is met again
            super()._readOrWrite(selectable, True)  # type: ignore[no-untyped-call]  # as above


def _is_broken(selectable: Any) -> bool:
    """Whether nothing comes or leaves any more, so that reads end with what had come.

    An error of the socket does not say so: a router's word that the peer is out of reach is one too, and the
    connection lives on.
    """
    ours: socket.socket | None = getattr(selectable, "socket", None)
    if ours is None:
        return False
    poll = select.poll()
    poll.register(ours, 0)
    return any(events & select.POLLHUP for _, events in poll.poll(0))


def install(loop: asyncio.AbstractEventLoop) -> None:
    """As the reactor of this process; once."""
    installReactor(Reactor(loop))  # type: ignore[no-untyped-call]

"""Twisted's reactor on uvloop, told of every connection that breaks.

When a connection is reset, uvloop runs its reader once more and then watches it no longer. If octets had come
before the reset, that one read finds them and no error, and nobody hears of the connection again: it
stays open for ever, and the next write to it fails within the loop.
"""

from __future__ import annotations

import asyncio
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
        while selectable in self._readers:  # a paused one is met again when it resumes
            super()._readOrWrite(selectable, True)  # type: ignore[no-untyped-call]  # as above


def _is_broken(selectable: Any) -> bool:
    """Whether the socket has an error; asking takes it, so that reads go on to the end of what had come."""
    ours: socket.socket | None = getattr(selectable, "socket", None)
    return ours is not None and ours.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0


def install(loop: asyncio.AbstractEventLoop) -> None:
    """As the reactor of this process; once."""
    installReactor(Reactor(loop))  # type: ignore[no-untyped-call]

"""The loop and the reactor of these tests: as in a node, one of each for the process."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

from mailnode.listeners.reactor import install

T = TypeVar("T")

LOOP = uvloop.new_event_loop()
install(LOOP)

from twisted.internet import reactor as installed  # noqa: E402  # there is none before the line above

REACTOR: Any = installed
REACTOR.startRunning(installSignalHandlers=False)

SECONDS_MAX = 30  # of one test, were it to hang


def run(test: Coroutine[Any, Any, T]) -> T:
    return LOOP.run_until_complete(asyncio.wait_for(test, SECONDS_MAX))

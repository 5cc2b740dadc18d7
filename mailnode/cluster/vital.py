"""Work without which a node does harm by staying: its end by our own mistake is the node's end.

Others take over what it led, and a restart begins with what is on the disk.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Coroutine
from typing import Any

log = logging.getLogger(__name__)

MISTAKEN = 70
"""Exit status, EX_SOFTWARE of sysexits."""


def vital(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Until it is cancelled."""
    task = asyncio.ensure_future(work)
    task.add_done_callback(_ended)
    return task


def _ended(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("the node ends by our own mistake", exc_info=error)
        sys.stderr.flush()
        os._exit(MISTAKEN)

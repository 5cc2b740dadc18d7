"""How many files and connections this process may have open: getrlimit(2)."""

from __future__ import annotations

import logging
import resource
from dataclasses import replace

from mailnode.limits import Limits

log = logging.getLogger(__name__)


def raised() -> int:
    """The bound, once it is as high as one may set it without being root: a shell's is 1,024 by habit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == hard:
        return soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def within(limits: Limits, bound: int) -> Limits:
    """As many connections as `bound` leaves: one too many hears so, instead of waiting for a file."""
    connections = max(bound - limits.open_files_reserved, bound // 4)
    if connections >= limits.connections_max:
        return limits
    log.warning(
        "connections bound by open files: files_max=%d connections_max=%d wanted=%d",
        bound,
        connections,
        limits.connections_max,
    )
    return replace(limits, connections_max=connections)

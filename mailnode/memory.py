"""Memory that was freed, given back to the machine."""

from __future__ import annotations

import ctypes
from collections.abc import Callable


def giver() -> Callable[[], None]:
    """A function that gives back what lies free between what is used; it takes some milliseconds.

    The allocator of glibc keeps such pages until it is told (malloc_trim(3)); others do it by themselves.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is None:
        return lambda: None
    return lambda: trim(0)

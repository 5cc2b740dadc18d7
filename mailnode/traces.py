"""What a message's way is made of, for whoever traces it: told when a part is over, so nothing is held open.

The trace is the message's transaction, whose 16 octets are its id; the log has the middle of it. Nobody is
told where nothing is configured: then a part costs one comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A part, or with `whole` the transaction itself, whose parts the others are. Times in microseconds."""

    name: str
    transaction: bytes
    began: int
    ended: int
    attributes: Mapping[str, str | int]
    well: bool
    whole: bool = False


Tell = Callable[[Span], None]

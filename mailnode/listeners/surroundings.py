"""What a conversation finds around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mailnode.clock import Clock
from mailnode.limits import Limits
from mailnode.listeners.tls import Certificate
from mailnode.listeners.wheel import Wheel

if TYPE_CHECKING:
    from mailnode.listeners.conversation import Conversation


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all conversations of a port share.

    `certificate` None: no TLS here. `implicit`: TLS from the first octet (RFC 8314 §3). `ended` is told when
    a conversation is over and everything of it has ended.
    """

    limits: Limits
    clock: Clock
    wheel: Wheel
    certificate: Certificate | None
    implicit: bool
    ended: Callable[[Conversation[Any]], None]

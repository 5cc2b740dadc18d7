"""One command on its way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.checker.register import Write
from tests.wire.imap import Answer


def _nothing(answer: Answer) -> None:
    pass


def _begun() -> None:
    pass


@dataclass(slots=True)
class Ask:
    """`parts` as `ImapConnection.command` takes them; `sent`: the moment.

    `keeps_numbers`: no EXPUNGE may be said while it is answered (RFC 9051 §7.5.1). `uses_numbers`: it may be
    sent only while the client knows what its numbers mean. `last`: nothing may be pipelined behind it.
    `writes` are acknowledged by OK; `begun` is called when all before it is answered, `done` at its own end.
    """

    parts: tuple[bytes, ...]
    sent: int
    keeps_numbers: bool = False
    uses_numbers: bool = False
    last: bool = False
    statuses: tuple[bytes, ...] = (b"OK",)
    writes: list[Write] = field(default_factory=list)
    begun: Callable[[], None] = _begun
    done: Callable[[Answer], None] = _nothing
    select: str = ""  # the mailbox that it selects
    read_only: bool = False

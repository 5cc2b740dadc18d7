"""What was heard of a peer and is not given to the session yet."""

from __future__ import annotations

from mailnode.listeners.listener import Session
from protocols.deflate import Deflate


class Inlet:
    """In order, through a layer that inflates where there is one, and bounded: `is_full` stops reading."""

    __slots__ = ("_given", "_heard", "_octets_max", "deflate")

    def __init__(self, octets_max: int) -> None:
        self.deflate: Deflate | None = None
        self._heard: list[bytes] = []  # while a row was busy; a few reads at most, for reading stops
        self._given = 0  # octets given since the session last yielded an event
        self._octets_max = octets_max

    def hear(self, octets: bytes) -> None:
        self._heard.append(octets)

    def forget(self) -> None:
        """What was heard before TLS or a layer that deflates dies with what was before it."""
        self._heard.clear()

    def pour(self, session: Session) -> None:
        """Give the session all that needs no inflating."""
        if not self._heard:
            return
        octets = b"".join(self._heard)
        self._heard.clear()
        if self.deflate is None:
            self._give(session, octets)
        else:
            self.deflate.feed(octets)

    def unfold(self, session: Session) -> None:
        """Give it the next piece of what is inflated; raises Fault for what is no DEFLATE."""
        assert self.deflate is not None
        self.deflate.resting = False
        self._give(session, self.deflate.take(self._octets_max))

    def _give(self, session: Session, octets: bytes) -> None:
        self._given += len(octets)
        session.feed(octets)

    def yielded(self) -> None:
        """The session made an event of what it was given."""
        self._given = 0

    @property
    def octets(self) -> int:
        """So many wait as they were heard."""
        return sum(map(len, self._heard))

    @property
    def folded(self) -> bool:
        """Whether something was heard that is not inflated."""
        return self.deflate is not None and self.deflate.pending

    @property
    def may_give(self) -> bool:
        """Whether the session may get more although it made no event of the last."""
        return self._given <= self._octets_max

    @property
    def is_full(self) -> bool:
        return bool(self._heard) or not self.may_give

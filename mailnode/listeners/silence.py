"""How long a peer may be silent, and what breaks its silence."""

from __future__ import annotations

from mailnode.listeners.wheel import Wheel


class Silence:
    """An answer to the peer breaks it, and so does every `octets_max` of what it says.

    Less than that does not: who sends an octet a minute of a line, or of a content, holds a connection and
    nothing else. Times are seconds of the wheel.
    """

    __slots__ = ("_octets", "_octets_max", "_since", "_wheel", "seconds_max")

    def __init__(self, wheel: Wheel, seconds_max: int, octets_max: int) -> None:
        self._wheel = wheel
        self._octets_max = octets_max
        self.seconds_max = seconds_max
        self.end()

    def end(self) -> None:
        """From now on a new one."""
        self._since = self._wheel.now
        self._octets = 0  # said since

    def hear(self, octets: int) -> None:
        """The peer said so many."""
        self._octets += octets
        if self._octets >= self._octets_max:
            self.end()

    @property
    def left(self) -> int:
        """Seconds until it is too long; 0 or less: it is."""
        return self._since + self.seconds_max - self._wheel.now

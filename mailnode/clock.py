"""Time and randomness, handed to whoever needs them, so that tests hold both in their hands."""

import os
import time
from typing import Protocol


class Clock(Protocol):
    def now_microseconds(self) -> int:
        """Wall clock: microseconds since 1970-01-01T00:00Z."""

    def monotonic_seconds(self) -> float:
        """For durations only."""

    def boot_seconds(self) -> float:
        """For what one node promises another: goes on while the machine sleeps."""

    def random(self, octets: int) -> bytes:
        """Unpredictable octets."""


class SystemClock:
    def now_microseconds(self) -> int:
        return time.time_ns() // 1000

    def monotonic_seconds(self) -> float:
        return time.monotonic()

    def boot_seconds(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def random(self, octets: int) -> bytes:
        return os.urandom(octets)

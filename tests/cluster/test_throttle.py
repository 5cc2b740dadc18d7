"""Octets a second, of all together."""

import asyncio

from mailnode.cluster.throttle import Throttle


class Hand:
    """A clock that goes when somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 100.0
        self.slept: list[float] = []

    def monotonic_seconds(self) -> float:
        return self.seconds

    def now_microseconds(self) -> int:
        raise NotImplementedError

    def random(self, octets: int) -> bytes:
        raise NotImplementedError

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


def test_who_passes_waits_until_those_before_had_their_time() -> None:
    async def passed() -> Hand:
        hand = Hand()
        throttle = Throttle(1000, hand, hand.sleep)
        await throttle.passed(500)
        await throttle.passed(2000)
        throttle.octets_a_second = 100
        await throttle.passed(100)
        await throttle.passed(1)
        hand.seconds += 1000
        await throttle.passed(1)
        return hand

    hand = asyncio.run(passed())
    assert hand.slept == [0.5, 2.0, 1.0]

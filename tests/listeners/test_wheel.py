import random
from collections.abc import Callable

from twisted.internet.task import Clock

from mailnode.listeners.wheel import Wheel


class Filed:
    def __init__(self, then: Callable[[], None] = lambda: None) -> None:
        self.slot = 0
        self.called = 0
        self._then = then

    def due(self) -> None:
        self.called += 1
        self._then()


def test_a_time_is_never_early_and_at_most_a_second_late() -> None:
    clock = Clock()
    wheel = Wheel(clock)
    for seconds in (0, 1, 2.5, 60):
        filed = Filed()
        wheel.file(filed, seconds)
        clock.pump([0.5] * int(2 * seconds))
        assert filed.called == 0
        clock.pump([0.5] * 4)
        assert filed.called == 1


def test_the_last_time_asked_for_counts() -> None:
    clock = Clock()
    wheel = Wheel(clock)
    filed = Filed()
    wheel.file(filed, 5)
    wheel.file(filed, 20)
    clock.pump([1] * 19)
    assert filed.called == 0
    clock.pump([1] * 20)
    assert filed.called == 1


def test_what_was_dropped_is_not_called_even_by_another_of_the_same_second() -> None:
    clock = Clock()
    wheel = Wheel(clock)
    pair: list[Filed] = []
    for other in (1, 0):
        pair.append(Filed(lambda other=other: wheel.drop(pair[other])))  # type: ignore[misc]
    for filed in pair:
        wheel.file(filed, 3)
    clock.pump([1] * 10)
    assert sum(filed.called for filed in pair) == 1


def test_nothing_ticks_while_nothing_is_filed() -> None:
    clock = Clock()
    wheel = Wheel(clock)
    assert not clock.getDelayedCalls()
    filed = Filed()
    wheel.file(filed, 3)
    wheel.drop(filed)
    wheel.file(filed, 3)
    assert len(clock.getDelayedCalls()) == 1
    clock.pump([1] * 10)
    assert filed.called == 1
    assert not clock.getDelayedCalls()


def test_many_times_are_all_kept() -> None:
    chance = random.Random(7)
    clock = Clock()
    wheel = Wheel(clock)
    filed = [(Filed(), chance.randrange(100)) for _ in range(500)]
    for one, seconds in filed:
        wheel.file(one, seconds)
    for now in range(1, 103):
        clock.advance(1)
        assert all(one.called == (now > seconds) for one, seconds in filed)


def test_one_whose_turn_goes_wrong_takes_no_time_from_the_others() -> None:
    def fail() -> None:
        raise ValueError("a mistake of its own")

    clock = Clock()
    wheel = Wheel(clock)
    wrong, right, later = Filed(fail), Filed(), Filed()
    for filed, seconds in ((wrong, 1), (right, 1), (later, 5)):
        wheel.file(filed, seconds)
    clock.pump([1] * 8)
    assert (wrong.called, right.called, later.called) == (1, 1, 1)

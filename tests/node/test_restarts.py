"""A node that died is started again: at once, then later each time, but never later than it deserves."""

from __future__ import annotations

from mailnode.limits import Limits
from mailnode.node.restarts import Restarts

LIMITS = Limits()
GROWING = [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


def test_who_never_serves_waits_twice_as_long_each_time_up_to_the_longest() -> None:
    restarts = Restarts(LIMITS)
    assert [restarts.pause_seconds(0.0) for _ in GROWING] == GROWING


def test_who_served_is_down_no_longer_than_it_served() -> None:
    restarts = Restarts(LIMITS)
    assert [restarts.pause_seconds(3.0) for _ in GROWING] == [min(each, 3.0) for each in GROWING]


def test_who_served_before_waits_anew_for_what_keeps_it_from_serving() -> None:
    restarts = Restarts(LIMITS)
    for _ in range(20):
        assert restarts.pause_seconds(0.0) == 0.0
        assert restarts.pause_seconds(3.0) <= 3.0


def test_who_served_long_enough_begins_anew() -> None:
    restarts = Restarts(LIMITS)
    for _ in range(5):
        restarts.pause_seconds(1.0)
    settled = LIMITS.restart_settled_seconds
    assert [restarts.pause_seconds(seconds) for seconds in (settled, 1.0, 1.0)] == [0.0, 0.0, 0.5]

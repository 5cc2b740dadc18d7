"""When an item is tried again, and when it is given up: RFC 5321 §4.5.4.1."""

from __future__ import annotations

from mailnode.limits import Limits
from mailnode.pb.row_pb2 import QueueRow


def next_due(item: QueueRow, now_microseconds: int, random: bytes, limits: Limits) -> int:
    """After the item's last attempt, in microseconds: twice as long each time, a tenth of it by chance."""
    first, longest = limits.relay_retry_seconds_min, limits.relay_retry_seconds_max
    seconds = min(first << min(item.attempts - 1, 30), longest)
    jitter = seconds * 100_000 * int.from_bytes(random, "big") >> 8 * len(random)
    return now_microseconds + seconds * 1_000_000 + jitter


def is_over(item: QueueRow, now_microseconds: int, limits: Limits) -> bool:
    """Who still waits is told of as failed."""
    return now_microseconds - item.queued >= limits.relay_kept_seconds_max * 1_000_000


def is_late(item: QueueRow, now_microseconds: int, limits: Limits) -> bool:
    """The sender is told once that it takes long."""
    waited = now_microseconds - item.queued
    return not item.delay_told and waited >= limits.relay_delay_told_seconds * 1_000_000

"""What a node counts and times while it works: plain numbers, read when somebody asks for them.

Written on the loop alone. A count is one addition in a dictionary, a time one bisection; what that costs a
message stands in docs/performance.md. Names and units are Prometheus's: `mailnode_..._total`, `..._seconds`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from mailnode.clock import Clock, SystemClock

Labels = tuple[str, ...]

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
"""Upper bounds: from a flag in memory to a peer that is slow."""
SIZES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0)


class Counter:
    """`labels` names what its counts are divided by."""

    __slots__ = ("about", "counts", "labels", "name")

    def __init__(self, name: str, about: str, labels: Labels) -> None:
        self.name = name
        self.about = about
        self.labels = labels
        self.counts: dict[Labels, int] = {}

    def add(self, labels: Labels, amount: int = 1) -> None:
        self.counts[labels] = self.counts.get(labels, 0) + amount

    @property
    def total(self) -> int:
        return sum(self.counts.values())


class Distribution:
    """How many values lie up to each bound, and beyond the last."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


class Histogram:
    __slots__ = ("_rows", "about", "bounds", "labels", "name")

    def __init__(self, name: str, about: str, labels: Labels = (), bounds: Sequence[float] = SECONDS) -> None:
        self.name = name
        self.about = about
        self.labels = labels
        self.bounds = bounds
        self._rows: dict[Labels, Distribution] = {}

    def of(self, *labels: str) -> Distribution:
        """The same one each time: to be kept by whoever observes often."""
        row = self._rows.get(labels)
        if row is None:
            row = self._rows[labels] = Distribution(self.bounds)
        return row

    @property
    def rows(self) -> Mapping[Labels, Distribution]:
        return self._rows


class Metrics:
    """Of one node. `seconds` is the clock that times are taken by."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.seconds = (clock or SystemClock()).monotonic_seconds
        self.messages = Counter(
            "mailnode_messages", "Messages that came in, whatever became of them", ("service", "result")
        )
        self.message_octets = Counter(
            "mailnode_message_octets", "Octets of messages that came in and were taken", ("service",)
        )
        self.authentication = Counter(
            "mailnode_authentication",
            "Messages from other servers, by what was found out",
            ("method", "result"),
        )
        self.dispositions = Counter(
            "mailnode_dispositions",
            "Messages from other servers, by what DMARC did to them",
            ("disposition",),
        )
        self.reports_sent = Counter(
            "mailnode_reports_sent", "Reports to other domains, by what became of them", ("kind", "result")
        )
        self.reports_received = Counter(
            "mailnode_reports_received",
            "Reports about our domains, by what became of them",
            ("kind", "result"),
        )
        self.reported_messages = Counter(
            "mailnode_reported_messages",
            "Messages in our domains' names of which aggregate reports came, by whether they pass DMARC",
            ("domain", "result"),
        )
        self.dns = Counter(
            "mailnode_dns_questions",
            "What the DNS was asked for, by type and how it ended",
            ("type", "result"),
        )
        self.dns_seconds = Histogram("mailnode_dns_seconds", "To have an answer that was not kept")
        self.relayed = Counter(
            "mailnode_relay_recipients", "Recipients at other domains, each time they were tried", ("result",)
        )
        self.logins = Counter("mailnode_logins", "Logins that were tried", ("service", "result"))
        self.transactions = Histogram(
            "mailnode_transaction_seconds", "From MAIL to the reply that ends the transaction", ("service",)
        )
        self.stored = Histogram(
            "mailnode_message_stored_seconds", "From the last octet of a message to its reply", ("service",)
        )
        self.commands = Histogram(
            "mailnode_command_seconds", "From a command's event to its end", ("service", "command")
        )
        self.login_seconds = Histogram("mailnode_login_seconds", "To know whether a password is right")
        self.applies = Histogram("mailnode_apply_seconds", "From an intent to its commit")
        self.syncs = Histogram("mailnode_sync_seconds", "To write and sync a group of changes")
        self.groups = Histogram("mailnode_group_changes", "Changes that shared a sync", bounds=SIZES)
        self.attempts = Histogram("mailnode_relay_attempt_seconds", "To try a message at another server")
        self.loop_lag = Histogram("mailnode_loop_lag_seconds", "How late the event loop was to look")

    def counters(self) -> list[Counter]:
        return [value for value in vars(self).values() if isinstance(value, Counter)]

    def histograms(self) -> list[Histogram]:
        return [value for value in vars(self).values() if isinstance(value, Histogram)]

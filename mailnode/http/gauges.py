"""What is read of a node's parts when Prometheus asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from mailnode.clock import Clock
from mailnode.http.exposition import Gauge
from mailnode.mailbox.accounts import Accounts
from mailnode.mailbox.scrub import Scrub
from mailnode.metrics import Labels
from mailnode.relay.waiting import oldest_microseconds
from mailnode.store.keys import Due
from mailnode.store.shard import Shard
from mailnode.store.space import Space

_TOTALS = frozenset(("blob_cache_hits", "blob_cache_misses", "background_errors"))


def gauges(
    shard: Shard, accounts: Accounts, space: Space, sessions: Callable[[], Mapping[str, int]], clock: Clock
) -> Iterator[Gauge]:
    """`sessions`: how many are open, by service."""

    def one(value: Callable[[], float]) -> Callable[[], Mapping[Labels, float]]:
        return lambda: {(): value()}

    def age() -> float:
        oldest = oldest_microseconds(accounts.dues)
        return max(0.0, (clock.now_microseconds() - oldest) / 1e6) if oldest else 0.0

    def by_service() -> Mapping[Labels, float]:
        return {(service,): count for service, count in sessions().items()}

    yield Gauge("mailnode_sessions", "Connections that are open", ("service",), by_service)
    yield Gauge("mailnode_accounts_open", "Accounts in memory", (), one(lambda: accounts.kept))
    about = "Octets of the arrays of mailboxes in memory"
    yield Gauge("mailnode_arrays_octets", about, (), one(lambda: accounts.arrays_octets))
    about = "Messages that wait for other servers"
    yield Gauge("mailnode_queue_items", about, (), one(lambda: len(accounts.dues.all(Due.QUEUE))))
    yield Gauge("mailnode_queue_oldest_seconds", "How long the oldest of them waits", (), one(age))
    about = "Octets that the file system of the shard has left"
    yield Gauge("mailnode_disk_free_octets", about, (), one(lambda: space.free_octets))
    yield from _shard(shard)


def scrub_gauges(scrub: Scrub) -> Iterator[Gauge]:
    def value(read: Callable[[], float]) -> Callable[[], Mapping[Labels, float]]:
        return lambda: {(): read()}

    about = "Faults that the scrub found in the pass that is under way, or the last one"
    yield Gauge("mailnode_scrub_faults", about, (), value(lambda: scrub.now.fault_count))
    about = "Octets that it read"
    yield Gauge("mailnode_scrub_octets", about, (), value(lambda: scrub.now.octets))
    about = "When a pass last ended, in seconds since 1970"
    yield Gauge("mailnode_scrub_finished_seconds", about, (), value(lambda: scrub.last.finished / 1e6))


def _shard(shard: Shard) -> Iterator[Gauge]:
    """One for each of its figures, by a reading that a scrape makes once."""
    for name in shard.figures():
        total = name in _TOTALS

        def read(name: str = name) -> Mapping[Labels, float]:
            return {(): shard.figures()[name]}

        yield Gauge(f"mailnode_shard_{name}", f"Of the shard: {name.replace('_', ' ')}", (), read, total)

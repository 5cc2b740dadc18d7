"""What is read of a node's parts when Prometheus asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mailnode.clock import Clock
from mailnode.cluster.passes import Passes
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
    shard: Shard, accounts: Accounts, space: Space, sessions: Mapping[str, int], clock: Clock
) -> Iterator[Gauge]:
    """`sessions`: how many are open, by service."""
    by_service: dict[Labels, float] = {(service,): float(count) for service, count in sessions.items()}
    yield Gauge("mailnode_sessions", "Connections that are open", ("service",), by_service)
    yield _one("mailnode_accounts_open", "Accounts in memory", accounts.kept)
    about = "Octets of the arrays of mailboxes in memory"
    yield _one("mailnode_arrays_octets", about, accounts.arrays_octets)
    waiting, oldest = accounts.dues.all(Due.QUEUE), oldest_microseconds(accounts.dues)
    yield _one("mailnode_queue_items", "Messages that wait for other servers", len(waiting))
    age = max(0.0, (clock.now_microseconds() - oldest) / 1e6) if oldest else 0.0
    yield _one("mailnode_queue_oldest_seconds", "How long the oldest of them waits", age)
    about = "Octets that the file system of the shard has left"
    yield _one("mailnode_disk_free_octets", about, space.free_octets)
    for name, value in shard.figures().items():
        about = f"Of the shard: {name.replace('_', ' ')}"
        yield _one(f"mailnode_shard_{name}", about, value, total=name in _TOTALS)


def scrub_gauges(scrub: Scrub) -> Iterator[Gauge]:
    about = "Faults that the scrub found in the pass that is under way, or the last one"
    yield _one("mailnode_scrub_faults", about, scrub.now.fault_count)
    yield _one("mailnode_scrub_octets", "Octets that it read", scrub.now.octets)
    about = "When a pass last ended, in seconds since 1970"
    yield _one("mailnode_scrub_finished_seconds", about, scrub.last.finished / 1e6)


def compare_gauges(passes: Passes) -> Iterator[Gauge]:
    now = passes.now
    about = "Rows in which copies differ, by the comparison that is under way, or the last one"
    yield _one("mailnode_copies_differences", about, now.differences)
    yield _one("mailnode_copies_mended", "Those of them that were mended", now.mended)
    about = "Partitions whose copies could not be compared"
    yield _one("mailnode_copies_not_compared", about, now.not_compared)
    yield _one("mailnode_copies_octets", "Octets of this node's copies that it read", now.octets)
    about = "When a comparison of all copies last ended, in seconds since 1970"
    yield _one("mailnode_copies_finished_seconds", about, passes.last.finished / 1e6)


def _one(name: str, about: str, value: float, *, total: bool = False) -> Gauge:
    return Gauge(name, about, (), {(): value}, total)

"""What a node is made of so that other domains' owners have their reports."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from mailnode.config import Config
from mailnode.config import Reports as ReportsConfig
from mailnode.delivery.examined import Judged
from mailnode.domain import postmaster
from mailnode.node.house import House
from mailnode.relay.attempt import Met
from mailnode.reports.aggregate import Aggregates
from mailnode.reports.destinations import Destinations
from mailnode.reports.failures import Failures
from mailnode.reports.incoming import Incoming
from mailnode.reports.kept import Kept
from mailnode.reports.letters import Reporting
from mailnode.reports.noticed import Sessions, Verdicts
from mailnode.reports.places import DMARC, TLS, Topic
from mailnode.reports.posting import Posting
from mailnode.reports.sending import Reporter, Sending
from mailnode.reports.tally import Tally
from mailnode.reports.tls import TlsReports

REDACTION_KEY_OCTETS = 16


def verdicts_kept(config: Config, parts: House) -> Judged | None:
    told = config.reports
    if told is None or config.relay is None:
        return None
    tally = Tally(DMARC, parts.accounts, parts.clock, config.limits) if told.aggregate else None
    return Verdicts(tally, _failures(config, told, parts) if told.failure != "off" else None).take


def _failures(config: Config, told: ReportsConfig, parts: House) -> Failures:
    return Failures(
        _reporting(config, told),
        Destinations(parts.resolver, config.limits),
        _posting(told, parts),
        parts.accounts,
        parts.clock,
        config.limits,
        parts.metrics,
        parts.clock.random(REDACTION_KEY_OCTETS) if told.failure == "redacted" else b"",
    )


def sessions_kept(config: Config, parts: House) -> Callable[[Met], None]:
    """Counted beside the attempt: nobody was promised that a session is."""
    if config.reports is None or not config.reports.tls:
        return lambda met: None
    sessions = Sessions(Tally(TLS, parts.accounts, parts.clock, config.limits))
    counting: set[asyncio.Task[None]] = set()

    def take(met: Met) -> None:
        host = met.host
        work = sessions.take(met.domain, host.name, host.address, met.own, met.result, met.reason)
        task = asyncio.ensure_future(work)
        counting.add(task)
        task.add_done_callback(counting.discard)

    return take


def kept(parts: House) -> Kept:
    return Kept(parts.accounts, parts.domains, parts.clock, parts.limits)


def incoming(parts: House) -> Incoming:
    return Incoming(
        parts.accounts,
        parts.people.lookup,
        parts.domains,
        kept(parts),
        parts.pools.upkeep,
        parts.clock,
        parts.limits,
        parts.metrics,
    )


def sending(config: Config, told: ReportsConfig, parts: House) -> Sending:
    reporting, posting = _reporting(config, told), _posting(told, parts)
    destinations = Destinations(parts.resolver, config.limits)
    common = (reporting, destinations, posting, parts.clock, config.limits, parts.metrics)
    reporters: dict[Topic, Reporter] = {DMARC: Aggregates(*common), TLS: TlsReports(*common)}
    return Sending(parts.accounts, reporters, parts.clock, config.limits)


def _reporting(config: Config, told: ReportsConfig) -> Reporting:
    first = config.domains[0].name if config.domains else config.hostname
    contact = told.contact or postmaster(first)
    return Reporting(told.organization or config.hostname, contact, config.hostname)


def _posting(told: ReportsConfig, parts: House) -> Posting:
    return Posting(parts.accounts, parts.people.lookup, parts.upload_ids, told.reverse_path)

"""What a node is without its listeners: its parts, in reading order. Nobody else makes them."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from mailnode.admin.domains import Domains
from mailnode.admin.keeping import Checkpoints
from mailnode.admin.operator import Operator
from mailnode.admin.restoring import Restoring
from mailnode.admin.status import Status
from mailnode.clock import Clock
from mailnode.cluster import whole
from mailnode.cluster.partitions import Partitions
from mailnode.config import Config, Domain
from mailnode.directory.creation import Creation
from mailnode.directory.credential import Credentials, Hashing
from mailnode.directory.known import Known
from mailnode.directory.lookup import Lookup
from mailnode.directory.madeup import MadeUp
from mailnode.directory.password import COST
from mailnode.directory.removal import Removal
from mailnode.directory.renaming import Renaming
from mailnode.directory.rows import Rows
from mailnode.directory.sessions import Sessions
from mailnode.directory.turns import Turns
from mailnode.directory.verification import Verification
from mailnode.limits import Limits
from mailnode.mailauth.resolver import Resolver
from mailnode.mailauth.servers import asking
from mailnode.mailauth.signer import Key
from mailnode.mailbox.accounts import Accounts
from mailnode.mailbox.appended import replay
from mailnode.mailbox.collecting import Collecting
from mailnode.mailbox.content import UploadIds
from mailnode.mailbox.quota import Quotas
from mailnode.mailbox.scrub import Scrub
from mailnode.mailbox.sums import Sums
from mailnode.mailbox.trimming import Trimming
from mailnode.metrics import Metrics
from mailnode.pulse import Pulse
from mailnode.relay.waiting import Waiting
from mailnode.store.shard import RocksShard, open_full
from mailnode.store.space import Ballast, Space
from mailnode.traces import Tell

log = logging.getLogger(__name__)

SHARD_FAILED = 74
"""Exit status, EX_IOERR of sysexits: what was being written is not known."""


@dataclass(frozen=True, slots=True)
class House:
    """What a node is without its listeners: enough to create accounts while nobody is served."""

    directory: Path
    clock: Clock
    limits: Limits
    shard: RocksShard
    writer: ThreadPoolExecutor
    upkeep: ThreadPoolExecutor
    accounts: Accounts
    upload_ids: UploadIds
    domains: dict[str, Domain]
    resolver: Resolver
    signing: dict[str, Sequence[Key]]
    rows: Rows
    lookup: Lookup
    credentials: Credentials
    verification: Verification
    creation: Creation
    trimming: Trimming
    removal: Removal
    renaming: Renaming
    collecting: Collecting
    space: Space
    ballast: Ballast
    scrub: Scrub
    sums: Sums
    partitions: Partitions
    metrics: Metrics
    traced: Tell | None
    pulse: Pulse


@asynccontextmanager
async def house(config: Config, clock: Clock, traced: Tell | None = None) -> AsyncIterator[House]:
    """Open the shard and all that lives in it; raises ShardError. On the running loop."""
    limits = config.limits
    ballast = Ballast(config.shard, limits)
    shard = open_full(config.shard, config.memory_octets, clock.random(16), ballast)
    writer = ThreadPoolExecutor(1, "writer")
    upkeep = ThreadPoolExecutor(1, "upkeep")  # what takes seconds, and nobody waits for
    loads = ThreadPoolExecutor(limits.load_threads_max, "loads")
    hashes = ThreadPoolExecutor(limits.authentication_threads_max, "hashes")
    if finished := whole.finish(shard, replay, limits.part_rows_max):
        log.info("large changes finished", extra={"changes": finished})
    space = Space(config.shard, clock, limits)
    metrics = Metrics(clock)
    partitions = Partitions(shard, writer, limits, _end_at_once, space.is_short, metrics)
    domains = {domain.name: domain for domain in config.domains}
    quotas = Quotas(domains)
    accounts = Accounts(shard, partitions, loads, clock, limits, quotas)
    upload_ids = UploadIds(clock)
    rows = Rows(accounts, clock, limits)
    lookup = Lookup(rows, domains, limits)
    turns = Turns(limits.authentication_threads_max, limits.authentication_queue_max)
    hashing, sessions = Hashing(hashes, turns, COST), Sessions()
    credentials = Credentials(accounts, hashing, sessions, clock, limits)
    known, made_up = Known(accounts, clock, limits), MadeUp(accounts, clock, COST)
    verification = Verification(credentials, lookup, hashing, known, made_up, sessions, clock, limits)
    creation = Creation(accounts, rows, credentials, domains, clock, limits)
    trimming = Trimming(shard, accounts, loads, clock, limits)
    removal = Removal(accounts, rows, domains, clock, limits, sessions)
    collecting = Collecting(shard, accounts, loads, clock, limits)
    sums = Sums(shard, quotas, loads, limits)
    try:
        yield House(
            directory=config.directory.absolute(),
            clock=clock,
            limits=limits,
            shard=shard,
            writer=writer,
            upkeep=upkeep,
            accounts=accounts,
            upload_ids=upload_ids,
            domains=domains,
            resolver=Resolver(asking(config.dns, limits.dns_seconds_max), clock, limits, metrics),
            signing={},
            rows=rows,
            lookup=lookup,
            credentials=credentials,
            verification=verification,
            creation=creation,
            trimming=trimming,
            removal=removal,
            renaming=Renaming(accounts, rows, domains, clock),
            collecting=collecting,
            space=space,
            ballast=ballast,
            scrub=Scrub(shard, upkeep, clock, limits, config.directory / "scrub.json"),
            sums=sums,
            partitions=partitions,
            metrics=metrics,
            traced=traced,
            pulse=Pulse(metrics),
        )
    finally:
        await partitions.idle()
        for pool in (hashes, loads, upkeep, writer):
            pool.shutdown()
        shard.close()


def operator(
    config: Config,
    parts: House,
    changed: Callable[[Config], object],
    sessions: Callable[[], Mapping[str, int]] | None = None,
) -> Operator:
    """`changed` takes what it did to the configuration's files; raises ConfigError. `sessions`: of Status."""
    waiting = Waiting(parts.accounts, parts.clock)
    return Operator(
        parts.accounts,
        parts.rows,
        parts.lookup,
        parts.credentials,
        parts.creation,
        parts.removal,
        waiting,
        parts.upload_ids,
        parts.limits,
        Domains(config.directory, parts.rows, changed),
        Checkpoints(parts.shard, parts.directory, parts.clock, parts.upkeep),
        Restoring(
            parts.shard,
            parts.directory,
            parts.accounts,
            parts.rows,
            parts.creation,
            parts.upload_ids,
            parts.clock,
            parts.writer,
            parts.upkeep,
        ),
        parts.scrub,
        Status(
            config.hostname,
            config.shard,
            parts.accounts,
            parts.metrics,
            parts.pulse,
            parts.scrub,
            parts.clock.now_microseconds(),
            sessions,
        ),
        parts.renaming,
    )


def _end_at_once(error: OSError) -> None:
    """Nothing may be answered any more: a restart reads what is there."""
    log.critical("the node ends: %s", error)
    sys.stderr.flush()
    os._exit(SHARD_FAILED)

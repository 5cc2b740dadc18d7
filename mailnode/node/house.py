"""What a node is without its listeners: its parts, in reading order. Nobody else makes them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from mailnode.admin.clusterdomains import ClusterDomains
from mailnode.admin.clustering import Clustering
from mailnode.admin.domains import Domains
from mailnode.admin.keeping import Checkpoints
from mailnode.admin.operator import Operator
from mailnode.admin.restoring import Restoring
from mailnode.admin.status import Status
from mailnode.clock import Clock
from mailnode.cluster.authority import secret_of
from mailnode.cluster.hello import Nothing
from mailnode.config import Config
from mailnode.directory.creation import Creation, Homes
from mailnode.directory.credential import Credentials, Hashing
from mailnode.directory.guessing import Guessing, NameGuesses
from mailnode.directory.known import Known
from mailnode.directory.lookup import Lookup
from mailnode.directory.madeup import MadeUp
from mailnode.directory.password import COST
from mailnode.directory.removal import Removal
from mailnode.directory.renaming import Renaming
from mailnode.directory.revocation import Revocation
from mailnode.directory.rows import Rows
from mailnode.directory.sessions import Sessions
from mailnode.directory.turns import Turns
from mailnode.directory.verification import Verification
from mailnode.domain import Domain
from mailnode.limits import Limits
from mailnode.mailauth.keyfiles import KeyFiles
from mailnode.mailauth.keyring import Keyrings
from mailnode.mailauth.resolver import Resolver, Shares
from mailnode.mailauth.sealedkeys import SealedKeys
from mailnode.mailauth.servers import asking
from mailnode.mailauth.signer import Key
from mailnode.mailbox import speak
from mailnode.mailbox.accounts import Accounts
from mailnode.mailbox.collecting import Collecting
from mailnode.mailbox.connections import Connections, Counts
from mailnode.mailbox.content import UploadIds
from mailnode.mailbox.maildrops import Locks, Maildrops
from mailnode.mailbox.nearby import Nearby, RowNearby, nothing
from mailnode.mailbox.places import Places
from mailnode.mailbox.quota import Quotas
from mailnode.mailbox.scrub import Scrub
from mailnode.mailbox.service import Service
from mailnode.mailbox.sums import Sums
from mailnode.mailbox.ties import Ties
from mailnode.mailbox.trimming import Trimming
from mailnode.metrics import Metrics
from mailnode.node.among import Among, Ground, among
from mailnode.node.domains import KnownDomains
from mailnode.pulse import Pulse
from mailnode.relay.waiting import Waiting
from mailnode.reports.kept import Kept
from mailnode.store.shard import RocksShard, open_full
from mailnode.store.space import Ballast, Space
from mailnode.traces import Tell


@dataclass(frozen=True, slots=True)
class Pools:
    """The threads of a node, by what they are for."""

    writer: ThreadPoolExecutor
    loads: ThreadPoolExecutor
    hashes: ThreadPoolExecutor
    upkeep: ThreadPoolExecutor
    """What takes seconds, and nobody waits for."""


@dataclass(frozen=True, slots=True)
class People:
    """Who has addresses here, and how they prove it."""

    rows: Rows
    lookup: Lookup
    credentials: Credentials
    verification: Verification
    creation: Creation
    removal: Removal
    renaming: Renaming


@dataclass(frozen=True, slots=True)
class House:
    """What a node is without its listeners: enough to create accounts while nobody is served."""

    config: Config
    """With the domains that are the cluster's, where there is one."""
    directory: Path
    clock: Clock
    limits: Limits
    shard: RocksShard
    pools: Pools
    accounts: Accounts
    maildrops: Maildrops
    connections: Connections
    upload_ids: UploadIds
    domains: dict[str, Domain]
    known: KnownDomains | None
    """Of a cluster."""
    resolver: Resolver
    shares: Shares
    """Of the resolver, for those who bring mail."""
    keyrings: Keyrings
    signing: dict[str, Sequence[Key]]
    people: People
    trimming: Trimming
    collecting: Collecting
    space: Space
    ballast: Ballast
    scrub: Scrub
    sums: Sums
    others: Among
    metrics: Metrics
    traced: Tell | None
    pulse: Pulse


@asynccontextmanager
async def house(config: Config, clock: Clock, traced: Tell | None = None) -> AsyncIterator[House]:
    """Open the shard and all that lives in it; raises ShardError and ConfigError. On the running loop."""
    limits = config.limits
    ballast = Ballast(config.shard, limits)
    shard = open_full(config.shard, config.memory_octets, clock.random(16), ballast)
    with closing(shard), _pools(limits) as pools:
        space, metrics = Space(config.shard, clock, limits), Metrics(clock)
        ground = Ground(shard, pools.writer, pools.loads, pools.upkeep, clock, space, metrics)
        domains: dict[str, Domain] = {}
        quotas = Quotas(domains)
        async with among(config, ground) as others, _homes(others, ground, quotas, limits) as homes:
            accounts = homes.accounts
            known = KnownDomains(others.joined.source) if others.joined else None
            config = known.of(config) if known else config
            domains.update({domain.name: domain for domain in config.domains})
            resolver = Resolver(asking(config.dns, limits.dns_seconds_max), clock, limits, metrics)
            made = House(
                config=config,
                directory=config.directory.absolute(),
                clock=clock,
                limits=limits,
                shard=shard,
                pools=pools,
                accounts=accounts,
                maildrops=homes.maildrops,
                connections=homes.connections,
                upload_ids=UploadIds(clock),
                domains=domains,
                known=known,
                resolver=resolver,
                shares=Shares(
                    resolver,
                    limits.mailauth_dns_queries_open_max,
                    limits.mailauth_dns_queries_open_per_network_max,
                ),
                keyrings=_keyrings(config, others),
                signing={},
                people=_people(homes, domains, pools, clock, limits, others.home_of),
                trimming=Trimming(shard, accounts, pools.loads, clock, limits),
                collecting=Collecting(shard, accounts, pools.loads, clock, limits),
                space=space,
                ballast=ballast,
                scrub=Scrub(
                    shard,
                    pools.upkeep,
                    clock,
                    limits,
                    config.scrub_file,
                    others.passes.suspect if others.passes else lambda partition: None,
                ),
                sums=Sums(shard, quotas, pools.loads, limits, accounts.leads, homes.places),
                others=others,
                metrics=metrics,
                traced=traced,
                pulse=Pulse(metrics),
            )
            others.begin()
            yield made


class _Homes(NamedTuple):
    accounts: Accounts
    places: Places
    ties: Ties
    maildrops: Maildrops
    connections: Connections
    guessing: Guessing
    row_nearby: RowNearby


@asynccontextmanager
async def _homes(others: Among, ground: Ground, quotas: Quotas, limits: Limits) -> AsyncIterator[_Homes]:
    """Every account, here and at the others."""
    clock, map = ground.clock, others.map
    accounts = Accounts(ground.shard, others.partitions, ground.loads, clock, limits, quotas)
    service = Service(accounts, limits)
    beside = others.joined.generations if others.joined is not None else Nothing()
    speak.add_to(others.peers, service, beside)
    connect = partial(speak.connect, others.peers, beside=beside, limits=limits)
    places = Places(map, accounts.local, connect, clock, limits)
    places.functions = service.functions
    service.functions.update(Locks(clock, accounts.term).functions)
    service.functions.update(Counts(accounts.term).functions)
    names = NameGuesses(clock, limits)
    service.functions.update(names.functions)
    guessing = Guessing(places.at_owner, names, clock, limits, lambda: others.home_of("") or 0)
    row_nearby: RowNearby = nothing
    if others.replication is not None:
        nearby = Nearby(ground.shard, ground.loads, map, places.call, others.replication.is_sound)
        service.functions.update(nearby.functions)
        row_nearby = nearby.row
    ties, maildrops = Ties(map, places, accounts.bulletin, limits), Maildrops(places.at_owner, clock)
    connections = Connections(places.at_owner)
    for holder in (maildrops, connections):
        ties.add(holder)
    if not others.is_alone:
        accounts.beside(places)
    try:
        yield _Homes(accounts, places, ties, maildrops, connections, guessing, row_nearby)
    finally:
        await ties.close()
        await maildrops.close()
        await connections.close()
        await places.close()


@contextmanager
def _pools(limits: Limits) -> Iterator[Pools]:
    """What reads ends before what writes."""
    pools = Pools(
        writer=ThreadPoolExecutor(1, "writer"),
        loads=ThreadPoolExecutor(limits.load_threads_max, "loads"),
        hashes=ThreadPoolExecutor(limits.authentication_threads_max, "hashes"),
        upkeep=ThreadPoolExecutor(1, "upkeep"),
    )
    try:
        yield pools
    finally:
        for pool in (pools.hashes, pools.loads, pools.upkeep, pools.writer):
            pool.shutdown()


def _people(
    homes: _Homes,
    domains: Mapping[str, Domain],
    pools: Pools,
    clock: Clock,
    limits: Limits,
    home_of: Homes,
) -> People:
    accounts, ties = homes.accounts, homes.ties
    rows = Rows(accounts, clock, homes.row_nearby)
    lookup = Lookup(rows, domains, limits)
    turns = Turns(limits.authentication_threads_max, limits.authentication_queue_max)
    hashing, sessions = Hashing(pools.hashes, turns, COST), Sessions()
    revocation = Revocation(accounts, sessions, ties.looked, ties.follow)
    ties.add(revocation)
    credentials = Credentials(accounts, hashing, revocation, clock, limits)
    known, made_up = Known(accounts, clock, limits), MadeUp(accounts, clock, COST, homes.row_nearby)
    return People(
        rows=rows,
        lookup=lookup,
        credentials=credentials,
        verification=Verification(
            credentials, lookup, hashing, known, made_up, sessions, homes.guessing, clock, limits
        ),
        creation=Creation(accounts, rows, credentials, domains, clock, limits, home_of),
        removal=Removal(accounts, rows, domains, clock, limits, revocation),
        renaming=Renaming(accounts, rows, domains, clock),
    )


def _keyrings(config: Config, others: Among) -> Keyrings:
    """Raises ConfigError."""
    if others.joined is None:
        return KeyFiles(config)
    return SealedKeys(others.joined.source, secret_of(config))


def _domains(config: Config, parts: House, changed: Callable[[Config], object]) -> Domains | ClusterDomains:
    """Raises ConfigError."""
    joined = parts.others.joined
    if joined is None:
        return Domains(config.directory, parts.people.rows, changed)
    return ClusterDomains(joined.source, parts.people.rows, secret_of(config), parts.clock)


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
        parts.people.rows,
        parts.people.lookup,
        parts.people.credentials,
        parts.people.creation,
        parts.people.removal,
        waiting,
        parts.upload_ids,
        parts.limits,
        _domains(config, parts, changed),
        Checkpoints(
            parts.shard, config.directory.absolute(), config.shard.absolute(), parts.clock, parts.pools.upkeep
        ),
        Restoring(
            parts.shard,
            parts.others.map,
            config.home.absolute(),
            parts.accounts,
            parts.people.rows,
            parts.people.creation,
            parts.upload_ids,
            parts.clock,
            parts.pools.writer,
            parts.pools.upkeep,
            parts.others.partitions.is_alone,
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
        parts.people.renaming,
        Kept(parts.accounts, parts.domains, parts.clock, parts.limits),
        _clustering(config, parts),
        parts.others.passes,
    )


def _clustering(config: Config, parts: House) -> Clustering | None:
    joined, replication = parts.others.joined, parts.others.replication
    if joined is None or replication is None:
        return None
    return Clustering(joined, replication.core, parts.people.lookup, config.shard, replication.settled)

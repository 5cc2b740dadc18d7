"""One node: every part of it is built here, in reading order, and nowhere else."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import uvloop
from twisted.internet.error import CannotListenError

from mailnode import certificate, openfiles, tunable
from mailnode import log as log_file
from mailnode.admin import service
from mailnode.admin.domains import Domains
from mailnode.admin.keeping import Checkpoints
from mailnode.admin.operator import Operator
from mailnode.admin.restoring import Restoring
from mailnode.admin.status import Status
from mailnode.clock import Clock, SystemClock
from mailnode.cluster import whole
from mailnode.cluster.partitions import Partitions
from mailnode.config import Config, ConfigError, Domain, MetricsAt, Service, load
from mailnode.config import Listener as At
from mailnode.config import Relay as RelayConfig
from mailnode.delivery.accept import Accept
from mailnode.delivery.examined import Authentication
from mailnode.delivery.held import Spool
from mailnode.delivery.replies import LOCAL_ONLY
from mailnode.delivery.submit import Policy, Submit
from mailnode.delivery.transaction import Delivery
from mailnode.directory.creation import Creation
from mailnode.directory.credential import Credentials, Hashing
from mailnode.directory.known import Known
from mailnode.directory.lookup import Lookup
from mailnode.directory.madeup import MadeUp
from mailnode.directory.measured import Measured
from mailnode.directory.password import COST
from mailnode.directory.removal import Removal
from mailnode.directory.renaming import Renaming
from mailnode.directory.rows import Rows
from mailnode.directory.sessions import Sessions
from mailnode.directory.turns import Turns
from mailnode.directory.verification import Verification
from mailnode.http.exposition import Exposition, Gauge
from mailnode.http.gauges import gauges, scrub_gauges
from mailnode.http.site import site
from mailnode.limits import Limits
from mailnode.listeners import imap, pop3, smtp
from mailnode.listeners.admission import Admission, Logins
from mailnode.listeners.listener import Listener
from mailnode.listeners.listening import Listening
from mailnode.listeners.ports import become, bound, inherited
from mailnode.listeners.reactor import install
from mailnode.listeners.timed import timed
from mailnode.listeners.tls import Certificate
from mailnode.listeners.wheel import Wheel
from mailnode.mailauth.dkim import Verifier
from mailnode.mailauth.dmarc import Dmarc
from mailnode.mailauth.domain import a_labels
from mailnode.mailauth.keyring import Keyring
from mailnode.mailauth.resolver import Resolver, Share
from mailnode.mailauth.rotation import Rotation
from mailnode.mailauth.servers import asking
from mailnode.mailauth.signer import Key, Signer
from mailnode.mailauth.spf import Spf
from mailnode.mailauth.verdict import Verdicts
from mailnode.mailbox import orphans
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
from mailnode.relay.attempt import Attempts
from mailnode.relay.bounce import Bounces
from mailnode.relay.outbox import Outbox, Relay
from mailnode.relay.route import Routes
from mailnode.relay.waiting import Waiting
from mailnode.store.shard import RocksShard, open_full
from mailnode.store.space import Ballast, Space
from mailnode.traces import Tell

log = logging.getLogger(__name__)

IMPLICIT_TLS = frozenset((Service.SUBMISSIONS, Service.IMAPS, Service.POP3S))
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


@asynccontextmanager
async def _tracing(config: Config) -> AsyncIterator[Tell | None]:
    """Who is told of spans; raises ConfigError."""
    if config.traces is None:
        yield None
        return
    try:
        from mailnode.http.tracing import Tracing  # its libraries are an extra
    except ImportError as error:
        raise ConfigError(f"[traces] needs `pip install mailnode[otel]`: {error}") from None
    tracing = Tracing(config.traces, config.hostname, SystemClock())
    try:
        yield tracing.tell
    finally:
        await asyncio.get_running_loop().run_in_executor(None, tracing.stop)


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


async def _serve(
    config: Config, ports: Mapping[At, socket.socket | OSError], ready: Callable[[], None], reactor: Any
) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with (
        _tracing(config) as traced,
        house(config, SystemClock(), traced) as parts,
        _beside(*_works(config, parts)),
    ):
        doors = Doors(config, parts, reactor)
        asked = operator(config, parts, doors.change_domains, lambda: doors.sessions)
        admin = await service.serve(config.admin_socket, asked)
        try:
            doors.open(ports)
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, _take_anew, doors)
            ready()
            await stop.wait()
        finally:
            await doors.stop()
            await admin.stop(grace=None)


def _take_anew(doors: Doors) -> None:
    """What the configuration's file says now, as far as it can change while the node runs; else nothing."""
    try:
        later = doors.change(load(doors.config.directory))
    except ConfigError as error:
        log.error("the configuration was not taken", extra={"reason": error})
        return
    log.info("the configuration was taken")
    if later:
        log.warning("some of it needs a restart", extra={"keys": " ".join(later)})


@asynccontextmanager
async def _beside(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Work that goes on until the node stops."""
    tasks = [asyncio.create_task(_reported(work)) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _reported(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception:
        log.exception("work beside the listeners ended by our own mistake")


class Doors:
    """The ports of the node. What the configuration says of sessions may change while they are open: sessions
    that have begun keep what they have."""

    LIVE = frozenset(
        (
            "domains",
            "key_password",
            "bare_newline",
            "allow_plaintext_auth",
            "imap_literal_minus",
            "foreign_from",
            "hide_client",
            "pop3_marks_seen",
            "pop3_expire_days",
            "pop3_login_delay_seconds",
            "log_level",
            "limits",
        )
    )
    """Of the limits, those of mailnode/tunable.py that are read when a session begins."""

    def __init__(self, config: Config, parts: House, reactor: Any) -> None:
        """Raises ConfigError."""
        certificate.check(config.certificate, config.key, config.key_password)
        self.config = config
        self._parts = parts
        self._reactor = reactor
        self._certificate = Certificate(config.certificate, config.key, config.key_password)
        self._wheel = Wheel(reactor)
        self._files_max = openfiles.raised()
        self._admission = Admission(openfiles.within(config.limits, self._files_max))
        self._locks = pop3.Locks()
        self._logins = Logins()
        self._open: list[tuple[Service, Listening[Any]]] = []
        self._site: Any = None
        self._stopping = False

    def open(self, ports: Mapping[At, socket.socket | OSError]) -> None:
        """Accept at every port; raises ConfigError."""
        values = _listeners(self.config, self._parts, self._locks, self._logins)
        for at in self.config.listeners:
            port = self._listening(at.service, values)
            bound = ports[at]
            if isinstance(bound, OSError):
                complaint = f"{at.service} cannot listen at {at.host} port {at.port}"
                raise ConfigError(f"{complaint}: {bound.strerror}")
            port.adopt(bound)
            self._open.append((at.service, port))
        if self.config.lmtp_socket is not None:
            port = self._listening(Service.LMTP, values)
            path = self.config.lmtp_socket
            _bind(f"lmtp cannot listen at {path}", partial(port.open_unix, path))
            self._open.append((Service.LMTP, port))
        if self.config.metrics is not None:
            self._open_site(self.config.metrics)

    def _open_site(self, at: MetricsAt) -> None:
        parts = self._parts

        def read() -> Iterator[Gauge]:
            yield from gauges(parts.shard, parts.accounts, parts.space, self.sessions, parts.clock)
            yield from scrub_gauges(parts.scrub)

        silence = self.config.limits.http_silence_seconds_max
        made = site(Exposition(parts.metrics, read), self.ailment, at.token, silence)

        def bind() -> None:
            self._site = self._reactor.listenTCP(at.port, made, interface=at.host)

        _bind(f"metrics cannot listen at {at.host} port {at.port}", bind)

    def _listening(self, service: Service, values: Mapping[Service, Listener[Any]]) -> Listening[Any]:
        return Listening(
            self._reactor,
            values[service],
            limits=self.config.limits,
            clock=self._parts.clock,
            wheel=self._wheel,
            admission=self._admission,
            certificate=self._certificate,
            implicit=service in IMPLICIT_TLS,
        )

    def change(self, config: Config) -> list[str]:
        """Take what can change live, and the certificate as it is now; the keys that need a restart.

        Raises ConfigError and changes nothing when the certificate cannot be used.
        """
        certificate.check(self.config.certificate, self.config.key, config.key_password)
        signing = _signing(config)
        changed = [each.name for each in fields(Config) if _differs(each.name, self.config, config)]
        limits, limits_later = tunable.changed(self.config.limits, config.limits)
        self.config = replace(self.config, **{name: getattr(config, name) for name in self.LIVE})
        self.config = replace(self.config, limits=limits)
        self._certificate.reload(self.config.key_password)
        self._admission.change(openfiles.within(self.config.limits, self._files_max))
        self._parts.verification.change(self.config.limits)
        self._parts.domains.clear()
        self._parts.domains.update({domain.name: domain for domain in self.config.domains})
        self._parts.signing.clear()
        self._parts.signing.update(signing)
        log_file.set_level(self.config.log_level)
        values = _listeners(self.config, self._parts, self._locks, self._logins)
        for name, port in self._open:
            port.change(values[name], self.config.limits)
        later = [name for name in changed if name not in self.LIVE]
        return later + [f"limits.{name}" for name in limits_later]

    def change_domains(self, config: Config) -> None:
        """Of what can change live, these alone; raises ConfigError and changes nothing."""
        self.change(replace(self.config, domains=config.domains))

    @property
    def sessions(self) -> dict[str, int]:
        """How many are open, by service."""
        return {service.value: len(port) for service, port in self._open}

    def ailment(self) -> str:
        """Why nobody should be sent here; empty: all is well."""
        if self._stopping:
            return "the node stops"
        waits = self._parts.partitions.waits_seconds
        return "writes to the disk hang" if waits > self.config.limits.write_hangs_seconds else ""

    async def stop(self) -> None:
        """Say goodbye to everybody."""
        self._stopping = True
        await asyncio.gather(*(port.stop() for _, port in self._open))
        if self._site is not None:
            self._site.stopListening()


def _differs(name: str, one: Config, other: Config) -> bool:
    return bool(getattr(one, name) != getattr(other, name))


def _bind(complaint: str, bind: Callable[[], object]) -> None:
    try:
        bind()
    except CannotListenError as error:
        why = error.socketError.strerror or error.socketError  # a path too long has no number of its own
        raise ConfigError(f"{complaint}: {why}") from None
    except OSError as error:  # bound by us, but another process was first to listen
        raise ConfigError(f"{complaint}: {error.strerror}") from None


def _mechanisms(domains: Sequence[Domain]) -> tuple[str, ...]:
    """The best first, RFC 4422 §3.2. A client that takes SCRAM up falls back to nothing else."""
    return ("SCRAM-SHA-256", "PLAIN", "LOGIN") if any(each.scram for each in domains) else ("PLAIN", "LOGIN")


def _listeners(
    config: Config, parts: House, locks: pop3.Locks, logins: Logins
) -> dict[Service, Listener[Any]]:
    """What each service is; the ports are the configuration's."""
    host, limits, clock = config.hostname, config.limits, parts.clock
    verifier = Measured(parts.verification, parts.metrics)
    mechanisms = _mechanisms(config.domains)
    is_short, metrics = parts.space.is_short, parts.metrics
    delivery = Delivery(
        parts.lookup,
        parts.accounts,
        parts.upload_ids,
        clock,
        limits,
        is_short,
        metrics,
        parts.traced,
        frozenset((host, config.authserv_id)),
    )
    policy = Policy(config.foreign_from, not config.hide_client)
    accept, submit = Accept(delivery), Submit(delivery, host, None if config.relay else LOCAL_ONLY, policy)
    from_others = Accept(delivery, _authentication(config, parts))
    submission = smtp.submission(
        submit,
        verifier,
        clock,
        host,
        limits,
        mechanisms=mechanisms,
        auth_needs_tls=not config.allow_plaintext_auth,
        bare_newline=config.bare_newline[Service.SUBMISSION],
    )
    mailboxes = imap.listener(
        verifier,
        logins,
        parts.accounts,
        parts.upload_ids,
        clock,
        limits,
        mechanisms=mechanisms,
        auth_needs_tls=not config.allow_plaintext_auth,
        literal_minus=config.imap_literal_minus,
    )
    maildrops = pop3.pop3(
        parts.accounts,
        verifier,
        locks,
        clock,
        host,
        limits,
        mechanisms=mechanisms,
        passwords_need_tls=not config.allow_plaintext_auth,
        custom=pop3.Custom(config.pop3_marks_seen, config.pop3_expire_days, config.pop3_login_delay_seconds),
    )
    services: dict[Service, Listener[Any]] = {
        Service.LMTP: smtp.lmtp(accept, host, limits, config.bare_newline[Service.LMTP]),
        Service.SMTP: smtp.mx(from_others, host, limits, config.bare_newline[Service.SMTP]),
        Service.SUBMISSION: submission,
        Service.SUBMISSIONS: submission,
        Service.IMAP: mailboxes,
        Service.IMAPS: mailboxes,
        Service.POP3: maildrops,
        Service.POP3S: maildrops,
    }
    return {service: timed(listener, parts.metrics) for service, listener in services.items()}


def _authentication(config: Config, parts: House) -> Authentication | None:
    if config.mailauth is None:
        return None
    limits, domains = config.limits, parts.domains
    resolver = Share(parts.resolver, limits.mailauth_dns_queries_open_max)
    spf = Spf(resolver, parts.clock, limits, config.hostname)
    verifier = Verifier(resolver, parts.clock, limits)
    verdicts = Verdicts(resolver, spf, Dmarc(resolver), verifier.examine, limits)

    def rejects(recipient: str) -> bool:
        domain = domains.get(a_labels(recipient.rpartition("@")[2]))
        return domain is not None and domain.reject_dmarc

    spool = Spool(config.directory, limits)
    told = config.mailauth
    return Authentication(
        verdicts, config.authserv_id, spool, rejects, told.defer, told.exempt, frozenset(told.sealers)
    )


def _works(config: Config, parts: House) -> Iterator[Coroutine[Any, Any, None]]:
    """What goes on beside the listeners; raises ConfigError."""
    yield _sweep(parts)
    yield _trim(parts)
    yield _collect(parts)
    yield _look_at_disk(parts)
    yield parts.scrub.run()
    yield parts.sums.run()
    yield parts.pulse.run()
    yield parts.creation.resume(parts.accounts.dues)
    yield parts.renaming.resume(parts.accounts.dues)
    if config.relay is not None:
        yield _outbox(config, config.relay, parts).run()
        yield Rotation(config, parts.domains, parts.signing, parts.resolver, parts.clock).run()


def _outbox(config: Config, told: RelayConfig, parts: House) -> Outbox:
    """Our users' mail goes on to other domains."""
    clock, limits = parts.clock, parts.limits
    parts.signing.update(_signing(config))
    relay = Relay(
        Routes(parts.resolver, clock, config.hostname, limits, loopback=told.loopback),
        Signer(parts.signing, clock),
        Attempts(config.hostname, told.port, limits),
        Bounces(config.hostname, parts.upload_ids, clock),
        clock,
        limits,
        parts.metrics,
        parts.traced,
    )
    return Outbox(parts.accounts, relay)


def _signing(config: Config) -> dict[str, Sequence[Key]]:
    """By domain; raises ConfigError."""
    domains = config.domains if config.relay else ()
    return {domain.name: Keyring(config, domain).signing() for domain in domains}


async def _sweep(parts: House) -> None:
    """What no connection of this run can still be sending goes at once; later what took too long."""
    loop = asyncio.get_running_loop()
    before = parts.clock.now_microseconds()
    while True:
        await loop.run_in_executor(parts.writer, orphans.sweep, parts.shard, before)
        await loop.run_in_executor(parts.upkeep, parts.shard.collect, parts.limits.blob_garbage_share_max)
        await asyncio.sleep(parts.limits.uploads_swept_seconds)
        before = parts.clock.now_microseconds() - parts.limits.upload_kept_seconds * 1_000_000


async def _look_at_disk(parts: House) -> None:
    while True:
        parts.space.look()
        await asyncio.get_running_loop().run_in_executor(None, parts.ballast.load, parts.space)
        await asyncio.sleep(parts.limits.disk_looked_seconds)


async def _trim(parts: House) -> None:
    while True:
        await parts.trimming.trim()
        await asyncio.sleep(parts.limits.trimmed_seconds)


async def _collect(parts: House) -> None:
    await parts.removal.resume()
    while True:
        await parts.collecting.collect()
        await parts.removal.purge()
        await asyncio.sleep(parts.limits.collected_seconds)


def serve(config: Config, ready: Callable[[], None]) -> None:
    """Run a node until it is told to stop; `ready` is called when every listener accepts.

    Raises ConfigError, ShardError and OSError when it cannot start.
    """
    ports = bound(config.listeners, inherited())
    become(config.user)
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    install(loop)
    from twisted.internet import reactor  # there is none before the line above

    running: Any = reactor
    running.startRunning(installSignalHandlers=False)
    loop.run_until_complete(_serve(config, ports, ready, running))

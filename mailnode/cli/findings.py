"""What `mailnode doctor` looks at, each with what to do."""

from __future__ import annotations

import ctypes
import datetime
import os
import resource
import socket
import stat
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from enum import StrEnum

from cryptography import x509

from mailnode import certificate
from mailnode.clock import SystemClock
from mailnode.config import Config, ConfigError, Domain
from mailnode.mailauth import zone
from mailnode.mailauth.keyring import Keyring
from mailnode.mailauth.published import records
from mailnode.mailauth.resolver import Resolver, Unavailable
from mailnode.mailauth.servers import asking
from mailnode.store.space import Space, free_and_whole

EXPIRES_SOON = datetime.timedelta(days=14)
CONNECT_SECONDS_MAX = 5.0
OPEN_FILES_SPARE = 4096  # the shard's, beside a connection each
_UNSYNCHRONIZED = 5  # TIME_ERROR of adjtimex(2)
_PRIVILEGED = 1024


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """`advice` is empty where there is nothing to do."""

    about: str
    level: Level
    found: str
    advice: str = ""


def certificate_findings(config: Config) -> Iterator[Finding]:
    try:
        certificate.check(config.certificate, config.key, config.key_password)
        leaf = x509.load_pem_x509_certificates(config.certificate.read_bytes())[0]
    except (ConfigError, OSError, ValueError) as error:
        advice = "put a certificate chain and its key, in PEM, where [tls] says"
        yield Finding("certificate", Level.ERROR, str(error), advice)
        return
    left = leaf.not_valid_after_utc - datetime.datetime.now(datetime.UTC)
    level = Level.ERROR if left.total_seconds() < 0 else Level.WARNING if left < EXPIRES_SOON else Level.OK
    advice = "" if level is Level.OK else "have it renewed, then reload the node (SIGHUP)"
    yield Finding("certificate", level, f"valid until {leaf.not_valid_after_utc:%Y-%m-%d}", advice)
    yield _name_finding(config.hostname, leaf)
    if leaf.issuer == leaf.subject:
        advice = "have one from an authority that mail clients know"
        yield Finding("certificate", Level.WARNING, "it is self-signed", advice)
    if config.key.stat().st_mode & (stat.S_IRWXO | stat.S_IWGRP):
        advice = f"chmod 600 {config.key}"
        yield Finding("certificate", Level.ERROR, f"others may read or change {config.key}", advice)


def _name_finding(hostname: str, leaf: x509.Certificate) -> Finding:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        hosts = names.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        hosts = []
    matching = {hostname, "*." + hostname.partition(".")[2]}
    if any(host.lower() in matching for host in hosts):
        return Finding("certificate", Level.OK, f"it names {hostname}")
    advice = f"it must name {hostname}, to which mail clients and other servers connect"
    return Finding("certificate", Level.ERROR, f"it names {', '.join(hosts) or 'no host'}", advice)


def port_findings(config: Config, *, running: bool) -> Iterator[Finding]:
    for at in config.listeners:
        about = f"port {at.port} ({at.service})"
        if running:
            yield _connected(about, at.host, at.port)
        else:
            yield _bindable(about, at.host, at.port, config.user)


def _connected(about: str, host: str, port: int) -> Finding:
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    try:
        socket.create_connection((here, port), CONNECT_SECONDS_MAX).close()
    except OSError as error:
        return Finding(about, Level.ERROR, f"the node does not answer: {error}", "look into the node's log")
    return Finding(about, Level.OK, "the node answers")


def _bindable(about: str, host: str, port: int, user: str) -> Finding:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            advice = "start the node as root with `user`, or by systemd: docs/operations.md"
            return Finding(about, Level.WARNING, "this user may not bind it", advice)
        except OSError as error:
            return Finding(about, Level.ERROR, str(error), "stop what has it, or take another port")
    if port < _PRIVILEGED and os.geteuid() == 0 and not user:
        return Finding(about, Level.WARNING, "the node would stay root", "set `user` in mailnode.toml")
    return Finding(about, Level.OK, "free")


def machine_findings(config: Config) -> Iterator[Finding]:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = config.limits.connections_max + OPEN_FILES_SPARE
    few = hard != resource.RLIM_INFINITY and hard < needed
    advice = f"raise it to {needed} (LimitNOFILE of the unit), or lower connections_max" if few else ""
    yield Finding("open files", Level.WARNING if few else Level.OK, f"at most {hard}", advice)
    space = Space(config.shard, SystemClock(), config.limits)
    free, whole = free_and_whole(config.directory)
    short = free < space.reserve_octets(whole)
    found = f"{free / 1e9:.1f} of {whole / 1e9:.1f} GB are free"
    advice = "no new mail is taken until there is room" if short else ""
    yield Finding("disk", Level.ERROR if short else Level.OK, found, advice)
    yield _clock_finding(config)


def _clock_finding(config: Config) -> Finding:
    newest = max((path.stat().st_mtime for path in config.shard.glob("*")), default=0.0)
    if newest > datetime.datetime.now().timestamp() + 1:
        return Finding("clock", Level.ERROR, "it is behind the shard's newest file", "set the clock")
    buffer = ctypes.create_string_buffer(256)  # struct timex, all zero: only asks
    if ctypes.CDLL(None).adjtimex(buffer) == _UNSYNCHRONIZED:
        advice = "have it set by NTP: signatures and retries go by it"
        return Finding("clock", Level.WARNING, "the kernel says that nobody keeps it in time", advice)
    return Finding("clock", Level.OK, "it is kept in time")


async def dns_findings(config: Config) -> AsyncIterator[Finding]:
    resolver = Resolver(asking(config.dns, config.limits.dns_seconds_max), SystemClock(), config.limits)
    try:
        async for finding in _host_findings(resolver, config.hostname):
            yield finding
        for domain in config.domains:
            async for finding in _domain_findings(resolver, config, domain):
                yield finding
    except Unavailable as error:
        yield Finding("DNS", Level.ERROR, str(error), "see to it that this machine's DNS server answers")


async def _host_findings(resolver: Resolver, host: str) -> AsyncIterator[Finding]:
    found = await zone.addresses(resolver, host)
    if not found:
        advice = "publish A and AAAA records with this machine's addresses"
        yield Finding(host, Level.ERROR, "it has no address", advice)
    for address in found:
        names = await zone.names(resolver, address)
        if host in names:
            yield Finding(host, Level.OK, f"{address}, which is {host}")
        else:
            advice = f"have whoever gave you {address} publish a PTR record that says {host}"
            yield Finding(host, Level.WARNING, f"{address} is {', '.join(names) or 'nobody'}", advice)


async def _domain_findings(resolver: Resolver, config: Config, domain: Domain) -> AsyncIterator[Finding]:
    try:
        keys = Keyring(config, domain).records()
    except ConfigError as error:
        advice = "its mail cannot be signed: bring the key back from a backup"
        yield Finding(domain.name, Level.ERROR, str(error), advice)
        return
    async for each in zone.seen(resolver, records(domain.name, config.hostname, keys)):
        about = f"{each.record.kind} {each.record.name}"
        if each.right:
            yield Finding(about, Level.OK, each.there[0][:60])
            continue
        needed = each.record.kind == "MX" or "._domainkey." in each.record.name
        level = Level.ERROR if needed else Level.WARNING
        found = " | ".join(each.there)[:200] or "nothing is published"
        yield Finding(about, level, found, f"publish: {each.record.data}")

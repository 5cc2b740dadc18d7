"""What `mailnode doctor` looks at on this machine, each with what to do."""

from __future__ import annotations

import ctypes
import datetime
import os
import resource
import socket
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from cryptography import x509

from mailnode import certificate
from mailnode.clock import SystemClock
from mailnode.cluster import authority
from mailnode.config import Config, ConfigError
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


def trust_findings(config: Config) -> Iterator[Finding]:
    """Of a node of a cluster: by what the others know it."""
    files = authority.files_of(config)
    if config.cluster is None:
        return
    about = "cluster"
    try:
        if authority.secret_of(config) is None or authority.credentials(config) is None:
            found = f"{files.folder} is not whole, so only nodes of this machine can be spoken to"
            yield Finding(about, Level.WARNING, found, "`mailnode cluster join` makes it")
            return
        left = authority.ends(files) - datetime.datetime.now(datetime.UTC)
    except ConfigError as error:
        yield Finding(about, Level.ERROR, str(error), f"bring {files.folder} back from a backup")
        return
    soon = Level.WARNING if left < authority.EXPIRES_SOON else Level.OK
    level = Level.ERROR if left.total_seconds() < 0 else soon
    advice = (
        "" if level is Level.OK else "`mailnode cluster init` or `join` again: the node could not renew it"
    )
    found = f"the certificate of {authority.name_in(files)} is valid until {authority.ends(files):%Y-%m-%d}"
    yield Finding(about, level, found, advice)
    for path in (files.key, files.secret):
        if path.stat().st_mode & (stat.S_IRWXO | stat.S_IRWXG):
            yield Finding(about, Level.ERROR, f"others may read {path}", f"chmod 600 {path}")


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

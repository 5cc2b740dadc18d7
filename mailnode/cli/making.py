"""Making a node's directory, and serving it."""

from __future__ import annotations

import argparse
import asyncio
import pwd
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mailnode import certificate, log, node
from mailnode.admin.domains import SELECTOR
from mailnode.cli import resharding
from mailnode.cli.failure import Failure
from mailnode.clock import SystemClock
from mailnode.cluster.target import target
from mailnode.config import (
    BARE_NEWLINE,
    EXPIRE_NEVER,
    FILE,
    LIMITS,
    SMTP_PORT,
    STANDARD_PORTS,
    Config,
    Listener,
    Mailauth,
    Relay,
    Reports,
    Service,
    load,
)
from mailnode.config_text import text_of
from mailnode.directory.address import Malformed, canonical_domain
from mailnode.directory.creation import Refused
from mailnode.domain import Domain, postmaster
from mailnode.mailauth import key
from mailnode.readiness import notify_ready

LOOPBACK = "127.0.0.1"
DEMO_DOMAIN = "example.test"
DEMO_ACCOUNTS = ("alice@example.test:alice-secret", "bob@example.test:bob-secret")


def init(options: argparse.Namespace) -> None:
    accounts = [_credentials(text) for text in options.account]
    config = _config(options.directory, options.domain, options.base_port, options.allow_plaintext_auth)
    if not options.local_only:
        config = open_to_all(config)
    _make(replace(config, user=options.user), accounts, options.nodes)


def _credentials(text: str) -> tuple[str, str]:
    address, colon, password = text.partition(":")
    if not (colon and password):
        raise Failure(f"--account {text!a}: expected ADDRESS:PASSWORD")
    return address, password


def _make(config: Config, accounts: Sequence[tuple[str, str]], nodes: int = 1) -> None:
    """All or nothing: made beside its directory, then renamed to it."""
    directory = config.directory
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise Failure(f"{directory} is there already, and not empty: init makes a new one")
    for index in range(nodes):  # a path too long is better known now
        target(replace(config, node=index).admin_socket)
    making = beside(directory)
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(0o700, parents=True)  # mail and keys are their owner's alone
    try:
        (making / FILE).write_text(text_of(config))
        _fill(load(making), accounts)
        if nodes > 1:
            resharding.moved_to(load(making), nodes)
        give(making, config.user)
        making.rename(directory)
    except BaseException:
        shutil.rmtree(making)
        raise


def beside(directory: Path) -> Path:
    """Where it is made, before it is there whole."""
    return directory.absolute().with_name(f".{directory.name}.making")


def give(made: Path, user: str) -> None:
    """Raises Failure."""
    if not user:
        return
    try:
        for path in (made, *made.rglob("*")):
            shutil.chown(path, user, pwd.getpwnam(user).pw_gid)
    except (KeyError, PermissionError) as error:
        raise Failure(f"--user {user!a}: the directory cannot be theirs: {error}") from None


def _fill(config: Config, accounts: Sequence[tuple[str, str]]) -> None:
    config.certificate.parent.mkdir()
    names = [config.hostname, config.domains[0].name]
    certificate.write_self_signed(config.certificate, config.key, names, SystemClock())
    for domain in config.domains:
        path = config.dkim_key(domain)
        path.parent.mkdir(exist_ok=True)
        key.write(path, key.new())
    asyncio.run(_create(config, accounts))


def open_to_all(config: Config) -> Config:
    """Mail for other domains goes on, and mail from others is looked at."""
    return replace(config, relay=Relay(SMTP_PORT), mailauth=Mailauth(""), reports=Reports())


def _config(directory: Path, domain: str, base_port: int, plaintext: bool) -> Config:
    name = canonical_domain(domain)
    if isinstance(name, Malformed):
        raise Failure(f"--domain: {name.reason}")
    first = Domain(name, "+", scram=True, dkim=SELECTOR, report_address=postmaster(name))
    return replace(told(directory, f"mail.{name}", base_port, plaintext), domains=(first,))


def told(directory: Path, hostname: str, base_port: int, plaintext: bool) -> Config:
    """What a new node is told, but for its domains, and for mail that goes on."""
    return Config(
        directory=directory,
        hostname=hostname,
        domains=(),
        listeners=tuple(
            Listener(service, LOOPBACK, base_port + port) for service, port in STANDARD_PORTS.items()
        ),
        lmtp_socket=directory / "lmtp.sock",
        bare_newline=BARE_NEWLINE,
        certificate=directory / "tls" / "cert.pem",
        key=directory / "tls" / "key.pem",
        key_password="",
        dns=(),
        mailauth=None,
        reports=None,
        relay=None,
        imap_literal_minus=False,
        foreign_from=False,
        hide_client=False,
        pop3_marks_seen=True,
        pop3_expire_days=EXPIRE_NEVER,
        pop3_login_delay_seconds=0,
        allow_plaintext_auth=plaintext,
        memory_octets=LIMITS.shard_memory_octets,
        log_level="info",
        log_format="text",
        user="",
        metrics=None,
        traces=None,
        cluster=None,
        limits=LIMITS,
    )


async def _create(config: Config, accounts: Sequence[tuple[str, str]]) -> None:
    async with node.house(config, SystemClock()) as parts:
        for address, password in accounts:
            outcome = await parts.people.creation.create(address, password)
            if isinstance(outcome, Refused):
                raise Failure(outcome.reason)


def up(directory: Path) -> None:
    configs = node.members(directory)
    config = configs[0]
    log.set_up(config.log_level, config.log_format)
    domains = ", ".join(domain.name for domain in config.domains) if config.cluster is None else "its cluster"

    def ready() -> None:
        print(f"ready: {config.hostname} serves {domains}", flush=True)
        notify_ready()

    if len(configs) == 1:
        node.serve(config, ready)
        return
    try:
        node.supervise(configs, ready)
    except node.Unstarted as error:
        raise Failure(str(error)) from None


def demo(options: argparse.Namespace) -> None:
    directory = options.directory
    if not (directory / FILE).exists():
        accounts = [_credentials(text) for text in DEMO_ACCOUNTS]
        _make(_config(directory, DEMO_DOMAIN, options.base_port, plaintext=True), accounts)
    print(_settings(load(directory)), flush=True)
    up(directory)


def _settings(config: Config) -> str:
    """What to type into a mail client."""
    program = sys.argv[0] if Path(sys.argv[0]).name == "mailnode" else "python -m mailnode"
    users = "\n".join(f"  {text.replace(':', '  ')}" for text in DEMO_ACCOUNTS)
    return f"""\
User names and passwords (of the demonstration):
{users}
{servers(config)}
The certificate is self-signed ({config.certificate}): let your mail client accept it.
A further account:  {program} account add carol@{config.domains[0].name} --dir {config.directory}
Stop with Ctrl-C."""


def servers(config: Config) -> str:
    """At which ports a node is reached, for people."""
    at = {listener.service: f"{listener.host} port {listener.port}" for listener in config.listeners}

    def either(implicit: Service, starttls: Service) -> str:
        ways = ((implicit, "TLS"), (starttls, "STARTTLS"))
        return ", ".join(f"{at[service]} with {how}" for service, how in ways if service in at) or "none"

    return f"""\
Reading:  IMAP {either(Service.IMAPS, Service.IMAP)}
          POP3 {either(Service.POP3S, Service.POP3)}
Sending:  SMTP {either(Service.SUBMISSIONS, Service.SUBMISSION)}
Mail from other servers comes in at {at.get(Service.SMTP, "no port")}."""

"""The command line: what an operator types.

Exit status: 0 done; 1 it could not be done, and one line on standard error says why; 2 the words are wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import shutil
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

from mailnode import certificate, log, node
from mailnode.admin import client
from mailnode.admin.target import target
from mailnode.clock import SystemClock
from mailnode.config import (
    BARE_NEWLINE,
    FILE,
    LIMITS,
    SMTP_PORT,
    STANDARD_PORTS,
    Config,
    ConfigError,
    Domain,
    Listener,
    Relay,
    Service,
    load,
    text_of,
)
from mailnode.directory.address import Malformed, canonical_domain
from mailnode.directory.creation import Created, Creation, Refused
from mailnode.store.shard import ShardError

BASE_PORT = 10_000
"""A port is this and the standard one: nobody needs to be root."""
LOOPBACK = "127.0.0.1"
DEMO_DOMAIN = "example.test"
DEMO_ACCOUNTS = ("alice@example.test:alice-secret", "bob@example.test:bob-secret")


class Failure(Exception):
    """The text is one line for whoever typed the command."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (Failure, ConfigError, ShardError, OSError) as error:
        print(f"mailnode: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mailnode", description="A mail server.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    init = commands.add_parser("init", help="make a node's directory with a domain and its accounts")
    init.add_argument("directory", type=Path, metavar="DIR")
    init.add_argument("--domain", required=True, help="whose mail is ours, such as example.org")
    init.add_argument("--account", action="append", default=[], metavar="ADDRESS:PASSWORD")
    init.add_argument("--base-port", type=_base_port, default=BASE_PORT, metavar="PORT")
    init.add_argument(
        "--allow-plaintext-auth", action="store_true", help="passwords outside TLS, from this machine"
    )
    init.add_argument("--local-only", action="store_true", help="refuse our users' mail for other domains")
    init.set_defaults(run=_init)

    up = commands.add_parser("up", help="serve until SIGTERM")
    up.add_argument("directory", type=Path, metavar="DIR")
    up.set_defaults(run=lambda options: _up(options.directory))

    demo = commands.add_parser("demo", help=f"serve {DEMO_DOMAIN} with two accounts, to try it out")
    demo.add_argument("directory", type=Path, metavar="DIR")
    demo.add_argument("--base-port", type=_base_port, default=BASE_PORT, metavar="PORT")
    demo.set_defaults(run=_demo)

    account = commands.add_parser("account", help="accounts").add_subparsers(required=True, metavar="COMMAND")
    add = account.add_parser("add", help="a new account; its password by prompt or from standard input")
    add.add_argument("address", metavar="ADDRESS")
    _add_directory(add)
    add.set_defaults(run=_account_add)

    alias = commands.add_parser("alias", help="aliases").add_subparsers(required=True, metavar="COMMAND")
    add = alias.add_parser("add", help="a new address whose mail goes to others of this node")
    add.add_argument("address", metavar="ADDRESS", help="or @DOMAIN: what else has no address there")
    add.add_argument("targets", nargs="+", metavar="TARGET")
    _add_directory(add)
    add.set_defaults(run=_alias_add)
    return parser


def _add_directory(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dir", type=Path, default=Path("data"), metavar="DIR", dest="directory")


def _base_port(text: str) -> int:
    most = 65535 - max(STANDARD_PORTS.values())
    if not text.isdecimal() or int(text) > most:
        raise argparse.ArgumentTypeError(f"{text!a} is no number from 0 to {most}")
    return int(text)


# -- init


def _init(options: argparse.Namespace) -> None:
    accounts = [_credentials(text) for text in options.account]
    config = _config(options.directory, options.domain, options.base_port, options.allow_plaintext_auth)
    _make(config if options.local_only else replace(config, relay=Relay(SMTP_PORT, dns=())), accounts)


def _credentials(text: str) -> tuple[str, str]:
    address, colon, password = text.partition(":")
    if not (colon and password):
        raise Failure(f"--account {text!a}: expected ADDRESS:PASSWORD")
    return address, password


def _make(config: Config, accounts: Sequence[tuple[str, str]]) -> None:
    """All or nothing: made beside its directory, then renamed to it."""
    directory = config.directory
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise Failure(f"{directory} is there already, and not empty: init makes a new one")
    target(config.admin_socket)  # a path too long is better known now
    making = directory.absolute().with_name(f".{directory.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(0o700, parents=True)  # mail and keys are their owner's alone
    try:
        (making / FILE).write_text(text_of(config))
        _fill(load(making), accounts)
        making.rename(directory)
    except BaseException:
        shutil.rmtree(making)
        raise


def _fill(config: Config, accounts: Sequence[tuple[str, str]]) -> None:
    config.certificate.parent.mkdir()
    names = [config.hostname, config.domains[0].name]
    certificate.write_self_signed(config.certificate, config.key, names, SystemClock())
    asyncio.run(_create(config, accounts))


def _config(directory: Path, domain: str, base_port: int, plaintext: bool) -> Config:
    """What a new node is told, but for mail that goes on."""
    name = canonical_domain(domain)
    if isinstance(name, Malformed):
        raise Failure(f"--domain: {name.reason}")
    return Config(
        directory=directory,
        hostname=f"mail.{name}",
        domains=(Domain(name, "+", scram=True),),
        listeners=tuple(
            Listener(service, LOOPBACK, base_port + port) for service, port in STANDARD_PORTS.items()
        ),
        lmtp_socket=directory / "lmtp.sock",
        bare_newline=BARE_NEWLINE,
        certificate=directory / "tls" / "cert.pem",
        key=directory / "tls" / "key.pem",
        relay=None,
        allow_plaintext_auth=plaintext,
        memory_octets=LIMITS.shard_memory_octets,
        authentication_threads=LIMITS.authentication_threads_max,
    )


async def _create(config: Config, accounts: Sequence[tuple[str, str]]) -> None:
    async with node.house(config, SystemClock()) as parts:
        for address, password in accounts:
            _address_of(await parts.creation.create(address, password))


def _address_of(outcome: Created | Refused) -> str:
    if isinstance(outcome, Refused):
        raise Failure(outcome.reason)
    return outcome.address


# -- up


def _up(directory: Path) -> None:
    config = load(directory)
    certificate.check(config.certificate, config.key)
    log.set_up()
    domains = ", ".join(domain.name for domain in config.domains)
    node.serve(config, lambda: print(f"ready: {config.hostname} serves {domains}", flush=True))


def _demo(options: argparse.Namespace) -> None:
    directory = options.directory
    if not (directory / FILE).exists():
        accounts = [_credentials(text) for text in DEMO_ACCOUNTS]
        _make(_config(directory, DEMO_DOMAIN, options.base_port, plaintext=True), accounts)
    print(_settings(load(directory)), flush=True)
    _up(directory)


def _settings(config: Config) -> str:
    """What to type into a mail client."""
    at = {listener.service: f"{listener.host} port {listener.port}" for listener in config.listeners}

    def servers(implicit: Service, starttls: Service) -> str:
        ways = ((implicit, "TLS"), (starttls, "STARTTLS"))
        return ", ".join(f"{at[service]} with {how}" for service, how in ways if service in at) or "none"

    program = sys.argv[0] if Path(sys.argv[0]).name == "mailnode" else "python -m mailnode"
    users = "\n".join(f"  {text.replace(':', '  ')}" for text in DEMO_ACCOUNTS)
    return f"""\
User names and passwords (of the demonstration):
{users}
Reading:  IMAP {servers(Service.IMAPS, Service.IMAP)}
          POP3 {servers(Service.POP3S, Service.POP3)}
Sending:  SMTP {servers(Service.SUBMISSIONS, Service.SUBMISSION)}
Mail from other servers comes in at {at.get(Service.SMTP, "no port")}.
The certificate is self-signed ({config.certificate}): let your mail client accept it.
A further account:  {program} account add carol@{config.domains[0].name} --dir {config.directory}
Stop with Ctrl-C."""


# -- accounts and aliases


def _account_add(options: argparse.Namespace) -> None:
    config = load(options.directory)
    password = _password(options.address)
    _add(
        config,
        lambda: client.account_add(config.admin_socket, options.address, password),
        lambda creation: creation.create(options.address, password),
    )


def _alias_add(options: argparse.Namespace) -> None:
    config = load(options.directory)
    _add(
        config,
        lambda: client.alias_add(config.admin_socket, options.address, options.targets),
        lambda creation: creation.create_alias(options.address, options.targets),
    )


def _add(
    config: Config,
    running: Callable[[], Created | Refused],
    stopped: Callable[[Creation], Awaitable[Created | Refused]],
) -> None:
    """Ask the node, or do what it would do when none runs."""
    try:
        outcome = running()
    except client.NotRunning:
        outcome = asyncio.run(_offline(config, stopped))
    except client.Failed as error:
        raise Failure(str(error)) from None
    print(f"{_address_of(outcome)} was added")


async def _offline(
    config: Config, stopped: Callable[[Creation], Awaitable[Created | Refused]]
) -> Created | Refused:
    async with node.house(config, SystemClock()) as parts:
        return await stopped(parts.creation)


def _password(address: str) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass(f"Password for {address}: ")
    if getpass.getpass("Once more: ") != password:
        raise Failure("the two passwords differ")
    return password

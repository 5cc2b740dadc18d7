"""mpop fetches a maildrop into a Maildir, and remembers by UIDL what it has."""

import poplib
from collections.abc import Callable
from pathlib import Path

import pytest

from interop import fetching, samples
from interop.fetching import Fetch, Files
from interop.programs import Done, program, run, succeeded
from interop.witness import WAIT_SECONDS_MAX, Account
from tests.wire.imap import trust
from tests.wire.server import HOST, Server

CONFIG = """\
account default
host {host}
port {port}
tls {tls}
tls_starttls {starttls}
tls_trust_file {certificate}
auth {auth}
user {user}
password "{password}"
keep {keep}
uidls_file {home}/uidls
delivery maildir {home}/mail
received_header off
"""
WAYS = {
    "plain": ("pop3", "off", "off"),
    "stls": ("pop3", "on", "on"),
    "tls": ("pop3s", "on", "off"),
}  # service, tls, tls_starttls
NOT_OF_MPOP: set[str] = set()  # mechanisms that we offer and that it does not know
NO_PERMISSION = 77  # sysexits.h

Mpop = Callable[..., Done]


@pytest.fixture(params=WAYS)
def mpop(request: pytest.FixtureRequest, server: Server, account: Account, home: Path) -> Mpop:
    """mpop(keep, auth) -> what it said."""
    path = program("mpop")
    for name in ("cur", "new", "tmp"):
        (home / "mail" / name).mkdir(parents=True)
    service, tls, starttls = WAYS[request.param]
    target = {"host": HOST, "port": server.port(service), "tls": tls, "starttls": starttls}
    target |= {"certificate": server.certificate, "user": account.address, "home": home}

    def call(keep: bool, auth: str, password: str = account.password) -> Done:
        config = home / "mpoprc"
        config.touch(0o600)
        changing = {"keep": "on" if keep else "off", "auth": auth, "password": password}
        config.write_text(CONFIG.format_map(target | changing))
        return run([path, "-C", str(config)], home)

    return call


@pytest.fixture
def fetch(mpop: Mpop, home: Path) -> Fetch:
    files = Files(home / "mail")

    def once(keep: bool) -> list[bytes]:
        succeeded(mpop(keep, "plain"))
        return files.new()

    return once


def test_mail_comes_down_as_it_is(fetch: Fetch, account: Account) -> None:
    fetching.comes_down_as_it_is(account, fetch)


def test_a_second_run_brings_what_is_new(fetch: Fetch, account: Account) -> None:
    fetching.a_second_run_brings_what_is_new(account, fetch)


def test_what_is_taken_is_gone(fetch: Fetch, account: Account) -> None:
    fetching.what_is_taken_is_gone(account, fetch)


def test_what_was_delivered_is_fetched(fetch: Fetch, account: Account) -> None:
    fetching.what_was_delivered_is_fetched(account, fetch)


def test_a_user_logs_in_with_each_mechanism_that_we_offer(
    mpop: Mpop, server: Server, account: Account, home: Path
) -> None:
    port, context = server.port("pop3s"), trust(server.certificate)
    drop = poplib.POP3_SSL(HOST, port, timeout=WAIT_SECONDS_MAX, context=context)
    offered = set(drop.capa()["SASL"])
    drop.quit()
    assert {"SCRAM-SHA-256", "PLAIN", "LOGIN"} <= offered
    account.append(samples.plain())
    files = Files(home / "mail")
    for mechanism in ("user", *sorted(offered - NOT_OF_MPOP)):
        (home / "uidls").unlink(missing_ok=True)
        done = mpop(True, mechanism.lower())
        assert done.returncode == 0, f"{mechanism}: {done.stderr.decode()}"
        assert files.new() == account.octets()


@pytest.mark.parametrize("auth", ["user", "plain"])
def test_a_wrong_password_is_refused(mpop: Mpop, auth: str) -> None:
    done = mpop(True, auth, "wrong")
    assert done.returncode == NO_PERMISSION, done.stderr

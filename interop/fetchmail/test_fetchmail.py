"""fetchmail fetches a maildrop or a mailbox, and gives each message to a program or to an MTA."""

from collections.abc import Callable
from pathlib import Path

import pytest

from interop import fetching, samples
from interop.fetching import Fetch, Files
from interop.programs import Done, program, run
from interop.witness import Account, trace_fields
from tests.wire.server import HOST, Server

# A name, because it compares no address with the certificate.
CONFIG = """\
set invisible
poll localhost service {port} protocol {protocol} {uidl}
  username "{user}" password "{password}"
  {tls} no rewrite {keep}
  {destination}
"""
PLAIN, STARTTLS, TLS = 'sslproto ""', "sslproto TLS1.2+", "ssl"
WAYS = {
    "pop3": ("pop3", PLAIN),
    "pop3-stls": ("pop3", STARTTLS),
    "pop3s": ("pop3s", TLS),
    "imap": ("imap", PLAIN),
    "imap-starttls": ("imap", STARTTLS),
    "imaps": ("imaps", TLS),
}  # service, how it is encrypted

# fetchmail(1), EXIT CODES
DONE, NO_MAIL, AUTHENTICATION_FAILED = 0, 1, 3

Fetchmail = Callable[..., Done]


@pytest.fixture(params=WAYS)
def fetchmail(request: pytest.FixtureRequest, server: Server, account: Account, home: Path) -> Fetchmail:
    """fetchmail(keep, destination) -> what it said."""
    path = program("fetchmail")
    service, tls = WAYS[request.param]
    protocol = service.removesuffix("s")
    target = {"port": server.port(service), "protocol": protocol, "user": account.address}
    target["tls"] = f"{tls} sslcertck sslcertfile {server.certificate}"

    def call(keep: bool, destination: str, password: str = account.password) -> Done:
        config = home / "fetchmailrc"
        config.touch(0o600)
        changing = {"destination": destination, "password": password, "keep": "keep" if keep else "no keep"}
        changing["uidl"] = "uidl" if keep and protocol == "pop3" else ""
        config.write_text(CONFIG.format_map(target | changing))
        return run([path, "-f", str(config), "-N", "--pidfile", str(home / "pid")], home)

    return call


@pytest.fixture
def fetch(fetchmail: Fetchmail, home: Path) -> Fetch:
    """Each message into a file of its own."""
    folder = home / "mail"
    folder.mkdir()
    files = Files(folder)

    def once(keep: bool) -> list[bytes]:
        done = fetchmail(keep, f'mda "cat >$(mktemp -p {folder})"')
        assert done.returncode in (DONE, NO_MAIL), done
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


@pytest.mark.parametrize("protocol", ["smtp", "lmtp"])
def test_what_it_fetches_it_delivers_to_us(
    fetchmail: Fetchmail, server: Server, account: Account, friend: Account, protocol: str
) -> None:
    messages = [samples.plain(), samples.large(200_000)]
    for message in messages:
        account.append(message)
    lmtp = "lmtp" if protocol == "lmtp" else ""
    done = fetchmail(False, f"smtphost {HOST}/{server.port(protocol)} {lmtp} smtpname {friend.address}")
    assert done.returncode == DONE, done
    for stored, message in zip(friend.octets(least=2), messages, strict=True):
        assert trace_fields(stored, message) == ["Return-Path", "Received"]
    assert account.octets() == []


def test_a_wrong_password_is_refused(fetchmail: Fetchmail, account: Account) -> None:
    account.append(samples.plain())
    assert fetchmail(False, "mda cat", "wrong").returncode == AUTHENTICATION_FAILED
    assert len(account.octets()) == 1

"""msmtp hands a message to a submission service, as a user's sendmail."""

import smtplib
from collections.abc import Callable
from pathlib import Path

import pytest

from interop import samples
from interop.programs import Done, program, run, succeeded
from interop.witness import SENDER, WAIT_SECONDS_MAX, Account, trace_fields
from tests.wire.imap import trust
from tests.wire.server import HOST, Server

CONFIG = """\
account default
host {host}
port {port}
protocol {protocol}
domain client.test
from {sender}
tls {tls}
tls_starttls {starttls}
tls_trust_file {certificate}
auth {auth}
user {user}
password "{password}"
"""
TLS = {"plain": ("off", "off"), "starttls": ("on", "on"), "tls": ("on", "off")}
WAYS = pytest.mark.parametrize(
    ("service", "tls"),
    [("submission", "plain"), ("submission", "starttls"), ("submissions", "tls")],
    ids=["plain", "starttls", "tls"],
)
NOT_OF_MSMTP: set[str] = set()  # mechanisms that we offer and that it does not know
TRACE = ["Return-Path", "Received"]

# sysexits.h
DATA_ERROR = 65
NO_PERMISSION = 77

Msmtp = Callable[..., Done]


@pytest.fixture
def msmtp(server: Server, account: Account, home: Path) -> Msmtp:
    """msmtp(service, tls, auth, message, *recipients) -> what it said."""
    path = program("msmtp")

    def call(service: str, tls: str, auth: str, message: bytes, *recipients: str, **changes: str) -> Done:
        values = {"host": HOST, "port": str(server.port(service)), "certificate": str(server.certificate)}
        values |= {"protocol": "lmtp" if service == "lmtp" else "smtp", "auth": auth}
        values |= {"sender": account.address, "user": account.address, "password": account.password}
        values["tls"], values["starttls"] = TLS[tls]
        config = home / "msmtprc"
        config.touch(0o600)
        config.write_text(CONFIG.format_map(values | changes))
        command = [path, "-C", str(config), "--", *recipients]
        return run(command, home, message.replace(b"\r\n", b"\n"))

    return call


def offered(server: Server, service: str) -> set[str]:
    """The mechanisms that EHLO tells, within TLS where there is any."""
    context = trust(server.certificate)
    port, seconds = server.port(service), WAIT_SECONDS_MAX
    if service == "submissions":
        with smtplib.SMTP_SSL(HOST, port, timeout=seconds, context=context) as connection:
            connection.ehlo()
            return set(connection.esmtp_features["auth"].split())
    with smtplib.SMTP(HOST, port, timeout=seconds) as connection:
        connection.starttls(context=context)
        connection.ehlo()
        return set(connection.esmtp_features["auth"].split())


@WAYS
def test_a_user_submits_with_each_mechanism_that_we_offer(
    msmtp: Msmtp, server: Server, account: Account, service: str, tls: str
) -> None:
    mechanisms = sorted(offered(server, service) - NOT_OF_MSMTP)
    assert {"SCRAM-SHA-256", "PLAIN", "LOGIN"} <= set(mechanisms)
    messages = {mechanism: samples.plain(mechanism) for mechanism in mechanisms}
    for mechanism, message in messages.items():
        done = msmtp(service, tls, mechanism.lower(), message, account.address)
        assert done.returncode == 0, f"{mechanism}: {done.stderr.decode()}"
    stored = account.octets(least=len(messages))
    for octets, message in zip(stored, messages.values(), strict=True):
        assert trace_fields(octets, message) == TRACE


@WAYS
def test_it_finds_a_mechanism_by_itself(msmtp: Msmtp, account: Account, service: str, tls: str) -> None:
    """Without TLS it sends no password in the clear."""
    done = msmtp(service, tls, "on", samples.plain(), account.address)
    assert (done.returncode == 0) or (tls == "plain" and b"cannot use a secure authentication" in done.stderr)


@WAYS
def test_a_wrong_password_is_refused(msmtp: Msmtp, account: Account, service: str, tls: str) -> None:
    done = msmtp(service, tls, "plain", samples.plain(), account.address, password="wrong")
    assert done.returncode == NO_PERMISSION, done.stderr
    assert b"server message: 535 5.7.8" in done.stderr
    assert account.octets() == []


def test_several_recipients_get_it(msmtp: Msmtp, account: Account, friend: Account) -> None:
    message = samples.large(500_000)
    succeeded(msmtp("submissions", "tls", "plain", message, account.address, friend.address))
    for recipient in (account, friend):
        (stored,) = recipient.octets(least=1)
        assert trace_fields(stored, message) == TRACE


def test_an_unknown_recipient_stops_the_whole_and_is_named(msmtp: Msmtp, account: Account) -> None:
    unknown = "nobody-of-that-name@example.test"
    done = msmtp("submissions", "tls", "plain", samples.plain(), account.address, unknown)
    assert done.returncode == DATA_ERROR, done.stderr
    assert unknown.encode() in done.stderr and b"550 5.1.1" in done.stderr
    assert account.octets() == []


@pytest.mark.parametrize(("service", "tls"), [("smtp", "plain"), ("smtp", "starttls"), ("lmtp", "plain")])
def test_without_a_user_mail_for_us_is_taken(msmtp: Msmtp, account: Account, service: str, tls: str) -> None:
    message = samples.plain()
    succeeded(msmtp(service, tls, "off", message, account.address, sender=SENDER))
    (stored,) = account.octets(least=1)
    assert trace_fields(stored, message) == TRACE
    assert stored.startswith(b"Return-Path: <%s>\r\n" % SENDER.encode())


def test_it_sees_what_the_server_offers(msmtp: Msmtp, server: Server, account: Account, home: Path) -> None:
    path = program("msmtp")
    target = ["--serverinfo", f"--host={HOST}", f"--port={server.port('submission')}"]
    told = succeeded(run([path, *target, "--tls=on", f"--tls-trust-file={server.certificate}"], home))
    for word in (b"SIZE", b"PIPELINING", b"STARTTLS", b"AUTH:"):
        assert word in told

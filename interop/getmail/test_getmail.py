"""getmail fetches a maildrop or a mailbox, and remembers by UIDL or UID what it has."""

import re
from pathlib import Path

import pytest

from interop import fetching
from interop.fetching import Fetch, Files
from interop.programs import program, run, succeeded
from interop.witness import Account
from tests.wire.server import HOST, Server

CONFIG = """\
[retriever]
type = {kind}
server = {host}
port = {port}
username = {user}
password = {password}
{more}

[destination]
type = MDA_external
path = /bin/sh
arguments = ("-c", "cat >$(mktemp -p {home}/mail)")
allow_root_commands = true

[options]
read_all = false
delete = {delete}
delivered_to = false
received = false
"""
TLS = "ca_certs = {certificate}\nssl_cert_hostname = localhost"
WAYS = {
    "pop3": ("SimplePOP3Retriever", ""),
    "pop3s": ("SimplePOP3SSLRetriever", TLS),
    "imap": ("SimpleIMAPRetriever", 'mailboxes = ("INBOX",)'),
    "imaps": ("SimpleIMAPSSLRetriever", 'mailboxes = ("INBOX",)\n' + TLS),
}  # it knows neither STLS nor STARTTLS


@pytest.fixture(params=WAYS)
def fetch(request: pytest.FixtureRequest, server: Server, account: Account, home: Path) -> Fetch:
    path = program("getmail")
    for name in ("mail", "state"):
        (home / name).mkdir()
    files = Files(home / "mail")
    kind, more = WAYS[request.param]
    target = {"kind": kind, "host": HOST, "port": server.port(request.param), "home": home}
    target |= {"user": account.address, "password": account.password}
    target["more"] = more.format(certificate=server.certificate)

    def once(keep: bool) -> list[bytes]:
        rc = home / "getmailrc"
        rc.write_text(CONFIG.format_map(target | {"delete": str(not keep).lower()}))
        succeeded(run([path, "--getmaildir", str(home / "state"), "--rcfile", str(rc)], home))
        return [without_marks(octets) for octets in files.new()]

    return once


def without_marks(octets: bytes) -> bytes:
    """It adds a Return-Path where there is none, and names the mailbox at the end of the header."""
    octets = octets.removeprefix(b"Return-Path: <unknown>\r\n")
    return re.sub(rb"^X-getmail-retrieved-from-mailbox: INBOX\r\n", b"", octets, count=1, flags=re.MULTILINE)


def test_mail_comes_down_as_it_is(fetch: Fetch, account: Account) -> None:
    fetching.comes_down_as_it_is(account, fetch)


def test_a_second_run_brings_what_is_new(fetch: Fetch, account: Account) -> None:
    fetching.a_second_run_brings_what_is_new(account, fetch)


def test_what_is_taken_is_gone(fetch: Fetch, account: Account) -> None:
    fetching.what_is_taken_is_gone(account, fetch)


def test_what_was_delivered_is_fetched(fetch: Fetch, account: Account) -> None:
    fetching.what_was_delivered_is_fetched(account, fetch)

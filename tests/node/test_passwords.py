"""Passwords of a node that serves: what opens what, what ends with it, and who must wait."""

import imaplib
import poplib
import random
import smtplib
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from mailnode.admin.client import ask
from mailnode.config import FILE
from mailnode.pb import admin_pb2 as pb
from tests.wire.lines import answer
from tests.wire.node import Node
from tests.wire.server import DOMAIN, HOST, free_base_port

ALICE, BOB = f"alice@{DOMAIN}", f"bob@{DOMAIN}"
PASSWORD = "secret"
WRONG = imaplib.IMAP4.error, poplib.error_proto, smtplib.SMTPAuthenticationError
LIMITS = {"guesses_account_free": 3, "guesses_delay_seconds_min": 300}
"""All peers here are of this machine, whose addresses do not count: the account does, where nobody has
logged in from, and else the address that it knows."""


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    directory = tmp_path_factory.mktemp("passwords") / "node"
    running = Node(directory, free_base_port(random.Random()), {ALICE: PASSWORD, BOB: PASSWORD})
    running.init()
    file = directory / FILE
    text = file.read_text()
    for name, value in LIMITS.items():
        text = text.replace(f"\n# {name} = ", f"\n{name} = {value} # ")
    file.write_text(text)
    running.start()
    yield running
    running.stop()


def asked(node: Node, request: Any) -> Any:
    return ask(node.directory / "admin.sock", request)


def mailnode(node: Node, *words: str) -> str:
    command = [sys.executable, "-m", "mailnode", *words, "--dir", str(node.directory)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def imap(node: Node, password: str, address: str = ALICE) -> imaplib.IMAP4:
    client = imaplib.IMAP4(HOST, node.port("imap"))
    client.login(address, password)
    client.select()
    return client


def pop3(node: Node, password: str) -> poplib.POP3:
    client = poplib.POP3(HOST, node.port("pop3"))
    client.user(ALICE)
    client.pass_(password)
    return client


def submission(node: Node, password: str) -> smtplib.SMTP:
    client = smtplib.SMTP(HOST, node.port("submission"))
    client.login(ALICE, password)
    return client


def test_an_application_password_opens_its_services_until_it_is_revoked(node: Node) -> None:
    scopes = "--scope", "imap", "--scope", "smtp", "--days", "30"
    password = mailnode(node, "app-password", "add", ALICE, "phone", *scopes)
    phone, laptop, sending = imap(node, password), imap(node, PASSWORD), submission(node, password)
    with pytest.raises(poplib.error_proto, match=r"\[AUTH\]"):
        pop3(node, password)
    shown = mailnode(node, "app-password", "list", ALICE)
    title, row = shown.splitlines()
    assert title.split() == ["NAME", "FOR", "MADE", "EXPIRES", "LAST", "USED"]
    assert row.split()[:3] == ["phone", "imap", "smtp"] and "never" not in row and password not in shown
    mailnode(node, "app-password", "revoke", ALICE, "phone")
    assert phone.readline() == b"* BYE This login is no longer good\r\n"
    assert sending.getreply() == (421, b"4.7.0 This login is no longer good")
    assert laptop.noop()[0] == "OK"
    laptop.logout()
    for come in (imap, submission):
        with pytest.raises(WRONG):
            come(node, password)
    assert len(mailnode(node, "app-password", "list", ALICE).splitlines()) == 1


def test_a_new_password_ends_the_sessions_of_the_old_one_but_not_those_of_programs(node: Node) -> None:
    password = asked(node, pb.AppPasswordAddRequest(address=ALICE, name="reader")).password
    reader, dropped = imap(node, password), pop3(node, PASSWORD)
    asked(node, pb.AccountPasswordRequest(address=ALICE, password="another"))
    assert dropped.file.readline() == b"-ERR [AUTH] This login is no longer good\r\n"
    assert reader.noop()[0] == "OK"
    asked(node, pb.AccountSuspendRequest(address=ALICE, suspended=True))
    assert reader.readline() == b"* BYE This login is no longer good\r\n"
    for right in (password, "another"):
        with pytest.raises(WRONG):
            imap(node, right)
    asked(node, pb.AccountSuspendRequest(address=ALICE))
    imap(node, password).logout()
    asked(node, pb.AccountPasswordRequest(address=ALICE, password=PASSWORD))


def test_a_session_that_waits_for_news_hears_the_end(node: Node) -> None:
    client = imap(node, PASSWORD)
    client.send(b"a IDLE\r\n")
    assert client.readline().startswith(b"+ ")
    asked(node, pb.AccountSuspendRequest(address=ALICE, suspended=True))
    assert client.readline() == b"* BYE This login is no longer good\r\n"
    assert client.readline() == b""
    asked(node, pb.AccountSuspendRequest(address=ALICE))


@pytest.mark.parametrize("login", [BOB, f"nobody@{DOMAIN}"])
def test_whoever_has_failed_too_often_is_told_to_try_again_later(node: Node, login: str) -> None:
    """The right password too; whether there is such a user or not; and nobody else."""
    guesses = [answer(node.port("imap"), f"a LOGIN {login} guess{number}".encode()) for number in range(5)]
    assert [said[:9] for said in guesses] == [b"a NO [AUT"] * 4 + [b"a NO [UNA"]
    plain = b64encode(f"\0{login}\0{PASSWORD}".encode())
    scram = b64encode(f"n,,n={login},r=nonce".encode())
    later = b"Too many failed logins, try again later\r\n"
    for mechanism in (b"PLAIN " + plain, b"SCRAM-SHA-256 " + scram):
        authenticate = b"a AUTHENTICATE " + mechanism
        assert answer(node.port("imap"), authenticate) == b"a NO [UNAVAILABLE] " + later
        assert answer(node.port("pop3"), b"AUTH " + mechanism) == b"-ERR [SYS/TEMP] " + later
        hello = b"EHLO client.test"
        assert answer(node.port("submission"), hello, b"AUTH " + mechanism) == b"454 4.7.0 " + later
    imap(node, PASSWORD).logout()

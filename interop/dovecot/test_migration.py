"""Moving from Dovecot and to it, so that clients find the UIDs and unique-ids that they know."""

import imaplib
import os
import poplib
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from interop.peers import dovecot
from interop.peers.dovecot import MAIL_USER_ID, DovecotMaildir
from tests.wire.imap import trust
from tests.wire.node import Node
from tests.wire.server import DOMAIN, HOST, Server, free_base_port

ADDRESS = f"mover@{DOMAIN}"
PASSWORD = "wonder land"
MESSAGES = [
    b"From: a@b\r\nSubject: %d\r\nMessage-ID: <%d@b>\r\n\r\n.dot\r\nFrom here\r\n" % (n, n)
    for n in range(1, 6)
]
LONG = b"Subject: long\r\n\r\n" + b"x" * 70 + b"\r\n" + (b"0123456789" * 7 + b"\r\n") * 60_000
DATE = '"02-Feb-2020 20:20:20 +0000"'
NAMES = ("INBOX", "Work", "Work/Gr&APw-n", "Sent")

Seen = dict[str, tuple[bytes, dict[int, tuple[str, str, bytes]]]]
"""Mailbox -> UIDVALIDITY, and by UID flags, INTERNALDATE and octets."""


class WithMaster(DovecotMaildir):
    """Its user `boss` may log in for all others."""

    MORE = """
auth_master_user_separator = *
passdb {
  driver = passwd-file
  args = @DIR@/masters
  master = yes
}
"""

    def _make(self) -> None:
        super()._make()
        (self.directory / "masters").write_text("boss:{PLAIN}boss word\n")


@pytest.fixture(scope="module")
def old(open_folder: Path) -> Iterator[DovecotMaildir]:
    """A Dovecot with mail that has gaps in its UIDs, flags, keywords and folders; it stays as it is."""
    if reason := dovecot.absent():
        pytest.skip(reason)
    server = _dovecot(open_folder / "old")
    server.start()
    with session(server) as client:
        for name in (b"Work", b"Work/Gr&APw-n"):
            client.create(b'"%s"' % name)
            client.subscribe(b'"%s"' % name)
        for at, message in enumerate(MESSAGES):
            flags = ("\\Seen", "\\Flagged $Label1", "", "\\Answered \\Draft", "Junk")[at]
            client.append("INBOX", f"({flags})", DATE, message)
            client.append('"Work/Gr&APw-n"', f"({flags})", DATE, message)
        client.append("Work", "", DATE, LONG)
        client.select("INBOX")
        client.uid("STORE", "2", "+FLAGS", "(\\Deleted)")
        client.uid("STORE", "5", "+FLAGS", "(\\Deleted)")
        client.expunge()
    yield server
    server.stop()


@pytest.fixture
def new(open_folder: Path, tmp_path: Path) -> Iterator[Node]:
    node = Node(open_folder / f"new-{tmp_path.name}", free_base_port(random.Random()), {ADDRESS: PASSWORD})
    node.start()
    yield node
    node.stop()


def _dovecot(directory: Path) -> DovecotMaildir:
    return WithMaster(directory, free_base_port(random.Random()), {ADDRESS: PASSWORD})


def session(server: Server) -> imaplib.IMAP4_SSL:
    tls = trust(server.certificate)
    client = imaplib.IMAP4_SSL(HOST, server.port("imaps"), ssl_context=tls, timeout=30)
    client.login(ADDRESS, PASSWORD)
    return client


def seen(server: Server) -> Seen:
    """What an IMAP client sees."""
    found: Seen = {}
    with session(server) as client:
        for name in NAMES:
            client.select(f'"{name}"', readonly=True)
            uid_validity = client.response("UIDVALIDITY")[1][0]
            _, answers = client.uid("FETCH", "1:*", "(FLAGS INTERNALDATE BODY.PEEK[])")
            messages = {}
            for answer in answers:
                if isinstance(answer, tuple):
                    uid = int(re.search(rb"UID (\d+)", answer[0])[1])
                    flags = set(re.search(rb"FLAGS \(([^)]*)\)", answer[0])[1].decode().split()) - {
                        "\\Recent"
                    }
                    date = re.search(rb'INTERNALDATE "([^"]*)"', answer[0])[1].decode().strip().rjust(26, "0")
                    messages[uid] = (" ".join(sorted(flags)), date, answer[1])
            found[name] = (uid_validity, messages)
    return found


def unique_ids(server: Server) -> list[bytes]:
    client = poplib.POP3_SSL(HOST, server.port("pop3s"), context=trust(server.certificate), timeout=30)
    client.user(ADDRESS)
    client.pass_(PASSWORD)
    ids = [line.split()[1] for line in client.uidl()[1]]
    client.quit()
    return ids


def mailnode(*words: str | Path) -> str:
    command = [sys.executable, "-m", "mailnode", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _import_of(way: str, old: DovecotMaildir, new: Node, *words: str) -> str:
    common = ("--keep-uids", "--pop3-uidl", "%08Xu%08Xv", "--dir", str(new.directory), *words)
    if way == "maildir":
        return mailnode("import", "maildir", ADDRESS, old.directory / "mail" / ADDRESS / "Maildir", *common)
    password = new.directory / "password"
    password.write_text(f"{PASSWORD}\n")
    at = (
        "--host",
        HOST,
        "--port",
        str(old.port("imaps")),
        "--user",
        ADDRESS,
        "--password-file",
        str(password),
    )
    return mailnode("import", "imap", ADDRESS, *at, "--certificate", old.certificate, *common)


@pytest.mark.parametrize("way", ["maildir", "imap"])
def test_clients_of_a_dovecot_find_all_as_it_was(old: DovecotMaildir, new: Node, way: str) -> None:
    before, ids = seen(old), unique_ids(old)
    assert '"imported": 9' in _import_of(way, old, new, "--json")
    assert seen(new) == before
    assert unique_ids(new) == ids
    with session(new) as client:
        _, subscribed = client.lsub('""', '"*"')
        names = {re.sub(rb'.* "/" "?([^"]*)"?$', rb"\1", line) for line in subscribed if line}
        assert {b"Work", b"Work/Gr&APw-n"} <= names
    assert "0 messages imported" in _import_of(way, old, new)
    assert seen(new) == before


@pytest.mark.parametrize(
    ("service", "words", "password"),
    [
        ("imap", ("--security", "starttls"), PASSWORD),
        ("imap", ("--security", "plain"), PASSWORD),
        ("imaps", ("--master", "boss"), "boss word"),
    ],
)
def test_a_stopped_node_takes_mail_by_each_way_to_log_in(
    old: DovecotMaildir, tmp_path: Path, service: str, words: tuple[str, ...], password: str
) -> None:
    node = Node(tmp_path / "node", free_base_port(random.Random()), {ADDRESS: PASSWORD})
    node.init()
    (tmp_path / "password").write_text(password)
    at = ("--host", HOST, "--port", str(old.port(service)), "--certificate", old.certificate)
    login = ("--user", ADDRESS, "--password-file", tmp_path / "password", *words)
    said = mailnode("import", "imap", ADDRESS, *at, *login, "--dir", node.directory)
    assert said.startswith("9 messages imported")


def test_a_dovecot_takes_over_what_is_exported(old: DovecotMaildir, new: Node, open_folder: Path) -> None:
    _import_of("maildir", old, new)
    before, ids = seen(new), unique_ids(new)
    taking = _dovecot(open_folder / "taking")
    taking.start()
    maildir = taking.directory / "mail" / ADDRESS / "Maildir"
    mailnode("export", "maildir", ADDRESS, maildir, "--dir", new.directory)
    for path in (maildir.parent, maildir, *maildir.rglob("*")):
        os.chown(path, MAIL_USER_ID, MAIL_USER_ID)
    try:
        assert seen(taking) == before
        assert unique_ids(taking) == ids
        with session(taking) as client:
            _, subscribed = client.lsub('""', '"*"')
            assert any(b"Work/Gr&APw-n" in line for line in subscribed if line)
    finally:
        taking.stop()

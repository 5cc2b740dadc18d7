"""doveadm moves a user from us to Dovecot, and from Dovecot to us, through its IMAP client (imapc)."""

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from interop import samples
from interop.peers import dovecot
from interop.peers.dovecot import DovecotMaildir
from interop.programs import program, run, succeeded
from interop.witness import Account, fetch
from tests.wire.server import free_base_port

USER, PASSWORD = "ann@there.test", "sesame"
MAILBOXES = {
    "INBOX": ["", "\\Seen \\Answered", "\\Flagged $Label1"],
    "Work/Ideas": ["\\Seen", "\\Draft $MDNSent"],
}

Doveadm = Callable[..., None]


@pytest.fixture
def there(open_folder: Path) -> Iterator[Account]:
    """Somebody of a Dovecot."""
    if reason := dovecot.absent():
        pytest.skip(reason)
    port = free_base_port(random.Random())
    server = DovecotMaildir(open_folder / f"doveadm-{port}", port, {USER: PASSWORD})
    server.start()
    yield Account(server, USER, PASSWORD)
    server.stop()


@pytest.fixture
def doveadm(there: Account, account: Account, open_folder: Path, home: Path) -> Doveadm:
    """doveadm(word, ...) with `imapc:` our account, through TLS."""
    certificate = open_folder / "doveadm.pem"  # it gives up root
    shutil.copyfile(account.server.certificate, certificate)
    settings = {
        "imapc_host": "localhost",
        "imapc_port": account.server.port("imaps"),
        "imapc_ssl": "imaps",
        "imapc_user": account.address,
        "imapc_password": account.password,
        "imapc_features": "rfc822.size fetch-headers fetch-bodystructure",
        "ssl_client_ca_file": certificate,
    }
    options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    config = str(there.server.certificate.parents[1] / "dovecot.conf")

    def call(*words: str) -> None:
        succeeded(run([program("doveadm"), "-c", config, *options, *words], home))

    return call


def fill(account: Account) -> None:
    with account.session() as session:
        session.create("Work/Ideas")
    for mailbox, messages in MAILBOXES.items():
        for number, flags in enumerate(messages):
            account.append(samples.plain(f"{mailbox} {number}"), mailbox, f"({flags})")
    account.append(samples.large(2_000_000), "INBOX")
    with account.session() as session:  # UIDs have gaps
        session.select("INBOX")
        session.store("1", "+FLAGS", "\\Deleted")
        session.expunge()


def held(account: Account, mailbox: str, *, uids: bool) -> list[tuple[object, ...]]:
    """Each message: its UID if asked for, flags without \\Recent, date and octets."""
    with account.session() as session:
        session.select(f'"{mailbox}"', readonly=True)
        found = fetch(session, "1:*", "(UID FLAGS INTERNALDATE BODY.PEEK[])")
    return [
        (
            each.items[b"UID"] if uids else None,
            frozenset(each.items[b"FLAGS"].strip(b"()").split()) - {b"\\Recent"},
            each.items[b"INTERNALDATE"],
            each.items[b"BODY[]"],
        )
        for each in found
    ]


def test_a_user_moves_from_us_to_dovecot_with_flags_dates_and_uids(
    doveadm: Doveadm, there: Account, account: Account
) -> None:
    fill(account)
    doveadm("backup", "-R", "-u", USER, "imapc:")
    for mailbox in MAILBOXES:
        assert held(there, mailbox, uids=True) == held(account, mailbox, uids=True)
    assert uid_validity(account) == uid_validity(there)


def uid_validity(account: Account) -> bytes:
    with account.session() as session:
        _, (line,) = session.status("INBOX", "(UIDVALIDITY)")
    assert isinstance(line, bytes)
    return line


def test_a_user_moves_from_dovecot_to_us_with_flags_and_dates(
    doveadm: Doveadm, there: Account, account: Account
) -> None:
    """By `import`: `backup` sets the GUIDs of mailboxes, which its imapc cannot at a Dovecot either."""
    fill(there)
    maildir = there.server.certificate.parents[1] / "mail" / USER / "Maildir"
    doveadm("-o", "mail_location=imapc:", "import", "-u", USER, f"maildir:{maildir}", "", "ALL")
    for mailbox in MAILBOXES:
        assert held(account, mailbox, uids=False) == held(there, mailbox, uids=False)

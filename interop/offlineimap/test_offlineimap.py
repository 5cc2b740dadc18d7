"""OfflineIMAP keeps a tree of Maildirs and an account alike, both ways."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from interop import samples
from interop.maildir import Maildir, without_mark
from interop.programs import Done, program, refusals, run
from interop.witness import Account
from tests.wire.server import Server

CONFIG = """\
[general]
accounts = all
metadata = {home}/metadata
socktimeout = 8

[Account all]
localrepository = near
remoterepository = far

[Repository near]
type = Maildir
localfolders = {home}/mail
sep = /

[Repository far]
type = IMAP
remotehost = localhost
remoteport = {port}
remoteuser = {user}
remotepass = {password}
ssl = {ssl}
starttls = {starttls}
ssl_version = tls1_2
sslcacertfile = {certificate}
"""
WAYS = {"plain": ("imap", "no", "no"), "starttls": ("imap", "no", "yes"), "tls": ("imaps", "yes", "no")}
COMMAND = re.compile(rb"writer > b'[A-Z]+\d+ (.*)\\r\\n'$", re.MULTILINE)

# After STARTTLS, before it logs in, it now and then waits in vain for the answer to CAPABILITY, with Dovecot
# too, or finds an error within its TLS, or crashes: its library reads and writes by one TLS object in two
# threads. A person runs it again. It is rarer with TLS 1.2, which sends no session tickets behind the
# handshake.
FELL = b"Failed to start TLS connection: "
RUNS_MAX = 4

Sync = Callable[[], bytes]


@pytest.fixture
def near(home: Path) -> Maildir:
    return Maildir(home / "mail")


@pytest.fixture
def sync(request: pytest.FixtureRequest, server: Server, account: Account, home: Path) -> Sync:
    """One whole run of OfflineIMAP; what was said on the wire, in which the server refused nothing."""
    path = program("offlineimap")
    service, ssl, starttls = WAYS[getattr(request, "param", "tls")]
    config = home / "offlineimaprc"
    text = CONFIG.format(
        port=server.port(service),
        user=account.address,
        password=account.password,
        ssl=ssl,
        starttls=starttls,
        certificate=server.certificate,
        home=home,
    )
    config.write_text(text)

    def run_once() -> bytes:
        command = [path, "-c", str(config), "-o", "-u", "basic", "-d", "imap"]
        done, again = run(command, home), RUNS_MAX - 1
        while again and fell_in_starttls(done):
            done, again = run(command, home), again - 1
        dialogue = done.stdout + done.stderr
        assert done.returncode == 0 and b"ERROR" not in dialogue, dialogue.decode(errors="replace")
        # It creates every parent without asking whether it is there.
        assert [answer for answer in refusals(dialogue) if b"[ALREADYEXISTS]" not in answer] == []
        return dialogue

    return run_once


def fell_in_starttls(done: Done) -> bool:
    said = done.stdout + done.stderr
    if b"STARTTLS" not in said or b"AUTHENTICATE (" in said:
        return False
    return done.returncode < 0 or FELL in said


def commands(dialogue: bytes) -> list[bytes]:
    """Each without its tag: `SELECT INBOX`."""
    return COMMAND.findall(dialogue)


@pytest.mark.parametrize("sync", WAYS, indirect=True)
def test_mail_comes_down_as_it_is(sync: Sync, account: Account, near: Maildir) -> None:
    messages = [samples.plain("one"), samples.plain("two"), samples.large(300_000)]
    for message in messages[1:]:
        account.append(message)
    account.append(messages[0], "Archive", "(\\Seen \\Flagged)")
    sync()
    assert near.octets() == set(messages[1:])
    assert near.octets("Archive") == {messages[0]}
    assert near.flags("one", "Archive") == "FS"


def test_a_second_run_transfers_nothing(sync: Sync, account: Account, near: Maildir) -> None:
    for about in ("one", "two"):
        account.append(samples.plain(about), flags="(\\Seen)")
    sync()
    near.add("1.local", samples.plain("from here"))
    sync()
    messages, files = account.messages(), near.files()
    said = commands(sync())
    assert [line for line in said if b"FETCH" in line] == [b"FETCH 1:* (FLAGS UID INTERNALDATE)"]
    assert not [line for line in said if line.startswith((b"APPEND", b"UID STORE"))]
    assert (account.messages(), near.files()) == (messages, files)


@pytest.mark.parametrize("sync", WAYS, indirect=True)
def test_mail_goes_up_as_it_is(sync: Sync, account: Account, near: Maildir) -> None:
    message = samples.plain()
    sync()
    near.add("1.local", message)
    near.add("2.local", samples.plain("filed"), "Projects")
    sync()
    (stored,) = account.messages()
    assert without_mark(stored.items[b"BODY[]"]) == message
    assert stored.flags == {"\\Seen"}
    assert len(account.messages("Projects")) == 1


def test_flags_travel_both_ways(sync: Sync, account: Account, near: Maildir) -> None:
    account.append(samples.plain("near"))
    account.append(samples.plain("far"))
    sync()
    near.set_flags("near", "FRS")
    with account.session() as session:
        session.select("INBOX")
        session.store("2", "+FLAGS", "(\\Seen \\Draft)")
    sync()
    by_number = {message.number: message.flags for message in account.messages()}
    assert by_number == {1: {"\\Flagged", "\\Answered", "\\Seen"}, 2: {"\\Seen", "\\Draft"}}
    assert near.flags("far") == "DS"
    near.set_flags("near", "S")
    sync()
    assert account.messages()[0].flags == {"\\Seen"}


def test_deletions_travel_both_ways(sync: Sync, account: Account, near: Maildir) -> None:
    for subject in ("stays", "goes near", "goes far"):
        account.append(samples.plain(subject))
    sync()
    near.about("goes near").unlink()
    with account.session() as session:
        session.select("INBOX")
        session.store("3", "+FLAGS", "(\\Deleted)")
        session.expunge()
    sync()
    (left,) = account.octets()
    assert b"Subject: stays\r\n" in left
    assert near.octets() == {left}


def test_mailboxes_are_made_on_both_sides(sync: Sync, account: Account, near: Maildir) -> None:
    with account.session() as session:
        session.create("From/Far")
    sync()
    assert (near.root / "From" / "Far" / "cur").is_dir()
    near.add("1.local", samples.plain(), "From/Near")
    sync()
    assert "From/Near" in account.mailboxes()
    assert len(account.messages("From/Near")) == 1

"""mbsync keeps a tree of Maildirs and an account alike, both ways."""

from collections.abc import Callable
from pathlib import Path

import pytest

from interop import samples
from interop.maildir import Maildir, without_mark
from interop.mbsync.configuration import command
from interop.programs import refusals, run, succeeded
from interop.witness import Account
from tests.wire.server import Server

WAYS = {"plain": ("imap", "None"), "starttls": ("imap", "STARTTLS"), "tls": ("imaps", "IMAPS")}

Sync = Callable[[], bytes]


@pytest.fixture
def near(home: Path) -> Maildir:
    root = home / "mail"
    root.mkdir()
    return Maildir(root)


@pytest.fixture
def sync(request: pytest.FixtureRequest, server: Server, account: Account, home: Path, near: Maildir) -> Sync:
    """One whole run of mbsync; what was said on the wire, in which the server refused nothing."""
    service, tls = WAYS[getattr(request, "param", "tls")]
    port, certificate = server.port(service), server.certificate
    mbsync = command(home, port, account.address, account.password, certificate, tls=tls)

    def run_once() -> bytes:
        dialogue = succeeded(run(mbsync, home))
        assert refusals(dialogue) == []
        return dialogue

    return run_once


def commands(dialogue: bytes) -> list[bytes]:
    """Each without its tag: `UID FETCH 1:4 (UID FLAGS)`."""
    lines = [line.partition(b">>> ")[2] for line in dialogue.splitlines() if b">>> " in line]
    return [line.partition(b" ")[2] for line in lines]


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


@pytest.mark.parametrize("sync", WAYS, indirect=True)
def test_the_password_is_proven_without_being_told(
    sync: Sync, account: Account, near: Maildir, home: Path
) -> None:
    """By Cyrus SASL, which takes 65,536 iterations and not one more."""
    account.append(samples.plain())
    config = home / "mbsyncrc"
    config.write_text(config.read_text().replace("SSLType", "AuthMechs SCRAM-SHA-256\nSSLType"))
    said = sync()
    assert b"AUTHENTICATE SCRAM-SHA-256" in said and account.password.encode() not in said
    assert near.octets() == set(account.octets())


def test_a_second_run_transfers_nothing(sync: Sync, account: Account, near: Maildir) -> None:
    for about in ("one", "two"):
        account.append(samples.plain(about), flags="(\\Seen)")
    near.add("1.local", samples.plain("from here"))
    sync()
    messages, files = account.messages(), near.files()
    said = commands(sync())
    assert said.count(b"UID FETCH 1:3 (UID FLAGS)") == 1
    assert not [line for line in said if b"BODY" in line or line.startswith((b"APPEND", b"UID STORE"))]
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


def test_mailboxes_are_made_and_removed_on_both_sides(sync: Sync, account: Account, near: Maildir) -> None:
    with account.session() as session:
        session.create("From/Far")
        session.create("Entw&APw-rfe")
    sync()
    assert (near.root / "From" / "Far" / "cur").is_dir()
    assert (near.root / "Entw&APw-rfe" / "cur").is_dir()
    near.add("1.local", samples.plain(), "From/Near")
    sync()
    assert {"From/Near", "From/Far"} <= account.mailboxes()
    with account.session() as session:
        session.delete("From/Far")
    sync()
    assert not (near.root / "From" / "Far" / "cur").exists()
    assert "From/Far" not in account.mailboxes()


def test_uids_of_a_mailbox_made_again_are_not_taken_for_the_old_ones(
    sync: Sync, account: Account, near: Maildir
) -> None:
    """UIDVALIDITY differs (RFC 9051 §2.3.1.1): mbsync stops at that mailbox, where it would delete else."""
    old, new = samples.plain("old"), samples.plain("new")
    with account.session() as session:
        session.create("Projects/One")
    account.append(old, "Projects/One")
    sync()
    with account.session() as session:
        session.delete("Projects/One")
        session.create("Projects/One")
    account.append(new, "Projects/One")
    with pytest.raises(AssertionError, match="UIDVALIDITY"):
        sync()
    assert near.octets("Projects/One") == {old}
    assert account.octets("Projects/One") == [new]

"""mbsync keeps a Maildir and an account alike, both ways."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from interop import samples
from interop.programs import program, run, succeeded
from interop.witness import Account
from tests.wire.server import Server

CONFIG = """\
IMAPAccount server
Host localhost
Port {port}
User {user}
Pass "{password}"
{tls}
CertificateFile {certificate}

IMAPStore far
Account server

MaildirStore near
Path {home}/mail/
Inbox {home}/mail/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Remove Both
Expunge Both
SyncState *
"""

Sync = Callable[[], bytes]


@pytest.fixture(params=["imaps", "imap"])
def sync(request: pytest.FixtureRequest, server: Server, account: Account, home: Path) -> Sync:
    """One whole run of mbsync, over TLS from the start or after STARTTLS."""
    path = program("mbsync")
    (home / "mail").mkdir()
    config = home / "mbsyncrc"
    text = CONFIG.format(
        port=server.port(request.param),
        user=account.address,
        password=account.password,
        tls="SSLType IMAPS" if request.param == "imaps" else "SSLType STARTTLS",
        certificate=server.certificate,
        home=home,
    )
    config.write_text(text)
    return lambda: succeeded(run([path, "--config", str(config), "--all"], home))


def local(home: Path, mailbox: str = "INBOX") -> list[Path]:
    folder = home / "mail" / mailbox
    return sorted(path for name in ("cur", "new") for path in (folder / name).iterdir())


def local_octets(home: Path, mailbox: str = "INBOX") -> set[bytes]:
    """A Maildir has LF line ends."""
    files = [path.read_bytes().replace(b"\n", b"\r\n") for path in local(home, mailbox)]
    return {without_mark(octets) for octets in files}


def without_mark(octets: bytes) -> bytes:
    """mbsync marks what it copies, either way, with a header field."""
    return re.sub(rb"^X-TUID: \S+\r\n", b"", octets, count=1, flags=re.MULTILINE)


def with_flags(path: Path, flags: str) -> None:
    """What a mail reader does to set Maildir flags: rename."""
    name = path.name.partition(":2,")[0]
    path.rename(path.parent.parent / "cur" / f"{name}:2,{''.join(sorted(flags))}")


def add_local(home: Path, name: str, message: bytes, mailbox: str = "INBOX") -> None:
    folder = home / "mail" / mailbox
    for each in ("cur", "new", "tmp"):
        (folder / each).mkdir(parents=True, exist_ok=True)
    (folder / "cur" / f"{name}:2,S").write_bytes(message.replace(b"\r\n", b"\n"))


def test_mail_comes_down_as_it_is(sync: Sync, account: Account, home: Path) -> None:
    messages = [samples.plain("one"), samples.plain("two"), samples.large(300_000)]
    for message in messages[1:]:
        account.append(message)
    account.append(messages[0], "Archive", "(\\Seen \\Flagged)")
    sync()
    assert local_octets(home) == set(messages[1:])
    assert local_octets(home, "Archive") == {messages[0]}
    assert local(home, "Archive")[0].name.endswith(":2,FS")
    sync()
    assert len(local(home)) == 2


def test_mail_goes_up_as_it_is(sync: Sync, account: Account, home: Path) -> None:
    message = samples.plain()
    sync()
    add_local(home, "1.local", message)
    add_local(home, "2.local", samples.plain("filed"), "Projects")
    sync()
    (stored,) = account.messages()
    assert without_mark(stored.items[b"BODY[]"]) == message
    assert stored.flags == {"\\Seen"}
    assert len(account.messages("Projects")) == 1
    sync()
    assert len(account.messages()) == 1


def test_flags_travel_both_ways(sync: Sync, account: Account, home: Path) -> None:
    account.append(samples.plain("near"))
    account.append(samples.plain("far"))
    sync()
    (near,) = [path for path in local(home) if b"Subject: near" in path.read_bytes()]
    with_flags(near, "FRS")
    with account.session() as session:
        session.select("INBOX")
        session.store("2", "+FLAGS", "(\\Seen \\Draft)")
    sync()
    by_number = {message.number: message.flags for message in account.messages()}
    assert by_number == {1: {"\\Flagged", "\\Answered", "\\Seen"}, 2: {"\\Seen", "\\Draft"}}
    (far,) = [path for path in local(home) if b"Subject: far" in path.read_bytes()]
    assert far.name.endswith(":2,DS")


def test_deletions_travel_both_ways(sync: Sync, account: Account, home: Path) -> None:
    for subject in ("stays", "goes near", "goes far"):
        account.append(samples.plain(subject))
    sync()
    (near,) = [path for path in local(home) if b"Subject: goes near" in path.read_bytes()]
    near.unlink()
    with account.session() as session:
        session.select("INBOX")
        session.store("3", "+FLAGS", "(\\Deleted)")
        session.expunge()
    sync()
    (left,) = account.octets()
    assert b"Subject: stays\r\n" in left
    assert local_octets(home) == {left}


def test_mailboxes_are_made_on_both_sides(sync: Sync, account: Account, home: Path) -> None:
    with account.session() as session:
        session.create("From/Far")
    sync()
    assert (home / "mail" / "From" / "Far" / "cur").is_dir()
    add_local(home, "1.local", samples.plain(), "From/Near")
    sync()
    assert "From/Near" in account.mailboxes()

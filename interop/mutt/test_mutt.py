"""Mutt and NeoMutt, driven by the keys that a configuration pushes, on a terminal that nobody looks at."""

import os
import pty
import select
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from interop import samples
from interop.programs import RUN_SECONDS_MAX, environment, program, run, succeeded
from interop.witness import Account
from tests.wire.server import Server

MUTTRC = """\
set folder = "imaps://localhost:{imaps}/"
set spoolfile = "+INBOX"
set imap_user = "{user}"
set imap_pass = "{password}"
set smtp_url = "smtps://{user}@localhost:{submissions}/"
set smtp_pass = "{password}"
set certificate_file = "{certificate}"
set from = "{user}"
set realname = "A User"
set hostname = "client.test"
set record = "+Sent"
set postponed = "+Drafts"
set editor = "{editor}"
set header_cache = ""
set message_cachedir = ""
set delete = yes
set move = no
set confirmappend = no
set confirmcreate = no
set mark_old = no
set send_charset = "utf-8"
set abort_unmodified = no
set sort = mailbox-order
set imap_keepalive = 30
"""

BODY = r"Hello,\n.\nGrüße\n"


@pytest.fixture(params=["mutt", "neomutt"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def muttrc(server: Server, account: Account, home: Path) -> Path:
    file = home / "muttrc"
    text = MUTTRC.format(
        imaps=server.port("imaps"),
        submissions=server.port("submissions"),
        user=account.address,
        password=account.password,
        certificate=server.certificate,
        editor=_editor(home),
    )
    file.write_text(text)
    return file


def _editor(home: Path) -> Path:
    """An editor that writes the body and nothing else."""
    script = home / "editor"
    script.write_text(f'#!/bin/sh\nprintf "{BODY}" >> "$1"\n')
    script.chmod(0o700)
    return script


@pytest.fixture
def keys(name: str, muttrc: Path, home: Path) -> Callable[[str], None]:
    """Start it on INBOX, let it read these keys, wait until it ends."""
    path = program(name)

    def press(sequence: str) -> None:
        _on_terminal([path, "-n", "-F", str(muttrc), "-e", f'push "{sequence}"'], home)

    return press


def _on_terminal(command: list[str], home: Path) -> None:
    """Run it on a pseudo-terminal; fail with what it drew where it does not end."""
    outer, inner = pty.openpty()
    process = subprocess.Popen(
        command, stdin=inner, stdout=inner, stderr=inner, env=environment(home), start_new_session=True
    )
    os.close(inner)
    drawn, deadline = b"", time.monotonic() + RUN_SECONDS_MAX
    while select.select([outer], [], [], max(0.0, deadline - time.monotonic()))[0]:
        try:
            drawn += os.read(outer, 65536)
        except OSError:  # EIO: the other end is closed
            break
    else:
        process.kill()
    os.close(outer)
    status = process.wait(RUN_SECONDS_MAX)
    assert status == 0, f"status {status}, drawn:\n{drawn[-4000:].decode(errors='replace')}"


Keys = Callable[[str], None]


def test_flags_are_set_and_kept(keys: Keys, account: Account) -> None:
    for subject in ("first", "second", "third"):
        account.append(samples.plain(subject))
    keys("<first-entry><set-flag>!<set-flag>r<sync-mailbox><quit>")
    flags = [message.flags - {"\\Seen"} for message in account.messages()]
    assert flags == [{"\\Flagged"}, {"\\Answered"}, set()]


def test_a_message_is_read_and_becomes_seen(keys: Keys, account: Account) -> None:
    account.append(samples.plain())
    keys("<first-entry><display-message><exit><sync-mailbox><quit>")
    (message,) = account.messages()
    assert message.flags == {"\\Seen"}


def test_tagged_messages_are_saved_to_another_mailbox(keys: Keys, account: Account) -> None:
    messages = [samples.plain(subject) for subject in ("keep", "move one", "move two")]
    for message in messages:
        account.append(message)
    keys("<tag-pattern>~s move<enter><tag-prefix><save-message>=Archive<enter><sync-mailbox><quit>")
    assert account.octets() == messages[:1]
    assert account.octets("Archive") == messages[1:]


def test_a_deleted_message_is_expunged(keys: Keys, account: Account) -> None:
    messages = [samples.plain(subject) for subject in ("goes", "stays")]
    for message in messages:
        account.append(message)
    keys("<first-entry><delete-message><sync-mailbox><quit>")
    assert account.octets() == messages[1:]


def test_limit_searches_on_the_server(keys: Keys, account: Account) -> None:
    messages = [samples.plain("one"), samples.plain("two").replace(b"First", b"Needle")]
    for message in messages:
        account.append(message)
    keys("<limit>=b Needle<enter><first-entry><set-flag>!<sync-mailbox><quit>")
    flagged = ["\\Flagged" in message.flags for message in account.messages()]
    assert flagged == [False, True]


def test_saving_to_a_mailbox_that_is_not_there_makes_it(keys: Keys, account: Account) -> None:
    message = samples.plain()
    account.append(message)
    keys("<first-entry><save-message>=Projects<enter><sync-mailbox><quit>")
    assert account.octets("Projects") == [message]
    assert account.octets() == []


def test_a_message_is_sent_and_a_copy_is_kept(keys: Keys, account: Account, friend: Account) -> None:
    keys(f"<mail>{friend.address}<enter>Greetings<enter><send-message><quit>")
    (arrived,) = friend.octets(least=1)
    (kept,) = account.octets("Sent")
    body = "Hello,\r\n.\r\nGrüße\r\n".encode()
    assert arrived.endswith(b"\r\n\r\n" + body)
    assert kept.endswith(b"\r\n\r\n" + body)
    assert b"Subject: Greetings\r\n" in arrived


def test_an_attachment_is_sent(name: str, muttrc: Path, home: Path, friend: Account) -> None:
    blob = home / "blob.bin"
    blob.write_bytes(bytes(range(256)) * 2000)
    command = [program(name), "-n", "-F", str(muttrc), "-s", "Blob", "-a", str(blob), "--", friend.address]
    succeeded(run(command, home, b"See there.\n"))
    (arrived,) = friend.octets(least=1)
    assert len(arrived) > 512_000 and b"blob.bin" in arrived

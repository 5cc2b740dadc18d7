"""Mutt and NeoMutt, driven by the keys that a configuration pushes, on a terminal that nobody looks at."""

from collections.abc import Callable
from pathlib import Path

import pytest

from interop import samples
from interop.programs import environment, program, refusals, run, succeeded
from interop.terminal import Terminal
from interop.witness import Account
from tests.wire.server import Server

MUTTRC = """\
set folder = "{imap_scheme}://localhost:{imap}/"
set spoolfile = "+INBOX"
set imap_user = "{user}"
set imap_pass = "{password}"
set smtp_url = "{smtp_scheme}://{user}@localhost:{smtp}/"
set ssl_starttls = {starttls}
set ssl_force_tls = {tls}
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
set sleep_time = 0
"""

# Services, schemes, $ssl_starttls, $ssl_force_tls.
WAYS = {
    "plain": ("imap", "submission", "imap", "smtp", "no", "no"),
    "starttls": ("imap", "submission", "imap", "smtp", "yes", "yes"),
    "tls": ("imaps", "submissions", "imaps", "smtps", "no", "yes"),
}
BODY = r"Hello,\n.\nGrüße\n"


@pytest.fixture(params=["mutt", "neomutt"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def muttrc(request: pytest.FixtureRequest, server: Server, account: Account, home: Path) -> Path:
    file = home / "muttrc"
    imap, submission, imap_scheme, smtp_scheme, starttls, tls = WAYS[getattr(request, "param", "tls")]
    text = MUTTRC.format(
        imap=server.port(imap),
        smtp=server.port(submission),
        imap_scheme=imap_scheme,
        smtp_scheme=smtp_scheme,
        starttls=starttls,
        tls=tls,
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
def keys(name: str, muttrc: Path, home: Path) -> Callable[[str], list[bytes]]:
    """Start it on INBOX, let it read these keys, wait until it ends; what the IMAP server refused."""
    path, debug_file = program(name), home / f".{name}debug0"

    def press(sequence: str) -> list[bytes]:
        command = [path, "-n", "-F", str(muttrc), "-d", "2", "-e", f'push "{sequence}"']
        terminal = Terminal(command, environment(home))
        try:
            assert terminal.ended() == 0, terminal.text
        finally:
            terminal.close()
        return refusals(debug_file.read_bytes())

    return press


Keys = Callable[[str], list[bytes]]


def test_the_password_is_proven_without_being_told(keys: Keys, muttrc: Path, account: Account) -> None:
    """By GNU SASL, at both services: it is told of no other way in."""
    account.append(samples.plain())
    with muttrc.open("a") as file:
        file.write('set imap_authenticators = "scram-sha-256"\nset smtp_authenticators = "scram-sha-256"\n')
    assert keys(f"<mail>{account.address}<enter>About<enter><send-message><quit>") == []
    assert len(account.octets(least=2)) == 2


@pytest.mark.parametrize("muttrc", WAYS, indirect=True)
def test_mail_is_read_filed_deleted_and_sent_in_one_go(keys: Keys, account: Account, friend: Account) -> None:
    messages = [samples.plain(subject) for subject in ("read", "filed", "deleted", "left")]
    for message in messages:
        account.append(message)
    refused = keys(
        "<first-entry><display-message><exit><set-flag>!"
        "<save-message>=Archive<enter><delete-message>"
        "<sync-mailbox>"
        f"<mail>{friend.address}<enter>Greetings<enter><send-message><quit>"
    )
    assert refused == []
    left = account.messages()
    assert [message.items[b"BODY[]"] for message in left] == [messages[0], messages[3]]
    assert [message.flags for message in left] == [{"\\Seen", "\\Flagged"}, set()]
    assert account.octets("Archive") == [messages[1]]
    (arrived,), (kept,) = friend.octets(least=1), account.octets("Sent")
    assert b"Subject: Greetings\r\n" in arrived
    assert kept.partition(b"\r\n\r\n")[2] == arrived.partition(b"\r\n\r\n")[2]


def test_flags_are_set_and_kept(keys: Keys, account: Account) -> None:
    for subject in ("first", "second", "third"):
        account.append(samples.plain(subject))
    assert keys("<first-entry><set-flag>!<set-flag>r<sync-mailbox><quit>") == []
    flags = [message.flags - {"\\Seen"} for message in account.messages()]
    assert flags == [{"\\Flagged"}, {"\\Answered"}, set()]


def test_a_message_is_read_and_becomes_seen(keys: Keys, account: Account) -> None:
    account.append(samples.plain())
    assert keys("<first-entry><display-message><exit><sync-mailbox><quit>") == []
    (message,) = account.messages()
    assert message.flags == {"\\Seen"}


def test_tagged_messages_are_saved_to_another_mailbox(keys: Keys, account: Account) -> None:
    messages = [samples.plain(subject) for subject in ("keep", "move one", "move two")]
    for message in messages:
        account.append(message)
    assert (
        keys("<tag-pattern>~s move<enter><tag-prefix><save-message>=Archive<enter><sync-mailbox><quit>") == []
    )
    assert account.octets() == messages[:1]
    assert account.octets("Archive") == messages[1:]


def test_a_deleted_message_is_expunged(keys: Keys, account: Account) -> None:
    messages = [samples.plain(subject) for subject in ("goes", "stays")]
    for message in messages:
        account.append(message)
    assert keys("<first-entry><delete-message><sync-mailbox><quit>") == []
    assert account.octets() == messages[1:]


def test_limit_searches_on_the_server(keys: Keys, account: Account) -> None:
    messages = [samples.plain("one"), samples.plain("two").replace(b"First", b"Needle")]
    for message in messages:
        account.append(message)
    assert keys("<limit>=b Needle<enter><first-entry><set-flag>!<sync-mailbox><quit>") == []
    flagged = ["\\Flagged" in message.flags for message in account.messages()]
    assert flagged == [False, True]


def test_saving_to_a_mailbox_that_is_not_there_makes_it(keys: Keys, account: Account) -> None:
    message = samples.plain()
    account.append(message)
    asked, copied = keys("<first-entry><save-message>=Projects<enter><sync-mailbox><quit>")
    assert b"[NONEXISTENT]" in asked and b"[TRYCREATE]" in copied
    assert account.octets("Projects") == [message]
    assert account.octets() == []


def test_a_message_is_sent_and_a_copy_is_kept(keys: Keys, account: Account, friend: Account) -> None:
    assert keys(f"<mail>{friend.address}<enter>Greetings<enter><send-message><quit>") == []
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

"""Alpine, by its keys and its screen."""

import email
import email.policy
from collections.abc import Iterator
from pathlib import Path

import pytest

from interop import samples
from interop.programs import environment, program, refusals
from interop.terminal import Terminal
from interop.witness import Account
from tests.wire.server import Server

PINERC = """\
customized-hdrs=From: A User <{user}>
user-domain=example.test
smtp-server=localhost:{submission}/{way}/user={user}
inbox-path={{localhost:{imap}/{way}/user={user}}}INBOX
folder-collections=Mail {{localhost:{imap}/{way}/user={user}}}[]
default-fcc=Sent
last-version-used=9.99
feature-list=quit-without-confirm,expunge-without-confirm,disable-password-file-saving,allow-changing-from
"""
WAYS = {
    "plain": ("imap", "submission", "notls"),
    "starttls": ("imap", "submission", "tls"),
    "tls": ("imaps", "submissions", "ssl"),
}
SUBJECTS = ["apples", "pears", "plums", "grapes"]
CONTROL_L, CONTROL_X = "\x0c", "\x18"


class Alpine(Terminal):
    def __init__(self, home: Path, certificate: Path) -> None:
        self._log = home / ".pine-debug1"
        command = [program("alpine"), "-p", str(home / "pinerc"), "-i", "-d", "imap=4,flush"]
        super().__init__(command, environment(home) | {"SSL_CERT_FILE": str(certificate)})

    def dialogue(self) -> bytes:
        return self._log.read_bytes()


@pytest.fixture(params=WAYS)
def alpine(request: pytest.FixtureRequest, server: Server, account: Account, home: Path) -> Iterator[Alpine]:
    """Started; the index of INBOX with four messages is on the screen."""
    for about in SUBJECTS:
        account.append(samples.plain(about))
    imap, submission, way = WAYS[request.param]
    ports = {"imap": server.port(imap), "submission": server.port(submission)}
    (home / "pinerc").write_text(PINERC.format(**ports, way=way, user=account.address))
    terminal = Alpine(home, server.certificate)
    try:
        terminal.until("ENTER PASSWORD")
        terminal.press(f"{account.password}\r")
        for about in SUBJECTS:
            terminal.until(about)
        yield terminal
    finally:
        terminal.close()


def test_mail_is_read_marked_filed_expunged_and_sent(
    alpine: Alpine, account: Account, friend: Account
) -> None:
    alpine.press("\r")
    alpine.until(".one dot, grüße, 你好")
    account.eventually(lambda messages: messages[0].flags == {"\\Seen"})

    alpine.press("s")
    alpine.until("SAVE Msg #1")
    alpine.press("Archive\r")
    (filed,) = account.messages("Archive", least=1)
    assert filed.flags == {"\\Seen"}
    account.eventually(lambda messages: messages[0].flags == {"\\Seen", "\\Deleted"})

    alpine.press("i")
    alpine.until("MESSAGE INDEX")
    alpine.press("n*")
    alpine.until("Flag New, Deleted")
    alpine.press("*")
    account.eventually(lambda messages: messages[1].flags == {"\\Flagged"})

    alpine.press("ns")
    alpine.until("SAVE Msg #3")
    alpine.press("Projects\r")
    alpine.until("doesn't exist.  Create?")
    alpine.until("[Yes]")  # it drops what is typed before it shows its keys
    alpine.press("y")
    account.eventually(lambda messages: messages[2].flags == {"\\Deleted"})
    (saved,) = account.octets("Projects")
    assert b"Subject: plums\r\n" in saved

    alpine.press("x")
    account.eventually(lambda messages: [message.uid for message in messages] == [2, 4])

    account.deliver(samples.plain("news"))
    account.messages(least=3)
    alpine.press(CONTROL_L)  # it looks for new mail
    alpine.until("news")

    alpine.press("c")
    alpine.until("COMPOSE MESSAGE")
    alpine.press(f"{friend.address}\r\r\rGreetings\rHello,\r.\rGrüße\r{CONTROL_X}")
    alpine.until("Send message?")
    alpine.press("y")
    alpine.until("ENTER PASSWORD")
    alpine.press(f"{account.password}\r")
    (arrived,), (kept,) = friend.octets(least=1), account.octets("Sent", least=1)
    for octets in (arrived, kept):
        message = email.message_from_bytes(octets, policy=email.policy.default)
        assert message["Subject"] == "Greetings"
        assert message.get_body(("plain",)).get_content() == "Hello,\r\n.\r\nGrüße\r\n"

    alpine.until("MESSAGE INDEX")
    alpine.press("q")
    assert alpine.ended() == 0
    assert refusals(alpine.dialogue()) == []

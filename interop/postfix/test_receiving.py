"""What our users submit for another domain reaches the Postfix that serves it."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from interop import samples
from interop.notification import notification
from interop.outgoing import BOB, CAROL, THERE, UNKNOWN, Sender, made, sender
from interop.postfix.instance import RECEIVING, Postfix, absent
from interop.witness import trace_fields
from tests.wire.server import HOST

MAIL_USER_ID = 5000  # as RECEIVING says; no account of that number is needed
TRACE = ["Return-Path", "X-Original-To", "Delivered-To", "Received", "Received"]  # the last is ours


class Mailboxes:
    """What a Postfix delivered to Maildirs."""

    def __init__(self, postfix: Postfix, directory: Path) -> None:
        self._postfix = postfix
        self._directory = directory

    def delivered(self, mailbox: str, recipient: str) -> bytes:
        """The one message that came since last time, CRLF; waits until Postfix says so."""
        at = len(self._postfix.log)
        self._postfix.await_line(lambda line: f"to=<{recipient}>" in line and "status=sent" in line, at)
        (file,) = (self._directory / mailbox / "new").iterdir()
        octets = file.read_bytes().replace(b"\n", b"\r\n")
        file.unlink()
        return octets


World = tuple[Sender, Mailboxes]


@pytest.fixture(scope="module")
def world(open_folder: Path) -> Iterator[World]:
    if reason := absent():
        pytest.skip(reason)
    directory = open_folder / "to-postfix"
    (directory / "mail").mkdir(parents=True)
    os.chown(directory / "mail", MAIL_USER_ID, MAIL_USER_ID)
    node = made(directory / "node")
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
    settings = RECEIVING.format(
        host=HOST,
        certificate=node.certificate,
        key=node.certificate.with_name("key.pem"),
        domain=THERE,
        mailboxes=f"{BOB}=bob/ {CAROL}=carol/",
        mail=directory / "mail",
    )
    postfix = Postfix("receiving", directory / "postfix", settings, f"{port} inet n - n - - smtpd\n")
    postfix.start()
    with sender(node, port) as alice:
        yield alice, Mailboxes(postfix, directory / "mail")
    postfix.stop()


@pytest.mark.parametrize("message", [samples.plain(), samples.large(3_000_000)], ids=["8bit", "3 MB"])
def test_a_message_arrives_octet_for_octet(world: World, message: bytes) -> None:
    alice, mailboxes = world
    alice.submit(message, BOB)
    delivered = mailboxes.delivered("bob", BOB)
    assert trace_fields(delivered, message) == TRACE
    assert delivered.startswith(b"Return-Path: <%s>\r\n" % alice.account.address.encode())
    assert b" with ESMTPS id " in delivered  # Postfix offers STARTTLS, and we use it


def test_addresses_and_headers_in_utf8_go_through(world: World) -> None:
    message = samples.plain("Protokoll für 你好", to=CAROL)
    alice, mailboxes = world
    alice.submit(message, CAROL, utf8=True)
    delivered = mailboxes.delivered("carol", CAROL)
    assert trace_fields(delivered, message) == TRACE
    assert b" with UTF8SMTPS id " in delivered


def test_who_is_unknown_there_comes_back_to_our_user_and_the_others_are_served(world: World) -> None:
    message = samples.plain()
    alice, mailboxes = world
    alice.submit(message, UNKNOWN, BOB)
    assert trace_fields(mailboxes.delivered("bob", BOB), message) == TRACE
    (report,) = alice.account.octets(least=1)
    (fields,) = notification(report).recipients
    assert (fields["final-recipient"], fields["status"]) == (f"rfc822; {UNKNOWN}", "5.1.1")
    assert "550 5.1.1" in fields["diagnostic-code"] and "User unknown" in fields["diagnostic-code"]

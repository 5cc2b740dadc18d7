"""What our users submit for another domain reaches the Postfix that serves it."""

import os
import random
import smtplib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from interop import samples
from interop.notification import notification
from interop.postfix.instance import RECEIVING, Postfix, absent
from interop.programs import must_not_skip
from interop.witness import Account, trace_fields
from tests.relay.test_over_the_wire import point
from tests.wire.imap import trust
from tests.wire.nameserver import Nameserver
from tests.wire.node import Node
from tests.wire.server import DOMAIN, HOST, free_base_port

THERE = "there.test"
BOB, CAROL, UNKNOWN = f"bob@{THERE}", f"carolä@{THERE}", f"nobody@{THERE}"
NAMES = {THERE: {"MX": [f"10 mx.{THERE}."]}, f"mx.{THERE}": {"A": [HOST]}}
MAIL_USER_ID = 5000  # as RECEIVING says; no account of that number is needed
TRACE = ["Return-Path", "X-Original-To", "Delivered-To", "Received", "Received"]  # the last is ours


@dataclass(frozen=True, slots=True)
class World:
    alice: Account  # of our node
    postfix: Postfix  # serves THERE
    mail: Path  # its Maildirs

    def submit(self, message: bytes, *recipients: str, utf8: bool = False) -> None:
        server = self.alice.server
        with smtplib.SMTP_SSL(
            HOST, server.port("submissions"), context=trust(server.certificate)
        ) as connection:
            connection.login(self.alice.address, self.alice.password)
            options = ["BODY=8BITMIME", "SMTPUTF8"] if utf8 else ["BODY=8BITMIME"]
            assert connection.sendmail(self.alice.address, recipients, message, options) == {}

    def delivered(self, mailbox: str, recipient: str) -> bytes:
        """The one message that came since last time, CRLF; waits until Postfix says so."""
        at = len(self.postfix.log)
        self.postfix.await_line(lambda line: f"to=<{recipient}>" in line and "status=sent" in line, at)
        (file,) = (self.mail / mailbox / "new").iterdir()
        octets = file.read_bytes().replace(b"\n", b"\r\n")
        file.unlink()
        return octets


@pytest.fixture(scope="module")
def world(open_folder: Path) -> Iterator[World]:
    if reason := absent():
        must_not_skip(reason)
    directory = open_folder / "receiving"
    (directory / "mail").mkdir(parents=True)
    os.chown(directory / "mail", MAIL_USER_ID, MAIL_USER_ID)
    accounts = {f"alice@{DOMAIN}": "wonder land"}
    node = Node(directory / "node", free_base_port(random.Random()), accounts, options=())
    node.init()
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
    with Nameserver(NAMES) as nameserver:
        point(node, port, nameserver.port)
        node.start()
        ((address, password),) = accounts.items()
        yield World(Account(node, address, password), postfix, directory / "mail")
        node.stop()
    postfix.stop()


@pytest.mark.parametrize("message", [samples.plain(), samples.large(3_000_000)], ids=["8bit", "3 MB"])
def test_a_message_arrives_octet_for_octet(world: World, message: bytes) -> None:
    world.submit(message, BOB)
    delivered = world.delivered("bob", BOB)
    assert trace_fields(delivered, message) == TRACE
    assert delivered.startswith(b"Return-Path: <%s>\r\n" % world.alice.address.encode())
    assert b" with ESMTPS id " in delivered  # Postfix offers STARTTLS, and we use it


def test_addresses_and_headers_in_utf8_go_through(world: World) -> None:
    message = samples.plain("Protokoll für 你好", to=CAROL)
    world.submit(message, CAROL, utf8=True)
    delivered = world.delivered("carol", CAROL)
    assert trace_fields(delivered, message) == TRACE
    assert b" with UTF8SMTPS id " in delivered


def test_who_is_unknown_there_comes_back_to_our_user_and_the_others_are_served(world: World) -> None:
    message = samples.plain()
    world.submit(message, UNKNOWN, BOB)
    assert trace_fields(world.delivered("bob", BOB), message) == TRACE
    (report,) = world.alice.octets(least=1)
    (fields,) = notification(report).recipients
    assert (fields["final-recipient"], fields["status"]) == (f"rfc822; {UNKNOWN}", "5.1.1")
    assert "550 5.1.1" in fields["diagnostic-code"] and "User unknown" in fields["diagnostic-code"]

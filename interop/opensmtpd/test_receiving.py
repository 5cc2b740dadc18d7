"""What our users submit for another domain reaches the OpenSMTPD that serves it."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from interop import samples
from interop.notification import notification
from interop.opensmtpd.instance import OpenSmtpd
from interop.outgoing import BOB, CAROL, THERE, UNKNOWN, Sender, made, sender
from interop.witness import trace_fields
from tests.wire.server import HOST

TRACE = ["Return-Path", "Delivered-To", "Received", "Received"]  # the last is ours

World = tuple[Sender, OpenSmtpd]


@pytest.fixture(scope="module")
def world(open_folder: Path) -> Iterator[World]:
    directory = open_folder / "to-opensmtpd"
    node = made(directory / "node")
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
    opensmtpd = OpenSmtpd(directory / "opensmtpd", THERE, port, [BOB])
    with sender(node, port) as alice:
        yield alice, opensmtpd
    opensmtpd.stop()


@pytest.mark.parametrize("message", [samples.plain(), samples.large(3_000_000)], ids=["8bit", "3 MB"])
def test_a_message_arrives_octet_for_octet(world: World, message: bytes) -> None:
    alice, opensmtpd = world
    alice.submit(message, BOB)
    delivered = opensmtpd.delivered("bob", BOB)
    assert trace_fields(delivered, message) == TRACE
    assert b" with ESMTP id " in delivered  # its handshake fails, and we do without


def test_an_address_in_utf8_comes_back_for_it_offers_no_smtputf8(world: World) -> None:
    alice, _ = world
    alice.submit(samples.plain(to=CAROL), CAROL, utf8=True)
    (report,) = alice.account.octets(least=1)
    assert b"Content-Type: message/global-delivery-status\r\n" in report  # RFC 6533
    assert b"\r\nStatus: 5.6.7\r\n" in report


def test_who_is_unknown_there_comes_back_to_our_user_and_the_others_are_served(world: World) -> None:
    alice, opensmtpd = world
    message = samples.plain()
    alice.submit(message, UNKNOWN, BOB)
    assert trace_fields(opensmtpd.delivered("bob", BOB), message) == TRACE
    report = alice.account.octets(least=2)[-1]
    (fields,) = notification(report).recipients
    assert fields["final-recipient"] == f"rfc822; {UNKNOWN}"
    assert fields["diagnostic-code"].startswith("smtp; 524 5.2.4 ")  # as it words it

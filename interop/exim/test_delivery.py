"""Exim hands its queue to us, in chunks (RFC 3030), by SMTP and by LMTP."""

import pytest

from interop import samples
from interop.exim.instance import Exim, Line
from interop.notification import notification
from interop.witness import SENDER, Account, trace_fields

UNKNOWN = "nobody-of-that-name@example.test"
TRACE = ["Return-Path", "Received", "Received"]  # the last is Exim's own
USED = {"smtp": (" X=TLS", " CV=yes", " K "), "lmtp": (" K ",)}  # TLS, our certificate, CHUNKING


def delivered(exim: Exim, lines: list[Line]) -> set[str]:
    """To whom; nothing else happened, and what we offer was used."""
    came, *ways = lines
    assert came.kind == "<="
    for line in ways:
        assert line.kind in ("=>", "->"), line
        assert all(word in line.rest for word in USED[exim.name]), line
        assert 'C="250 2.0.0 ' in line.rest or 'C="250- ' in line.rest, line
    return {line.address for line in ways}


@pytest.mark.parametrize(
    "message",
    [samples.plain(), samples.ascii_only(), samples.large(3_000_000)],
    ids=["8bit", "ascii", "3 MB"],
)
def test_a_message_arrives_octet_for_octet(exim: Exim, account: Account, message: bytes) -> None:
    assert delivered(exim, exim.submit(message, SENDER, account.address)) == {account.address}
    (stored,) = account.octets(least=1)
    assert trace_fields(stored, message) == TRACE
    assert stored.startswith(b"Return-Path: <%s>\r\n" % SENDER.encode())


def test_each_of_several_recipients_gets_it(exim: Exim, account: Account, friend: Account) -> None:
    message = samples.plain()
    recipients = {account.address, friend.address}
    assert delivered(exim, exim.submit(message, SENDER, *recipients)) == recipients
    for recipient in (account, friend):
        (stored,) = recipient.octets(least=1)
        assert trace_fields(stored, message) == TRACE


def test_a_refused_recipient_comes_back_to_the_sender_and_the_others_are_served(
    exim: Exim, account: Account, friend: Account
) -> None:
    message = samples.plain()
    lines = exim.submit(message, friend.address, UNKNOWN, account.address)
    (failed,) = [line for line in lines if line.kind == "**"]
    assert failed.address == UNKNOWN and ": 550 5.1.1 " in failed.rest
    (stored,) = account.octets(least=1)
    assert trace_fields(stored, message) == TRACE
    (bounce,) = friend.octets(least=1)
    assert bounce.startswith(b"Return-Path: <>\r\n")
    told = notification(bounce)
    (fields,) = told.recipients
    assert fields["final-recipient"] == f"rfc822;{UNKNOWN}"
    assert b"Subject: Minutes" in told.returned.as_bytes()


def test_addresses_and_headers_in_utf8_go_through(exim: Exim, account: Account) -> None:
    recipient = account.address.replace("@", "+grüße@")
    message = samples.plain("Protokoll für 你好", to=recipient)
    assert delivered(exim, exim.submit(message, "absender-ü@client.example.net", recipient)) == {recipient}
    (stored,) = account.octets(least=1)
    assert trace_fields(stored, message) == TRACE
    assert stored.startswith("Return-Path: <absender-ü@client.example.net>\r\n".encode())


def test_what_waits_while_we_are_down_comes_once_when_we_are_back(exim: Exim, account: Account) -> None:
    messages = [samples.plain(f"number {number}") for number in range(5)]
    account.server.stop()
    try:
        for message in messages:
            lines = exim.submit(message, SENDER, account.address)
            assert [line.kind for line in lines] == ["<=", "=="]
        assert exim.waiting() == len(messages)
    finally:
        account.server.start()
    lines = exim.run_queue()
    assert [line.kind for line in lines] == ["=>"] * len(messages)
    assert exim.waiting() == 0
    stored = account.octets(least=len(messages))
    assert len(stored) == len(messages)
    assert {each[each.index(b"From: Sender Name") :] for each in stored} == set(messages)

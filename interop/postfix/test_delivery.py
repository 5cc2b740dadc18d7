"""Postfix hands its queue to us, by SMTP and by LMTP, and says of each recipient what became of it."""

import pytest

from interop import samples
from interop.notification import notification
from interop.postfix.instance import Outcome, Postfix
from interop.witness import SENDER, Account, trace_fields

UNKNOWN = "nobody-of-that-name@example.test"
TRACE = ["Return-Path", "Received", "Received"]  # the last is Postfix's own
# RFC 3848, and RFC 6531 §4.3 for UTF-8. STARTTLS is offered, so Postfix uses it.
WITH = {"smtp": b"ESMTPS", "lmtp": b"LMTP", "lmtp-unix": b"LMTP"}
WITH_UTF8 = {"smtp": b"UTF8SMTPS", "lmtp": b"UTF8LMTP", "lmtp-unix": b"UTF8LMTP"}
BURST = 40


def sent(outcomes: list[Outcome]) -> set[str]:
    assert all(each.status == "sent" and each.dsn.startswith("2.") for each in outcomes), outcomes
    return {each.recipient for each in outcomes}


@pytest.mark.parametrize(
    "message",
    [samples.plain(), samples.ascii_only(), samples.large(3_000_000)],
    ids=["8bit", "ascii", "3 MB"],
)
def test_a_message_arrives_octet_for_octet(postfix: Postfix, account: Account, message: bytes) -> None:
    assert sent(postfix.outcomes(message, SENDER, account.address)) == {account.address}
    (stored,) = account.octets(least=1)
    assert trace_fields(stored, message) == TRACE
    assert stored.startswith(b"Return-Path: <%s>\r\n" % SENDER.encode())
    assert came_with(stored) == WITH[postfix.name]


def test_each_of_several_recipients_gets_it(postfix: Postfix, account: Account, friend: Account) -> None:
    message = samples.plain()
    recipients = {account.address, friend.address}
    assert sent(postfix.outcomes(message, SENDER, *recipients)) == recipients
    for recipient in (account, friend):
        (stored,) = recipient.octets(least=1)
        assert trace_fields(stored, message) == TRACE


def test_a_refused_recipient_comes_back_to_the_sender_and_the_others_are_served(
    postfix: Postfix, account: Account, friend: Account
) -> None:
    message = samples.plain()
    outcomes = postfix.outcomes(message, friend.address, UNKNOWN, account.address)
    by_recipient = {each.recipient: each for each in outcomes}
    assert by_recipient[UNKNOWN].status == "bounced"
    assert "said: 550 5.1.1 " in by_recipient[UNKNOWN].said
    assert by_recipient[account.address].status == "sent"
    (stored,) = account.octets(least=1)
    assert trace_fields(stored, message) == TRACE
    (bounce,) = friend.octets(least=1)
    assert bounce.startswith(b"Return-Path: <>\r\n")
    told = notification(bounce)
    (fields,) = told.recipients
    assert (fields["final-recipient"], fields["status"]) == (f"rfc822; {UNKNOWN}", "5.1.1")
    assert b"Subject: Minutes" in told.returned.as_bytes()


def test_addresses_and_headers_in_utf8_go_through(postfix: Postfix, account: Account) -> None:
    """RFC 6531: Postfix bounces such a message where SMTPUTF8 is not offered."""
    recipient = account.address.replace("@", "+grüße@")
    message = samples.plain("Protokoll für 你好", to=recipient)
    assert sent(postfix.outcomes(message, "absender-ü@client.example.net", recipient)) == {recipient}
    (stored,) = account.octets(least=1)
    assert trace_fields(stored, message) == TRACE
    assert stored.startswith("Return-Path: <absender-ü@client.example.net>\r\n".encode())
    assert came_with(stored) == WITH_UTF8[postfix.name]


def came_with(stored: bytes) -> bytes:
    """The protocol that our own Received field tells."""
    return stored[stored.index(b" with ") :].split()[1]


def test_a_burst_comes_whole(postfix: Postfix, account: Account) -> None:
    messages = {samples.plain(f"number {number}") for number in range(BURST)}
    for queue_id in [postfix.submit(message, SENDER, account.address) for message in messages]:
        sent(postfix.ended(queue_id))
    assert any("conn_use=" in line for line in postfix.log) == (postfix.name != "smtp")
    stored = account.octets(least=BURST)
    assert len(stored) == BURST
    assert {each[each.index(b"From: Sender Name") :] for each in stored} == messages


def test_a_message_over_the_size_that_we_tell_is_not_sent(
    postfix: Postfix, account: Account, friend: Account
) -> None:
    """RFC 1870 §6: seen in EHLO, or refused at MAIL. The bounce has the header alone."""
    message = samples.large(52 << 20)
    (outcome,) = postfix.outcomes(message, friend.address, account.address)
    assert (outcome.status, outcome.dsn) == ("bounced", "5.3.4")
    assert "message size" in outcome.said or "in reply to MAIL FROM command" in outcome.said
    (bounce,) = friend.octets(least=1)
    assert notification(bounce).returned.get_content_type() == "text/rfc822-headers"
    assert account.octets() == []


def test_what_waits_while_we_are_down_comes_once_when_we_are_back(postfix: Postfix, account: Account) -> None:
    message = samples.plain()
    account.server.stop()
    try:
        queue_id = postfix.submit(message, SENDER, account.address)
        (first,) = postfix.ended(queue_id, "status=deferred")
        assert first.said.endswith(("Connection refused", "No such file or directory"))
    finally:
        account.server.start()
    postfix.flush()
    *_, last = postfix.ended(queue_id)
    assert last.status == "sent"
    (stored,) = account.octets(least=1)
    assert trace_fields(stored, message) == TRACE

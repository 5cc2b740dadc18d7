"""smtplib: submission and the MX, envelope by envelope."""

import smtplib
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from interop import samples
from interop.peers.postfix_dovecot import PostfixDovecot
from interop.witness import SENDER, WAIT_SECONDS_MAX, Account
from tests.wire.imap import trust
from tests.wire.server import HOST, Server


@pytest.fixture
def mx(server: Server) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP(HOST, server.port("smtp"), "client.test", WAIT_SECONDS_MAX) as connection:
        yield connection


@pytest.fixture
def submission(server: Server, account: Account) -> Iterator[smtplib.SMTP]:
    """Over TLS from the start, logged in."""
    with smtplib.SMTP_SSL(
        HOST, server.port("submissions"), "client.test", context=trust(server.certificate)
    ) as connection:
        connection.login(account.address, account.password)
        yield connection


def test_starttls_then_login_then_mail(server: Server, account: Account, friend: Account) -> None:
    message = samples.plain()
    with smtplib.SMTP(HOST, server.port("submission"), "client.test", WAIT_SECONDS_MAX) as connection:
        connection.starttls(context=trust(server.certificate))
        connection.ehlo()
        assert connection.has_extn("auth") and not connection.has_extn("starttls")
        connection.login(account.address, account.password)
        assert connection.sendmail(account.address, [friend.address], message) == {}
    (stored,) = friend.octets(least=1)
    assert stored.endswith(message)


def test_many_messages_over_one_connection(submission: smtplib.SMTP, account: Account) -> None:
    messages = [samples.plain(str(number)) for number in range(20)]
    for message in messages:
        submission.sendmail(account.address, [account.address], message)
    stored = account.octets(least=20)
    assert len(stored) == 20
    assert all(any(each.endswith(message) for each in stored) for message in messages)


def test_submission_refuses_other_domains(submission: smtplib.SMTP, account: Account) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refusal:
        submission.sendmail(account.address, ["someone@elsewhere.example"], samples.plain())
    ((code, _),) = refusal.value.recipients.values()
    assert code in (550, 554)


def test_an_email_message_of_the_library_arrives(submission: smtplib.SMTP, account: Account) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = account.address, account.address, "Grüße"
    message.set_content("Text äöü\n.\n")
    message.add_alternative("<p>Text äöü</p>\n", subtype="html")
    message.add_attachment(bytes(range(256)), maintype="application", subtype="octet-stream", filename="b")
    submission.send_message(message)
    (stored,) = account.octets(least=1)
    read = message_from_bytes(stored, policy=policy.default)
    assert read["Subject"] == "Grüße"
    assert leaves(read) == leaves(message)


def leaves(message: EmailMessage) -> list[bytes]:
    """The decoded leaves, with the line ends of the library."""
    parts = [part for part in message.walk() if not part.is_multipart()]
    return [bytes(part.get_payload(decode=True)).replace(b"\r\n", b"\n") for part in parts]


def test_the_mx_says_what_it_can(mx: smtplib.SMTP) -> None:
    mx.ehlo()
    for keyword in ("size", "8bitmime", "pipelining", "starttls", "enhancedstatuscodes", "smtputf8"):
        assert mx.has_extn(keyword), keyword
    assert not mx.has_extn("auth")


def test_helo_alone_is_enough(mx: smtplib.SMTP, account: Account) -> None:
    mx.helo()
    mx.mail(SENDER)
    assert mx.rcpt(account.address)[0] == 250
    message = samples.ascii_only()
    assert mx.data(message)[0] == 250
    (stored,) = account.octets(least=1)
    assert stored.endswith(message)


def test_one_unknown_recipient_does_not_harm_the_other(mx: smtplib.SMTP, account: Account) -> None:
    unknown = "nobody-of-that-name@example.test"
    refused = mx.sendmail(SENDER, [unknown, account.address], samples.plain())
    assert refused[unknown][0] == 550
    assert len(account.octets(least=1)) == 1


def test_rset_forgets_the_envelope(mx: smtplib.SMTP, account: Account, friend: Account) -> None:
    mx.ehlo()
    mx.mail(SENDER)
    mx.rcpt(friend.address)
    assert mx.rset()[0] == 250
    assert mx.rcpt(friend.address)[0] == 503
    mx.sendmail(SENDER, [account.address], samples.plain())
    assert len(account.octets(least=1)) == 1
    assert friend.octets() == []


def test_commands_out_of_order_are_refused_and_the_session_goes_on(mx: smtplib.SMTP) -> None:
    mx.ehlo()
    assert mx.docmd("RCPT", "TO:<user0@example.test>")[0] == 503
    assert mx.docmd("DATA")[0] in (503, 554)
    assert mx.docmd("NONSENSE")[0] in (500, 502)
    assert mx.docmd("MAIL", "FORM:<user@client.test>")[0] == 501
    assert mx.noop()[0] == 250


def test_nothing_is_stored_of_a_message_that_was_cut_off(server: Server, account: Account) -> None:
    cut = smtplib.SMTP(HOST, server.port("smtp"), "client.test", WAIT_SECONDS_MAX)
    cut.ehlo()
    cut.mail(SENDER)
    cut.rcpt(account.address)
    assert cut.docmd("DATA")[0] == 354
    cut.send(b"Subject: cut off\r\n\r\nhalf a mess")
    cut.close()
    message = samples.plain("whole")
    account.deliver(message)
    (stored,) = account.octets(least=1)
    assert stored.endswith(message)


def test_a_bare_line_feed_does_not_end_the_content(server: Server, account: Account) -> None:
    """What smuggling needs: a second transaction hidden behind LF.CRLF."""
    if server.name == PostfixDovecot.name:
        pytest.skip("Postfix 3.7 lets a bare LF end lines unless told otherwise")
    with smtplib.SMTP(HOST, server.port("smtp"), "client.test", WAIT_SECONDS_MAX) as connection:
        connection.ehlo()
        connection.mail(SENDER)
        connection.rcpt(account.address)
        assert connection.docmd("DATA")[0] == 354
        hidden = f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<{account.address}>\r\nDATA\r\nSubject: smuggled\r\n\r\nx"
        connection.send(b"Subject: outer\r\n\r\nbody\n.\r\n" + hidden.encode() + b"\r\n.\r\n")
        assert connection.getreply()[0] in (250, 550)
        assert connection.noop()[0] == 250
    account.deliver(samples.plain("after"))
    subjects = [
        line for octets in account.octets(least=1) for line in octets.split(b"\r\n\r\n")[0].split(b"\r\n")
    ]
    assert b"Subject: smuggled" not in subjects

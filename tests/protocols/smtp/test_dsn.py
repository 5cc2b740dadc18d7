"""Reports as another parser reads them."""

import email
import email.policy
from email.message import EmailMessage

from protocols.smtp.dsn import Action, Report, Undelivered
from protocols.smtp.envelope import Path
from protocols.smtp.reply import Reply

ALICE = Path(b"alice@here.test")
HEAD = b"From: alice@here.test\r\nSubject: lunch\r\n\r\n"
GONE = Undelivered(Path(b"bob@x.test"), Reply(550, "5.1.1", "no such user", ("ask\tanother",)))
FULL = Undelivered(Path(b"carol@y.test"), Reply(452, "", "disk full"))


def report(action: Action, *undelivered: Undelivered, head: bytes = HEAD) -> EmailMessage:
    octets = Report("mail.here.test", "i1", action, 1_700_000_000, 1_700_000_100).octets(
        ALICE, undelivered, head
    )
    assert b"\n" not in octets.replace(b"\r\n", b"")
    read = email.message_from_bytes(octets, policy=email.policy.default)
    assert isinstance(read, EmailMessage) and not read.defects
    return read


def status(read: EmailMessage) -> list[dict[str, str]]:
    """The groups of fields of the second part."""
    part = list(read.iter_parts())[1]
    payload = part.get_payload()
    assert isinstance(payload, list)
    return [dict(group.items()) for group in payload]


def test_a_failure_names_each_recipient_with_what_was_said() -> None:
    read = report(Action.FAILED, GONE, FULL)
    assert read.get_content_type() == "multipart/report"
    assert read.get_param("report-type") == "delivery-status"
    assert (read["To"], read["Auto-Submitted"]) == ("alice@here.test", "auto-replied")
    of_message, *of_each = status(read)
    assert of_message["Reporting-MTA"] == "dns; mail.here.test"
    assert [(fields["Final-Recipient"], fields["Action"], fields["Status"]) for fields in of_each] == [
        ("rfc822; bob@x.test", "failed", "5.1.1"),
        ("rfc822; carol@y.test", "failed", "5.4.7"),
    ]
    assert of_each[0]["Diagnostic-Code"] == "smtp; 550 5.1.1 no such user ask another"
    text, _, about = read.iter_parts()
    assert "bob@x.test" in text.get_content() and "452 disk full" in text.get_content()
    assert about.get_content_type() == "text/rfc822-headers"
    assert "Subject: lunch" in about.get_content()


def test_a_delay_is_no_failure() -> None:
    read = report(Action.DELAYED, FULL)
    assert [(fields["Action"], fields["Status"]) for fields in status(read)[1:]] == [("delayed", "4.0.0")]
    assert "not been delivered yet" in read["Subject"]


def test_addresses_in_utf8_make_it_a_global_report() -> None:
    octets = Report("mail.here.test", "i1", Action.FAILED, 0, 0).octets(
        ALICE, [Undelivered(Path("jürgen@x.test".encode()), GONE.reply)], "Subject: Grüße\r\n\r\n".encode()
    )
    for expected in ("message/global-delivery-status", "utf-8; jürgen@x.test", "message/global-headers"):
        assert expected.encode() in octets

"""The message that a report travels in, and where it goes."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage

import pytest

from protocols.reports.letter import Letter, Part, file_name, subject, write
from protocols.reports.packed import packed
from protocols.reports.uri import Destination, mailto

HOST = "receiver.example"


def test_the_message_has_what_rfc_8460_5_3_asks_for() -> None:
    name = file_name(HOST, "example.org", 1, 2, "7f", ".json.gz")
    assert name == "receiver.example!example.org!1!2!7f.json.gz"
    letter = Letter(
        "postmaster@receiver.example",
        "tls@example.org",
        subject("example.org", HOST, "7f@receiver.example"),
        "Thu, 01 Jan 2026 00:00:00 +0000",
        "7f",
        HOST,
        "tlsrpt",
        (("TLS-Report-Domain", "example.org"), ("TLS-Report-Submitter", HOST)),
    )
    octets = write(letter, "A report.", [Part("application/tlsrpt+gzip", packed(b"{}" * 500), name)])
    read: EmailMessage = email.message_from_bytes(octets, policy=email.policy.default)  # type: ignore[arg-type]
    assert read["TLS-Report-Domain"] == "example.org"
    assert " ".join(read["Subject"].split()) == (
        "Report Domain: example.org Submitter: receiver.example Report-ID: <7f@receiver.example>"
    )
    assert read.get_content_type() == "multipart/report"
    assert read["Content-Type"].params["report-type"] == "tlsrpt"
    text, report = read.iter_parts()
    assert text.get_content().strip() == "A report."
    assert (report.get_content_type(), report.get_filename()) == ("application/tlsrpt+gzip", name)
    assert report.get_content() == packed(b"{}" * 500)
    assert b"\n" not in octets.replace(b"\r\n", b"") and max(map(len, octets.split(b"\r\n"))) <= 78


@pytest.mark.parametrize(
    ("uri", "found"),
    [
        ("mailto:a@example.org", (Destination("a@example.org"),)),
        ("MAILTO:a@Example.org!10m", (Destination("a@Example.org", 10 << 20),)),
        ("mailto:a@example.org!500", (Destination("a@example.org", 500),)),
        ("mailto:a@example.org!1T", (Destination("a@example.org", 1 << 40),)),
        ("mailto:a%2Bb@example.org?subject=x", (Destination("a+b@example.org"),)),
        ("mailto:a@example.org!m", ()),
        ("mailto:a%0d%0aBcc:x@example.org", ()),
        ("mailto:a@example.org%3e", ()),
        ("https://example.org/reports", ()),
        ("mailto:", ()),
        ("", ()),
    ],
)
def test_of_uris_those_are_taken_that_are_plain_mail_addresses(
    uri: str, found: tuple[Destination, ...]
) -> None:
    assert mailto([uri, uri.upper() if found else ""])[:1] == found
    assert len(mailto([uri, uri])) == len(found)

"""Failure reports: RFC 6591, RFC 5965."""

from __future__ import annotations

import pytest

from protocols.reports.failure import (
    FIELDS_MAX,
    HEAD_OCTETS_MAX,
    VALUE_CHARACTERS_MAX,
    Failure,
    Reported,
    feedback,
    is_wanted,
    read,
    redacted,
)
from protocols.reports.values import Malformed
from tests.protocols.reports.samples import FAILURE


def test_a_report_of_somebody_else_is_read() -> None:
    assert read(FAILURE) == Reported(
        "dmarc",
        "example.org",
        "192.0.2.66",
        "x@spammer.example",
        "Thu, 1 Jan 2026 10:00:00 +0000",
        "mx.receiver.example; dmarc=fail header.from=example.org",
        2,
    )


def test_what_is_written_is_read_as_it_was_and_a_sender_adds_no_field() -> None:
    failure = Failure(
        kind="dmarc",
        domain="example.org",
        source="2001:db8::1",
        arrived="Thu, 01 Jan 2026 10:00:00 +0000",
        original_from="x\r\nReported-Domain: other.example\r\n@spammer.example",
        results="mx.example;\r\n\tdmarc=fail",
        host="mx.example",
        delivered="spam",
        identity_alignment="none",
        fields=(("DKIM-Domain", "spammer.example"),),
    )
    octets = feedback(failure, "mailnode/1")
    found = read(octets)
    assert (found.domain, found.source, found.kind) == ("example.org", "2001:db8::1", "dmarc")
    assert octets.count(b"\r\n") == 12
    assert b"Identity-Alignment: none\r\nDKIM-Domain: spammer.example\r\n" in octets


@pytest.mark.parametrize(
    ("fo", "spf_aligned", "dkim_aligned", "spf", "dkim", "wanted"),
    [
        ("0", False, False, "pass", "pass", True),
        ("0", True, False, "pass", "fail", False),
        ("1", True, False, "pass", "pass", True),
        ("1", True, True, "pass", "pass", False),
        ("d", True, False, "pass", "fail", True),
        ("d", False, False, "fail", "none", False),
        ("s", False, True, "softfail", "pass", True),
        ("d:s", False, True, "none", "pass", False),
        ("1:d:s", True, True, "pass", "policy", True),
        ("x", False, False, "none", "none", True),
        ("", True, False, "pass", "none", False),
    ],
)
def test_fo_says_which_failures_are_wanted(
    fo: str, spf_aligned: bool, dkim_aligned: bool, spf: str, dkim: str, wanted: bool
) -> None:
    assert is_wanted(fo, spf_aligned, dkim_aligned, spf, dkim) is wanted


def test_redaction_takes_who_and_leaves_where_and_the_same_stays_the_same() -> None:
    head = b"From: Ann <ann.lee@example.org>\r\nTo: bob@here.example, ann.lee@example.org\r\n"
    hidden = redacted(head, b"key")
    assert b"ann.lee" not in hidden and b"bob" not in hidden
    ann = hidden.split(b"<")[1].split(b"@")[0]
    assert hidden.count(ann) == 2
    assert hidden.count(b"@example.org") == 2
    assert redacted(head, b"other key") != hidden


def test_of_long_fields_and_many_the_first_is_kept() -> None:
    octets = FAILURE + b"Source-IP: second\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(FIELDS_MAX))
    assert read(octets).source == "192.0.2.66"
    assert read(FAILURE.replace(b"mx.receiver", b"x" * 5000)).results == "x" * VALUE_CHARACTERS_MAX
    late = b"Feedback-Type: abuse\r\nX: " + b"x" * HEAD_OCTETS_MAX + b"\r\nSource-IP: 192.0.2.1\r\n"
    assert read(late).source == ""


@pytest.mark.parametrize("octets", [b"", b"\r\n\r\n", b"Version: 1\r\n", b"\xff\x00", b" :" * 9000])
def test_what_is_no_report_is_malformed(octets: bytes) -> None:
    with pytest.raises(Malformed):
        read(octets)

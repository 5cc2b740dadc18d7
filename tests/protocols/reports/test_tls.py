"""SMTP TLS reports: RFC 8460."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from protocols.reports.tls import (
    COUNT_MAX,
    DETAILS_MAX,
    POLICIES_MAX,
    TEXT_CHARACTERS_MAX,
    FailureDetails,
    TlsPolicy,
    read,
    uris,
    write,
)
from protocols.reports.values import Malformed
from tests.protocols.reports.samples import BEGIN, END, TLS


def test_what_is_written_is_read_as_it_was() -> None:
    assert read(write(TLS)) == TLS


def test_the_words_are_those_of_the_schema() -> None:
    written: Any = json.loads(write(TLS))
    assert written["date-range"] == {
        "start-datetime": "2026-01-01T00:00:00Z",
        "end-datetime": "2026-01-01T23:59:59Z",
    }
    (policy,) = written["policies"]
    assert policy["policy"] == {"policy-type": "no-policy-found", "policy-domain": "example.org"}
    assert policy["summary"] == {"total-successful-session-count": 40, "total-failure-session-count": 3}
    assert policy["failure-details"][0] == {
        "result-type": "starttls-not-supported",
        "sending-mta-ip": "192.0.2.9",
        "receiving-mx-hostname": "mx.example.org",
        "receiving-ip": "192.0.2.1",
        "failed-session-count": 2,
    }


def test_a_report_about_mta_sts_is_read_as_rfc_8460_appendix_b_has_it() -> None:
    octets = json.dumps(
        {
            "organization-name": "Company-X",
            "date-range": {
                "start-datetime": "2026-01-01T00:00:00Z",
                "end-datetime": "2026-01-01T23:59:59Z",
            },
            "contact-info": "sts-reporting@company-x.example",
            "report-id": "5065427c-23d3-47ca-b6e0-946ea0e8c4be",
            "policies": [
                {
                    "policy": {
                        "policy-type": "sts",
                        "policy-string": ["version: STSv1", "mode: testing", "mx: *.mail.company-y.example"],
                        "policy-domain": "company-y.example",
                        "mx-host": ["*.mail.company-y.example"],
                    },
                    "summary": {
                        "total-successful-session-count": 5326,
                        "total-failure-session-count": 303,
                    },
                    "failure-details": [
                        {
                            "result-type": "certificate-expired",
                            "sending-mta-ip": "2001:db8:abcd:0012::1",
                            "receiving-mx-hostname": "mx1.mail.company-y.example",
                            "failed-session-count": 100,
                        },
                        {
                            "result-type": "validation-failure",
                            "receiving-ip": "203.0.113.58",
                            "failed-session-count": "200",
                            "failure-reason-code": "X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED",
                        },
                    ],
                }
            ],
        }
    ).encode()
    report = read(octets)
    assert (report.organization, report.begin, report.end) == ("Company-X", BEGIN, END)
    (policy,) = report.policies
    assert policy.strings[1] == "mode: testing"
    assert policy == TlsPolicy(
        "sts",
        "company-y.example",
        5326,
        303,
        (
            FailureDetails("certificate-expired", 100, "2001:db8:abcd:0012::1", "mx1.mail.company-y.example"),
            FailureDetails(
                "validation-failure",
                200,
                receiving_ip="203.0.113.58",
                reason="X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED",
            ),
        ),
        policy.strings,
    )


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\xff",
        b"[]",
        b"null",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"policies": 3}',
        b'{"policies": [], "date-range": {"end-datetime": "2026-01-01T00:00:00Z"}}',
        write(TLS).replace(b"example.org", b""),
        write(TLS).replace(b"2026-", b"later "),
        b"9" * 10_000,
    ],
)
def test_what_is_no_report_is_malformed(octets: bytes) -> None:
    with pytest.raises(Malformed):
        read(octets)


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["v=TLSRPTv1;rua=mailto:reports@example.com"], ("mailto:reports@example.com",)),
        (
            ["other", "v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt , mailto:a@example.com ;x=y"],
            ("https://reporting.example.com/v1/tlsrpt", "mailto:a@example.com"),
        ),
        (["v=TLSRPTv1; rua=mailto:a@example.com", "v=TLSRPTv1; rua=mailto:b@example.com"], ()),
        (["v=TLSRPTv2; rua=mailto:a@example.com"], ()),
        (["v=TLSRPTv1;"], ()),
        ([], ()),
    ],
)
def test_one_record_says_where_reports_go(texts: list[str], found: tuple[str, ...]) -> None:
    assert uris(texts) == found


def test_what_is_longer_than_anybody_needs_is_cut() -> None:
    details = tuple(FailureDetails("x" * 2000, 1) for _ in range(DETAILS_MAX + 5))
    policies = (TlsPolicy("sts", "example.org", COUNT_MAX + 1, 1, details),) * (POLICIES_MAX + 5)
    octets = write(replace(TLS, policies=policies[:1])), write(replace(TLS, policies=policies))
    (policy,) = read(octets[0]).policies
    assert policy.details == (FailureDetails("x" * TEXT_CHARACTERS_MAX, 1),) * DETAILS_MAX
    assert policy.successful == 0
    assert len(read(octets[1]).policies) == POLICIES_MAX


def test_the_last_second_that_can_be_told_is_told() -> None:
    octets = write(TLS).replace(b"2026-01-01T23:59:59Z", b"9999-12-31T23:59:59-23:59")
    assert read(octets).end == 253_402_300_799

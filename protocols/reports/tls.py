"""An SMTP TLS report, RFC 8460 §4, as JSON; and what asks for it, §3."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from protocols.reports.values import Malformed

DETAILS_MAX = 1000  # kept of one policy
POLICIES_MAX = 100
TEXT_CHARACTERS_MAX = 1000
COUNT_MAX = 10**12
_SECONDS_MAX = 253_402_300_799  # the end of the year 9999


@dataclass(frozen=True, slots=True)
class FailureDetails:
    """`result` is a word of RFC 8460 §4.3."""

    result: str
    count: int
    sending_ip: str = ""
    receiving_host: str = ""
    receiving_ip: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TlsPolicy:
    """`kind` is "tlsa", "sts" or "no-policy-found"; sessions as counted, well and not."""

    kind: str
    domain: str
    successful: int
    failed: int
    details: tuple[FailureDetails, ...] = ()
    strings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TlsReport:
    """Seconds since 1970; `end` is the last second of the range."""

    organization: str
    contact: str
    report_id: str
    begin: int
    end: int
    policies: tuple[TlsPolicy, ...]


def uris(texts: Sequence[str]) -> tuple[str, ...]:
    """tlsrpt-rua of the TXT records of `_smtp._tls`, RFC 8460 §3; none where there is not one record."""
    found = [text for text in texts if text.partition(";")[0].strip() == "v=TLSRPTv1"]
    if len(found) != 1:
        return ()
    for field in found[0].split(";")[1:]:
        name, equals, value = field.partition("=")
        if equals and name.strip() == "rua":
            return tuple(each.strip() for each in value.split(",") if each.strip())
    return ()


def write(report: TlsReport) -> bytes:
    return json.dumps(
        {
            "organization-name": report.organization,
            "date-range": {
                "start-datetime": _date_time(report.begin),
                "end-datetime": _date_time(report.end),
            },
            "contact-info": report.contact,
            "report-id": report.report_id,
            "policies": [_policy(policy) for policy in report.policies],
        },
        separators=(",", ":"),
    ).encode()


def _policy(policy: TlsPolicy) -> dict[str, Any]:
    about: dict[str, Any] = {"policy-type": policy.kind, "policy-domain": policy.domain}
    if policy.strings:
        about["policy-string"] = list(policy.strings)
    written: dict[str, Any] = {
        "policy": about,
        "summary": {
            "total-successful-session-count": policy.successful,
            "total-failure-session-count": policy.failed,
        },
    }
    if policy.details:
        written["failure-details"] = [_details(details) for details in policy.details]
    return written


def _details(details: FailureDetails) -> dict[str, Any]:
    texts = {
        "result-type": details.result,
        "sending-mta-ip": details.sending_ip,
        "receiving-mx-hostname": details.receiving_host,
        "receiving-ip": details.receiving_ip,
        "failure-reason-code": details.reason,
    }
    return {name: text for name, text in texts.items() if text} | {"failed-session-count": details.count}


def read(octets: bytes) -> TlsReport:
    """Raises Malformed. Unknown names are passed over, of long lists the first are kept."""
    try:
        found = json.loads(octets.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise Malformed("it is no JSON") from None
    top = _object(found)
    dates = _object(top.get("date-range"))
    begin, end = _seconds(dates.get("start-datetime")), _seconds(dates.get("end-datetime"))
    policies = tuple(_read_policy(_object(each)) for each in _list(top.get("policies"), POLICIES_MAX))
    if not policies or not end or not any(policy.domain for policy in policies):
        raise Malformed("it lacks its policies or its time")
    return TlsReport(
        _text(top.get("organization-name")),
        _text(top.get("contact-info")),
        _text(top.get("report-id")),
        min(begin, end),
        max(begin, end),
        policies,
    )


def _read_policy(found: dict[str, Any]) -> TlsPolicy:
    about, summary = _object(found.get("policy")), _object(found.get("summary"))
    details = tuple(_read_details(_object(each)) for each in _list(found.get("failure-details"), DETAILS_MAX))
    return TlsPolicy(
        _text(about.get("policy-type")),
        _text(about.get("policy-domain")).lower().removesuffix("."),
        _count(summary.get("total-successful-session-count")),
        _count(summary.get("total-failure-session-count")),
        details,
        tuple(_text(each) for each in _list(about.get("policy-string"), POLICIES_MAX)),
    )


def _read_details(found: dict[str, Any]) -> FailureDetails:
    return FailureDetails(
        _text(found.get("result-type")),
        _count(found.get("failed-session-count")),
        _text(found.get("sending-mta-ip")),
        _text(found.get("receiving-mx-hostname")),
        _text(found.get("receiving-ip")),
        _text(found.get("failure-reason-code")),
    )


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object, items_max: int) -> list[Any]:
    """Leniency: one that is not in a list, as RFC 8460 §4.4 forbids and some send."""
    if isinstance(value, dict):
        return [value]
    return value[:items_max] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value[:TEXT_CHARACTERS_MAX] if isinstance(value, str) else ""


def _count(value: object) -> int:
    """Leniency: a number in quotes."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= COUNT_MAX else 0


def _date_time(seconds: int) -> str:
    """RFC 3339 §5.6"""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _seconds(value: object) -> int:
    try:
        found = datetime.fromisoformat(_text(value).strip())
    except ValueError:
        return 0
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    try:
        return min(max(int(found.timestamp()), 0), _SECONDS_MAX)
    except (OverflowError, ValueError):
        return 0

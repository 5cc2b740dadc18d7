"""An aggregate report as XML: RFC 7489, Appendix C."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv6Address, ip_address

from protocols.reports.values import Aggregate, DkimAuth, Metadata, Override, PolicyPublished, Record, SpfAuth

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_DKIM_RESULTS = frozenset(("none", "pass", "fail", "policy", "neutral", "temperror", "permerror"))
_SPF_RESULTS = frozenset(("none", "neutral", "pass", "fail", "softfail", "temperror", "permerror"))


def write(report: Aggregate) -> bytes:
    """There is at least one record, as the schema has it."""
    text = "\n".join(_feedback(report))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def _feedback(report: Aggregate) -> Iterator[str]:
    yield "<feedback>"
    yield _element("version", "1.0")
    yield from _metadata(report.metadata)
    yield from _policy(report.policy)
    for record in report.records:
        yield from _record(record)
    yield "</feedback>"


def _metadata(metadata: Metadata) -> Iterator[str]:
    yield "<report_metadata>"
    yield _element("org_name", metadata.organization)
    yield _element("email", metadata.contact)
    yield _element("report_id", metadata.report_id)
    yield f"<date_range><begin>{metadata.begin}</begin><end>{metadata.end}</end></date_range>"
    yield "</report_metadata>"


def _policy(policy: PolicyPublished) -> Iterator[str]:
    yield "<policy_published>"
    yield _element("domain", policy.domain)
    yield f"<adkim>{policy.adkim}</adkim><aspf>{policy.aspf}</aspf>"
    yield f"<p>{policy.p}</p><sp>{policy.sp}</sp><pct>100</pct>"  # pct: the schema asks
    yield _element("fo", policy.fo)
    yield "</policy_published>"


def _record(record: Record) -> Iterator[str]:
    yield "<record><row>"
    yield _element("source_ip", written_address(record.source))
    yield f"<count>{record.count}</count>"
    yield f"<policy_evaluated><disposition>{record.disposition}</disposition>"
    yield f"<dkim>{_passed(record.dkim)}</dkim><spf>{_passed(record.spf)}</spf>"
    yield from map(_reason, record.reasons)
    yield "</policy_evaluated></row><identifiers>"
    yield _element("envelope_from", record.envelope_from)
    yield _element("header_from", record.header_from)
    yield "</identifiers><auth_results>"
    yield from map(_dkim, record.dkim_auth)
    yield from map(_spf, record.spf_auth or (SpfAuth("", "mfrom", "none"),))
    yield "</auth_results></record>"


def written_address(text: str) -> str:
    """Of IPv6 all eight groups: the schema's pattern knows no shorter way."""
    try:
        address = ip_address(text)
    except ValueError:
        return text
    return address.exploded if isinstance(address, IPv6Address) else str(address)


def _reason(reason: Override) -> str:
    comment = _element("comment", reason.comment) if reason.comment else ""
    return f"<reason>{_element('type', reason.kind)}{comment}</reason>"


def _dkim(found: DkimAuth) -> str:
    result = found.result if found.result in _DKIM_RESULTS else "neutral"
    selector = _element("selector", found.selector)
    return f"<dkim>{_element('domain', found.domain)}{selector}<result>{result}</result></dkim>"


def _spf(found: SpfAuth) -> str:
    result = found.result if found.result in _SPF_RESULTS else "none"
    return (
        f"<spf>{_element('domain', found.domain)}<scope>{found.scope}</scope><result>{result}</result></spf>"
    )


def _passed(well: bool) -> str:
    return "pass" if well else "fail"


def _element(name: str, text: str) -> str:
    """A sender chose much of what stands here; what XML cannot say becomes a question mark."""
    safe = re.sub("[&<>]", lambda found: _ESCAPES[found[0]], _NO_XML.sub("?", text))
    return f"<{name}>{safe}</{name}>"

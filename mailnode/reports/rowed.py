"""A report that came in, as a row of each of our domains that it is about."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from hashlib import blake2b

from mailnode.limits import KiB
from mailnode.pb.row_pb2 import DmarcRow, ReportRow, TlsRow
from mailnode.reports.opened import Report
from protocols.reports.failure import Reported
from protocols.reports.tls import TlsPolicy, TlsReport
from protocols.reports.values import Aggregate, Record

ROW_OCTETS_MAX = 128 * KiB
CHARACTERS_MAX = 255  # of a text in it
AUTHS_MAX = 5  # of a record
DETAILS_MAX = 100


def rows(report: Report, domains: Collection[str], now_microseconds: int) -> Iterator[ReportRow]:
    """None where it is about no domain of ours."""
    if isinstance(report, Aggregate):
        found = _aggregate(report, domains)
    elif isinstance(report, TlsReport):
        found = _tls(report, domains)
    else:
        found = _failure(report, domains, now_microseconds // 1_000_000)
    for row in found:
        row.received = now_microseconds
        yield _bounded(row)


def key(row: ReportRow) -> bytes:
    """The same for the same report, whenever and however often it comes: by its time, then what it is."""
    about = [row.kind, row.domain, row.organization, row.contact, row.report_id, row.begin, row.end]
    if row.kind == ReportRow.FAILURE:
        about.append(row.records[0].SerializeToString(deterministic=True))
    digest = blake2b(repr(about).encode(), digest_size=8).digest()
    return prefix(row.domain) + row.begin.to_bytes(4, "big") + digest


def prefix(domain: str) -> bytes:
    return domain.encode("ascii") + b"\0"


def ours(domain: str, domains: Collection[str]) -> str:
    """Which of our domains a name is, or lies below; empty: none."""
    while domain:
        if domain in domains:
            return domain
        domain = domain.partition(".")[2]
    return ""


def _aggregate(report: Aggregate, domains: Collection[str]) -> Iterator[ReportRow]:
    domain = ours(report.policy.domain, domains)
    if not domain:
        return
    about, policy = report.metadata, report.policy
    yield ReportRow(
        kind=ReportRow.AGGREGATE,
        domain=domain,
        organization=about.organization[:CHARACTERS_MAX],
        contact=about.contact[:CHARACTERS_MAX],
        report_id=about.report_id[:CHARACTERS_MAX],
        begin=about.begin,
        end=about.end,
        messages=report.messages,
        failed=report.failed,
        left_out=report.left_out,
        policy=DmarcRow.Policy(
            domain=policy.domain[:CHARACTERS_MAX],
            adkim=policy.adkim[:1],
            aspf=policy.aspf[:1],
            p=policy.p[:CHARACTERS_MAX],
            sp=policy.sp[:CHARACTERS_MAX],
        ),
        records=[_record(record) for record in report.records],
    )


def _record(record: Record) -> DmarcRow:
    row = DmarcRow(
        count=record.count,
        source=record.source,
        disposition=record.disposition,
        dkim=record.dkim,
        spf=record.spf,
        header_from=record.header_from[:CHARACTERS_MAX],
        envelope_from=record.envelope_from[:CHARACTERS_MAX],
    )
    for dkim in record.dkim_auth[:AUTHS_MAX]:
        domain, selector = dkim.domain[:CHARACTERS_MAX], dkim.selector[:CHARACTERS_MAX]
        row.dkim_auth.add(domain=domain, name=selector, result=dkim.result[:CHARACTERS_MAX])
    for spf in record.spf_auth[:AUTHS_MAX]:
        domain = spf.domain[:CHARACTERS_MAX]
        row.spf_auth.add(domain=domain, name=spf.scope, result=spf.result[:CHARACTERS_MAX])
    for reason in record.reasons[:AUTHS_MAX]:
        row.reasons.add(kind=reason.kind[:CHARACTERS_MAX], comment=reason.comment[:CHARACTERS_MAX])
    return row


def _tls(report: TlsReport, domains: Collection[str]) -> Iterator[ReportRow]:
    by_domain: dict[str, list[TlsPolicy]] = {}
    for policy in report.policies:
        if domain := ours(policy.domain, domains):
            by_domain.setdefault(domain, []).append(policy)
    for domain, policies in by_domain.items():
        failed = sum(policy.failed for policy in policies)
        yield ReportRow(
            kind=ReportRow.TLS,
            domain=domain,
            organization=report.organization[:CHARACTERS_MAX],
            contact=report.contact[:CHARACTERS_MAX],
            report_id=report.report_id[:CHARACTERS_MAX],
            begin=report.begin,
            end=report.end,
            messages=failed + sum(policy.successful for policy in policies),
            failed=failed,
            tls=[_tls_policy(policy) for policy in policies],
        )


def _tls_policy(policy: TlsPolicy) -> ReportRow.Tls:
    details = [
        TlsRow(
            count=each.count,
            result=each.result[:CHARACTERS_MAX],
            receiving_host=each.receiving_host[:CHARACTERS_MAX],
            receiving_ip=each.receiving_ip[:CHARACTERS_MAX],
            sending_ip=each.sending_ip[:CHARACTERS_MAX],
            reason=each.reason[:CHARACTERS_MAX],
        )
        for each in policy.details[:DETAILS_MAX]
    ]
    return ReportRow.Tls(
        kind=policy.kind[:CHARACTERS_MAX],
        domain=policy.domain[:CHARACTERS_MAX],
        successful=policy.successful,
        failed=policy.failed,
        details=details,
    )


def _failure(report: Reported, domains: Collection[str], seconds: int) -> Iterator[ReportRow]:
    domain = ours(report.domain, domains)
    if domain:
        yield ReportRow(
            kind=ReportRow.FAILURE,
            domain=domain,
            report_id=report.kind[:CHARACTERS_MAX],
            begin=seconds,
            end=seconds,
            messages=report.incidents,
            failed=report.incidents,
            records=[
                DmarcRow(
                    count=report.incidents,
                    source=report.source[:CHARACTERS_MAX],
                    header_from=report.domain[:CHARACTERS_MAX],
                    envelope_from=report.original_from.rpartition("@")[2][:CHARACTERS_MAX],
                )
            ],
        )


def _bounded(row: ReportRow) -> ReportRow:
    """Those that are kept longest stand first."""
    while row.ByteSize() > ROW_OCTETS_MAX and (row.records or row.tls):
        kept = len(row.records) // 2
        row.left_out += sum(record.count for record in row.records[kept:])
        del row.records[kept:]
        del row.tls[len(row.tls) // 2 :]
    return row

"""What an operator sees of the reports that came in."""

from __future__ import annotations

from mailnode.admin.refusal import Refusal
from mailnode.pb import admin_pb2 as pb
from mailnode.pb.row_pb2 import ReportRow
from mailnode.reports.kept import Kept

_KINDS = {ReportRow.AGGREGATE: "dmarc", ReportRow.FAILURE: "failure", ReportRow.TLS: "tls"}


async def listed(kept: Kept, request: pb.ReportListRequest) -> pb.ReportListAnswer:
    domain, since = _domain(kept, request.domain), request.since // 1_000_000
    reports = [_about(name, row) async for name, row in kept.all(domain, since)]
    return pb.ReportListAnswer(reports=reports)


async def shown(kept: Kept, request: pb.ReportShowRequest) -> pb.ReportShowAnswer:
    row = await kept.named(request.report)
    if row is None:
        raise Refusal(f"{request.report!a} is no report: `mailnode reports list` names them")
    return pb.ReportShowAnswer(about=_about(request.report, row), row=row)


async def sources(kept: Kept, request: pb.ReportSourcesRequest) -> pb.ReportSourcesAnswer:
    found = await kept.sources(_domain(kept, request.domain), request.since // 1_000_000)
    answer = pb.ReportSourcesAnswer()
    for source in found:
        if source.failed or request.all:
            answer.sources.add(
                domain=source.domain,
                address=source.address,
                messages=source.messages,
                failed=source.failed,
                last=source.last_seconds * 1_000_000,
                reporters=len(source.reporters),
                passed=sorted(source.signers),
            )
    return answer


def _domain(kept: Kept, name: str) -> str:
    if name and name.lower() not in kept.domains:
        raise Refusal(f"{name!a} is none of this node's domains: {', '.join(sorted(kept.domains))}")
    return name.lower()


def _about(name: str, row: ReportRow) -> pb.ReportListAnswer.Report:
    return pb.ReportListAnswer.Report(
        report=name,
        kind=_KINDS[row.kind],
        domain=row.domain,
        organization=row.organization,
        begin=row.begin * 1_000_000,
        end=row.end * 1_000_000,
        messages=row.messages,
        failed=row.failed,
    )

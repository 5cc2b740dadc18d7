"""DMARC aggregate reports go out: RFC 7489 §7.2."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from mailnode.clock import Clock
from mailnode.limits import Limits
from mailnode.mailbox.verbs import Account
from mailnode.metrics import Metrics
from mailnode.pb.row_pb2 import DmarcRow
from mailnode.reports import collected
from mailnode.reports.destinations import Destinations
from mailnode.reports.letters import Reporting, fitting, octets_max
from mailnode.reports.places import DAY_SECONDS, DMARC, day_of
from mailnode.reports.posting import Name, Posting
from protocols.reports.aggregate import write
from protocols.reports.letter import Part, file_name, subject
from protocols.reports.packed import packed
from protocols.reports.uri import Destination
from protocols.reports.values import (
    Aggregate,
    DkimAuth,
    Metadata,
    Override,
    PolicyPublished,
    Record,
    SpfAuth,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Aggregates:
    reporting: Reporting
    destinations: Destinations
    posting: Posting
    clock: Clock
    limits: Limits
    metrics: Metrics

    async def report(self, account: Account, key: bytes, due_microseconds: int) -> None:
        day, domain = day_of(key)
        found = await collected.found(account, DMARC, key, DmarcRow.FromString)
        if not found:
            return
        for destination in await self.destinations.aggregate(domain):
            await self._post(account, day, destination, found, due_microseconds)

    async def _post(
        self, account: Account, day: int, destination: Destination, found: Sequence[DmarcRow], due: int
    ) -> None:
        """One report, or some where it would be too long; the same however often it is asked for."""
        domain, most = found[0].policy.domain, octets_max(destination, self.limits)
        parts = 0

        def size(rows: Sequence[DmarcRow]) -> int:
            return len(self._file(day, rows, ""))

        for some in fitting(found, size, most, self.limits.report_parts_max):
            name = Name(due, f"dmarc {domain} {destination.address} {parts}")
            octets = self._message(day, some, name, destination)
            posted = await self.posting.post(account, name, destination.address, octets)
            self.metrics.reports_sent.add(("dmarc", "posted" if posted else "refused"))
            parts += 1
        told = {"domain": domain, "recipient": destination.address, "parts": parts}
        log.info("an aggregate report goes out" if parts else "an aggregate report is too long", extra=told)

    def _message(self, day: int, some: Sequence[DmarcRow], name: Name, destination: Destination) -> bytes:
        domain, reporting, begin = some[0].policy.domain, self.reporting, day * DAY_SECONDS
        end = begin + DAY_SECONDS - 1
        named = file_name(reporting.submitter, domain, begin, end, name.text, ".xml.gz")
        return reporting.message(
            destination.address,
            subject(domain, reporting.submitter, f"{name.text}@{reporting.host}"),
            name.text,
            self.clock.now_microseconds() // 1_000_000,
            f"This is a DMARC aggregate report about mail from {domain}.",
            [Part("application/gzip", self._file(day, some, name.text), named)],
        )

    def _file(self, day: int, some: Sequence[DmarcRow], name: str) -> bytes:
        reporting, begin = self.reporting, day * DAY_SECONDS
        metadata = Metadata(
            reporting.organization,
            reporting.contact,
            f"{name}@{reporting.host}",
            begin,
            begin + DAY_SECONDS - 1,
        )
        policy = some[0].policy
        published = PolicyPublished(policy.domain, policy.adkim, policy.aspf, policy.p, policy.sp, policy.fo)
        return packed(write(Aggregate(metadata, published, tuple(map(record_of, some)))))


def record_of(row: DmarcRow) -> Record:
    return Record(
        source=row.source,
        count=row.count,
        disposition=row.disposition,
        dkim=row.dkim,
        spf=row.spf,
        header_from=row.header_from,
        envelope_from=row.envelope_from,
        reasons=tuple(Override(each.kind, each.comment) for each in row.reasons),
        dkim_auth=tuple(DkimAuth(each.domain, each.name, each.result) for each in row.dkim_auth),
        spf_auth=tuple(SpfAuth(each.domain, each.name, each.result) for each in row.spf_auth),
    )

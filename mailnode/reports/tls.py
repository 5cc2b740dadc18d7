"""SMTP TLS reports go out: RFC 8460. Our sessions follow no policy of the other side's, so the policy type is
always "no-policy-found"; what counts as well is a session in TLS, whatever its certificate."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from mailnode.clock import Clock
from mailnode.limits import Limits
from mailnode.mailbox.verbs import Account
from mailnode.metrics import Metrics
from mailnode.pb.row_pb2 import TlsRow
from mailnode.reports import collected
from mailnode.reports.destinations import Destinations
from mailnode.reports.letters import Reporting, octets_max
from mailnode.reports.places import DAY_SECONDS, TLS, day_of
from mailnode.reports.posting import Name, Posting
from protocols.reports.letter import Part, file_name, subject
from protocols.reports.packed import packed
from protocols.reports.tls import DETAILS_MAX, FailureDetails, TlsPolicy, TlsReport, write
from protocols.reports.uri import Destination

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TlsReports:
    reporting: Reporting
    destinations: Destinations
    posting: Posting
    clock: Clock
    limits: Limits
    metrics: Metrics

    async def report(self, account: Account, key: bytes, due_microseconds: int) -> None:
        day, domain = day_of(key)
        found = await collected.found(account, TLS, key, TlsRow.FromString)
        if not found:
            return
        for destination in await self.destinations.tls(domain):
            name = Name(due_microseconds, f"tls {domain} {destination.address}")
            octets = self._message(day, domain, found, name, destination)
            told = {"domain": domain, "recipient": destination.address}
            if octets is None:
                log.info("a TLS report is too long", extra=told)
                continue
            posted = await self.posting.post(account, name, destination.address, octets)
            self.metrics.reports_sent.add(("tls", "posted" if posted else "refused"))
            log.info("a TLS report goes out", extra=told)

    def _message(
        self, day: int, domain: str, found: Sequence[TlsRow], name: Name, destination: Destination
    ) -> bytes | None:
        reporting, begin = self.reporting, day * DAY_SECONDS
        end, submitter = begin + DAY_SECONDS - 1, reporting.submitter
        identity = f"{name.text}@{reporting.host}"
        report = TlsReport(
            reporting.organization, reporting.contact, identity, begin, end, (_policy(domain, found),)
        )
        file = packed(write(report))
        if len(file) > octets_max(destination, self.limits):
            return None
        named = file_name(submitter, domain, begin, end, name.text, ".json.gz")
        return reporting.message(
            destination.address,
            subject(domain, submitter, identity),
            name.text,
            self.clock.now_microseconds() // 1_000_000,
            f"This is an aggregate TLS report about mail to {domain}.",
            [Part("application/tlsrpt+gzip", file, named)],
            ("tlsrpt", (("TLS-Report-Domain", domain), ("TLS-Report-Submitter", submitter))),
        )


def _policy(domain: str, found: Sequence[TlsRow]) -> TlsPolicy:
    well = sum(row.count for row in found if not row.result)
    failed = [row for row in found if row.result]
    details = tuple(
        FailureDetails(
            row.result, row.count, row.sending_ip, row.receiving_host, row.receiving_ip, row.reason
        )
        for row in failed[:DETAILS_MAX]
    )
    return TlsPolicy("no-policy-found", domain, well, sum(row.count for row in failed), details)

"""Failure reports go out, where they are switched on: RFC 6591, RFC 7489 §7.3. They show the header of a
message to our users, so they are off unless somebody wants them, and so many an hour at most."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass, field

from mailnode.clock import Clock
from mailnode.limits import Limits
from mailnode.mailauth.resolver import Unavailable as DnsUnavailable
from mailnode.mailauth.verdict import Disposition, Verdict, best
from mailnode.mailbox.accounts import Accounts
from mailnode.mailbox.verbs import NotKnown, Unavailable
from mailnode.metrics import Metrics
from mailnode.reports.destinations import Destinations
from mailnode.reports.letters import Reporting
from mailnode.reports.places import account_of
from mailnode.reports.posting import Name, Posting
from protocols.dmarc.walk import Applied
from protocols.reports.failure import HEAD_OCTETS_MAX, Failure, feedback, is_wanted, redacted
from protocols.reports.letter import Part
from protocols.smtp.trace import date_time

log = logging.getLogger(__name__)

HOUR_SECONDS = 3600
_DELIVERED = {Disposition.NONE: "delivered", Disposition.QUARANTINE: "spam", Disposition.REJECT: "reject"}


@dataclass(slots=True)
class Failures:
    """`redaction_key`: local parts of addresses are shown as digests by it; empty: as they stand."""

    reporting: Reporting
    destinations: Destinations
    posting: Posting
    accounts: Accounts
    clock: Clock
    limits: Limits
    metrics: Metrics
    redaction_key: bytes = b""
    _hour: int = 0
    _sent: Counter[str] = field(default_factory=Counter)
    _working: set[asyncio.Task[None]] = field(default_factory=set)

    def tell(
        self, verdict: Verdict, disposition: Disposition, applied: Applied, head: bytes, results: str
    ) -> None:
        """Of one message, beside its delivery: a crash loses the report, not the message."""
        found, record = verdict.dmarc, applied.record
        spf, dkim = verdict.spf.result, best(verdict.signatures)
        if not record.ruf or not is_wanted(record.fo, found.spf_aligned, found.dkim_aligned, spf, dkim):
            return
        if not self._may(applied.domain):
            self.metrics.reports_sent.add(("failure", "bounded"))
            return
        failure = self._failure(verdict, disposition, applied, results)
        working = asyncio.ensure_future(self._told(failure, record.ruf, head[:HEAD_OCTETS_MAX]))
        self._working.add(working)
        working.add_done_callback(self._working.discard)

    def _may(self, domain: str) -> bool:
        hour = self.clock.now_microseconds() // 1_000_000 // HOUR_SECONDS
        if hour != self._hour:
            self._hour = hour
            self._sent.clear()
        if self._sent[domain] >= self.limits.report_failures_domain_max:
            return False
        if self._sent.total() >= self.limits.report_failures_max:
            return False
        self._sent[domain] += 1
        return True

    def _failure(self, verdict: Verdict, disposition: Disposition, applied: Applied, results: str) -> Failure:
        found = verdict.dmarc
        aligned = [name for name, well in (("dkim", found.dkim_aligned), ("spf", found.spf_aligned)) if well]
        alignment = "both" if len(aligned) == 2 else (aligned or ["none"])[0]
        seconds = self.clock.now_microseconds() // 1_000_000
        original = verdict.envelope.reverse_path
        return Failure(
            kind="dmarc",
            domain=applied.domain,
            source=verdict.envelope.address,
            arrived=date_time(seconds),
            original_from=self._shown(original.encode()).decode("utf-8", "replace"),
            results=results,
            host=self.reporting.host,
            delivered=_DELIVERED.get(disposition, "other"),
            identity_alignment=alignment,
        )

    def _shown(self, octets: bytes) -> bytes:
        return redacted(octets, self.redaction_key) if self.redaction_key else octets

    async def _told(self, failure: Failure, ruf: tuple[str, ...], head: bytes) -> None:
        try:
            account = await self.accounts.open(account_of(failure.domain))
            for destination in await self.destinations.failure(failure.domain, ruf):
                now = self.clock.now_microseconds()
                name = Name(now, f"failure {destination.address} {self.clock.random(8).hex()}")
                octets = self._message(failure, destination.address, name, head)
                posted = await self.posting.post(account, name, destination.address, octets)
                self.metrics.reports_sent.add(("failure", "posted" if posted else "refused"))
        except (DnsUnavailable, Unavailable, NotKnown, OSError) as error:
            log.info("a failure report is not sent", extra={"domain": failure.domain, "reason": error})
        except Exception:  # our own mistake: the message that it is about is taken all the same
            log.exception("a failure report could not be made", extra={"domain": failure.domain})

    def _message(self, failure: Failure, recipient: str, name: Name, head: bytes) -> bytes:
        return self.reporting.message(
            recipient,
            f"DMARC failure report: {failure.domain}",
            name.text,
            self.clock.now_microseconds() // 1_000_000,
            f"A message that says it is from {failure.domain} failed to show it.\nIts header follows.",
            [
                Part("message/feedback-report", feedback(failure, "mailnode/1")),
                Part("text/rfc822-headers", self._shown(head)),
            ],
            ("feedback-report", ()),
        )

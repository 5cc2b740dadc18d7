"""What delivery and the relay tell, and who keeps it."""

from __future__ import annotations

from dataclasses import dataclass

from mailnode.mailauth.domain import a_labels
from mailnode.mailauth.verdict import Disposition, Verdict
from mailnode.pb.row_pb2 import TlsRow
from mailnode.reports.evidence import dmarc_row
from mailnode.reports.failures import Failures
from mailnode.reports.tally import Tally


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What becomes of each message that was authenticated."""

    tally: Tally | None
    failures: Failures | None

    async def take(
        self, verdict: Verdict, disposition: Disposition, override: str, head: bytes, results: str
    ) -> None:
        """Returns once it is durable; a message whose policy asks for no report costs nothing."""
        applied = verdict.dmarc.applied
        if applied is None or not verdict.envelope.address:
            return
        if self.failures is not None:
            self.failures.tell(verdict, disposition, applied, head, results)
        if self.tally is not None and applied.record.rua:
            await self.tally.count(applied.domain, dmarc_row(verdict, disposition, override, applied))


@dataclass(frozen=True, slots=True)
class Sessions:
    """How each session with another server came to TLS, or did not."""

    tally: Tally

    async def take(self, domain: str, host: str, address: str, own: str, result: str, reason: str) -> None:
        """`result` is a word of RFC 8460 §4.3, empty in TLS: then all sessions of the day are one row."""
        name = a_labels(domain)
        if not name:
            return  # an address literal
        row = TlsRow(result=result)
        if result:
            row = TlsRow(
                result=result, receiving_host=host, receiving_ip=address, sending_ip=own, reason=reason[:255]
            )
        await self.tally.count(name, row)

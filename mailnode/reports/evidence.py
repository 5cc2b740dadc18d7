"""What is kept of a message's verdict for its policy domain's report: RFC 7489 §7.2."""

from __future__ import annotations

from mailnode.mailauth.verdict import Disposition, Verdict
from mailnode.pb.row_pb2 import DmarcRow
from protocols.dmarc.walk import Applied

SIGNATURES_MAX = 10  # of a message
CHARACTERS_MAX = 255  # a domain has no more


def dmarc_row(verdict: Verdict, disposition: Disposition, override: str, applied: Applied) -> DmarcRow:
    assessed, envelope = verdict.dmarc, verdict.envelope
    row = DmarcRow(
        source=envelope.address,
        disposition=disposition.value if disposition is not Disposition.DEFER else "none",
        dkim=assessed.dkim_aligned,
        spf=assessed.spf_aligned,
        header_from=assessed.domain,
        envelope_from=envelope.reverse_path.rpartition("@")[2][:CHARACTERS_MAX],
        policy=_policy(applied),
    )
    if override:
        kind = "trusted_forwarder" if override.startswith("arc:") else "local_policy"
        row.reasons.add(kind=kind, comment=override[:CHARACTERS_MAX])
    for each in verdict.signatures[:SIGNATURES_MAX]:
        domain, selector = each.domain[:CHARACTERS_MAX], each.selector[:CHARACTERS_MAX]
        row.dkim_auth.add(domain=domain, name=selector, result=each.result)
    scope = "mfrom" if verdict.spf.identity == "mailfrom" else "helo"
    row.spf_auth.add(domain=verdict.spf.domain[:CHARACTERS_MAX], name=scope, result=verdict.spf.result)
    return row


def _policy(applied: Applied) -> DmarcRow.Policy:
    record = applied.record
    return DmarcRow.Policy(
        domain=applied.domain,
        adkim="s" if record.adkim_strict else "r",
        aspf="s" if record.aspf_strict else "r",
        p=record.p.name.lower(),
        sp=record.sp.name.lower(),
        fo=record.fo[:CHARACTERS_MAX],
    )

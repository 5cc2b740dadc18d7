"""Whether a message is its author's, and what the domain's owner wants if not: DMARC, RFC 9989."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from dns.rdtypes.txtbase import TXTBase

from mailnode.mailauth.domain import a_labels
from mailnode.mailauth.resolver import Answer, Answers, Unavailable
from mailnode.mailauth.spf import Checked
from protocols.dmarc.author import Author
from protocols.dmarc.record import Policy, Record, only_record
from protocols.dmarc.walk import Applied, applied, ends, organisational, walk
from protocols.results import DkimResult


@dataclass(frozen=True, slots=True)
class Assessed:
    """`result` is a word of RFC 9989 §9.2. `policy` is what the owner wants done: nothing for a pass, a step
    less than is published while they test. `published` is what stands in the record.

    `spf_aligned` and `dkim_aligned` say by what it passed.
    """

    result: str
    domain: str = ""
    policy: Policy = Policy.NONE
    published: Policy = Policy.NONE
    reason: str = ""
    applied: Applied | None = None
    spf_aligned: bool = False
    dkim_aligned: bool = False


class Dmarc:
    def __init__(self, resolver: Answers) -> None:
        self._resolver = resolver

    async def assess(self, author: Author, spf: Checked, signatures: Sequence[DkimResult]) -> Assessed:
        """`spf` of MAIL FROM, or of HELO for a null path. Raises nothing: what is not known is temperror."""
        domain = a_labels(author.domain)
        if not domain:
            return await self._unclear(author)
        try:
            found = await self._applied(domain)
            if found is None:
                return Assessed("none", domain)
            by_spf = await self._is_spf_aligned(found, domain, spf, "pass")
            by_dkim = await self._is_dkim_aligned(found, domain, signatures, "pass")
            if by_spf or by_dkim:
                return Assessed("pass", domain, Policy.NONE, found.policy, "", found, by_spf, by_dkim)
            # RFC 9989 §5.3.6: what may yet pass has not failed.
            if await self._is_spf_aligned(found, domain, spf, "temperror"):
                return Assessed("temperror", domain, reason="SPF is not known")
            if await self._is_dkim_aligned(found, domain, signatures, "temperror"):
                return Assessed("temperror", domain, reason="a signature is not known")
        except Unavailable as error:
            return Assessed("temperror", domain, reason=str(error))
        return Assessed("fail", domain, wanted(found), found.policy, "", found)

    async def organisation(self, domain: str) -> str:
        """The Organizational Domain, RFC 9989 §4.10.2; raises Unavailable."""
        return organisational(domain, await self._walked(domain))

    async def foresee(self, author: Author) -> None:
        """Ask what `assess` will ask, so that the answers are there."""
        if domain := a_labels(author.domain):
            with suppress(Unavailable):
                await self._applied(domain)

    async def _unclear(self, author: Author) -> Assessed:
        """It passes never; the strictest of what readers may take for its author holds (RFC 9989 §11.5)."""
        names = filter(None, map(a_labels, author.candidates))
        found = await asyncio.gather(*map(self._applied, names), return_exceptions=True)
        policies = [wanted(each) for each in found if isinstance(each, Applied)]
        strictest = max(policies, default=Policy.NONE)
        return Assessed("permerror", "", strictest, strictest, author.why or "no domain in From")

    async def _applied(self, domain: str) -> Applied | None:
        found = await self._walked(domain)
        if found.get(domain) is not None:
            return applied(domain, found, exists=True)
        return applied(domain, found, await self._exists(domain))

    async def _walked(self, domain: str) -> dict[str, Record | None]:
        """All names at once; what lies behind the end of the walk is not looked at. Raises Unavailable."""
        names = walk(domain)
        answers = await asyncio.gather(*map(self._texts, names))
        found: dict[str, Record | None] = {}
        for name, answer in zip(names, answers, strict=True):
            if isinstance(answer, Unavailable):
                raise answer
            found[name] = only_record(answer)
            if ends(found[name]):
                break
        return found

    async def _texts(self, domain: str) -> list[str] | Unavailable:
        try:
            answer = await self._resolver.records(f"_dmarc.{domain}", "TXT")
        except Unavailable as error:
            return error
        return [text(each) for each in answer.records if isinstance(each, TXTBase)]

    async def _exists(self, domain: str) -> bool:
        """RFC 9989 §3.2.13: any record makes a name exist; who cannot be asked is taken to."""
        try:
            answer: Answer = await self._resolver.records(domain, "A")
        except Unavailable:
            return True
        return answer.exists

    async def _is_spf_aligned(self, found: Applied, domain: str, spf: Checked, result: str) -> bool:
        if spf.result != result:
            return False
        return await self._is_aligned(domain, a_labels(spf.domain), found.record.aspf_strict)

    async def _is_dkim_aligned(
        self, found: Applied, domain: str, signatures: Sequence[DkimResult], result: str
    ) -> bool:
        signers = dict.fromkeys(a_labels(each.domain) for each in signatures if each.result == result)
        for signer in signers:
            if await self._is_aligned(domain, signer, found.record.adkim_strict):
                return True
        return False

    async def _is_aligned(self, domain: str, other: str, strict: bool) -> bool:
        """RFC 9989 §4.4; an organisation is asked for only where the two can have the same."""
        if domain == other:
            return True
        if strict or not other:
            return False
        organisation = organisational(domain, await self._walked(domain))
        if other != organisation and not other.endswith(f".{organisation}"):
            return False
        return organisational(other, await self._walked(other)) == organisation


def wanted(found: Applied) -> Policy:
    """While an owner tests, one step less: RFC 9989 §4.7, `t`."""
    return Policy(max(found.policy - 1, 0)) if found.record.testing else found.policy


def text(record: TXTBase) -> str:
    return b"".join(record.strings).decode("ascii", "replace")

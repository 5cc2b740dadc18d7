"""Where the reports about a domain go, as the DNS says it: RFC 7489 §7.1, RFC 8460 §3."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

from mailnode.limits import Limits
from mailnode.mailauth.dmarc import Dmarc
from mailnode.mailauth.resolver import Answers
from mailnode.mailauth.zone import texts
from protocols.dmarc.record import only_record
from protocols.reports.tls import uris
from protocols.reports.uri import Destination, mailto

log = logging.getLogger(__name__)


class Destinations:
    def __init__(self, resolver: Answers, limits: Limits) -> None:
        self._resolver = resolver
        self._limits = limits
        self._dmarc = Dmarc(resolver)

    async def aggregate(self, domain: str) -> list[Destination]:
        """rua of the policy domain, as far as they are mail addresses that take its reports; raises
        Unavailable."""
        record = only_record(await texts(self._resolver, f"_dmarc.{domain}"))
        return [] if record is None else await self._allowed(domain, record.rua)

    async def failure(self, domain: str, ruf: tuple[str, ...]) -> list[Destination]:
        """Of `ruf`; raises Unavailable."""
        return await self._allowed(domain, ruf)

    async def tls(self, domain: str) -> list[Destination]:
        """RFC 8460 §3: nobody else is asked; raises Unavailable."""
        found = uris(await texts(self._resolver, f"_smtp._tls.{domain}"))
        return list(mailto(found)[: self._limits.report_destinations_max])

    async def _allowed(self, domain: str, uris: tuple[str, ...]) -> list[Destination]:
        found = mailto(uris)[: self._limits.report_destinations_max]
        return [each async for each in self._asked(domain, found)]

    async def _asked(self, domain: str, found: tuple[Destination, ...]) -> AsyncIterator[Destination]:
        """Another organization's address takes them only if it says so: else a record could have us send mail
        to anybody. It may say to which of its addresses they shall go."""
        own = await self._dmarc.organisation(domain)
        for each in found:
            if each.domain == domain or await self._dmarc.organisation(each.domain) == own:
                yield each
                continue
            said = await texts(self._resolver, f"{domain}._report._dmarc.{each.domain}")
            record = only_record(said)
            if record is None:
                extra = {"domain": domain, "recipient": each.address}
                log.info("a report is not sent: its recipient does not ask for it", extra=extra)
                continue
            others = [other for other in mailto(record.rua) if other.domain == each.domain]
            yield others[0] if others else each

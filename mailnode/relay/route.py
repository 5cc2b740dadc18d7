"""Where mail for a domain goes: RFC 5321 §5.1."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Any

from mailnode.clock import Clock
from mailnode.limits import Limits
from mailnode.mailauth.resolver import Answer, Resolver, Unavailable
from protocols.smtp.reply import Reply

NO_SUCH_DOMAIN = Reply(550, "5.1.2", "The domain does not exist or has no address for mail")
TAKES_NO_MAIL = Reply(556, "5.1.10", "The domain takes no mail")  # RFC 7505 §4.2
LOOPS = Reply(554, "5.4.6", "The domain's mail comes to this host, which does not take it")
NOT_AN_ADDRESS = Reply(550, "5.1.2", "The address literal is malformed")
NOT_OUTSIDE = Reply(550, "5.4.4", "The domain's mail would not leave this machine, or reach no single other")


@dataclass(frozen=True, slots=True)
class Host:
    """A server to try: its name, and one of its addresses."""

    name: str
    address: str


class Routes:
    """`own` is the name that MX records know this host by.

    Whoever writes DNS records, or a literal, may not have us speak to services of this machine that trust
    it: `loopback` allows that.
    """

    def __init__(self, resolver: Resolver, clock: Clock, own: str, limits: Limits, *, loopback: bool) -> None:
        self._resolver = resolver
        self._clock = clock
        self._own = own
        self._limits = limits
        self._loopback = loopback

    async def hosts(self, domain: str) -> tuple[Host, ...] | Reply:
        """In the order to try them; a Reply says why there is none and never will be. Raises Unavailable.

        `domain` is an A-label, or an address literal with its brackets.
        """
        if domain.startswith("["):
            host = _literal(domain)
            return host if isinstance(host, Reply) else self._outside((host,))
        found = await self._resolver.records(domain, "MX")
        names = self._exchangers(found.records) if found.records else [domain]
        if isinstance(names, Reply):
            return names
        return await self._addresses(names[: self._limits.relay_hosts_max])

    def _outside(self, hosts: tuple[Host, ...]) -> tuple[Host, ...] | Reply:
        """Those that we may speak to."""
        if not hosts:
            return NO_SUCH_DOMAIN
        return tuple(host for host in hosts if self._loopback or _is_outside(host.address)) or NOT_OUTSIDE

    def _exchangers(self, records: Iterable[Any]) -> list[str] | Reply:
        """The lowest preference first, equal ones in any order; none at or behind our own."""
        found = [(mx.preference, _name(mx.exchange)) for mx in records]
        if [name for _, name in found] == [""]:
            return TAKES_NO_MAIL
        ours = min((preference for preference, name in found if name == self._own), default=None)
        before = [row for row in found if row[1] and (ours is None or row[0] < ours)]
        shuffled = sorted((preference, self._clock.random(8), name) for preference, name in before)
        return [name for _, _, name in shuffled] or LOOPS

    async def _addresses(self, names: list[str]) -> tuple[Host, ...] | Reply:
        """Of all the names, in their order. One that cannot be asked is left out, unless all are."""
        asked = [(name, kind) for name in names for kind in ("A", "AAAA")]
        answers = await asyncio.gather(
            *(self._resolver.records(name, kind) for name, kind in asked), return_exceptions=True
        )
        hosts = self._outside(tuple(self._found(zip(asked, answers, strict=True))))
        failed = next((answer for answer in answers if isinstance(answer, BaseException)), None)
        if failed is not None and isinstance(hosts, Reply):
            raise failed
        return hosts

    def _found(self, asked: Iterable[tuple[tuple[str, str], Answer | BaseException]]) -> Iterator[Host]:
        for (name, _), answer in asked:
            if isinstance(answer, Unavailable):
                continue
            if isinstance(answer, BaseException):
                raise answer
            for record in answer.records[: self._limits.relay_addresses_max]:
                address: str = getattr(record, "address", "")
                yield Host(name, address)


def _name(exchange: Any) -> str:
    text: str = exchange.to_text(omit_final_dot=True)
    return "" if text == "@" or text == "." else text.lower()


def _is_outside(address: str) -> bool:
    """Not loopback, "this host", link-local or multicast; an IPv4 address within IPv6 is judged as itself."""
    ip = ip_address(address)
    if isinstance(ip, IPv6Address):
        ip = ip.ipv4_mapped or ip
    here = ip.is_loopback or ip.is_unspecified or (ip.version == 4 and ip.packed[0] == 0)
    return not (here or ip.is_link_local or ip.is_multicast)


def _literal(domain: str) -> Host | Reply:
    """address-literal = "[" ( IPv4 / "IPv6:" IPv6 ) "]", RFC 5321 §4.1.3"""
    text = domain[1:-1]
    bare = text[5:] if text.lower().startswith("ipv6:") else text
    try:
        return Host(domain, str(ip_address(bare)))
    except ValueError:
        return NOT_AN_ADDRESS

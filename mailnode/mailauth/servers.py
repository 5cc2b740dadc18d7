"""Asking DNS servers: UDP, TCP when an answer is cut, EDNS; by dnspython."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import dns.asyncresolver
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.nameserver
import dns.resolver

from mailnode.mailauth.resolver import Answer, Ask, Unavailable

EDNS_OCTETS = 1232  # no fragments: what the DNS Flag Day 2020 agreed on
THIS_MACHINE = "127.0.0.1"  # resolv.conf(5): what holds where there is no such file
NO_NAME = Answer((), exists=False, authenticated=False, seconds=3600)


def asking(servers: Sequence[tuple[str, int]], seconds_max: float) -> Ask:
    """Servers by address and port, the next one when one does not answer; none: those of the machine."""
    try:
        resolver = dns.asyncresolver.Resolver(configure=not servers)
    except dns.resolver.NoResolverConfiguration:
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers = [THIS_MACHINE]
    if servers:
        resolver.nameservers = [dns.nameserver.Do53Nameserver(*server) for server in servers]
    resolver.lifetime = seconds_max
    resolver.use_edns(0, 0, EDNS_OCTETS)
    resolver.flags = dns.flags.RD | dns.flags.AD  # AD in a question asks for AD in the answer: RFC 6840 §5.7

    async def ask(name: str, kind: str) -> Answer:
        try:
            asked = dns.name.from_text(name)
        except dns.exception.DNSException:  # a label of 64 octets and the like: there can be none
            return NO_NAME
        try:
            found = await resolver.resolve(asked, kind, raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN as error:
            return _nothing(error)
        except (dns.exception.DNSException, OSError, ValueError) as error:
            raise Unavailable(f"{kind} of {name}: {error}") from error
        message = found.response
        records = tuple(found.rrset) if found.rrset else ()
        return Answer(records, True, _authenticated(message), message.resolve_chaining().minimum_ttl)

    return ask


def _nothing(error: dns.resolver.NXDOMAIN) -> Answer:
    """Kept as long as the zone's SOA says, RFC 2308 §5."""
    responses: Mapping[dns.name.Name, dns.message.QueryMessage] = error.kwargs["responses"]
    message = next(iter(responses.values()))
    return Answer((), False, _authenticated(message), message.resolve_chaining().minimum_ttl)


def _authenticated(message: dns.message.Message) -> bool:
    return bool(message.flags & dns.flags.AD)

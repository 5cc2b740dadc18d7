"""Whether an address has a name that leads back to it: iprev, RFC 8601 §2.7.3."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from ipaddress import ip_address

import dns.reversename
from dns.rdata import Rdata

from mailnode.mailauth.resolver import Answers, Unavailable

NAMES_MAX = 10  # RFC 7208 §4.6.4 sets the same bound to the same work


@dataclass(frozen=True, slots=True)
class Iprev:
    """`result` is "pass", "fail", "temperror" or "permerror"; `name` leads back, empty where none does."""

    result: str
    name: str = ""


async def iprev(resolver: Answers, address: str) -> Iprev:
    """Never raises."""
    host = ip_address(address.partition("%")[0])
    mapped = getattr(host, "ipv4_mapped", None)
    host = mapped or host
    pointer = dns.reversename.from_address(str(host)).to_text(omit_final_dot=True)
    try:
        answer = await resolver.records(pointer, "PTR")
    except Unavailable:
        return Iprev("temperror")
    if not answer.records:
        return Iprev("permerror")  # RFC 8601 §2.7.3: there is no reverse name
    names = [_target(each) for each in answer.records[:NAMES_MAX]]
    kind = "A" if host.version == 4 else "AAAA"
    found = await asyncio.gather(*(_leads_to(resolver, name, kind, str(host)) for name in names))
    for name, leads in zip(names, found, strict=True):
        if leads:
            return Iprev("pass", name)
    return Iprev("temperror" if None in found else "fail")


async def _leads_to(resolver: Answers, name: str, kind: str, address: str) -> bool | None:
    """None: it is not known."""
    try:
        answer = await resolver.records(name, kind)
    except Unavailable:
        return None
    return any(getattr(each, "address", "") == address for each in answer.records)


def _target(record: Rdata) -> str:
    target: str = record.target.to_text(omit_final_dot=True).lower()  # type: ignore[attr-defined]
    return target

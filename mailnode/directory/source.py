"""Where a peer speaks from, in the sizes in which guesses and connections are counted."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address


@dataclass(frozen=True, slots=True)
class Source:
    """`address`: of IPv6 its /64, for a household has a whole one to choose from. `network`: the /24, or the
    /48. Both are empty for a unix socket."""

    host: str
    address: bytes
    network: bytes
    is_local: bool


def source_of(host: str) -> Source:
    """`host` as the socket says it; empty: a unix socket."""
    if not host:
        return Source("", b"", b"", is_local=True)
    parsed = parsed_address(host)
    packed = parsed.packed
    if isinstance(parsed, IPv6Address):
        return Source(host, packed[:8], packed[:6], parsed.is_loopback)
    return Source(host, packed, packed[:3], parsed.is_loopback)


def parsed_address(host: str) -> IPv4Address | IPv6Address:
    """An IPv4 address that is written as an IPv6 one (RFC 4291 §2.5.5.2) is the IPv4 one."""
    address = ip_address(host)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address

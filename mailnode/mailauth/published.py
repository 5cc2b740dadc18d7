"""What a domain's DNS zone shall say so that its mail comes in, goes out and is believed, and is found by its
users' programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from protocols.sts import Mode, Policy

STRING_OCTETS_MAX = 255  # of one string of a TXT record, RFC 1035 §3.3.14
DANE_EE, SPKI, SHA_256 = 3, 1, 1  # RFC 7671 §5.1: the key itself, whatever certificate it is in
SMTP_PORT = 25
POLICY_SECONDS = 14 * 86_400  # RFC 8461 §3.2: weeks; an attacker must keep others from asking for as long

SERVICES: Mapping[str, int] = {
    "submissions": 0,
    "submission": 10,
    "imaps": 0,
    "imap": 10,
    "pop3s": 20,
    "pop3": 30,
}
"""By the label of RFC 6186 §3 or RFC 8314 §5.1, each with its priority: TLS from the first octet first
(RFC 8314 §3), IMAP before POP3 (RFC 6186 §3.4)."""


class Record(NamedTuple):
    """`name` with its final dot; `data` as in a zone file; `remark` for whoever puts it there."""

    name: str
    kind: str
    data: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Zone:
    """What a domain's records are made of."""

    domain: str
    host: str
    hosts: Sequence[str]  # that take its mail: this one, and others of its cluster
    keys: Sequence[tuple[str, str]]  # selectors and the texts of their records
    ports: Mapping[str, int]  # of SERVICES that are offered
    policy: Policy  # of MTA-STS
    serves_policy: bool  # the host does, over HTTPS
    report_address: str  # where others send their reports; empty: they are not asked to
    key_digest: str  # SHA-256 of the certificate's key (SubjectPublicKeyInfo) in hex; empty: there is none


def records(zone: Zone) -> Iterator[Record]:
    domain, host = zone.domain, zone.host
    yield from (Record(f"{domain}.", "MX", f"10 {each}.") for each in zone.hosts)
    yield Record(f"{domain}.", "TXT", _strings("v=spf1 mx -all"))  # RFC 7208 §4.5: who is an MX may send
    yield from (key_record(domain, selector, text) for selector, text in zone.keys)
    yield from _reported(zone)
    yield Record(f"_mta-sts.{domain}.", "TXT", _strings(zone.policy.record()))  # RFC 8461 §3.1
    if zone.serves_policy:
        yield Record(f"mta-sts.{domain}.", "CNAME", f"{host}.")
    yield from (_service(zone, label, priority) for label, priority in SERVICES.items())
    if zone.key_digest:
        data = f"{DANE_EE} {SPKI} {SHA_256} {zone.key_digest}"
        remark = f"only where {host} is in a zone that is signed (DNSSEC)"
        yield Record(f"_{SMTP_PORT}._tcp.{host}.", "TLSA", data, remark)  # RFC 7672 §3.1.1


def key_record(domain: str, selector: str, text: str) -> Record:
    """RFC 6376 §3.6.2.1"""
    return Record(f"{selector}._domainkey.{domain}.", "TXT", _strings(text))


def policy(hosts: Sequence[str], mode: str) -> Policy:
    """`mode` is a word of RFC 8461 §3.2."""
    return Policy(Mode(mode), tuple(hosts), POLICY_SECONDS)


def policy_url(domain: str) -> str:
    """RFC 8461 §3.2"""
    return f"https://mta-sts.{domain}/.well-known/mta-sts.txt"


def _reported(zone: Zone) -> Iterator[Record]:
    """DMARC and TLS-RPT, RFC 8460 §3."""
    domain, address = zone.domain, zone.report_address
    whom = f"; rua=mailto:{address}" if address else ""
    yield Record(f"_dmarc.{domain}.", "TXT", _strings(f"v=DMARC1; p=quarantine{whom}"))  # RFC 9989 §4.7
    if not address:
        return
    yield Record(f"_smtp._tls.{domain}.", "TXT", _strings(f"v=TLSRPTv1; rua=mailto:{address}"))
    other = address.rpartition("@")[2]  # RFC 7489 §7.1: who takes reports about others says so
    if other != domain:
        remark = f"in the zone of {other}: it takes the reports"
        yield Record(f"{domain}._report._dmarc.{other}.", "TXT", _strings("v=DMARC1;"), remark)


def _service(zone: Zone, label: str, priority: int) -> Record:
    """RFC 2782; a target of "." is no service."""
    port = zone.ports.get(label)
    data = f"{priority} 1 {port} {zone.host}." if port else "0 0 0 ."
    return Record(f"_{label}._tcp.{zone.domain}.", "SRV", data, "" if port else "not offered")


def _strings(text: str) -> str:
    pieces = [text[at : at + STRING_OCTETS_MAX] for at in range(0, len(text), STRING_OCTETS_MAX)]
    return " ".join(f'"{piece}"' for piece in pieces)

"""What a domain's DNS zone shall say so that its mail comes in, and goes out and is believed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

STRING_OCTETS_MAX = 255  # of one string of a TXT record, RFC 1035 §3.3.14


class Record(NamedTuple):
    """`name` with its final dot; `data` as in a zone file."""

    name: str
    kind: str
    data: str


def records(domain: str, host: str, selector: str, dkim: str) -> Iterator[Record]:
    """`dkim` is the text of the key's record; empty where the domain does not sign."""
    yield Record(f"{domain}.", "MX", f"10 {host}.")
    yield Record(f"{domain}.", "TXT", _strings("v=spf1 mx -all"))  # RFC 7208 §4.5: who is an MX may send
    if dkim:
        yield Record(f"{selector}._domainkey.{domain}.", "TXT", _strings(dkim))
    report = f"v=DMARC1; p=quarantine; rua=mailto:postmaster@{domain}"
    yield Record(f"_dmarc.{domain}.", "TXT", _strings(report))  # RFC 7489 §6.3


def _strings(text: str) -> str:
    pieces = [text[at : at + STRING_OCTETS_MAX] for at in range(0, len(text), STRING_OCTETS_MAX)]
    return " ".join(f'"{piece}"' for piece in pieces)

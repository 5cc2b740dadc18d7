"""What a domain's DNS zone shall say so that its mail comes in, and goes out and is believed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

STRING_OCTETS_MAX = 255  # of one string of a TXT record, RFC 1035 §3.3.14


class Record(NamedTuple):
    """`name` with its final dot; `data` as in a zone file."""

    name: str
    kind: str
    data: str


def records(domain: str, host: str, keys: Iterable[tuple[str, str]]) -> Iterator[Record]:
    """`keys` are selectors and the texts of their records."""
    yield Record(f"{domain}.", "MX", f"10 {host}.")
    yield Record(f"{domain}.", "TXT", _strings("v=spf1 mx -all"))  # RFC 7208 §4.5: who is an MX may send
    yield from (key_record(domain, selector, text) for selector, text in keys)
    report = f"v=DMARC1; p=quarantine; rua=mailto:postmaster@{domain}"
    yield Record(f"_dmarc.{domain}.", "TXT", _strings(report))  # RFC 7489 §6.3


def key_record(domain: str, selector: str, text: str) -> Record:
    """RFC 6376 §3.6.2.1"""
    return Record(f"{selector}._domainkey.{domain}.", "TXT", _strings(text))


def _strings(text: str) -> str:
    pieces = [text[at : at + STRING_OCTETS_MAX] for at in range(0, len(text), STRING_OCTETS_MAX)]
    return " ".join(f'"{piece}"' for piece in pieces)

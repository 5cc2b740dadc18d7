"""Whose mail a message says it is: the domains of its From fields, RFC 9989 §5.3.1."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from protocols.mime.address import read_addresses

ADDRESSES_MAX = 50  # of From: nobody writes so many
CANDIDATES_MAX = 4  # RFC 9989 §11.5: bounded, or a header of ours has the DNS asked at will
_LIKE_A_DOMAIN = re.compile(rb"@[ \t]*([A-Za-z0-9_\x80-\xff-]+(?:\.[A-Za-z0-9_\x80-\xff-]+)+)")


@dataclass(frozen=True, slots=True)
class Author:
    """`domain` is the one of a well-formed From; empty where it is not to be told, and `why` says why.

    Then `candidates` are what a reader of the message may take for it.
    """

    domain: str
    why: str = ""
    candidates: tuple[str, ...] = ()


def author(values: Sequence[bytes]) -> Author:
    """Of the unfolded bodies of all From fields. Domains as they stand there, in lower case."""
    if len(values) != 1:
        return Author("", "more than one From field" if values else "no From field", _candidates(values))
    addresses = [
        each for each in read_addresses(values[0]) if each.mailbox is not None and each.host is not None
    ]
    domains = dict.fromkeys(_text(each.host or b"") for each in addresses)
    if len(domains) != 1 or len(addresses) > ADDRESSES_MAX or not next(iter(domains)):
        why = "more than one domain in From" if len(domains) > 1 else "no domain in From"
        return Author("", why, _candidates(values))
    return Author(next(iter(domains)))


def _candidates(values: Sequence[bytes]) -> tuple[str, ...]:
    found = dict.fromkeys(_text(name) for value in values for name in _LIKE_A_DOMAIN.findall(value))
    return tuple(found)[:CANDIDATES_MAX]


def _text(host: bytes) -> str:
    return host.decode("utf-8", "replace").lower().removesuffix(".")

"""Where a domain's owner wants reports: dmarc-uri of RFC 7489 §6.4, and tlsrpt-uri of RFC 8460 §3."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

_UNITS = {"": 0, "k": 10, "m": 20, "g": 30, "t": 40}
_SIZED = re.compile(r"(.*?)(?:!([0-9]{1,12})([kmgt]?))?", re.IGNORECASE)
_MAILBOX = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+")


@dataclass(frozen=True, slots=True)
class Destination:
    """`octets_max` is what it takes of a report as it is sent; 0: it does not say."""

    address: str
    octets_max: int = 0

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2].lower()


def mailto(uris: Iterable[str]) -> tuple[Destination, ...]:
    """Those that are mail addresses, each once, in their order; what is none is left out."""
    found: dict[str, Destination] = {}
    for uri in uris:
        sized = _SIZED.fullmatch(uri.strip())
        scheme, colon, rest = (sized[1] if sized else "").partition(":")
        address = unquote(rest.partition("?")[0])
        if sized and colon and scheme.lower() == "mailto" and _MAILBOX.fullmatch(address):
            size = int(sized[2]) << _UNITS[sized[3].lower()] if sized[2] else 0
            found.setdefault(address.lower(), Destination(address, size))
    return tuple(found.values())

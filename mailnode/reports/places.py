"""Where what is known of a domain lies, and when its report is due."""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple

from mailnode.limits import Limits
from mailnode.store import keys
from mailnode.store.keys import Due, Kind

DAY_SECONDS = 86_400


class Topic(NamedTuple):
    """What is collected: the kind of its rows, and of the `due` row of a domain's day."""

    kind: int
    due: int


DMARC = Topic(Kind.DMARC_FOUND, Due.DMARC_REPORT)
TLS = Topic(Kind.TLS_FOUND, Due.TLS_REPORT)


def account_of(domain: str) -> int:
    """The spool account of home 0 in the slot of this domain's hash, as an address has one (RFC 7693)."""
    return keys.spool_account(_hash(domain) >> 52)


def day_key(day: int, domain: str) -> bytes:
    """Of a `due` row, and the begin of the keys of what was found on that day, in days since 1970."""
    return day.to_bytes(4, "big") + domain.encode("ascii") + b"\0"


def day_of(key: bytes) -> tuple[int, str]:
    """Of what `day_key` gives."""
    return int.from_bytes(key[:4], "big"), key[4:-1].decode("ascii", "replace")


def due_microseconds(day: int, domain: str, limits: Limits) -> int:
    """After the day's end, each domain at its own time within some hours (RFC 8460 §4.1): the same for every
    node that counts for it."""
    spread = (_hash(domain) & 0xFFFFFFFF) % limits.report_spread_seconds
    return ((day + 1) * DAY_SECONDS + limits.report_rest_seconds + spread) * 1_000_000


def _hash(domain: str) -> int:
    return int.from_bytes(blake2b(domain.encode()).digest()[:8], "big")

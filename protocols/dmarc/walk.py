"""The DNS Tree Walk, as data: which names are asked, and what the answers mean. RFC 9989 §4.10.

A domain is in lower case, as A-labels, without a final dot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from protocols.dmarc.record import Policy, Record

QUERIES_MAX = 8  # RFC 9989 §4.10

Found = Mapping[str, Record | None]
"""What each domain of `walk` has; None: no record, or not one alone."""


@dataclass(frozen=True, slots=True)
class Applied:
    """`domain` published the record; `policy` is what it wants for the author's domain, tests aside."""

    domain: str
    record: Record
    policy: Policy


def walk(domain: str) -> tuple[str, ...]:
    """The domain, then those above it: at most eight, a longer one goes on with its last seven labels."""
    labels = domain.split(".")
    rest = labels[-(QUERIES_MAX - 1) :] if len(labels) >= QUERIES_MAX else labels[1:]
    return (domain, *(".".join(rest[at:]) for at in range(len(rest))))


def ends(record: Record | None) -> bool:
    """Nobody above needs to be asked."""
    return record is not None and record.psd in ("y", "n")


def organisational(domain: str, found: Found) -> str:
    """The Organizational Domain, RFC 9989 §4.10.2; `found` as far as the walk went."""
    names, chosen = walk(domain), ""
    for at, name in enumerate(names):
        record = found.get(name)
        if record is None:
            continue
        if record.psd == "n":
            return name
        if record.psd == "y" and at:
            return _below(domain, name)
        chosen = name
        if record.psd == "y":
            break
    return chosen or domain


def _below(domain: str, above: str) -> str:
    """The domain one label below."""
    return ".".join(domain.split(".")[-above.count(".") - 2 :])


def applied(domain: str, found: Found, exists: bool) -> Applied | None:
    """DMARC Policy Discovery, RFC 9989 §4.10.1; None: DMARC does not apply."""
    own = found.get(domain)
    if own is not None:
        return Applied(domain, own, own.p) if own.applies else None
    organisation = organisational(domain, found)
    suffix = next((name for name in walk(domain) if (each := found.get(name)) and each.psd == "y"), "")
    for name in (organisation, suffix):
        record = found.get(name)
        if record is not None:
            return Applied(name, record, record.sp if exists else record.np) if record.applies else None
    return None

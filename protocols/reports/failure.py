"""A failure report: one message in which a domain's owner is interested. RFC 6591 within RFC 5965."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha1

from protocols.reports.values import Malformed

FIELDS_MAX = 100
VALUE_CHARACTERS_MAX = 1000
HEAD_OCTETS_MAX = 64 * 1024
"""Of the header of the message that a report shows."""

_UNSAFE = re.compile(r"[^\x20-\x7e]")
_LOCAL_PART = re.compile(rb"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~\x80-\xff-]+(?=@[A-Za-z0-9\x80-\xff])")
_WANTED = frozenset("01ds")


@dataclass(frozen=True, slots=True)
class Failure:
    """`kind` is a word of Auth-Failure, RFC 6591 §3.1 and RFC 7489 §7.3.1; `domain` the one reported to."""

    kind: str
    domain: str
    source: str
    arrived: str  # date-time of RFC 5322
    original_from: str
    results: str  # the body of its Authentication-Results
    host: str
    delivered: str  # a word of Delivery-Result, RFC 6591 §3.2.2
    identity_alignment: str  # dkim, spf, both or none, RFC 7489 §7.3.1
    fields: tuple[tuple[str, str], ...] = ()  # such as ("DKIM-Domain", "example.org")


def is_wanted(fo: str, spf_aligned: bool, dkim_aligned: bool, spf: str, dkim: str) -> bool:
    """fo of RFC 9989 §4.7: values between colons, unknown ones ignored; `spf` and `dkim`: what was found."""
    values = {each.strip().lower() for each in fo.split(":")} & _WANTED or {"0"}
    return (
        ("0" in values and not spf_aligned and not dkim_aligned)
        or ("1" in values and not (spf_aligned and dkim_aligned))
        or ("d" in values and dkim not in ("pass", "none"))
        or ("s" in values and spf not in ("pass", "none"))
    )


def feedback(failure: Failure, version: str) -> bytes:
    """The message/feedback-report part, RFC 5965 §3.1."""
    lines = [
        ("Feedback-Type", "auth-failure"),
        ("User-Agent", version),
        ("Version", "1"),
        ("Original-Mail-From", f"<{failure.original_from}>"),
        ("Arrival-Date", failure.arrived),
        ("Source-IP", failure.source),
        ("Reported-Domain", failure.domain),
        ("Authentication-Results", failure.results),
        ("Auth-Failure", failure.kind),
        ("Delivery-Result", failure.delivered),
        ("Identity-Alignment", failure.identity_alignment),
        *failure.fields,
    ]
    return "".join(f"{name}: {_value(value)}\r\n" for name, value in lines).encode()


def _value(text: str) -> str:
    return _UNSAFE.sub("?", " ".join(text.split()))[:VALUE_CHARACTERS_MAX]


def redacted(head: bytes, key: bytes) -> bytes:
    """Local parts of addresses as keyed digests: the same stay the same, nobody learns whose (RFC 6590)."""
    return _LOCAL_PART.sub(lambda found: hmac.digest(key, found[0], sha1).hex()[:20].encode(), head)


@dataclass(frozen=True, slots=True)
class Reported:
    """What others say of one message. `kind` is their Auth-Failure, else their Feedback-Type."""

    kind: str
    domain: str
    source: str
    original_from: str
    arrived: str
    results: str
    incidents: int


def read(octets: bytes) -> Reported:
    """Of a message/feedback-report part; raises Malformed."""
    fields = _fields(octets.decode("utf-8", "replace"))
    kind = fields.get("feedback-type", "").lower()
    if not kind:
        raise Malformed("it has no Feedback-Type")
    failed = fields.get("auth-failure", "").lower() if kind == "auth-failure" else ""
    incidents = fields.get("incidents", "1")
    return Reported(
        failed or kind,
        fields.get("reported-domain", "").lower().removesuffix("."),
        fields.get("source-ip", ""),
        fields.get("original-mail-from", "").strip("<>"),
        fields.get("arrival-date", "") or fields.get("received-date", ""),
        fields.get("authentication-results", ""),
        int(incidents) if incidents.isascii() and incidents.isdigit() and len(incidents) < 10 else 1,
    )


def _fields(text: str) -> Mapping[str, str]:
    """By name in lower case, unfolded; of a name the first."""
    found: dict[str, str] = {}
    for name, value in _unfolded(text):
        if len(found) < FIELDS_MAX:
            found.setdefault(name.strip().lower(), " ".join(value.split())[:VALUE_CHARACTERS_MAX])
    return found


def _unfolded(text: str) -> Iterator[tuple[str, str]]:
    """field-name ":" value, until an empty line behind the first field."""
    name, pieces = "", [""]
    for line in text[:HEAD_OCTETS_MAX].splitlines():
        if line[:1] in (" ", "\t"):
            pieces.append(line)
            continue
        if name:
            yield name, " ".join(pieces)
        if not line and name:
            return
        name, _, value = line.partition(":")
        pieces = [value]
    if name:
        yield name, " ".join(pieces)

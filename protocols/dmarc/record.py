"""The DMARC Policy Record: RFC 9989 §4.7, §4.8."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

_VERSION = re.compile(r"v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|\Z)")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s,!]+(?:![0-9]+[kmgt]?)?")
_URIS_MAX = 10  # of one tag: no owner has more readers


class Policy(IntEnum):
    """Domain Owner Assessment Policy, the stricter the greater."""

    NONE = 0
    QUARANTINE = 1
    REJECT = 2


_POLICIES = {policy.name.lower(): policy for policy in Policy}


@dataclass(frozen=True, slots=True)
class Record:
    """`sp` and `np` are what holds for subdomains that exist, and that do not, whether or not they are given.

    `psd` is "y", "n" or "u". `applies` is False where a policy is malformed and nobody asks for reports
    (RFC 9989 §4.10.1): it still shows where an organisation begins.
    """

    p: Policy
    sp: Policy
    np: Policy
    adkim_strict: bool
    aspf_strict: bool
    testing: bool
    psd: str
    rua: tuple[str, ...]
    ruf: tuple[str, ...]
    fo: str
    applies: bool


def only_record(texts: Sequence[str]) -> Record | None:
    """Of the TXT records of one name; more than one DMARC record is none (RFC 9989 §4.10)."""
    found = [text for text in texts if _VERSION.match(text)]
    return _read(found[0]) if len(found) == 1 else None


def _read(text: str) -> Record:
    """Unknown tags are ignored, malformed ones have their defaults; of one tag the first counts."""
    tags: dict[str, str] = {}
    for piece in text.split(";"):
        name, equals, value = piece.partition("=")
        if equals:
            tags.setdefault(name.strip().lower(), value.strip())
    given = {name: _POLICIES.get(tags[name].lower()) for name in ("p", "sp", "np") if name in tags}
    rua, ruf = _uris(tags.get("rua", "")), _uris(tags.get("ruf", ""))
    well = None not in given.values()
    p = given.get("p") or Policy.NONE if well else Policy.NONE
    sp = given.get("sp") if well else None
    np = given.get("np") if well else None
    below = p if sp is None else sp
    return Record(
        p=p,
        sp=below,
        np=below if np is None else np,
        adkim_strict=tags.get("adkim", "").lower() == "s",
        aspf_strict=tags.get("aspf", "").lower() == "s",
        testing=tags.get("t", "").lower() == "y",
        psd=tags.get("psd", "u").lower() if tags.get("psd", "u").lower() in ("y", "n") else "u",
        rua=rua,
        ruf=ruf,
        fo=tags.get("fo", "0"),
        applies=well or bool(rua),
    )


def _uris(text: str) -> tuple[str, ...]:
    """dmarc-urilist, with the sizes of RFC 7489 §6.4 as they stand; what is no URI is left out."""
    pieces = [piece.strip() for piece in text.split(",", _URIS_MAX)[:_URIS_MAX]]
    return tuple(piece for piece in pieces if _URI.fullmatch(piece))

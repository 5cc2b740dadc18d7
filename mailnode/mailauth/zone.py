"""What the DNS says today, beside what it shall say (`published`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import dns.reversename

from mailnode.mailauth.published import Record
from mailnode.mailauth.resolver import Answers
from protocols.dmarc.record import only_record
from protocols.sts import read_id


class Seen(NamedTuple):
    """`there`: as data in a zone file. `right`: mail works as it is. `signed`: DNSSEC vouches for it."""

    record: Record
    there: tuple[str, ...]
    right: bool
    signed: bool


async def seen(resolver: Answers, record: Record) -> Seen:
    """Raises Unavailable."""
    answer = await resolver.records(record.name, record.kind)
    found: Sequence[Any] = answer.records
    if record.kind == "TXT":
        there, right = _texts(record, found)
    else:
        there = tuple(str(one) for one in found)
        right = _JUDGES[record.kind](record.data, there)
    return Seen(record, there, right, answer.authenticated)


async def texts(resolver: Answers, name: str) -> list[str]:
    """Of the TXT records of a name; raises Unavailable."""
    return _joined((await resolver.records(name, "TXT")).records)


def _joined(found: Iterable[Any]) -> list[str]:
    return [b"".join(one.strings).decode("utf-8", "replace") for one in found]


def _texts(record: Record, found: Iterable[Any]) -> tuple[tuple[str, ...], bool]:
    """Of the TXT records of a name, those that begin as ours does: `v=spf1`, `v=DKIM1`, `v=DMARC1`."""
    wanted = "".join(record.data.split('"')[1::2])
    version = wanted.partition(";")[0].partition(" ")[0]
    there = tuple(text for text in _joined(found) if text.startswith(version))
    return there, _TEXTS.get(version, _is_one)(wanted, there)


def _is_one(wanted: str, there: Sequence[str]) -> bool:
    """What a domain's owner says of SPF or reports is theirs, as long as they say it once (RFC 7208 §4.5)."""
    return len(there) == 1


def _is_key(wanted: str, there: Sequence[str]) -> bool:
    """A key must be ours, octet for octet."""
    return any(_key(text) == _key(wanted) for text in there)


def _is_policy(wanted: str, there: Sequence[str]) -> bool:
    return only_record(there) is not None


def _is_version(wanted: str, there: Sequence[str]) -> bool:
    """Of another policy than ours a sender learns too late, or never."""
    return read_id(there) == read_id([wanted])


def _key(text: str) -> str:
    pairs = (part.partition("=") for part in text.split(";"))
    return next(("".join(value.split()) for name, _, value in pairs if name.strip() == "p"), "")


def _has_host(wanted: str, there: Sequence[str]) -> bool:
    return any(_host(one) == _host(wanted) for one in there)


def _host(exchange: str) -> str:
    return exchange.split()[-1].lower()


def _is_service(wanted: str, there: Sequence[str]) -> bool:
    """Host and port; where we offer none others may."""
    if wanted.endswith(" ."):
        return not [one for one in there if not one.endswith(" .")]
    return any(one.lower().split()[2:] == wanted.lower().split()[2:] for one in there)


def _is_same(wanted: str, there: Sequence[str]) -> bool:
    return any(one.lower() == wanted.lower() for one in there)


_JUDGES: Mapping[str, Callable[[str, Sequence[str]], bool]] = {
    "MX": _has_host,
    "CNAME": _is_same,
    "SRV": _is_service,
    "TLSA": _is_same,
}
_TEXTS: Mapping[str, Callable[[str, Sequence[str]], bool]] = {
    "v=DKIM1": _is_key,
    "v=DMARC1": _is_policy,
    "v=STSv1": _is_version,
}


async def addresses(resolver: Answers, host: str) -> list[str]:
    """Of a host; raises Unavailable."""
    answers = [await resolver.records(host, kind) for kind in ("A", "AAAA")]
    return [str(one) for answer in answers for one in answer.records]


async def names(resolver: Answers, address: str) -> list[str]:
    """Of an address, RFC 1035 §3.5; raises Unavailable."""
    reverse = dns.reversename.from_address(address).to_text()
    answer = await resolver.records(reverse, "PTR")
    return [str(one).removesuffix(".").lower() for one in answer.records]

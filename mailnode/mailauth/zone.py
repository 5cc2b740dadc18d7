"""What the DNS says today, beside what it shall say (`published`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any, NamedTuple

import dns.reversename

from mailnode.mailauth.published import Record
from mailnode.mailauth.resolver import Resolver


class Seen(NamedTuple):
    """`there`: as data in a zone file. `right`: mail works as it is."""

    record: Record
    there: tuple[str, ...]
    right: bool


async def seen(resolver: Resolver, records: Iterable[Record]) -> AsyncIterator[Seen]:
    """Raises Unavailable."""
    for record in records:
        answer = await resolver.records(record.name, record.kind)
        if record.kind == "MX":
            there = tuple(str(one) for one in answer.records)
            right = any(_host(one) == _host(record.data) for one in there)
        else:
            there, right = _texts(record, answer.records)
        yield Seen(record, there, right)


def _texts(record: Record, found: Iterable[Any]) -> tuple[tuple[str, ...], bool]:
    """Of the TXT records of a name, those that begin as ours does: `v=spf1`, `v=DKIM1`, `v=DMARC1`.

    A key must be ours, octet for octet; what a domain's owner says of SPF and DMARC is theirs, as long as
    there is exactly one of it (RFC 7208 §4.5).
    """
    wanted = "".join(record.data.split('"')[1::2])
    version = wanted.partition(";")[0].partition(" ")[0]
    texts = [b"".join(one.strings).decode("utf-8", "replace") for one in found]
    there = tuple(text for text in texts if text.startswith(version))
    if version == "v=DKIM1":
        return there, any(_key(text) == _key(wanted) for text in there)
    return there, len(there) == 1


def _key(text: str) -> str:
    pairs = (part.partition("=") for part in text.split(";"))
    return next(("".join(value.split()) for name, _, value in pairs if name.strip() == "p"), "")


def _host(exchange: str) -> str:
    return exchange.split()[-1].lower()


async def addresses(resolver: Resolver, host: str) -> list[str]:
    """Of a host; raises Unavailable."""
    answers = [await resolver.records(host, kind) for kind in ("A", "AAAA")]
    return [str(one) for answer in answers for one in answer.records]


async def names(resolver: Resolver, address: str) -> list[str]:
    """Of an address, RFC 1035 §3.5; raises Unavailable."""
    reverse = dns.reversename.from_address(address).to_text()
    answer = await resolver.records(reverse, "PTR")
    return [str(one).removesuffix(".").lower() for one in answer.records]

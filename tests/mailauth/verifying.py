"""A message and the texts of the DNS, verified."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from mailnode.limits import Limits
from mailnode.mailauth.dkim import Verified, Verifier
from mailnode.mailauth.resolver import Resolver
from tests.mailauth.test_resolver import Still
from tests.mailauth.zone import Zone

Texts = Mapping[str, Sequence[str] | str]
"""TXT records by name; a str in their place is why there is no answer."""


def verifier(texts: Texts, limits: Limits | None = None, seconds: int = 1000) -> Verifier:
    names = {
        name.lower(): {"TXT": each if isinstance(each, str) else [quoted(text) for text in each]}
        for name, each in texts.items()
    }
    clock = Still()
    clock.seconds = seconds
    limits = limits or Limits()
    return Verifier(Resolver(Zone(names), clock, limits), clock, limits)


def verified(message: bytes, texts: Texts, cut: int = 1 << 20, seconds: int = 1000) -> Verified:
    async def run() -> Verified:
        verification = verifier(texts, seconds=seconds).begin()
        for at in range(0, len(message), cut):
            verification.feed(message[at : at + cut])
        return await verification.end()

    return asyncio.run(run())


def quoted(text: str) -> str:
    return " ".join(f'"{text[at : at + 255]}"' for at in range(0, len(text), 255))


def crlf(octets: bytes) -> bytes:
    return octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")

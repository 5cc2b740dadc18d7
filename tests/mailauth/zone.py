"""DNS as a plain table: what a name has, what does not exist, what cannot be answered."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import dns.rdata

from mailnode.mailauth.resolver import Answer, Unavailable

FAILS = "SERVFAIL"
TTL_SECONDS = 300


class Zone:
    """An `Ask`: `{"example.test": {"MX": ["10 mx.example.test."]}}`; FAILS in place of records: no answer."""

    def __init__(self, names: Mapping[str, Mapping[str, Sequence[str] | str]]) -> None:
        self.names = names
        self.asked: list[tuple[str, str]] = []
        self.open = 0
        self.open_most = 0

    async def __call__(self, name: str, kind: str) -> Answer:
        self.asked.append((name, kind))
        self.open += 1
        self.open_most = max(self.open, self.open_most)
        await asyncio.sleep(0)
        self.open -= 1
        texts = self.names.get(name, {}).get(kind, ())
        if isinstance(texts, str):
            raise Unavailable(f"{kind} of {name}: {texts}")
        records = tuple(dns.rdata.from_text("IN", kind, text) for text in texts)
        return Answer(records, name in self.names, False, TTL_SECONDS)

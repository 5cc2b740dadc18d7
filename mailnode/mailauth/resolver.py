"""The node's one resolver: an answer is shared by all who ask for it, and kept for its time."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from dns.rdata import Rdata

from mailnode.clock import Clock
from mailnode.limits import Limits
from mailnode.metrics import Metrics


class Unavailable(Exception):
    """No server could answer now; the text says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The records of one name and type, with CNAMEs followed, in the order given.

    `exists` is False for NXDOMAIN; a name may exist and have no such records. `authenticated`: the server
    vouches for DNSSEC (RFC 6840 §5.7). `seconds`: how long it may be kept.
    """

    records: tuple[Rdata, ...]
    exists: bool
    authenticated: bool
    seconds: int


Ask = Callable[[str, str], Awaitable[Answer]]
"""Asks a server for a name and a type such as "MX"; raises Unavailable."""

_Key = tuple[str, str]


class Resolver:
    def __init__(self, ask: Ask, clock: Clock, limits: Limits, metrics: Metrics | None = None) -> None:
        self._ask = ask
        self._metrics = metrics or Metrics(clock)
        self._clock = clock
        self._limits = limits
        self._kept: OrderedDict[_Key, tuple[float, Answer]] = OrderedDict()
        self._asked: dict[_Key, asyncio.Task[Answer]] = {}
        self._room = asyncio.Semaphore(limits.dns_queries_open_max)

    async def records(self, name: str, kind: str) -> Answer:
        """`kind` in capitals, as RFC 1035 §3.2.2 spells it; raises Unavailable."""
        kept = self.kept(name, kind)
        if kept is not None:
            return kept
        # A task of its own: one who no longer waits takes the answer from nobody.
        return await asyncio.shield(self._asking(_key(name, kind)))

    def kept(self, name: str, kind: str) -> Answer | None:
        """The answer that is there without waiting."""
        key = _key(name, kind)
        kept = self._kept.get(key)
        if kept is None or self._clock.monotonic_seconds() >= kept[0]:
            return None
        self._kept.move_to_end(key)
        self._metrics.dns.add((kind, "kept"))
        return kept[1]

    def _asking(self, key: _Key) -> asyncio.Task[Answer]:
        task = self._asked.get(key)
        if task is None:
            task = self._asked[key] = asyncio.ensure_future(self._fresh(key))
            task.add_done_callback(lambda ended: self._ended(key, ended))
        return task

    def _ended(self, key: _Key, task: asyncio.Task[Answer]) -> None:
        del self._asked[key]
        if not task.cancelled():
            task.exception()  # whoever waited has it; if nobody did, nobody misses it

    async def _fresh(self, key: _Key) -> Answer:
        _, kind = key
        async with self._room:
            began = self._metrics.seconds()
            try:
                answer = await self._ask(*key)
            except Unavailable:
                self._metrics.dns.add((kind, "failed"))
                raise
        self._metrics.dns_seconds.of().observe(self._metrics.seconds() - began)
        self._metrics.dns.add((kind, "found" if answer.records else "nothing"))
        most = self._limits.dns_ttl_seconds_max if answer.records else self._limits.dns_nothing_seconds_max
        until = self._clock.monotonic_seconds() + min(answer.seconds, most)
        self._kept[key] = until, answer
        self._kept.move_to_end(key)
        if len(self._kept) > self._limits.dns_answers_kept_max:
            self._kept.popitem(last=False)
        return answer


def _key(name: str, kind: str) -> _Key:
    return name.lower().removesuffix("."), kind

"""The node's one resolver: an answer is shared by all who ask for it, and kept for its time."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol
from weakref import WeakValueDictionary

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
ANSWER_OCTETS, RECORD_OCTETS = 500, 400  # of memory, without what a record says


class Answers(Protocol):
    """What is asked of a Resolver."""

    async def records(self, name: str, kind: str) -> Answer: ...

    def kept(self, name: str, kind: str) -> Answer | None: ...


class _Kept(NamedTuple):
    until: float  # by the monotonic clock
    answer: Answer | Unavailable
    octets: int  # about what it takes


class Resolver:
    def __init__(self, ask: Ask, clock: Clock, limits: Limits, metrics: Metrics | None = None) -> None:
        self._ask = ask
        self._metrics = metrics or Metrics(clock)
        self._clock = clock
        self._limits = limits
        self._kept: OrderedDict[_Key, _Kept] = OrderedDict()
        self._kept_octets = 0
        self._asked: dict[_Key, asyncio.Task[Answer]] = {}
        self._room = asyncio.Semaphore(limits.dns_queries_open_max)

    async def records(self, name: str, kind: str) -> Answer:
        """`kind` in capitals, as RFC 1035 §3.2.2 spells it; raises Unavailable."""
        key = _key(name, kind)
        kept = self._still(key)
        if kept is None:
            # A task of its own: one who no longer waits takes the answer from nobody.
            return await asyncio.shield(self._asking(key))
        if isinstance(kept, Unavailable):
            raise Unavailable(str(kept))
        return kept

    def kept(self, name: str, kind: str) -> Answer | None:
        """The answer that is there without waiting."""
        kept = self._still(_key(name, kind))
        return None if isinstance(kept, Unavailable) else kept

    def _still(self, key: _Key) -> Answer | Unavailable | None:
        kept = self._kept.get(key)
        if kept is None or self._clock.monotonic_seconds() >= kept.until:
            return None
        self._kept.move_to_end(key)
        self._metrics.dns.add((key[1], "kept"))
        return kept.answer

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
        limits = self._limits
        async with self._room:
            began = self._metrics.seconds()
            try:
                answer = await self._ask(*key)
            except Unavailable as error:
                self._metrics.dns.add((kind, "failed"))
                self._keep(key, Unavailable(str(error)), limits.dns_failure_seconds)
                raise
        self._metrics.dns_seconds.of().observe(self._metrics.seconds() - began)
        self._metrics.dns.add((kind, "found" if answer.records else "nothing"))
        most = limits.dns_ttl_seconds_max if answer.records else limits.dns_nothing_seconds_max
        self._keep(key, answer, min(answer.seconds, most))
        return answer

    def _keep(self, key: _Key, answer: Answer | Unavailable, seconds: float) -> None:
        old = self._kept.pop(key, None)
        kept = _Kept(self._clock.monotonic_seconds() + seconds, answer, _octets(answer))
        self._kept[key] = kept
        self._kept_octets += kept.octets - (old.octets if old else 0)
        limits = self._limits
        while len(self._kept) > limits.dns_answers_kept_max or self._kept_octets > limits.dns_octets_kept_max:
            self._kept_octets -= self._kept.popitem(last=False)[1].octets


class Shares:
    """Some of a resolver's questions, of which each of those who bring mail has a few: who has servers that
    never answer holds up neither others who ask nor other people's mail."""

    def __init__(self, resolver: Answers, questions_max: int, each_max: int) -> None:
        self._resolver = resolver
        self._room = asyncio.Semaphore(questions_max)
        self._each_max = each_max
        self._shares: WeakValueDictionary[bytes, Share] = WeakValueDictionary()

    def of(self, whose: bytes) -> Share:
        """The same one for all who hold it at a time."""
        share = self._shares.get(whose)
        if share is None:
            share = self._shares[whose] = Share(self._resolver, self._room, self._each_max)
        return share


class Share:
    """As a Resolver; an answer that is kept needs no room. A question that nobody waits for any more takes
    its room until it has ended: to hang up gives nobody a second share."""

    def __init__(self, resolver: Answers, room: asyncio.Semaphore, questions_max: int) -> None:
        self._resolver = resolver
        self._room = room
        self._own = asyncio.Semaphore(questions_max)

    async def records(self, name: str, kind: str) -> Answer:
        kept = self._resolver.kept(name, kind)
        if kept is not None:
            return kept
        await self._own.acquire()
        try:
            await self._room.acquire()
        except BaseException:
            self._own.release()
            raise
        asked = asyncio.ensure_future(self._resolver.records(name, kind))
        asked.add_done_callback(self._ended)
        return await asyncio.shield(asked)

    def _ended(self, asked: asyncio.Future[Answer]) -> None:
        self._room.release()
        self._own.release()
        if not asked.cancelled():
            asked.exception()  # whoever waited has it; if nobody did, nobody misses it

    def kept(self, name: str, kind: str) -> Answer | None:
        return self._resolver.kept(name, kind)


def _key(name: str, kind: str) -> _Key:
    return name.lower().removesuffix("."), kind


def _octets(answer: Answer | Unavailable) -> int:
    """Roughly: the objects, and the text of records that may be long."""
    if isinstance(answer, Unavailable):
        return ANSWER_OCTETS
    texts = sum(sum(map(len, getattr(record, "strings", ()))) for record in answer.records)
    return ANSWER_OCTETS + RECORD_OCTETS * len(answer.records) + texts

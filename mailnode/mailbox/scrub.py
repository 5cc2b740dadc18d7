"""Looks at everything that is stored, a bounded part at a time, again and again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from mailnode.bookmark import Bookmark
from mailnode.clock import Clock
from mailnode.limits import Limits
from mailnode.mailbox.checking import Check
from mailnode.mailbox.reads import accounts_from
from mailnode.store import keys
from mailnode.store.shard import RocksShard

log = logging.getLogger(__name__)

T = TypeVar("T")

FAULTS_KEPT = 1000


@dataclass(slots=True)
class Fault:
    account: str
    family: str
    key: str
    what: str


@dataclass(slots=True)
class Pass:
    """One look at everything; times in microseconds, 0 for what has not been."""

    started: int = 0
    finished: int = 0
    following: int = 0
    """The account that it goes on at."""
    accounts: int = 0
    mails: int = 0
    octets: int = 0
    fault_count: int = 0
    faults: list[Fault] = field(default_factory=list)
    """The first of them."""


class Scrub:
    """`now` is the pass that is under way, or the last one; where it is stands in `file`, across restarts."""

    def __init__(
        self,
        shard: RocksShard,
        pool: Executor,
        clock: Clock,
        limits: Limits,
        file: Path,
        suspect: Callable[[int], None] = lambda partition: None,
    ) -> None:
        """`suspect` is told of each partition with a fault."""
        self._suspect = suspect
        self._shard = shard
        self._pool = pool
        self._clock = clock
        self._limits = limits
        self._bookmark = Bookmark(file, clock)
        self._wanted = asyncio.Event()
        self.now = _loaded(self._bookmark)
        self.last = replace(self.now) if self.now.finished else Pass()

    @property
    def is_running(self) -> bool:
        return bool(self.now.started and not self.now.finished)

    def begin(self) -> None:
        """At once, from the start, and as fast as it goes."""
        if not self._wanted.is_set():
            self.now = Pass(started=self._clock.now_microseconds())
            self._wanted.set()

    async def run(self) -> None:
        """A pass whenever the last one is old enough, slowly; or at once, when one is wanted."""
        while True:
            if not self.is_running:
                await self._due()
                if not self.is_running:
                    self.now = Pass(started=self._clock.now_microseconds())
            await self.go_on()

    async def _due(self) -> None:
        due = self.now.finished + self._limits.scrub_seconds * 1_000_000
        seconds = max(0, due - self._clock.now_microseconds()) / 1e6
        try:
            async with asyncio.timeout(seconds):
                await self._wanted.wait()
        except TimeoutError:
            pass

    async def go_on(self) -> Pass:
        """From where it was to the end."""
        going = self.now
        while (account := await self._in_pool(self._next)) is not None and going is self.now:
            await self._account(account)
            if going is not self.now:
                return self.now  # it was begun anew
            going.accounts += 1
            going.following = account + 1
            self._bookmark.keep(self.now)
        if going is self.now:
            await self._finish()
        return self.now

    def _next(self) -> int | None:
        return next(accounts_from(self._shard, self.now.following), None)

    async def _account(self, account: int) -> None:
        going = self.now
        check = Check(self._shard, account, partial(_found, going))
        before = going.fault_count
        steps = check.steps()
        while (octets := await self._in_pool(lambda: next(steps, None))) is not None:
            going.octets += octets
            if going is not self.now:
                return
            if not self._wanted.is_set():
                await asyncio.sleep(octets / self._limits.scrub_octets_a_second)
        going.mails += check.mails
        if going.fault_count > before:
            self._suspect(keys.partition(account))

    async def _finish(self) -> None:
        self.now.finished = self._clock.now_microseconds()
        self._wanted.clear()
        self.last = self.now
        if not self.now.fault_count:
            await self._in_pool(self._shard.heal)
        self._bookmark.keep_at_once(self.now)
        fields = {name: getattr(self.now, name) for name in ("accounts", "mails", "octets", "fault_count")}
        log.log(logging.ERROR if self.now.fault_count else logging.INFO, "scrubbed", extra=fields)

    async def _in_pool(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)


def _found(going: Pass, family: str, key: bytes, what: str) -> None:
    fault = Fault(f"{keys.account_of(key):016x}", family, key.hex(), what)
    going.fault_count += 1
    if len(going.faults) < FAULTS_KEPT:
        going.faults.append(fault)
    log.error("the scrub found a fault", extra=asdict(fault))


def _loaded(bookmark: Bookmark) -> Pass:
    try:
        values = bookmark.values()
        return Pass(**(values | {"faults": [Fault(**each) for each in values["faults"]]}))
    except (ValueError, TypeError, KeyError):
        return Pass()

"""What was collected of a domain's day goes out when it is due, once for the whole cluster: from the node
that has the partition of the domain's hash, for its `due` rows lie there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Protocol

from mailnode.clock import Clock
from mailnode.limits import Limits
from mailnode.mailauth.resolver import Unavailable as DnsUnavailable
from mailnode.mailbox.accounts import Accounts
from mailnode.mailbox.dues import Task
from mailnode.mailbox.verbs import Account, NotKnown, Unavailable
from mailnode.reports.collected import drop
from mailnode.reports.places import Topic, day_of

log = logging.getLogger(__name__)

WORKERS = 4
"""Of a topic: reports that wait for slow DNS servers at the same time."""


class Reporter(Protocol):
    async def report(self, account: Account, key: bytes, due_microseconds: int) -> None:
        """Make and post what `key` (places.day_key) says; raises DnsUnavailable, Unavailable and NotKnown."""


class Sending:
    def __init__(
        self, accounts: Accounts, reporters: Mapping[Topic, Reporter], clock: Clock, limits: Limits
    ) -> None:
        self._accounts = accounts
        self._dues = accounts.dues
        self._reporters = reporters
        self._clock = clock
        self._limits = limits

    async def run(self) -> None:
        """Until it is cancelled; a report that is being made then is made again at the next start."""
        topics = [topic for topic in self._reporters for _ in range(WORKERS)]
        await asyncio.gather(*map(self._work, topics))

    async def _work(self, topic: Topic) -> None:
        while True:
            task = self._dues.take(topic.due, self._clock.now_microseconds())
            if task is None:
                await self._news(topic)
            else:
                await self.reported(topic, task)

    async def _news(self, topic: Topic) -> None:
        at = self._dues.next_time(topic.due)
        seconds = None if at is None else max(0, at - self._clock.now_microseconds()) / 1e6
        try:
            async with asyncio.timeout(seconds):
                await self._dues.news(topic.due)
        except TimeoutError:
            pass

    async def reported(self, topic: Topic, task: Task) -> None:
        """Whatever goes wrong, it is tried again for a day (RFC 8460 §5.5), and then let go."""
        day, domain = day_of(task.key)
        try:
            account = await self._accounts.open(task.account)
            if not self._is_over(task):
                # The time of the row, not that of a later try: it names what is posted.
                await self._reporters[topic].report(account, task.key, task.time_microseconds)
            await drop(account, topic, task.key, task.time_microseconds)
        except (DnsUnavailable, Unavailable, NotKnown, OSError) as error:
            log.info("a report is made later", extra={"domain": domain, "day": day, "reason": error})
            self._later(topic, task)
        except Exception:  # our own mistake: the other reports of the day go out
            log.exception("a report could not be made", extra={"domain": domain, "day": day})
            self._later(topic, task)

    def _is_over(self, task: Task) -> bool:
        kept = self._limits.report_tried_seconds_max * 1_000_000
        return self._clock.now_microseconds() - task.time_microseconds > kept

    def _later(self, topic: Topic, task: Task) -> None:
        """Its row stays at its time, which a task in memory cannot leave: it waits beside the queue."""
        delay = self._limits.report_retry_seconds
        asyncio.get_running_loop().call_later(delay, self._dues.again, topic.due, task)

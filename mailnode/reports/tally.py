"""How often the same was found of a domain on a day: durable as it is counted.

A count is a row, put anew each time: nothing is read, and messages that come while a put is on its way share
the next one. What this run of the node counts has keys of its own (random octets), so a restart, or another
node, never writes over what was counted; rows that say the same add up when the report is made.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass

from mailnode.clock import Clock
from mailnode.limits import Limits
from mailnode.mailbox.accounts import Accounts
from mailnode.mailbox.verbs import NotKnown, Unavailable
from mailnode.pb.change_pb2 import Due, Intent, PutRow
from mailnode.pb.row_pb2 import DmarcRow, TlsRow
from mailnode.reports.places import DAY_SECONDS, Topic, account_of, day_key, due_microseconds

log = logging.getLogger(__name__)

RANDOM_OCTETS = 8


@dataclass(slots=True)
class _Counted:
    """`durable` of `count` are in the shard; `row` is without its count, which is put behind it."""

    domain: str
    key: bytes
    row: bytes
    count: int = 0
    durable: int = 0
    writing: asyncio.Future[None] | None = None


class Tally:
    def __init__(self, topic: Topic, accounts: Accounts, clock: Clock, limits: Limits) -> None:
        self._topic = topic
        self._accounts = accounts
        self._clock = clock
        self._limits = limits
        self._day = 0
        self._counted: dict[tuple[str, bytes], _Counted] = {}
        self._rows_of: Counter[str] = Counter()
        self.left_out = 0
        """Not counted since this run began: there was no room for a row, or it could not be put."""

    async def count(self, domain: str, row: DmarcRow | TlsRow) -> None:
        """One more; returns once that is durable, or after a while: then it goes on by itself. What cannot be
        counted holds nobody up: it is left out."""
        counted = self._of(domain, row.SerializeToString())
        if counted is None:
            self._leave_out(domain, "there is no room for more rows")
            return
        counted.count += 1
        mine = counted.count
        try:
            async with asyncio.timeout(self._limits.report_counted_seconds_max):
                while counted.durable < mine:
                    if counted.writing is None:
                        counted.writing = asyncio.ensure_future(self._put(counted))
                        counted.writing.add_done_callback(_heard)
                    await asyncio.shield(counted.writing)
        except TimeoutError:
            pass
        except (NotKnown, Unavailable) as error:
            self._leave_out(domain, str(error) or "its partition cannot be asked")
        except Exception:  # our own mistake: no message is refused for it
            log.exception("what a report would say could not be kept", extra={"domain": domain})
            self.left_out += 1

    def _leave_out(self, domain: str, reason: str) -> None:
        if not self.left_out:
            log.warning("what a report would say is not kept", extra={"domain": domain, "reason": reason})
        self.left_out += 1

    def _of(self, domain: str, row: bytes) -> _Counted | None:
        day = self._clock.now_microseconds() // 1_000_000 // DAY_SECONDS
        if day != self._day:
            self._day = day
            self._counted.clear()
            self._rows_of.clear()
        counted = self._counted.get((domain, row))
        if counted is None:
            full = len(self._counted) >= self._limits.report_rows_max
            if full or self._rows_of[domain] >= self._limits.report_domain_rows_max:
                return None
            self._rows_of[domain] += 1
            key = day_key(day, domain) + self._clock.random(RANDOM_OCTETS)
            counted = self._counted[domain, row] = _Counted(domain, key, row)
        return counted

    async def _put(self, counted: _Counted) -> None:
        count = counted.count
        value = counted.row + DmarcRow(count=count).SerializeToString()  # both kinds have it as field 1
        put = PutRow(kind=self._topic.kind, key=counted.key, value=value)
        if not counted.durable:
            put.dues.append(self._due(counted))
        try:
            account = await self._accounts.open(account_of(counted.domain))
            refused = (await account.apply(Intent(put_row=put))).refused
            if refused:
                raise Unavailable(f"the account takes no row: {refused}")
            counted.durable = count
        finally:
            counted.writing = None

    def _due(self, counted: _Counted) -> Due:
        day = int.from_bytes(counted.key[:4], "big")
        time = due_microseconds(day, counted.domain, self._limits)
        return Due(kind=self._topic.due, time=time, key=day_key(day, counted.domain))


def _heard(writing: asyncio.Future[None]) -> None:
    """How it ended, though nobody may wait for it any more: the next put has its count, too."""
    if not writing.cancelled():
        writing.exception()

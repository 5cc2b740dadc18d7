"""What was expunged goes for good when its time is over, a bounded part at a time; each part is a change.

A pass that is cut short loses nothing: an account has a `due` row as long as something of it can be brought
back, of the time of what was expunged first.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Executor
from itertools import islice

from mailnode.clock import Clock
from mailnode.cluster.partitions import Unavailable
from mailnode.limits import Limits
from mailnode.mailbox.accounts import Accounts
from mailnode.mailbox.dues import Task
from mailnode.mailbox.reads import Reads
from mailnode.mailbox.rows import ENTRY_OCTETS
from mailnode.mailbox.verbs import NotKnown
from mailnode.pb.change_pb2 import Collect, Intent
from mailnode.store import keys
from mailnode.store.keys import Due
from mailnode.store.shard import Shard

log = logging.getLogger(__name__)


class Collecting:
    def __init__(
        self, shard: Shard, accounts: Accounts, loads: Executor, clock: Clock, limits: Limits
    ) -> None:
        self._shard = shard
        self._accounts = accounts
        self._loads = loads
        self._clock = clock
        self._limits = limits

    async def collect(self) -> int:
        """One pass; how many changes it made."""
        before = self._clock.now_microseconds() - self._limits.expunged_kept_seconds * 1_000_000
        dues = self._accounts.dues
        tasks = dues.take_all(Due.EXPUNGED, before)
        made = 0
        for task in tasks:
            try:
                made += await self._collect(task, before)
            except (NotKnown, Unavailable):
                dues.again(Due.EXPUNGED, task)
            except Exception:  # what of one account cannot be read holds up no other
                log.exception("account %016x: what was expunged cannot be collected", task.account)
                dues.again(Due.EXPUNGED, task)
        if made:
            log.info("expunged messages dropped", extra={"accounts": len(tasks), "changes": made})
        return made

    async def _collect(self, task: Task, before: int) -> int:
        opened = await self._accounts.open(task.account)
        made, more = 0, True
        while more:
            expunged, more = await asyncio.get_running_loop().run_in_executor(
                self._loads, self._over, task.account, before
            )
            result = await opened.apply(Intent(collect=Collect(expunged=expunged)))
            if result.refused:  # too much waits there: the next pass
                self._accounts.dues.again(Due.EXPUNGED, task)
                break
            made += bool(expunged)
        return made

    def _over(self, account: int, before: int) -> tuple[list[bytes], bool]:
        """The first rows of the account whose time is over, and whether there are more. Blocking."""
        found: list[bytes] = []
        entries = 0
        for key, row in islice(Reads(self._shard, account).expunged(), self._limits.collected_rows_max + 1):
            if keys.time_of_expunged(key) > before:
                return found, False
            if entries >= self._limits.collected_entries or len(found) == self._limits.collected_rows_max:
                return found, True
            found.append(key)
            entries += len(row.entries) // ENTRY_OCTETS
        return found, False

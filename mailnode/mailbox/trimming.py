"""What is kept of an account for a time: touched rows and results of intents, trimmed when it is over."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Executor
from itertools import islice
from typing import NamedTuple

from google.protobuf.message import DecodeError

from mailnode.clock import Clock
from mailnode.cluster.partitions import Unavailable
from mailnode.limits import Limits
from mailnode.mailbox.accounts import Accounts
from mailnode.mailbox.reads import accounts_from
from mailnode.mailbox.verbs import NotKnown
from mailnode.pb.change_pb2 import Intent, Touched, Trim
from mailnode.store import keys
from mailnode.store.damage import readable, told
from mailnode.store.keys import Family, Kind
from mailnode.store.shard import Shard

log = logging.getLogger(__name__)


class _Found(NamedTuple):
    """What is to be trimmed of the accounts of a step."""

    trims: list[tuple[int, Trim]]
    following: int | None
    """The account that the next step begins at; the same again where there was much."""


class Trimming:
    """Looks at every account in turn, a bounded part at a time; each trim is a change of its account.

    A pass that is cut short loses nothing: what was not trimmed is found by the next.
    """

    def __init__(
        self, shard: Shard, accounts: Accounts, loads: Executor, clock: Clock, limits: Limits
    ) -> None:
        self._shard = shard
        self._accounts = accounts
        self._loads = loads
        self._clock = clock
        self._limits = limits

    async def trim(self) -> int:
        """One pass; how many changes it made."""
        made = 0
        following: int | None = 0
        while following is not None:
            found = await asyncio.get_running_loop().run_in_executor(self._loads, self._find, following)
            following = found.following
            for account, trim in found.trims:
                if await self._trim(account, trim):
                    made += 1
                else:
                    following = max(found.following or 0, account + 1)  # the next pass
        if made:
            log.info("trimmed what was kept for its time", extra={"changes": made})
        return made

    async def _trim(self, account: int, trim: Trim) -> bool:
        """Whether it was done; one that is damaged holds up no other."""
        try:
            opened = await self._accounts.open(account)
            return not (await opened.apply(Intent(trim=trim))).refused  # too much may wait there
        except (NotKnown, Unavailable):
            return False
        except Exception:
            log.exception("account %016x: what it keeps cannot be trimmed", account)
            return False

    def _find(self, start: int) -> _Found:
        """Of the accounts from `start` on. Blocking."""
        trims: list[tuple[int, Trim]] = []
        account = start
        for account in islice(accounts_from(self._shard, start), self._limits.trim_accounts):
            if not self._accounts.leads(account):
                continue
            touched, more = self._touched_old(account)
            trim = Trim(touched=touched, results=self._results_old(account))
            if trim.touched or trim.results:
                trims.append((account, trim))
            if more:
                return _Found(trims, account)
        following = next(accounts_from(self._shard, account + 1), None)
        return _Found(trims, following)

    def _touched_old(self, account: int) -> tuple[int, bool]:
        """The position of the last touched row that is old enough, 0 for none; whether there may be more."""
        before = self._clock.now_microseconds() // 1_000_000 - self._limits.touched_kept_seconds
        start = keys.touched(account, 0)
        rows = readable(self._shard, Family.STATE, start, keys.after(start[:9]))
        position = 0
        for key, value in islice(rows, self._limits.trim_rows_max):
            if _time(key, value) >= before:
                return position, False
            position = keys.position_of_touched(key)
        return position, next(rows, None) is not None

    def _results_old(self, account: int) -> int:
        """The time before which results are old enough, 0 where there are none of before it."""
        before = self._clock.now_microseconds() - self._limits.results_kept_seconds * 1_000_000
        start = keys.state(account, Kind.RESULT)
        end = start + before.to_bytes(8, "big")
        first = next(readable(self._shard, Family.STATE, start, end), None)
        return before if first else 0


def _time(key: bytes, value: bytes) -> int:
    """Of a touched row; one that cannot be read goes with those around it."""
    try:
        return Touched.FromString(value).time
    except DecodeError:
        told.tell(Family.STATE, key, "no touched row")
        return 0

"""From where an account's user has logged in: kept, so that a restart under attack locks nobody out."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from weakref import WeakValueDictionary

from mailnode.clock import Clock
from mailnode.directory.guesses import Standing
from mailnode.directory.rows import Accounts, intent_id, parsed, small_row
from mailnode.directory.source import Source
from mailnode.limits import Limits
from mailnode.mailbox.verbs import NotKnown, Unavailable
from mailnode.pb.change_pb2 import Intent, PutRow
from mailnode.pb.row_pb2 import KnownRow
from mailnode.store.damage import Unreadable
from mailnode.store.keys import Kind

log = logging.getLogger(__name__)
ROW = b"known"


class Known:
    """A row an account, of bounded length; what was read or written lately is remembered."""

    def __init__(self, accounts: Accounts, clock: Clock, limits: Limits) -> None:
        self._accounts = accounts
        self._clock = clock
        self._sources_max = limits.known_sources_max
        self._kept_microseconds = limits.known_source_seconds * 1_000_000
        self._refreshed_seconds = limits.known_source_refreshed_seconds
        self._remembered_max = limits.passwords_remembered_max
        self._fresh: OrderedDict[tuple[int, bytes], float] = OrderedDict()
        self._writing: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def standing(self, account: int, source: Source) -> Standing:
        """Of one that does not exist too: an account without a row."""
        if self._is_fresh(account, source):
            return Standing.KNOWN
        row = await self._row(account)
        oldest = self._clock.now_microseconds() - self._kept_microseconds
        sources = [each for each in row.sources if each.time >= oldest]
        if any(each.address == source.address for each in sources):
            return Standing.KNOWN
        if any(each.network == source.network for each in sources):
            return Standing.NEIGHBOUR
        return Standing.STRANGER

    async def remember(self, account: int, source: Source) -> None:
        """The user has logged in from there. Where it cannot be written, it is done the next time."""
        if self._is_fresh(account, source):
            return
        try:
            async with self._writing.setdefault(account, asyncio.Lock()):
                await self._write(account, source)
        except (NotKnown, Unavailable):
            log.info("where a user came from is not kept", extra={"account": f"{account:016x}"})
            return
        self._fresh[account, source.address] = self._clock.monotonic_seconds()
        if len(self._fresh) > self._remembered_max:
            self._fresh.popitem(last=False)

    def _is_fresh(self, account: int, source: Source) -> bool:
        since = self._fresh.get((account, source.address))
        if since is None:
            return False
        if self._clock.monotonic_seconds() - since < self._refreshed_seconds:
            return True
        del self._fresh[account, source.address]
        return False

    async def _row(self, account: int) -> KnownRow:
        try:
            return await small_row(self._accounts, account, KnownRow, Kind.CREDENTIAL, ROW)
        except Unreadable:
            return KnownRow()  # the next login writes it anew

    async def _write(self, account: int, source: Source) -> None:
        """What came of other nodes meanwhile stays."""
        opened = await self._accounts.open(account)
        while True:
            was: bytes | None = None  # what cannot be read is written anew
            sources: Sequence[KnownRow.Source] = ()
            with suppress(Unreadable):
                was = await opened.row(Kind.CREDENTIAL, ROW)
                sources = parsed(KnownRow, account, Kind.CREDENTIAL, ROW, was).sources
            now = self._clock.now_microseconds()
            freshest = now - self._refreshed_seconds * 1_000_000
            if any(each.address == source.address and each.time > freshest for each in sources):
                return
            others = [each for each in sources if each.address != source.address]
            row = KnownRow(sources=others[-(self._sources_max - 1) :])
            row.sources.add(address=source.address, network=source.network, time=now)
            put_row = PutRow(kind=Kind.CREDENTIAL, key=ROW, value=row.SerializeToString(), was=was)
            intent = Intent(id=intent_id(self._clock), put_row=put_row)
            refused = (await opened.apply(intent)).refused
            if refused not in ("", "CHANGED"):
                raise Unavailable(refused)
            if not refused:
                return

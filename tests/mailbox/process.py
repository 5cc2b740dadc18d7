"""A process with one account, in which nothing goes on by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from dataclasses import replace
from typing import Any, TypeVar

from mailnode.cluster.partitions import Partitions
from mailnode.limits import Limits
from mailnode.mailbox.account import LocalAccount
from mailnode.mailbox.accounts import Accounts
from mailnode.mailbox.quota import Quotas
from mailnode.mailbox.rows import ENTRY
from mailnode.mailbox.verbs import ALL_UIDS, Account, Want
from mailnode.pb.change_pb2 import Result
from tests.cluster.by_hand import HandClock, HandLoop
from tests.mailbox import asks
from tests.mailbox.asks import add, create, intent, message
from tests.mailbox.elsewhere import ELSEWHERE, beside
from tests.store.faulty_shard import FaultyShard

T = TypeVar("T")
LIMITS = replace(Limits(), store_slice_entries=2, watch_pending_max=5, entries_run_max=3, messages_run_max=2)


class House:
    """A process with one account; nothing goes on but by `hand`."""

    def __init__(self, shard: FaultyShard, clock: HandClock, limits: Limits = LIMITS) -> None:
        self.hand = HandLoop()
        self.shard = shard
        self.clock = clock
        self.failures: list[OSError] = []
        partitions = Partitions(shard, self.hand.writer, limits, self.failures.append)
        self.accounts = Accounts(shard, partitions, self.hand.loads, clock, limits, Quotas({}))
        opened = self.hand.until(self.accounts.open(asks.ACCOUNT))
        assert isinstance(opened, LocalAccount)
        self.local = opened
        """The account where it is."""
        self.account: Account = opened
        """And where it is asked."""
        if ELSEWHERE.get():
            at_once = replace(limits, remote_wait_seconds_max=0)  # nobody else comes to lead it
            asker, self.wire = beside(self.accounts, self.hand.writer, self.hand.loads, clock, at_once)
            self.account = self.hand.until(asker.open(asks.ACCOUNT))

    def start(self, ask: Any, intent_id: bytes = b"", retry: bool = False) -> asyncio.Task[Result]:
        """Ask, and go on as far as no pool is needed."""
        task = self.hand.start(self.account.apply(intent(ask, intent_id, retry)))
        self.hand.settle()
        return task

    def ask(self, ask: Any, intent_id: bytes = b"", retry: bool = False) -> Result:
        return self.hand.until(self.account.apply(intent(ask, intent_id, retry)))

    def write(self) -> None:
        """The group that waits for the writer is written, and that is heard."""
        self.hand.writer.run()
        self.hand.writer.hear()
        self.hand.settle()

    def load(self) -> None:
        self.hand.loads.run()
        self.hand.loads.hear()
        self.hand.settle()

    def flags(self, mailbox: int = 1) -> dict[int, int]:
        """As readers see them."""
        return self.hand.until(self._flags(mailbox))

    async def _flags(self, mailbox: int) -> dict[int, int]:
        found: dict[int, int] = {}
        async for run in self.account.messages(mailbox, ALL_UIDS, Want.ENTRIES):
            found |= {entry[-1]: entry[3] for entry in ENTRY.iter_unpack(run.entries)}
        return found

    def flags_now(self, mailbox: int = 1) -> dict[int, int]:
        """The same from memory: no pool works."""
        return self.now(self._flags(mailbox))

    def listed_now(self) -> tuple[int, int, int]:
        """INBOX's messages, those unseen, UIDNEXT."""
        row = self.now(self.account.mailboxes()).rows[1]
        return row.messages, row.unseen, row.uid_next

    def now(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The result of what needs no pool."""
        task = self.hand.start(coroutine)
        self.hand.settle()
        return task.result()

    def end(self) -> None:
        self.hand.close()


async def first_of(parts: AsyncIterator[T]) -> T:
    return await anext(parts)


def opened(shard: FaultyShard | None = None, messages: int = 0, limits: Limits = LIMITS) -> House:
    house = House(shard or FaultyShard(), HandClock(), limits)
    if shard is None:
        house.ask(create("Other"))
        for number in range(messages):
            house.ask(add(message(message_id=b"<%d@x>" % number)))
    return house

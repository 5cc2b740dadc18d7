"""Accounts that hold small rows in a dictionary, a clock that stands still, a pool that works by hand."""

from __future__ import annotations

from array import array
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor, Future
from typing import Any

from mailnode.mailbox.dues import Dues
from mailnode.mailbox.quota import NO_QUOTA
from mailnode.mailbox.verbs import Gone, Mailboxes, Messages, NotKnown, UidRanges, Usage, Want, Watch
from mailnode.pb.account_pb2 import SearchKey
from mailnode.pb.change_pb2 import Create, Intent, Result
from mailnode.pb.row_pb2 import AccountRow
from mailnode.store.keys import Due


class StillClock:
    """Moves when told; its randomness is a count, so that nothing repeats."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0
        self._drawn = 0

    def now_microseconds(self) -> int:
        return int(self.seconds * 1e6)

    def monotonic_seconds(self) -> float:
        return self.seconds

    def random(self, octets: int) -> bytes:
        self._drawn += 1
        return self._drawn.to_bytes(octets, "big")


class HandPool(Executor):
    """Works at once, or with `held` when told to; counts."""

    def __init__(self) -> None:
        self.jobs = 0
        self.held = False
        self._waiting: list[tuple[Future[Any], Callable[[], Any]]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.jobs += 1
        future: Future[Any] = Future()
        self._waiting.append((future, lambda: fn(*args, **kwargs)))
        if not self.held:
            self.work()
        return future

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def work_last(self) -> None:
        """What came last, before the others."""
        future, job = self._waiting.pop()
        future.set_result(job())

    def work(self) -> None:
        for future, job in self._waiting:
            future.set_result(job())
        self._waiting.clear()


class MemoryAccounts:
    """`fail_at` makes the apply of that number (from 1) fail as not known, after it was done or before."""

    def __init__(self) -> None:
        self.rows: dict[tuple[int, int, bytes], bytes] = {}
        self.created: dict[int, Create] = {}
        self.applied = 0
        self.dues = Dues((Due.CREATION, Due.RENAMING))
        self.fail_at = 0
        self.fail_done = False
        self.refused = ""
        """What all that is asked is refused with."""
        self.refused_create = ""

    async def open(self, account: int) -> MemoryAccount:
        return MemoryAccount(self, account)


class MemoryAccount:
    def __init__(self, accounts: MemoryAccounts, account: int) -> None:
        self.id = account
        self._accounts = accounts

    async def row(self, kind: int, key: bytes) -> bytes:
        return self._accounts.rows.get((self.id, kind, key), b"")

    async def apply(self, intent: Intent) -> Result:
        assert len(intent.id) == 16
        accounts = self._accounts
        if accounts.refused:
            return Result(refused=accounts.refused)
        accounts.applied += 1
        failing = accounts.applied == accounts.fail_at
        if failing and not accounts.fail_done:
            raise NotKnown
        result = self._put(intent) if intent.HasField("put_row") else self._create(intent)
        if failing:
            raise NotKnown
        return result

    def _put(self, intent: Intent) -> Result:
        put = intent.put_row
        key = (self.id, put.kind, put.key)
        if put.if_absent and key in self._accounts.rows:
            return Result(refused="ALREADYEXISTS")
        if put.HasField("was") and self._accounts.rows.get(key, b"") != put.was:
            return Result(refused="CHANGED")
        if put.value:
            self._accounts.rows[key] = put.value
        else:
            self._accounts.rows.pop(key, None)
        self._accounts.dues.commit(self.id, put.dues)
        return Result()

    def _create(self, intent: Intent) -> Result:
        if self._accounts.refused_create:
            return Result(refused=self._accounts.refused_create)
        if self.id in self._accounts.created:
            return Result(refused="ALREADYEXISTS")
        self._accounts.created[self.id] = intent.create
        return Result()

    # The directory asks for nothing below.

    async def mailboxes(self) -> Mailboxes:
        raise AssertionError

    def messages(self, mailbox: int, uids: UidRanges, want: Want) -> AsyncIterator[Messages]:
        raise AssertionError

    def departed(self, mailbox: int, uids: UidRanges, want: Want) -> AsyncIterator[Messages]:
        raise AssertionError

    def octets(self, mail: int, start: int, end: int) -> AsyncIterator[bytes]:
        raise AssertionError

    async def search(self, mailbox: int, key: SearchKey) -> array[int]:
        raise AssertionError

    async def expunged(self) -> list[Gone]:
        raise AssertionError

    async def usage_lately(self) -> Usage:
        return await self.usage()

    async def usage(self) -> Usage:
        return Usage(AccountRow(), NO_QUOTA, 0)

    async def claim_recent(self, mailbox: int) -> tuple[int, int]:
        raise AssertionError

    async def watch(self, position: int, mailbox: int) -> Watch:
        raise AssertionError

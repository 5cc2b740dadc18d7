"""The accounts of this node whose sessions are to be looked at, for all nodes that have some.

A reader on another node asks again and again: by asking it says that it has done what it was told. One whose
stream ended reads no more; when it comes again, it looks at all that it has. So who waits until all have read
waits for nobody who is gone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from mailnode.limits import Limits
from mailnode.mailbox.service import Leases
from mailnode.mailbox.verbs import Unavailable
from mailnode.pb.account_pb2 import Revoked

ANEW = b"anew"
"""Asked by who does not know whether all that it was told has come: it looks at all that it has."""

_LEASE = b"bulletin"


class Bulletin:
    """Lives on the loop."""

    def __init__(self, limits: Limits) -> None:
        self._last = 0
        self._accounts: deque[int] = deque(maxlen=limits.bulletin_accounts_max)
        self._limits = limits
        self._readers: dict[int, _Reader] = {}
        self._waiting: list[asyncio.Future[None]] = []
        self.told: Callable[[int], None] = lambda account: None
        """The reader on this node."""

    def add(self, account: int) -> None:
        self._last += 1
        self._accounts.append(account)
        self.told(account)
        for reader in self._readers.values():
            reader.wake()

    async def read(self, octets: bytes, leases: Leases) -> bytes:
        """What came since the caller asked last, once there is something; a Revoked, empty after a while."""
        reader = self._readers.get(id(leases))
        if reader is None or octets == ANEW:
            self._begin(leases)
            return Revoked(all=True).SerializeToString()
        reader.done = reader.told
        self._look()
        if reader.told == self._last:
            await reader.wait(self._limits.remote_seconds_max / 2)
        since, reader.told = reader.told, self._last
        if self._last - since > len(self._accounts):
            return Revoked(all=True).SerializeToString()
        last = list(self._accounts)[len(self._accounts) - (self._last - since) :]
        return Revoked(accounts=dict.fromkeys(last)).SerializeToString()

    async def read_by_all(self) -> None:
        """Returns once every reader has done what it was told up to now; raises Unavailable."""
        upto = self._last
        try:
            async with asyncio.timeout(self._limits.remote_wait_seconds_max):
                while any(reader.done < upto for reader in self._readers.values()):
                    waiter = asyncio.get_running_loop().create_future()
                    self._waiting.append(waiter)
                    await waiter
        except TimeoutError:
            raise Unavailable("a node does not look at its sessions") from None

    def _begin(self, leases: Leases) -> None:
        key = id(leases)  # they are as long as their stream

        def gone() -> None:
            del self._readers[key]
            self._look()

        self._readers[key] = _Reader(self._last)
        leases[_LEASE] = gone

    def _look(self) -> None:
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)


class _Reader:
    """`told` up to an account's number, and `done` with those up to another."""

    __slots__ = ("_waiter", "done", "told")

    def __init__(self, last: int) -> None:
        self.told = last
        self.done = last - 1  # all that it has it is about to look at
        self._waiter: asyncio.Future[None] | None = None

    async def wait(self, seconds: float) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        await asyncio.wait((self._waiter,), timeout=seconds)

    def wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

"""How many long connections an account has open from one address, over all nodes.

The node that leads the account adds up what each node says of its own, as long as it hears that node. Whose
node was away, or whose account moved, says it anew: then nobody is sent away who is in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import NamedTuple

from mailnode.mailbox.service import Function, Leases
from mailnode.mailbox.verbs import Unavailable
from mailnode.pb.account_pb2 import ConnectionsAsk

_TELL = "connections.tell"
_AGAIN_SECONDS = 10.0
"""Before an account's node is asked again that could not be asked for as long."""
_YES, _NO = b"\1", b"\0"

Key = tuple[int, str]
"""Account and address."""


class _Count(NamedTuple):
    open: int
    term: int | None
    """Of the lead of the account: what was said in one of before is not kept up."""


class Counts:
    """At the node that leads the accounts. `term(account)`: another number when it leads it anew."""

    def __init__(self, term: Callable[[int], int | None]) -> None:
        self._term = term
        self._counts: dict[Key, dict[int, _Count]] = {}
        """By the leases of the stream of each node."""
        self.functions: dict[str, Function] = {_TELL: self._tell}

    async def _tell(self, octets: bytes, leases: Leases) -> bytes:
        ask = ConnectionsAsk.FromString(octets)
        key, stream, term = (ask.account, ask.address), id(leases), self._term(ask.account)
        told = self._counts.get(key, {})
        others = sum(each.open for at, each in told.items() if at != stream and each.term == term)
        if ask.most and others + ask.count > ask.most:
            return _NO
        if ask.count:
            self._counts.setdefault(key, {})[stream] = _Count(ask.count, term)
            leases[_lease(key)] = lambda: self._forget(key, stream)
        elif leases.pop(_lease(key), None) is not None:
            self._forget(key, stream)
        return _YES

    def _forget(self, key: Key, stream: int) -> None:
        told = self._counts.get(key, {})
        told.pop(stream, None)
        if not told:
            self._counts.pop(key, None)


class Connections:
    """Those of this node; a `ties.Holder`."""

    def __init__(self, at_owner: Callable[[int, str, bytes], Awaitable[bytes]]) -> None:
        """`at_owner(account, function, octets)` raises Unavailable."""
        self._at_owner = at_owner
        self._open: dict[int, dict[str, int]] = {}
        self._changed: set[Key] = set()
        """To be told."""
        self._telling: set[asyncio.Task[None]] = set()

    @classmethod
    def alone(cls) -> Connections:
        """There are no other nodes."""
        counts = Counts(lambda account: 1)
        leases: Leases = {}

        async def here(account: int, function: str, octets: bytes) -> bytes:
            return await counts.functions[function](octets, leases)

        return cls(here)

    async def admit(self, account: int, address: str, most: int) -> bool:
        """Count a connection in, unless there are as many as may be. Of an account that cannot be asked those
        of this node count."""
        opened = self._open.setdefault(account, {})
        opened[address] = opened.get(address, 0) + 1
        try:
            admitted = opened[address] <= most and await self._tell(account, address, most)
        except Unavailable:
            return True
        if not admitted:
            self.leave(account, address)
        return admitted

    def leave(self, account: int, address: str) -> None:
        """Count an admitted connection out; its node hears of it soon."""
        opened = self._open[account]
        opened[address] -= 1
        if not opened[address]:
            del opened[address]
        if not opened:
            del self._open[account]
        key = account, address
        if key not in self._changed:
            self._changed.add(key)
            task = asyncio.ensure_future(self._told(key))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def close(self) -> None:
        for task in self._telling:
            task.cancel()
        await asyncio.gather(*self._telling, return_exceptions=True)

    def held(self) -> Collection[int]:
        return self._open.keys()

    def taking(self) -> Collection[int]:
        return ()

    def overtaken(self, account: int | None) -> None:
        """What is counted in is in."""

    async def look(self, account: int) -> None:
        for address in list(self._open.get(account, ())):
            await self._tell(account, address, most=0)

    async def _told(self, key: Key) -> None:
        """As long as the account's node hears this one it keeps what it was told: it must be told."""
        while True:
            self._changed.discard(key)  # who leaves from now on is told by another
            try:
                await self._tell(*key, most=0)
                return
            except Unavailable:
                if key in self._changed:
                    return  # which tells of this too
                self._changed.add(key)
                await asyncio.sleep(_AGAIN_SECONDS)

    async def _tell(self, account: int, address: str, most: int) -> bool:
        """Whether so many may be; 0: they are."""
        count = self._open.get(account, {}).get(address, 0)
        ask = ConnectionsAsk(account=account, address=address, count=count, most=most)
        return await self._at_owner(account, _TELL, ask.SerializeToString()) == _YES


def _lease(key: Key) -> bytes:
    return b"connections%d %s" % (key[0], key[1].encode())

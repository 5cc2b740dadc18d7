"""What sessions of this node have at the nodes of their accounts, looked at again whenever it may have gone.

It is looked at where an account's node says so (`bulletin`), where it was away, and where it is another node
now; from when that is known to when it was looked at nothing is asked of the account but by who looks. A node
is followed from the first account of its that somebody has to do with here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Coroutine, Iterable
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, Protocol

from mailnode.cluster.map import Map
from mailnode.cluster.replica_messages import Row
from mailnode.limits import Limits
from mailnode.mailbox.bulletin import ANEW, Bulletin
from mailnode.mailbox.places import Places
from mailnode.mailbox.service import Leases
from mailnode.mailbox.verbs import Unavailable
from mailnode.pb.account_pb2 import Revoked
from mailnode.store import keys

log = logging.getLogger(__name__)

_READ, _LOOKED = "bulletin", "looked"
_PAUSE_SECONDS = 0.2
"""Before what could not be asked is asked again."""

_looks: ContextVar[bool] = ContextVar("looks", default=False)
"""Whoever asks is to find out whether others may."""


class Holder(Protocol):
    """Who has something of accounts that may go."""

    def held(self) -> Collection[int]:
        """The accounts."""

    def taking(self) -> Collection[int]:
        """The accounts of which something is being taken."""

    def overtaken(self, account: int | None) -> None:
        """What is being taken of the account, or (None) of any, may be gone before it is had."""

    async def look(self, account: int) -> None:
        """Whether what is had is good still; raises Unavailable."""


class Ties:
    """One for a node. Lives on the loop."""

    def __init__(self, known: Map, places: Places, bulletin: Bulletin, limits: Limits) -> None:
        self._map = known
        self._places = places
        self._bulletin = bulletin
        self._holders: list[Holder] = []
        self._looking = asyncio.Semaphore(limits.reattached_at_once_max)
        self._followed: dict[str, asyncio.Future[None]] = {}
        """By node: done as soon as it is heard."""
        self._led: dict[int, tuple[str, int]] = {}
        """By partition that changed: which node leads it, in which epoch."""
        self._moved: set[int] = set()
        self._doubted: set[int] = set()
        """Accounts of which something may have gone without being told here."""
        self._tasks: set[asyncio.Task[None]] = set()
        places.functions[_READ] = bulletin.read
        places.functions[_LOOKED] = self._looked
        places.is_doubted, places.lost = self._is_doubted, self._cut
        bulletin.told = self._told
        known.follow(self._changed)

    def add(self, holder: Holder) -> None:
        self._holders.append(holder)

    async def follow(self, account: int) -> None:
        """Returns when this node hears of what goes of the account; raises Unavailable."""
        tries = self._places.tries()
        while True:
            try:
                node = self._places.owner(keys.partition(account))
                if node != self._places.me:
                    await asyncio.shield(self._following(node))
                return
            except Unavailable as error:
                await tries.wait(error)

    async def looked(self, account: int) -> None:
        """Returns once all nodes have looked at what they have of the account; raises Unavailable."""
        await self._places.at_owner(account, _LOOKED, account.to_bytes(8, "big"))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- at the node of the accounts

    def _told(self, account: int) -> None:
        self._overtake(account)
        self._start(self._look((account,)))

    async def _looked(self, octets: bytes, leases: Leases) -> bytes:
        await self._look((int.from_bytes(octets, "big"),))
        await self._bulletin.read_by_all()
        return b""

    # -- at the nodes of the sessions

    def _following(self, node: str) -> asyncio.Future[None]:
        heard = self._followed.get(node)
        if heard is None:
            heard = self._followed[node] = asyncio.get_running_loop().create_future()
            self._start(self._follow(node))
        return heard

    async def _follow(self, node: str) -> None:
        """As long as there is the node, or somebody has something of an account of its."""
        ask = b""
        while self._map.peer(node) is not None or self._of_node(node):
            try:
                said, ask = Revoked.FromString(await self._places.call(node, _READ, ask)), b""
            except Unavailable as error:
                ask = ANEW  # an answer may have been lost
                self._lost(node, error)
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            if said.all:
                self._overtake(None)
            for account in said.accounts:
                self._overtake(account)
            if not self._followed[node].done():
                self._followed[node].set_result(None)
            await self._look(self._of_node(node) if said.all or self._doubted else said.accounts)
        self._lost(node, Unavailable(f"there is no node {node}"))
        del self._followed[node]

    def _lost(self, node: str, error: Unavailable) -> None:
        """Who waits to hear it waits no longer."""
        heard = self._followed[node]
        if heard.done():
            self._cut(node)
        else:
            heard.set_exception(error)
            heard.exception()  # nobody need wait for it
        self._followed[node] = asyncio.get_running_loop().create_future()

    def _cut(self, node: str) -> None:
        if node in self._followed:
            self._doubted.update(self._of_node(node))

    def _of_node(self, node: str) -> list[int]:
        return [account for account in self._held() if self._owner(account) == node]

    def _changed(self, partition: int, row: Row) -> None:
        """Another node leads it, or the same one anew; of many that change at once."""
        led = row.primary.node, row.epoch
        if self._led.get(partition) == led:
            return
        self._led[partition] = led
        if not self._moved:
            asyncio.get_running_loop().call_soon(lambda: self._start(self._look_at_moved()))
        self._moved.add(partition)

    async def _look_at_moved(self) -> None:
        moved, self._moved = self._moved, set()
        accounts = [account for account in self._held() if keys.partition(account) in moved]
        self._doubted.update(accounts)
        taking = {account for holder in self._holders for account in holder.taking()}
        for account in taking:
            if keys.partition(account) in moved:
                self._overtake(account)
        for node in {self._owner(account) for account in accounts} - {"", self._places.me}:
            self._following(node)
        await self._look(accounts)

    def _owner(self, account: int) -> str:
        with suppress(Unavailable):
            return self._places.owner(keys.partition(account))
        return ""

    # -- both

    def _held(self) -> set[int]:
        return {account for holder in self._holders for account in holder.held()}

    def _is_doubted(self, account: int) -> bool:
        has_moved = bool(self._moved) and keys.partition(account) in self._moved
        if _looks.get() or not (has_moved or account in self._doubted):
            return False
        if any(account in holder.held() for holder in self._holders):
            return True
        self._doubted.discard(account)  # whoever had something has left
        return False

    def _overtake(self, account: int | None) -> None:
        for holder in self._holders:
            holder.overtaken(account)

    async def _look(self, accounts: Iterable[int]) -> None:
        """Returns once nothing of them is had that is not good."""
        await asyncio.gather(*map(self._look_at_all_of, dict.fromkeys(accounts)))

    async def _look_at_all_of(self, account: int) -> None:
        _looks.set(True)  # for this task
        holders = [holder for holder in self._holders if account in holder.held()]
        await asyncio.gather(*(self._look_at(holder, account) for holder in holders))
        self._doubted.discard(account)

    async def _look_at(self, holder: Holder, account: int) -> None:
        while account in holder.held():
            try:
                async with self._looking:
                    await holder.look(account)
                return
            except Unavailable:
                await asyncio.sleep(_PAUSE_SECONDS)  # others are looked at meanwhile
            except Exception:  # our own mistake with one account: the others are looked at
                log.exception("account %016x: its sessions could not be looked at", account)
                return

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

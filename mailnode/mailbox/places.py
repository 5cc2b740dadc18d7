"""Where accounts are: here, or at the other end of a link; and back there, when that changed."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from typing import Any, Protocol

from mailnode.clock import Clock
from mailnode.cluster.map import Map, NotMapped
from mailnode.limits import Limits
from mailnode.mailbox.account import LocalAccount
from mailnode.mailbox.link import Interrupted, Late, Link, Stream
from mailnode.mailbox.linked import LinkedAccount
from mailnode.mailbox.quota import Usage
from mailnode.mailbox.service import Function, Leases
from mailnode.mailbox.verbs import Unavailable
from mailnode.pb.account_pb2 import Answer, Ask, FunctionAsk
from mailnode.store import keys

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 0.05
"""Before a node is asked again, at least; doubled each time up to the longest."""
_PAUSE_SECONDS_LONGEST = 0.5


class Watched(Protocol):
    """A watch that can be attached anew."""

    is_closed: bool

    async def attach(self) -> None: ...


class Places:
    """One for a node that is not alone. Lives on the loop."""

    def __init__(
        self,
        known: Map,
        local: Callable[[int], Awaitable[LocalAccount]],
        connect: Callable[[str], Awaitable[Stream]],
        clock: Clock,
        limits: Limits,
    ) -> None:
        """`local` opens an account that this node leads, else raises NotPrimary; `connect(node)` raises
        Unreached."""
        self._map = known
        self._local = local
        self._connect = connect
        self._clock = clock
        self.limits = limits
        self.usages = Usages(clock, limits)
        self.functions: dict[str, Function] = {}
        """Of this node, by name: its service's."""
        self.check: Callable[[int], None] = lambda account: None
        """Whether this node leads an account, else NotPrimary."""
        self.is_doubted: Callable[[int], bool] = lambda account: False
        """Sessions of an account must be looked at before anything is asked for them (`mailbox/ties`)."""
        self.lost: Callable[[str], None] = lambda node: None
        """The stream to a node ended."""
        self._leases: Leases = {}
        self._links: dict[str, Link] = {}
        self._attaching = asyncio.Semaphore(limits.reattached_at_once_max)
        self._detached = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def seat(self, account: int, owner: str = "") -> LocalAccount | LinkedAccount:
        """The account where its primary is, or where `owner` is, whom another node named.

        Raises Unavailable.
        """
        if self.is_doubted(account):
            raise Unavailable("its sessions are being looked at")
        node = owner or self.owner(keys.partition(account))
        if node == self._map.me.node:
            return await self._local(account)
        return LinkedAccount(account, self.link(node))

    def owner(self, partition: int) -> str:
        """The name of the node; raises Unavailable."""
        try:
            return self._map.primary(partition)
        except NotMapped as error:
            raise Unavailable(str(error)) from None

    @property
    def me(self) -> str:
        return self._map.me.node

    def others(self) -> list[str]:
        """The names of all other nodes that listen."""
        return [peer.name for peer in self._map.peers.values() if peer.name != self.me and peer.address]

    def leaders(self) -> set[str]:
        """The names of all nodes that lead something."""
        return {row.primary.node for _, row in self._map.rows()}

    def link(self, node: str) -> Link:
        link = self._links.get(node)
        if link is None:
            link = Link(lambda: self._connect(node), self.limits, lambda: self.lost(node))
            self._links[node] = link
        return link

    async def each(self, node: str, ask: Ask) -> AsyncGenerator[Answer, None]:
        """What another node answers; raises Unavailable."""
        try:
            async for answer in self.link(node).each(ask):
                yield answer
        except Interrupted:
            raise Unavailable(f"node {node} gave no answer") from None

    async def call(self, node: str, function: str, octets: bytes) -> bytes:
        """What a function of another node answers; raises Unavailable, though it may have been done."""
        try:
            ask = Ask(function=FunctionAsk(name=function, octets=octets))
            return (await self.link(node).ask(ask)).function
        except Interrupted:
            raise Unavailable(f"node {node} gave no answer") from None

    async def at_owner(self, account: int, function: str, octets: bytes) -> bytes:
        """What a function answers of the node that leads an account, this one or another; raises Unavailable,
        though it may have been done, and once more than once."""
        tries = self.tries()
        while True:
            try:
                node = tries.owner or self.owner(keys.partition(account))
                if node == self._map.me.node:
                    self.check(account)
                    return await self.functions[function](octets, self._leases)
                ask = Ask(account=account, function=FunctionAsk(name=function, octets=octets))
                return (await self.link(node).ask(ask)).function
            except (Unavailable, Interrupted) as error:
                await tries.wait(error)

    def tries(self) -> Tries:
        return Tries(self._clock, self.limits)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(link.close() for link in self._links.values()))

    # -- watches

    def attach_later(self, watch: Watched, seconds_min: float = 0.0) -> None:
        """Many come one after another, each at a moment of its own."""
        self._detached += 1
        span = min(self._detached / 1000, float(self.limits.reattach_seconds_max))
        delay = seconds_min + span * _share(self._clock)
        asyncio.get_running_loop().call_later(delay, self._start, self._attach(watch))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _attach(self, watch: Watched) -> None:
        self._detached -= 1
        async with self._attaching:
            if watch.is_closed:
                return
            try:
                await watch.attach()
            except (Unavailable, Interrupted):
                self.attach_later(watch, _PAUSE_SECONDS_LONGEST * _share(self._clock))
            except Exception:
                log.exception("a watch was not attached anew")
                self.attach_later(watch, float(self.limits.reattach_seconds_max))


class Usages:
    """What accounts held some seconds ago."""

    def __init__(self, clock: Clock, limits: Limits) -> None:
        self._clock = clock
        self._limits = limits
        self._usages: OrderedDict[int, tuple[Usage, float]] = OrderedDict()

    def get(self, account: int) -> Usage | None:
        usage, until = self._usages.get(account, (None, 0.0))
        return usage if self._clock.monotonic_seconds() < until else None

    def take(self, account: int, usage: Usage) -> None:
        until = self._clock.monotonic_seconds() + self._limits.usage_lately_seconds_max
        self._usages[account] = usage, until
        self._usages.move_to_end(account)
        if len(self._usages) > self._limits.usages_lately_max:
            self._usages.popitem(last=False)

    def forget(self, account: int) -> None:
        self._usages.pop(account, None)


class Tries:
    """How often, and how long, one verb is asked again."""

    __slots__ = ("_again", "_clock", "_pause", "_seconds_max", "_until", "owner")

    def __init__(self, clock: Clock, limits: Limits) -> None:
        self._clock = clock
        self._seconds_max = limits.remote_wait_seconds_max
        self.owner = ""
        """Whom the node that was asked named as the one to be asked."""
        self.begin()

    def begin(self) -> None:
        """Part of the answer has come: the rest has as long from now on."""
        self._until = self._clock.monotonic_seconds() + self._seconds_max
        self._pause = 0.0
        self._again = 0

    async def wait(self, error: Exception) -> None:
        """Returns when to ask again; raises Unavailable when that is over."""
        if isinstance(error, Interrupted):
            self._again += 1
        named, self.owner = self.owner, getattr(error, "owner", "")
        if self.owner and not named:
            return
        self.owner = ""
        if isinstance(error, Late) or self._again > 1 or self._clock.monotonic_seconds() >= self._until:
            raise Unavailable(str(error) or "the account's node gives no answer") from error
        # Each of many at a moment of its own.
        self._pause = min(max(self._pause * 2, _PAUSE_SECONDS), _PAUSE_SECONDS_LONGEST)
        await asyncio.sleep(self._pause * (1 + _share(self._clock)))


def _share(clock: Clock) -> float:
    return int.from_bytes(clock.random(8), "big") / (1 << 64)

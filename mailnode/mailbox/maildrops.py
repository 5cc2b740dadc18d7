"""Who has the exclusive access to a maildrop (RFC 1939 §4): one session, of whichever node.

The node that leads the account keeps the lock, as long as it hears the session's node. Whose node was away,
or whose account moved, asks for it anew, and loses it to whoever was faster.
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from mailnode.clock import Clock
from mailnode.mailbox.service import Function, Leases
from mailnode.mailbox.verbs import Unavailable
from mailnode.pb.account_pb2 import MaildropAsk

_TAKE, _RELEASE = "maildrop.take", "maildrop.release"
_RELEASE_SECONDS_MAX = 1.0
"""That the end of a session, or the next one, waits for it; it is released all the same."""
_AGAIN_SECONDS = 10.0
"""Before an account's node is asked again that could not be asked for as long."""


class Taken(enum.IntEnum):
    """What was said to who asked for a maildrop."""

    YES = 0
    IN_USE = 1
    TOO_SOON = 2


@dataclass(frozen=True, slots=True)
class _Lock:
    token: bytes
    term: int | None
    """Of the node's lead of the account: one of before is no lock any more."""
    leases: int
    """Which of the streams it is held by."""


class Locks:
    """At the node that leads the accounts. `term(account)`: another number when it leads it anew."""

    def __init__(self, clock: Clock, term: Callable[[int], int | None]) -> None:
        self._clock = clock
        self._term = term
        self._taken: dict[int, _Lock] = {}
        self._last: dict[int, float] = {}  # when an account came last, the oldest first
        self.functions: dict[str, Function] = {_TAKE: self._take, _RELEASE: self._release}

    async def _take(self, octets: bytes, leases: Leases) -> bytes:
        ask = MaildropAsk.FromString(octets)
        taken = self.take(ask, id(leases))
        if taken is Taken.YES:
            leases[_lease(ask.account)] = lambda: self._give_back(ask.account, id(leases))
        return bytes((taken,))

    async def _release(self, octets: bytes, leases: Leases) -> bytes:
        ask = MaildropAsk.FromString(octets)
        lock = self._taken.get(ask.account)
        if lock is not None and lock.token == ask.token:
            del self._taken[ask.account]
            leases.pop(_lease(ask.account), None)
        return b""

    def take(self, ask: MaildropAsk, leases: int) -> Taken:
        """`ask.again`: it was taken before by this token, as far as its owner knows."""
        lock, term = self._taken.get(ask.account), self._term(ask.account)
        is_own = lock is not None and lock.token == ask.token
        if lock is not None and lock.term == term and not is_own:
            return Taken.IN_USE
        if not (ask.again or is_own) and not self._comes(ask):
            return Taken.TOO_SOON
        self._taken[ask.account] = _Lock(ask.token, term, leases)
        return Taken.YES

    def _comes(self, ask: MaildropAsk) -> bool:
        """A login; False: the account's last one was too short a time before."""
        now = self._clock.monotonic_seconds()
        while self._last and next(iter(self._last.values())) + ask.delay_seconds <= now:
            del self._last[next(iter(self._last))]
        if ask.account in self._last:
            return False
        if ask.delay_seconds:
            self._last[ask.account] = now
        return True

    def _give_back(self, account: int, leases: int) -> None:
        """Its stream ended; by another one it may have been taken anew."""
        lock = self._taken.get(account)
        if lock is not None and lock.leases == leases:
            del self._taken[account]


@dataclass(frozen=True, slots=True)
class _Held:
    token: bytes
    lost: Callable[[], None]


class Maildrops:
    """Those that sessions of this node have; a `ties.Holder`."""

    def __init__(self, at_owner: Callable[[int, str, bytes], Awaitable[bytes]], clock: Clock) -> None:
        """`at_owner(account, function, octets)` raises Unavailable."""
        self._at_owner = at_owner
        self._clock = clock
        self._held: dict[int, _Held] = {}
        self._taking: dict[bytes, int] = {}
        """By token."""
        self._overtakings = 0
        self._owed: dict[int, set[bytes]] = {}
        """Tokens that accounts' nodes have, or may have, and nobody here: each is given back."""
        self._releasing: dict[int, asyncio.Task[None]] = {}

    async def take(self, account: int, delay_seconds: int, lost: Callable[[], None]) -> Taken:
        """`delay_seconds`: between two logins. `lost` is called when somebody else has it.

        Raises Unavailable.
        """
        if account in self._releasing:
            await asyncio.wait((self._releasing[account],), timeout=_RELEASE_SECONDS_MAX)
        if account in self._releasing:
            raise Unavailable("the account's node does not know yet that the last session is over")
        ask = MaildropAsk(account=account, token=self._clock.random(16), delay_seconds=delay_seconds)
        self._taking[ask.token] = account
        try:
            taken = await self._take(ask)
        except BaseException:  # it may have been taken all the same
            self._give_back(account, ask.token)
            raise
        finally:
            del self._taking[ask.token]
        if taken is Taken.YES:
            self._held[account] = _Held(ask.token, lost)
        return taken

    async def _take(self, ask: MaildropAsk) -> Taken:
        while True:
            overtakings = self._overtakings
            taken = await self._ask(_TAKE, ask)
            if taken is not Taken.YES or overtakings == self._overtakings:
                return taken

    async def release(self, account: int) -> None:
        """Nothing where it is not held, or was lost."""
        held = self._held.pop(account, None)
        if held is not None:
            await asyncio.wait((self._give_back(account, held.token),), timeout=_RELEASE_SECONDS_MAX)

    async def close(self) -> None:
        for task in self._releasing.values():
            task.cancel()
        await asyncio.gather(*self._releasing.values(), return_exceptions=True)

    def held(self) -> Collection[int]:
        return self._held.keys()

    def taking(self) -> Collection[int]:
        return self._taking.values()

    def overtaken(self, account: int | None) -> None:
        self._overtakings += 1

    async def look(self, account: int) -> None:
        held = self._held[account]
        taken = await self._ask(_TAKE, MaildropAsk(account=account, token=held.token, again=True))
        if taken is not Taken.YES and self._held.get(account) is held:
            del self._held[account]
            held.lost()

    def _give_back(self, account: int, token: bytes) -> asyncio.Task[None]:
        """The account's node keeps the lock as long as it hears this one: it must be told."""
        self._owed.setdefault(account, set()).add(token)
        if account not in self._releasing:
            self._releasing[account] = asyncio.ensure_future(self._release(account))
        return self._releasing[account]

    async def _release(self, account: int) -> None:
        owed = self._owed[account]
        try:
            while owed:
                token = next(iter(owed))
                try:
                    await self._ask_owner(_RELEASE, MaildropAsk(account=account, token=token))
                    owed.remove(token)
                except Unavailable:
                    await asyncio.sleep(_AGAIN_SECONDS)
        finally:
            del self._owed[account], self._releasing[account]

    async def _ask_owner(self, function: str, ask: MaildropAsk) -> bytes:
        return await self._at_owner(ask.account, function, ask.SerializeToString())

    async def _ask(self, function: str, ask: MaildropAsk) -> Taken:
        return Taken((await self._ask_owner(function, ask))[0])


def _lease(account: int) -> bytes:
    return b"maildrop%d" % account

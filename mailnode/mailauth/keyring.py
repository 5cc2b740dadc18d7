"""The keys of a domain through their lives, wherever they are kept.

A key waits until the DNS shows it, signs, retires when a newer one of its kind signs (its record stays, for
mail that is under way), and is revoked: its record says so with an empty `p=`, and the private key is gone.
Each change of a list is a step that is made on the list as it is then, by one at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Protocol

from mailnode.config import ConfigError
from mailnode.domain import Domain
from mailnode.mailauth import key
from mailnode.mailauth.signer import Key

REVOKED = "v=DKIM1; p="  # RFC 6376 §3.6.1
DAY_SECONDS = 86_400
RETIRED_SECONDS = 14 * DAY_SECONDS
"""Mail waits five days in queues (RFC 5321 §4.5.4.1), and a reader may verify later still."""


class State(StrEnum):
    WAITING = "waiting"
    SIGNING = "signing"
    RETIRED = "retired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Held:
    """A key; `since` is when it came into its state, in seconds since 1970."""

    selector: str
    kind: str  # of key.KINDS
    state: State
    since: int


class KeysError(ConfigError):
    """Keys cannot be read or changed; the text is one line for an operator."""


Step = Callable[[Sequence[Held]], Sequence[Held]]


class Kept(Protocol):
    """Where the keys of a domain lie. Each verb raises KeysError."""

    def all(self) -> list[Held]:
        """In the order in which they were made."""

    def private(self, selector: str) -> key.Private: ...

    def is_free(self, selector: str) -> bool:
        """Nothing lies there under that name."""

    async def change(self, step: Step, pem: bytes = b"") -> list[Held]:
        """What `step` made new or another; `pem`: the private part of the one that it made. Private parts of
        those that it revoked go."""


class Keyring:
    """Of one domain. Each verb raises KeysError."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def all(self) -> list[Held]:
        """In the order in which they were made."""
        return self._kept.all()

    def signing(self) -> tuple[Key, ...]:
        return tuple(self.key(held) for held in self.all() if held.state is State.SIGNING)

    def key(self, held: Held) -> Key:
        """What signs by it."""
        return Key(held.selector, self._kept.private(held.selector))

    def record(self, held: Held) -> str:
        """The text of its TXT record."""
        return REVOKED if held.state is State.REVOKED else key.record(self._kept.private(held.selector))

    def records(self) -> list[tuple[str, str]]:
        """Selectors and texts of all records that the domain's zone shall have."""
        return [(held.selector, self.record(held)) for held in self.all()]

    async def generate(self, kind: str, now: int) -> Held:
        """A key that waits for its record."""
        pem = await asyncio.to_thread(key.new, kind)
        (made,) = await self._kept.change(lambda keys: self._more(keys, kind, now), pem)
        return made

    async def revoke(self, selector: str, now: int) -> Held | None:
        """None: there is no such key. Its private part goes."""
        changed = await self._kept.change(partial(_revoked, selector=selector, now=now))
        return next(iter(changed), None) or next(
            (held for held in self.all() if held.selector == selector), None
        )

    async def turn(self, seen: Sequence[str], now: int) -> list[Held]:
        """What is due: keys whose selectors are `seen` in the DNS sign, whom they follow retire, and who has
        been retired for long is revoked. Gives what has changed."""
        step = partial(_turned, seen=frozenset(seen), now=now)
        keys = self.all()
        return [] if step(keys) == keys else await self._kept.change(step)

    async def follow(self, days: int, now: int) -> list[Held]:
        """New keys, each for one that has signed so many days and has no follower."""
        made: list[Held] = []
        for kind in _due(self.all(), days, now):
            pem = await asyncio.to_thread(key.new, kind)
            made += await self._kept.change(partial(self._followed, kind=kind, days=days, now=now), pem)
        return made

    def _followed(self, keys: Sequence[Held], kind: str, days: int, now: int) -> Sequence[Held]:
        return self._more(keys, kind, now) if kind in _due(keys, days, now) else keys

    def _more(self, keys: Sequence[Held], kind: str, now: int) -> Sequence[Held]:
        taken = {held.selector for held in keys}
        number = len(keys) + 1
        while f"m{number}" in taken or not self._kept.is_free(f"m{number}"):
            number += 1
        return [*keys, Held(f"m{number}", kind, State.WAITING, now)]


class Keyrings(Protocol):
    def of(self, domain: Domain) -> Keyring: ...

    def signing(self, domain: Domain) -> Sequence[Key]:
        """As of its keyring, where mail goes out; raises KeysError if it shall rather stay."""

    def may_turn(self) -> bool:
        """This node is one of those that make and turn keys; all read them."""


def _due(keys: Sequence[Held], days: int, now: int) -> list[str]:
    """The kinds."""
    waiting = {held.kind for held in keys if held.state is State.WAITING}
    return [
        held.kind
        for held in keys
        if held.state is State.SIGNING and now - held.since >= days * DAY_SECONDS and held.kind not in waiting
    ]


def _revoked(keys: Sequence[Held], selector: str, now: int) -> Sequence[Held]:
    return [
        replace(held, state=State.REVOKED, since=now)
        if held.selector == selector and held.state is not State.REVOKED
        else held
        for held in keys
    ]


def _turned(keys: Sequence[Held], seen: frozenset[str], now: int) -> list[Held]:
    """Of a kind the newest that is seen signs."""
    newest = {held.kind: held for held in keys if held.state is State.WAITING and held.selector in seen}
    after = []
    for held in keys:
        follower = newest.get(held.kind)
        if held is follower:
            held = replace(held, state=State.SIGNING, since=now)
        elif held.state is State.SIGNING and follower is not None:
            held = replace(held, state=State.RETIRED, since=now)
        elif held.state is State.RETIRED and now - held.since >= RETIRED_SECONDS:
            held = replace(held, state=State.REVOKED, since=now)
        after.append(held)
    return after

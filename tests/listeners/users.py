"""Users that are a plain table, where no listener's own subject is who they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mailnode.directory.attempt import Caller, Identity, Reason
from mailnode.directory.sessions import Sessions
from mailnode.directory.verification import Exchange
from protocols.sasl import scram

SALT, ITERATIONS = b"salt", 4096


class Users:
    """`passwords` by login; all are of one account. `trouble` is what every attempt meets instead."""

    def __init__(self, account: int, passwords: Mapping[str, str]) -> None:
        self.account = account
        self.passwords = passwords
        self.trouble: Reason | None = None
        self.keeps_off: Reason | None = None
        self.sessions = Sessions()
        self.callers: list[Caller] = []

    async def verify(self, login: str, password: str, caller: Caller) -> Identity | Reason:
        self.callers.append(caller)
        if self.trouble is not None:
            return self.trouble
        known = self.passwords.get(login.lower())
        return Reason.WRONG if known is None or known != password else Identity(self.account, 0)

    async def scram(self, login: str, caller: Caller) -> Exchange | Reason:
        self.callers.append(caller)
        if self.trouble is not None:
            return self.trouble
        known = self.passwords.get(login.lower())
        keys = scram.keys((known or "that nobody has").encode(), SALT, ITERATIONS)
        attempt: Any = None
        return Exchange(attempt, (keys,), (None,) if known else ())

    async def kept_off(self, exchange: Exchange) -> Reason | None:
        return self.keeps_off

    async def proven(self, exchange: Exchange, which: int) -> Identity | Reason:
        assert exchange.passwords[which] is None
        return Identity(self.account, 0)

    async def disproved(self, exchange: Exchange) -> None:
        """Nothing is counted here."""

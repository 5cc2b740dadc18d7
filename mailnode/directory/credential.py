"""The credential rows of accounts: what an operator changes of them, and what is derived of passwords.

Whoever changes a row ends the sessions that came in by what it no longer says. The row of an account is
changed by one after another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TypeVar
from weakref import WeakValueDictionary

from mailnode.clock import Clock
from mailnode.config import Domain
from mailnode.directory import application
from mailnode.directory.attempt import Scope
from mailnode.directory.lookup import Owner
from mailnode.directory.password import SALT_OCTETS, Cost, derive, is_outdated, prepare
from mailnode.directory.rows import Accounts, intent_id, small_row
from mailnode.directory.sessions import Sessions
from mailnode.directory.turns import Busy, Turns
from mailnode.limits import Limits
from mailnode.mailbox.verbs import Unavailable
from mailnode.pb.change_pb2 import Intent, PutRow
from mailnode.pb.row_pb2 import ApplicationPassword, CredentialRow, UsedRow
from mailnode.store.damage import Unreadable
from mailnode.store.keys import Kind

T = TypeVar("T")
OPERATOR = b""  # its turns at the pool are those of a network that is none
USED = b"used"
"""Before an application password's id: the key of the row that says when it was used."""


class Unfit(Exception):
    """The text is one line for whoever asked."""


@dataclass(frozen=True, slots=True)
class Hashing:
    """Where passwords are hashed, and what that costs."""

    pool: Executor
    turns: Turns
    cost: Cost

    async def run(self, work: Callable[[], T]) -> T:
        """For who has a turn."""
        return await asyncio.get_running_loop().run_in_executor(self.pool, work)


class Credentials:
    def __init__(
        self, accounts: Accounts, hashing: Hashing, sessions: Sessions, clock: Clock, limits: Limits
    ) -> None:
        self._accounts = accounts
        self._hashing = hashing
        self._sessions = sessions
        self._clock = clock
        self._limits = limits
        self._changing: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    def prepare(self, password: str) -> bytes | None:
        """As it is hashed; None: this cannot be a password."""
        return prepare(password, self._limits.password_octets_max)

    async def row(self, account: int) -> CredentialRow:
        """Empty where there is none; Busy where it cannot be read: no password is wrong for that."""
        try:
            return await small_row(self._accounts, account, CredentialRow, Kind.CREDENTIAL, b"")
        except (Unavailable, Unreadable):
            raise Busy from None

    async def put(self, owner: Owner, row: CredentialRow) -> None:
        """Give the account what was derived; raises NotKnown."""
        await self._put(owner.account, b"", row.SerializeToString())

    async def derived(self, domain: Domain, prepared: bytes, scram_salt: bytes = b"") -> CredentialRow:
        """What is stored of a password; `scram_salt` empty: a new one. Raises Busy."""
        salts = self._clock.random(SALT_OCTETS), scram_salt or self._clock.random(SALT_OCTETS)
        cost = self._hashing.cost
        async with self._hashing.turns.turn(OPERATOR):
            return await self._hashing.run(lambda: derive(prepared, salts, cost, domain))

    # -- the account's own password

    async def write(self, owner: Owner, prepared: bytes) -> None:
        """Give the account this password, and end the sessions of the old one; raises Busy and NotKnown."""
        async with self._changes(owner):
            try:
                before = await self.row(owner.account)
            except Busy:
                before = CredentialRow()  # the new one can be read
            await self._write(owner, prepared, before)
        self._sessions.end(owner.account, 0)

    async def renew(self, owner: Owner, row: CredentialRow, prepared: bytes) -> None:
        """Hash the password, which is right by `row`, as we would today; raises Busy and NotKnown."""
        if not is_outdated(row, self._hashing.cost, owner.domain):
            return
        async with self._changes(owner):
            if row == await self.row(owner.account):
                await self._write(owner, prepared, row)

    async def suspend(self, owner: Owner, suspended: bool) -> None:
        """While it is, nobody is logged in; mail comes in all the same. Raises NotKnown."""
        async with self._changes(owner):
            row = await self.row(owner.account)
            row.suspended = suspended
            await self.put(owner, row)
        if suspended:
            self._sessions.end(owner.account, None)

    async def is_suspended(self, owner: Owner) -> bool:
        try:
            return (await self.row(owner.account)).suspended
        except Busy:
            return False

    async def _write(self, owner: Owner, prepared: bytes, before: CredentialRow) -> None:
        """The salt of SCRAM stays, for the keys of application passwords have it too."""
        row = await self.derived(owner.domain, prepared, before.scram_salt)
        row.suspended = before.suspended
        row.application_passwords.extend(before.application_passwords)
        await self.put(owner, row)

    # -- application passwords

    async def add_application_password(
        self, owner: Owner, name: str, scopes: Sequence[Scope], expires: int
    ) -> str:
        """The password, which is said here and nowhere else; raises Unfit, Busy and NotKnown."""
        async with self._changes(owner):
            row = await self.row(owner.account)
            if any(each.name == name for each in row.application_passwords):
                raise Unfit(f"there is an application password {name!a}: revoke it first")
            if len(row.application_passwords) >= self._limits.application_passwords_max:
                raise Unfit(f"an account has at most {self._limits.application_passwords_max} of them")
            password = application.generated(self._clock)
            made = application.made(self._clock, name, scopes, expires, password)
            if owner.domain.scram:
                row.scram_salt = row.scram_salt or self._clock.random(SALT_OCTETS)
                await self._give_scram_keys(made, password, row.scram_salt)
            row.application_passwords.append(made)
            await self.put(owner, row)
        return password

    async def _give_scram_keys(self, made: ApplicationPassword, password: str, salt: bytes) -> None:
        cost = self._hashing.cost
        async with self._hashing.turns.turn(OPERATOR):
            await self._hashing.run(lambda: application.give_scram_keys(made, password, salt, cost))

    async def application_passwords(self, owner: Owner) -> list[tuple[ApplicationPassword, int]]:
        """Each with the time of its last use in microseconds; 0: never."""
        found = []
        for each in (await self.row(owner.account)).application_passwords:
            key = used_key(each.id)
            used = await small_row(self._accounts, owner.account, UsedRow, Kind.CREDENTIAL, key)
            found.append((each, used.time))
        return found

    async def revoke(self, owner: Owner, name: str) -> None:
        """And end the sessions that came in by it; raises Unfit and NotKnown."""
        async with self._changes(owner):
            row = await self.row(owner.account)
            found = next((each for each in row.application_passwords if each.name == name), None)
            if found is None:
                raise Unfit(f"there is no application password {name!a}")
            row.application_passwords.remove(found)
            await self.put(owner, row)
        self._sessions.end(owner.account, found.id)
        await self._put(owner.account, used_key(found.id), b"")

    async def used(self, account: int, password: int) -> None:
        """An application password has let somebody in; raises NotKnown."""
        row = UsedRow(time=self._clock.now_microseconds())
        await self._put(account, used_key(password), row.SerializeToString())

    def _changes(self, owner: Owner) -> asyncio.Lock:
        return self._changing.setdefault(owner.account, asyncio.Lock())

    async def _put(self, account: int, key: bytes, value: bytes) -> None:
        """`value` empty: drop it."""
        put_row = PutRow(kind=Kind.CREDENTIAL, key=key, value=value)
        opened = await self._accounts.open(account)
        await opened.apply(Intent(id=intent_id(self._clock), put_row=put_row))


def used_key(password: int) -> bytes:
    return USED + password.to_bytes(8, "big")

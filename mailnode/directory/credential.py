"""The credential rows of accounts: what an operator changes of them, and what is derived of passwords.

Whoever changes a row ends the sessions that came in by what it no longer says. What is written is decided by
what was read: who comes second reads again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TypeVar

from mailnode.clock import Clock
from mailnode.directory import application
from mailnode.directory.attempt import Scope
from mailnode.directory.lookup import Owner
from mailnode.directory.password import SALT_OCTETS, Cost, derive, is_outdated, prepare
from mailnode.directory.revocation import Revocation
from mailnode.directory.rows import Accounts, intent_id, parsed, small_row
from mailnode.directory.turns import Turns
from mailnode.domain import Domain
from mailnode.limits import Limits
from mailnode.mailbox.verbs import Unavailable
from mailnode.pb.change_pb2 import Intent, PutRow
from mailnode.pb.row_pb2 import ApplicationPassword, CredentialRow, UsedRow
from mailnode.store.damage import Unreadable
from mailnode.store.keys import Kind

T = TypeVar("T")
Change = Callable[[CredentialRow], Awaitable[bool]]
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
        self, accounts: Accounts, hashing: Hashing, revocation: Revocation, clock: Clock, limits: Limits
    ) -> None:
        self.revocation = revocation
        self._accounts = accounts
        self._hashing = hashing
        self._clock = clock
        self._limits = limits

    def prepare(self, password: str) -> bytes | None:
        """As it is hashed; None: this cannot be a password."""
        return prepare(password, self._limits.password_octets_max)

    async def row(self, account: int) -> CredentialRow:
        """Empty where there is none; raises Unavailable and Unreadable."""
        return await small_row(self._accounts, account, CredentialRow, Kind.CREDENTIAL, b"")

    async def stored(self, account: int) -> bytes:
        """The row as it is stored; raises Unavailable and Unreadable."""
        return await (await self._accounts.open(account)).row(Kind.CREDENTIAL, b"")

    async def give(self, account: int, row: CredentialRow, was: bytes) -> bool:
        """Give the account what was derived, unless another row than `was` is there.

        Raises NotKnown and Unavailable.
        """
        return await self._put(account, b"", row.SerializeToString(), was=was)

    async def derived(self, domain: Domain, prepared: bytes, scram_salt: bytes = b"") -> CredentialRow:
        """What is stored of a password; `scram_salt` empty: a new one. Raises Busy."""
        salts = self._clock.random(SALT_OCTETS), scram_salt or self._clock.random(SALT_OCTETS)
        cost = self._hashing.cost
        async with self._hashing.turns.turn(OPERATOR):
            return await self._hashing.run(lambda: derive(prepared, salts, cost, domain))

    # -- the account's own password

    async def write(self, owner: Owner, prepared: bytes) -> None:
        """Give the account this password, and end the sessions of the old one.

        Raises Busy, NotKnown and Unavailable.
        """

        async def change(row: CredentialRow) -> bool:
            await self._derive_into(row, owner, prepared)
            row.password = int.from_bytes(self._clock.random(8), "big")
            return True

        try:
            await self._change(owner, change, revokes=True)
        except Unreadable:  # the new one can be read
            row = CredentialRow()
            await change(row)
            await self._put(owner.account, b"", row.SerializeToString(), revokes=True)
        await self.revocation.revoked(owner.account)

    async def renew(self, owner: Owner, row: CredentialRow, prepared: bytes) -> None:
        """Hash the password, which is right by `row`, as we would today.

        Raises Busy, Unreadable, NotKnown and Unavailable.
        """
        if not is_outdated(row, self._hashing.cost, owner.domain):
            return

        async def change(now: CredentialRow) -> bool:
            if now != row:
                return False
            await self._derive_into(now, owner, prepared)
            return True

        await self._change(owner, change)

    async def suspend(self, owner: Owner, suspended: bool) -> None:
        """While it is, nobody is logged in; mail comes in all the same.

        Raises Unreadable, NotKnown and Unavailable.
        """

        async def change(row: CredentialRow) -> bool:
            row.suspended = suspended
            row.suspensions += suspended
            return True

        await self._change(owner, change, revokes=suspended)
        if suspended:
            await self.revocation.revoked(owner.account)

    async def is_suspended(self, owner: Owner) -> bool:
        try:
            return (await self.row(owner.account)).suspended
        except (Unavailable, Unreadable):
            return False

    async def _derive_into(self, row: CredentialRow, owner: Owner, prepared: bytes) -> None:
        """The salt of SCRAM stays, for the keys of application passwords have it too."""
        derived = await self.derived(owner.domain, prepared, row.scram_salt)
        for name in ("argon2id", "scram_salt", "scram_iterations", "scram_stored_key", "scram_server_key"):
            setattr(row, name, getattr(derived, name))

    # -- application passwords

    async def add_application_password(
        self, owner: Owner, name: str, scopes: Sequence[Scope], expires: int
    ) -> str:
        """The password, which is said here and nowhere else.

        Raises Unfit, Busy, Unreadable, NotKnown and Unavailable.
        """
        password = application.generated(self._clock)
        made = application.made(self._clock, name, scopes, expires, password)

        async def change(row: CredentialRow) -> bool:
            if any(each.name == name for each in row.application_passwords):
                raise Unfit(f"there is an application password {name!a}: revoke it first")
            if len(row.application_passwords) >= self._limits.application_passwords_max:
                raise Unfit(f"an account has at most {self._limits.application_passwords_max} of them")
            if owner.domain.scram:
                row.scram_salt = row.scram_salt or self._clock.random(SALT_OCTETS)
                await self._give_scram_keys(made, password, row.scram_salt)
            row.application_passwords.append(made)
            return True

        await self._change(owner, change)
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
        """And end the sessions that came in by it.

        Raises Unfit, Unreadable, NotKnown and Unavailable.
        """
        gone = 0

        async def change(row: CredentialRow) -> bool:
            nonlocal gone
            found = next((each for each in row.application_passwords if each.name == name), None)
            if found is None:
                raise Unfit(f"there is no application password {name!a}")
            row.application_passwords.remove(found)
            gone = found.id
            return True

        await self._change(owner, change, revokes=True)
        await self.revocation.revoked(owner.account)
        await self._put(owner.account, used_key(gone), b"")

    async def used(self, account: int, password: int) -> None:
        """An application password has let somebody in; raises NotKnown."""
        row = UsedRow(time=self._clock.now_microseconds())
        await self._put(account, used_key(password), row.SerializeToString())

    async def _change(self, owner: Owner, change: Change, revokes: bool = False) -> None:
        """Read, `change` and write, again where another was faster; nothing is written where it gives False.

        Raises Unreadable, NotKnown and Unavailable.
        """
        while True:
            was = await self.stored(owner.account)
            row = parsed(CredentialRow, owner.account, Kind.CREDENTIAL, b"", was)
            if not await change(row):
                return
            if await self._put(owner.account, b"", row.SerializeToString(), was=was, revokes=revokes):
                return

    async def _put(
        self, account: int, key: bytes, value: bytes, *, was: bytes | None = None, revokes: bool = False
    ) -> bool:
        """`value` empty: drop it. Whether it was done: not where another than `was` is there."""
        put_row = PutRow(kind=Kind.CREDENTIAL, key=key, value=value, was=was, revokes=revokes)
        opened = await self._accounts.open(account)
        result = await opened.apply(Intent(id=intent_id(self._clock), put_row=put_row))
        if result.refused not in ("", "CHANGED"):
            raise Unavailable(result.refused)
        return not result.refused


def used_key(password: int) -> bytes:
    return USED + password.to_bytes(8, "big")

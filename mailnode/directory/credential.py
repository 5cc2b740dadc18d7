"""Whether a password is its owner's.

Hashing runs in a bounded pool. Whoever asks for an address that does not exist waits as long as for a wrong
password and learns as little. A verified password is remembered for a while as a keyed hash, in memory only,
so that a client that logs in every minute costs nothing.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Executor
from hashlib import blake2b
from typing import TypeVar

from mailnode.clock import Clock
from mailnode.config import Domain
from mailnode.directory.lookup import Lookup, Owner
from mailnode.directory.madeup import MadeUp
from mailnode.directory.password import (
    SALT_OCTETS,
    Cost,
    derive,
    is_outdated,
    matches,
    prepare,
)
from mailnode.directory.rows import Accounts, intent_id, parsed
from mailnode.limits import Limits
from mailnode.mailbox.verbs import NotKnown
from mailnode.pb.change_pb2 import Intent, PutRow
from mailnode.pb.row_pb2 import CredentialRow
from mailnode.store.damage import Unreadable
from mailnode.store.keys import Kind
from protocols.sasl import scram

log = logging.getLogger(__name__)
T = TypeVar("T")


class Busy(Exception):
    """As many logins as may wait for the pool do so: try again later."""


class Credentials:
    """The credential rows of accounts. `pool` runs the hashes."""

    def __init__(
        self, accounts: Accounts, lookup: Lookup, pool: Executor, clock: Clock, limits: Limits, cost: Cost
    ) -> None:
        self._accounts = accounts
        self._lookup = lookup
        self._pool = pool
        self._clock = clock
        self._limits = limits
        self._cost = cost
        self._waiting = 0
        self._verified = _Verified(clock, limits)
        self._made_up = MadeUp(accounts, clock, cost)

    def prepare(self, password: str) -> bytes | None:
        """As it is hashed; None: this cannot be a password."""
        return prepare(password, self._limits.password_octets_max)

    async def verify(self, login: str, password: str, peer: str) -> int | None:
        """The id of the account whose address and password these are, else None; raises Busy.

        `peer` is where the attempt came from, for the log.
        """
        owner = await self._lookup.owner(login)
        row = await self._row(owner)
        prepared = self.prepare(password)
        known = prepared is not None and self._verified.is_same(row, prepared)
        right = known or await self._in_pool(lambda: matches(row, prepared, self._cost))
        if owner is None or prepared is None or not right or row.suspended:
            log.warning("authentication failed", extra={"login": login, "peer": peer})
            return None
        if not known:
            self._verified.remember(row, prepared)
            await self._renew(owner, row, prepared)
        return owner.account

    async def scram_keys(self, login: str) -> tuple[int | None, scram.Keys]:
        """The account that a SCRAM exchange with these keys would prove, or None and keys that prove nothing.

        What an address without keys is answered is made up, but the same each time (RFC 5802 §9). Keys of
        another number of iterations would show that there is somebody: they are none until the next login
        with the password derives them anew.
        """
        owner = await self._lookup.owner(login)
        row = await self._row(owner)
        if owner is None or row.suspended or row.scram_iterations != self._cost.scram_iterations:
            return None, await self._made_up.keys(login)
        keys = scram.Keys(row.scram_salt, row.scram_iterations, row.scram_stored_key, row.scram_server_key)
        return owner.account, keys

    async def write(self, owner: Owner, prepared: bytes) -> None:
        """Give the account this password; raises Busy and NotKnown."""
        row = await self.derived(owner.domain, prepared)
        row.suspended = await self.is_suspended(owner)
        await self.put(owner, row)

    async def derived(self, domain: Domain, prepared: bytes) -> CredentialRow:
        """What is stored of a password; raises Busy."""
        salts = self._clock.random(SALT_OCTETS), self._clock.random(SALT_OCTETS)
        return await self._in_pool(lambda: derive(prepared, salts, self._cost, domain))

    async def suspend(self, owner: Owner, suspended: bool) -> None:
        """While it is, nobody logs in; mail comes in all the same. Raises NotKnown."""
        row = await self._row(owner)
        row.suspended = suspended
        await self.put(owner, row)

    async def is_suspended(self, owner: Owner) -> bool:
        try:
            return (await self._row(owner)).suspended
        except Busy:  # a new password makes a row that can be read
            return False

    async def put(self, owner: Owner, row: CredentialRow) -> None:
        """Give the account what was derived; raises NotKnown."""
        put_row = PutRow(kind=Kind.CREDENTIAL, value=row.SerializeToString())
        account = await self._accounts.open(owner.account)
        await account.apply(Intent(id=intent_id(self._clock), put_row=put_row))

    async def _row(self, owner: Owner | None) -> CredentialRow:
        """Empty where there is none; Busy where it cannot be read: no password is wrong for that."""
        if owner is None:
            return CredentialRow()
        account = await self._accounts.open(owner.account)
        try:
            stored = await account.row(Kind.CREDENTIAL, b"")
            return parsed(CredentialRow, owner.account, Kind.CREDENTIAL, b"", stored)
        except Unreadable:
            raise Busy from None

    async def _renew(self, owner: Owner, row: CredentialRow, prepared: bytes) -> None:
        """Only now is the password at hand to hash it as we would today."""
        if not is_outdated(row, self._cost, owner.domain) or row != await self._row(owner):
            return
        try:
            await self.write(owner, prepared)
        except (Busy, NotKnown):
            log.info("old hash kept", extra={"account": f"{owner.account:016x}"})

    async def _in_pool(self, work: Callable[[], T]) -> T:
        if self._waiting >= self._limits.authentication_queue_max:
            raise Busy
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._waiting -= 1


class _Verified:
    """Passwords that were right within the hour, as keyed hashes of the row and the password together.

    So another password, or a new row, is another entry, and nobody need be told of a change.
    """

    def __init__(self, clock: Clock, limits: Limits) -> None:
        self._clock = clock
        self._key = clock.random(32)
        self._seconds = limits.authentication_remembered_seconds
        self._count_max = limits.passwords_remembered_max
        self._until: OrderedDict[bytes, float] = OrderedDict()

    def is_same(self, row: CredentialRow, prepared: bytes) -> bool:
        until = self._until.get(self._digest(row, prepared), 0.0)
        return self._clock.monotonic_seconds() < until

    def remember(self, row: CredentialRow, prepared: bytes) -> None:
        digest = self._digest(row, prepared)
        self._until[digest] = self._clock.monotonic_seconds() + self._seconds
        self._until.move_to_end(digest)
        if len(self._until) > self._count_max:
            self._until.popitem(last=False)

    def _digest(self, row: CredentialRow, prepared: bytes) -> bytes:
        return blake2b(row.argon2id.encode() + b"\0" + prepared, key=self._key, digest_size=32).digest()

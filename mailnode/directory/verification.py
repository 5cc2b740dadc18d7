"""Whether who logs in is who they say.

Hashing runs in a bounded pool. Whoever asks for an address that does not exist waits as long as for a wrong
password and learns as little. A verified password is remembered for a while as a keyed hash, in memory only,
so that a client that logs in every minute costs nothing. How many may fail: `guesses`. Each failure is one
line of the log.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import blake2b

from mailnode.clock import Clock
from mailnode.directory import application
from mailnode.directory.attempt import Caller, Identity, Reason, log_failure
from mailnode.directory.credential import Credentials, Hashing
from mailnode.directory.guesses import Standing
from mailnode.directory.guessing import Guessing
from mailnode.directory.known import Known
from mailnode.directory.lookup import Lookup, Owner
from mailnode.directory.madeup import SECRET_ACCOUNT, MadeUp
from mailnode.directory.password import matches
from mailnode.directory.revocation import stamp
from mailnode.directory.sessions import Login, Sessions
from mailnode.directory.turns import Busy
from mailnode.limits import Limits
from mailnode.mailbox.verbs import NotKnown, Unavailable
from mailnode.pb.row_pb2 import ApplicationPassword, CredentialRow
from mailnode.store.damage import Unreadable
from protocols.sasl import scram

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is known before the password is looked at. `owner` None: there is no such address."""

    caller: Caller
    login: str
    owner: Owner | None
    row: CredentialRow
    standing: Standing
    under_way: Login


@dataclass(frozen=True, slots=True)
class Exchange:
    """What a SCRAM exchange may prove: one of the keys. Those beyond `passwords` are made up."""

    attempt: Attempt
    keys: tuple[scram.Keys, ...]
    passwords: tuple[ApplicationPassword | None, ...]
    """None: the account's own."""


class Verification:
    def __init__(
        self,
        credentials: Credentials,
        lookup: Lookup,
        hashing: Hashing,
        known: Known,
        made_up: MadeUp,
        sessions: Sessions,
        guessing: Guessing,
        clock: Clock,
        limits: Limits,
    ) -> None:
        self.sessions = sessions
        self._credentials = credentials
        self._lookup = lookup
        self._hashing = hashing
        self._known = known
        self._made_up = made_up
        self._clock = clock
        self._keys_max = limits.application_passwords_max + 1
        self._answer_seconds_min = limits.scram_answer_seconds_min
        self._guessing = guessing
        self._verified = _Remembered(clock, limits.authentication_remembered_seconds, limits)
        self._used = _Remembered(clock, limits.application_password_used_seconds, limits)

    def change(self, limits: Limits) -> None:
        """Of guesses, from now on."""
        self._guessing.change(limits)

    async def verify(self, login: str, password: str, caller: Caller) -> Identity | Reason:
        """Whose password for this address it is."""
        attempt = await self._attempt(login, caller)
        if isinstance(attempt, Reason):
            return attempt
        prepared = self._credentials.prepare(password)
        found = await self._found(attempt, prepared)
        if isinstance(found, Reason):
            return await self._failed(attempt, found, prepared or b"")
        return await self._admitted(attempt, found)

    async def scram(self, login: str, caller: Caller) -> Exchange | Reason:
        """What there is to be proven; for an address without keys made up, but the same each time.

        Keys of another number of iterations would show that there is somebody: they are none until the next
        login with the password derives them anew. No hash hides what was read, so the answer waits a little
        (RFC 5802 §9).
        """
        loop = asyncio.get_running_loop()
        due = loop.time() + self._answer_seconds_min
        exchange = await self._scram(login, caller)
        await asyncio.sleep(due - loop.time())
        return exchange

    async def _scram(self, login: str, caller: Caller) -> Exchange | Reason:
        attempt = await self._attempt(login, caller)
        if isinstance(attempt, Reason):
            return attempt
        kept_off = await self._kept_off(attempt)
        if kept_off is not None:
            return await self._failed(attempt, kept_off, b"")
        try:
            row, made_up = attempt.row, await self._made_up.keys(login)
        except (NotKnown, Unavailable):
            return await self._failed(attempt, Reason.UNAVAILABLE, b"")
        every: list[CredentialRow | ApplicationPassword] = [row, *row.application_passwords]
        holders = [each for each in every if each.scram_iterations == made_up.iterations]
        passwords = [each if isinstance(each, ApplicationPassword) else None for each in holders]
        salt = row.scram_salt if holders else made_up.salt
        proofs = [(each.scram_stored_key, each.scram_server_key) for each in holders]
        proofs += [(made_up.stored_key, made_up.server_key)] * (self._keys_max - len(proofs))
        keys = tuple(scram.Keys(salt, made_up.iterations, *proof) for proof in proofs)
        return Exchange(attempt, keys, tuple(passwords))

    async def kept_off(self, exchange: Exchange) -> Reason | None:
        """Why the proof is not looked at, if not: others may have failed meanwhile."""
        kept_off = await self._kept_off(exchange.attempt)
        return kept_off and await self._failed(exchange.attempt, kept_off, b"")

    async def proven(self, exchange: Exchange, which: int) -> Identity | Reason:
        """The exchange has proven these of its keys."""
        return await self._admitted(exchange.attempt, exchange.passwords[which])

    async def disproved(self, exchange: Exchange) -> None:
        await self._failed(exchange.attempt, Reason.WRONG, b"")

    async def _attempt(self, login: str, caller: Caller) -> Attempt | Reason:
        """No password is wrong where a row cannot be read."""
        try:
            return await self._read(login, caller)
        except (Unavailable, Unreadable):
            log_failure(caller, login, Reason.UNAVAILABLE)
            return Reason.UNAVAILABLE

    async def _read(self, login: str, caller: Caller) -> Attempt:
        """As much for an address that does not exist; raises Unavailable and Unreadable."""
        owner = await self._lookup.owner(login)
        account = SECRET_ACCOUNT if owner is None else owner.account
        await self._credentials.revocation.follow(account)
        under_way = self.sessions.attempted(account)
        row = await self._credentials.row(account)
        standing = await self._known.standing(account, caller.source)
        return Attempt(caller, login, owner, row, standing, under_way)

    async def _kept_off(self, attempt: Attempt) -> Reason | None:
        """Why the password is not looked at now."""
        source, standing = attempt.caller.source, attempt.standing
        try:
            delay_seconds = await self._guessing.delay_seconds(attempt.login, source, standing)
        except Unavailable:
            return Reason.UNAVAILABLE
        return Reason.DELAYED if delay_seconds > 0 else None

    async def _found(self, attempt: Attempt, prepared: bytes | None) -> ApplicationPassword | Reason | None:
        """The application password that it is; None: it is the account's own."""
        row = attempt.row
        kept_off = await self._kept_off(attempt)
        if kept_off is not None:
            return kept_off
        if prepared is not None:
            found = application.matching(row, prepared)
            if found is not None:
                return found
            if self._verified.has(row.argon2id.encode() + b"\0" + prepared):
                return None
        try:
            return await self._hashed(attempt, prepared)
        except Busy:
            return Reason.BUSY

    async def _hashed(self, attempt: Attempt, prepared: bytes | None) -> Reason | None:
        """Raises Busy."""
        row, cost = attempt.row, self._hashing.cost
        async with self._hashing.turns.turn(attempt.caller.source.network):
            kept_off = await self._kept_off(attempt)  # others have failed while it waited
            if kept_off is not None:
                return kept_off
            right = await self._hashing.run(lambda: matches(row, prepared, cost))
        if not right or attempt.owner is None or prepared is None:
            return Reason.WRONG
        self._verified.add(row.argon2id.encode() + b"\0" + prepared)
        if not row.suspended:
            await self._renew(attempt.owner, row, prepared)
        return None

    async def _renew(self, owner: Owner, row: CredentialRow, prepared: bytes) -> None:
        """Only now is the password at hand to hash it as we would today."""
        try:
            await self._credentials.renew(owner, row, prepared)
        except (Busy, NotKnown, Unavailable, Unreadable):
            log.info("old hash kept", extra={"account": f"{owner.account:016x}"})

    async def _admitted(self, attempt: Attempt, password: ApplicationPassword | None) -> Identity | Reason:
        """The password is right: may it open this? What was changed meanwhile is looked at the next time."""
        owner = attempt.owner
        assert owner is not None
        if attempt.row.suspended:
            return await self._failed(attempt, Reason.SUSPENDED, b"")
        now = self._clock.now_microseconds()
        reason = None if password is None else application.objection(password, attempt.caller.scope, now)
        if reason is not None:
            return await self._failed(attempt, reason, b"")
        await self._known.remember(owner.account, attempt.caller.source)
        if password is not None:
            await self._note_use(owner.account, password.id)
        if attempt.under_way.is_overtaken:
            return await self._failed(attempt, Reason.BUSY, b"")
        by = 0 if password is None else password.id
        return Identity(owner.account, by, stamp(attempt.row, by))

    async def _note_use(self, account: int, password: int) -> None:
        key = b"%d %d" % (account, password)
        if self._used.has(key):
            return
        try:
            await self._credentials.used(account, password)
        except (NotKnown, Unavailable):
            return
        self._used.add(key)

    async def _failed(self, attempt: Attempt, reason: Reason, prepared: bytes) -> Reason:
        if reason is Reason.WRONG:
            source, standing = attempt.caller.source, attempt.standing
            if not await self._guessing.failed(attempt.login, source, standing, prepared):
                reason = Reason.REPEATED
        log_failure(attempt.caller, attempt.login, reason)
        return reason


class _Remembered:
    """Octets of a while ago, as keyed hashes."""

    def __init__(self, clock: Clock, seconds: int, limits: Limits) -> None:
        self._clock = clock
        self._key = clock.random(32)
        self._seconds = seconds
        self._count_max = limits.passwords_remembered_max
        self._until: OrderedDict[bytes, float] = OrderedDict()

    def has(self, octets: bytes) -> bool:
        return self._clock.monotonic_seconds() < self._until.get(self._digest(octets), 0.0)

    def add(self, octets: bytes) -> None:
        digest = self._digest(octets)
        self._until[digest] = self._clock.monotonic_seconds() + self._seconds
        self._until.move_to_end(digest)
        if len(self._until) > self._count_max:
            self._until.popitem(last=False)

    def _digest(self, octets: bytes) -> bytes:
        return blake2b(octets, key=self._key, digest_size=32).digest()

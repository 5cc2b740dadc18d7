"""Who the peer is: runs a SASL exchange, or a plain login, against the credentials, for all protocols.

One `Authentication` a connection. A listener's rows call it and say the outcome in their protocol's words:

    await begin(mechanism, initial)    for SMTP AUTH, IMAP AUTHENTICATE, POP3 AUTH; `initial` None: none came
    await proceed(response)            for what the client said to the last Challenge
    await login(user, password)        for IMAP LOGIN, POP3 USER and PASS

    Challenge(octets)                  send it; the client's response goes to `proceed`
    Authenticated(account, login)      the account's id, and who the client said to be (for logs and traces)
    Refusal                            WRONG, MALFORMED, or try again later: BUSY, DELAYED
    exhausted                          after a refusal: say it and close, the peer is guessing
    left()                             the session is over, or begins anew without a user

An exchange that the client gave up needs no word here: `begin` starts anew. Which mechanisms are offered, and
that no password is taken outside TLS, is the session's business; `begin` knows those of `MECHANISMS`.
"""

from __future__ import annotations

import enum
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from mailnode.clock import Clock
from mailnode.directory.address import canonical
from mailnode.directory.attempt import Caller, Identity, Reason, Scope, log_failure
from mailnode.directory.sessions import Sessions
from mailnode.directory.verification import Exchange
from mailnode.limits import Limits
from protocols.fault import Fault
from protocols.sasl import scram
from protocols.sasl.plain import LoginServer, PlainServer
from protocols.sasl.step import Challenge, Credentials, KeysWanted, Proven, Server, Step

NONCE_OCTETS = 18  # RFC 5802 §5.1 leaves the length open; 144 bits

PLUS = "-PLUS"
BOUND = frozenset({Scope.IMAP})
"""Where -PLUS is offered: Mutt of Debian 12 takes it up at submission, and then has nothing to bind."""

Bindings = Mapping[bytes, bytes]
"""What the channel can be bound to, by cb-name."""

MECHANISMS: Mapping[str, Callable[[bytes, Bindings], Server]] = {
    "PLAIN": lambda nonce, bindings: PlainServer(),
    "LOGIN": lambda nonce, bindings: LoginServer(),
    "SCRAM-SHA-256": scram.Server,
    "SCRAM-SHA-256-PLUS": scram.PlusServer,
}


def offered(mechanisms: Sequence[str], bindings: Bindings) -> tuple[str, ...]:
    """Each with its -PLUS before it, where there is one and the channel can be bound (RFC 5802 §6)."""
    names: list[str] = []
    for name in mechanisms:
        if bindings and name + PLUS in MECHANISMS:
            names.append(name + PLUS)
        names.append(name)
    return tuple(names)


class Verifier(Protocol):
    """What is asked of `directory.verification.Verification`."""

    sessions: Sessions

    async def verify(self, login: str, password: str, caller: Caller) -> Identity | Reason: ...

    async def scram(self, login: str, caller: Caller) -> Exchange | Reason: ...

    async def kept_off(self, exchange: Exchange) -> Reason | None: ...

    async def proven(self, exchange: Exchange, which: int) -> Identity | Reason: ...

    async def disproved(self, exchange: Exchange) -> None: ...


class Conversation(Protocol):
    """What is asked of the conversation."""

    @property
    def bindings(self) -> Bindings: ...

    def revoke(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Authenticated:
    account: int
    login: str


class Refusal(enum.Enum):
    WRONG = "wrong name or password"
    MALFORMED = "the exchange does not go as the mechanism says"
    BUSY = "too many logins at this moment"
    UNAVAILABLE = "the account cannot be read at this moment"
    DELAYED = "too many failures before this"


_REFUSALS: Mapping[Reason, Refusal] = {
    Reason.BUSY: Refusal.BUSY,
    Reason.UNAVAILABLE: Refusal.UNAVAILABLE,
    Reason.DELAYED: Refusal.DELAYED,
    Reason.MALFORMED: Refusal.MALFORMED,
}
"""All else is a wrong password to the peer."""

Outcome = Challenge | Authenticated | Refusal


class Authentication:
    """Of one conversation, which is told to end when the login is no longer good."""

    __slots__ = (
        "_caller",
        "_clock",
        "_conversation",
        "_exchange",
        "_failures",
        "_failures_max",
        "_over",
        "_proving",
        "_verifier",
    )

    def __init__(
        self,
        verifier: Verifier,
        clock: Clock,
        limits: Limits,
        caller: Caller,
        conversation: Conversation,
    ) -> None:
        self._verifier = verifier
        self._clock = clock
        self._caller = caller
        self._conversation = conversation
        self._failures_max = limits.authentication_failures_max
        self._failures = 0
        self._exchange: Server | None = None
        self._proving: Exchange | None = None  # the SCRAM keys at work
        self._over: Callable[[], None] | None = None  # tells that the session is

    @property
    def exhausted(self) -> bool:
        return self._failures >= self._failures_max

    async def begin(self, mechanism: str, initial: bytes | None) -> Outcome:
        """`mechanism` in capitals; a KeyError otherwise, for the session let an unoffered one through."""
        nonce = b64encode(self._clock.random(NONCE_OCTETS))
        bindings = self._conversation.bindings if self._caller.scope in BOUND else {}
        self._exchange, self._proving = MECHANISMS[mechanism](nonce, bindings), None
        if initial is None:
            return self._exchange.start()
        return await self.proceed(initial)

    async def proceed(self, response: bytes) -> Outcome:
        exchange = self._exchange
        assert exchange is not None
        if self._proving is not None:
            kept_off = await self._verifier.kept_off(self._proving)
            if kept_off is not None:
                return self._refused(kept_off)
        step = exchange.step(response)
        if isinstance(step, KeysWanted):
            return await self._keys(exchange, step.authcid)
        if isinstance(step, Challenge):
            return step
        self._exchange = None
        return await self._end_of_exchange(step)

    async def login(self, user: str, password: str) -> Authenticated | Refusal:
        return self._concluded(await self._verifier.verify(user, password, self._caller), user)

    def left(self) -> None:
        if self._over is not None:
            self._over()
            self._over = None

    async def _keys(self, exchange: Server, login: str) -> Challenge | Refusal:
        proving = await self._verifier.scram(login, self._caller)
        if isinstance(proving, Reason):
            return self._refused(proving)
        assert isinstance(exchange, scram.Server)
        self._proving = proving
        return exchange.keys(proving.keys)

    async def _end_of_exchange(self, step: Step) -> Authenticated | Refusal:
        if isinstance(step, Fault):
            return self._refused(await self._fault(step))
        assert isinstance(step, Credentials | Proven)
        if step.authzid and canonical(step.authzid) != canonical(step.authcid):
            log_failure(self._caller, step.authcid, Reason.WRONG)  # nobody may act as somebody else
            return self._refused(Reason.WRONG)
        if isinstance(step, Credentials):
            return await self.login(step.authcid, step.password)
        assert self._proving is not None
        return self._concluded(await self._verifier.proven(self._proving, step.which), step.authcid)

    async def _fault(self, fault: Fault) -> Reason:
        """RFC 5802 §7: a proof that is wrong is a wrong password, anything else a broken client."""
        if fault.code == "invalid-proof" and self._proving is not None:
            await self._verifier.disproved(self._proving)
            return Reason.WRONG
        log_failure(self._caller, "", Reason.MALFORMED)
        return Reason.MALFORMED

    def _concluded(self, outcome: Identity | Reason, login: str) -> Authenticated | Refusal:
        """Nothing is awaited from the last look at the account to here: no change of it falls in between."""
        if isinstance(outcome, Reason):
            return self._refused(outcome)
        self.left()
        self._over = self._verifier.sessions.begin(outcome, self._conversation.revoke)
        return Authenticated(outcome.account, login)

    def _refused(self, reason: Reason) -> Refusal:
        if reason not in (Reason.BUSY, Reason.UNAVAILABLE):
            self._failures += 1
        return _REFUSALS.get(reason, Refusal.WRONG)

"""Who the peer is: runs a SASL exchange, or a plain login, against the credentials, for all protocols.

One `Authentication` a connection. A listener's rows call it and say the outcome in their protocol's words:

    await begin(mechanism, initial)    for SMTP AUTH, IMAP AUTHENTICATE, POP3 AUTH; `initial` None: none came
    await proceed(response)            for what the client said to the last Challenge
    await login(user, password)        for IMAP LOGIN, POP3 USER and PASS

    Challenge(octets)                  send it; the client's response goes to `proceed`
    Authenticated(account, login)      the account's id, and who the client said to be (for logs and traces)
    Refusal                            WRONG, MALFORMED, or BUSY: try again later
    exhausted                          after a refusal: say it and close, the peer is guessing

An exchange that the client gave up needs no word here: `begin` starts anew. Which mechanisms are offered, and
that no password is taken outside TLS, is the session's business; `begin` knows those of `MECHANISMS`.
"""

from __future__ import annotations

import enum
import logging
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from mailnode.clock import Clock
from mailnode.directory.address import canonical
from mailnode.directory.credential import Busy
from mailnode.limits import Limits
from protocols.fault import Fault
from protocols.sasl import scram
from protocols.sasl.plain import LoginServer, PlainServer
from protocols.sasl.step import Challenge, Credentials, KeysWanted, Proven, Server, Step

log = logging.getLogger(__name__)

NONCE_OCTETS = 18  # RFC 5802 §5.1 leaves the length open; 144 bits

MECHANISMS: Mapping[str, Callable[[Clock], Server]] = {
    "PLAIN": lambda clock: PlainServer(),
    "LOGIN": lambda clock: LoginServer(),
    "SCRAM-SHA-256": lambda clock: scram.Server(b64encode(clock.random(NONCE_OCTETS))),
}


class Verifier(Protocol):
    """What is asked of `directory.credential.Credentials`."""

    async def verify(self, login: str, password: str, peer: str) -> int | None: ...

    async def scram_keys(self, login: str) -> tuple[int | None, scram.Keys]: ...


@dataclass(frozen=True, slots=True)
class Authenticated:
    account: int
    login: str


class Refusal(enum.Enum):
    WRONG = "wrong name or password"
    MALFORMED = "the exchange does not go as the mechanism says"
    BUSY = "too many logins at this moment"


Outcome = Challenge | Authenticated | Refusal


class Authentication:
    """`host` is where the peer speaks from, for the log."""

    __slots__ = (
        "_account",
        "_clock",
        "_exchange",
        "_failures",
        "_failures_max",
        "_host",
        "_login",
        "_verifier",
    )

    def __init__(self, verifier: Verifier, clock: Clock, limits: Limits, host: str) -> None:
        self._verifier = verifier
        self._clock = clock
        self._host = host
        self._failures_max = limits.authentication_failures_max
        self._failures = 0
        self._exchange: Server | None = None
        self._account: int | None = None  # whose SCRAM keys are at work, and who the client says to be
        self._login = ""

    @property
    def exhausted(self) -> bool:
        return self._failures >= self._failures_max

    async def begin(self, mechanism: str, initial: bytes | None) -> Outcome:
        """`mechanism` in capitals; a KeyError otherwise, for the session let an unoffered one through."""
        self._exchange = MECHANISMS[mechanism](self._clock)
        if initial is None:
            return self._exchange.start()
        return await self.proceed(initial)

    async def proceed(self, response: bytes) -> Outcome:
        exchange = self._exchange
        assert exchange is not None
        step = exchange.step(response)
        if isinstance(step, KeysWanted):
            self._login = step.authcid
            self._account, keys = await self._verifier.scram_keys(step.authcid)
            assert isinstance(exchange, scram.Server)
            return exchange.keys(keys)
        if isinstance(step, Challenge):
            return step
        self._exchange = None
        return await self._end(step)

    async def login(self, user: str, password: str) -> Authenticated | Refusal:
        try:
            account = await self._verifier.verify(user, password, self._host)
        except Busy:
            return Refusal.BUSY
        return self._counted(Refusal.WRONG) if account is None else Authenticated(account, user)

    async def _end(self, step: Step) -> Authenticated | Refusal:
        if isinstance(step, Fault):
            # RFC 5802 §7: a proof that is wrong is a wrong password, anything else a broken client
            proof = step.code == "invalid-proof"
            return self._wrong(self._login) if proof else self._counted(Refusal.MALFORMED)
        assert isinstance(step, Credentials | Proven)
        if step.authzid and canonical(step.authzid) != canonical(step.authcid):
            return self._wrong(step.authcid)  # nobody may act as somebody else
        if isinstance(step, Credentials):
            return await self.login(step.authcid, step.password)
        if self._account is None:
            return self._wrong(step.authcid)
        return Authenticated(self._account, step.authcid)

    def _wrong(self, login: str) -> Refusal:
        log.warning("authentication failed", extra={"login": login, "peer": self._host})
        return self._counted(Refusal.WRONG)

    def _counted(self, refusal: Refusal) -> Refusal:
        self._failures += 1
        return refusal

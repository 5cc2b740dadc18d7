"""Verification, with its outcomes counted and its time taken."""

from __future__ import annotations

from mailnode.directory.attempt import Caller, Identity, Reason
from mailnode.directory.verification import Exchange, Verification
from mailnode.metrics import Metrics


class Measured:
    """Counts an attempt when its outcome is known: SCRAM's at its proof."""

    def __init__(self, verification: Verification, metrics: Metrics) -> None:
        self.sessions = verification.sessions
        self._verification = verification
        self._metrics = metrics
        self._taken = metrics.login_seconds.of()

    async def verify(self, login: str, password: str, caller: Caller) -> Identity | Reason:
        began = self._metrics.seconds()
        outcome = await self._verification.verify(login, password, caller)
        self._taken.observe(self._metrics.seconds() - began)
        return self._counted(outcome, caller)

    async def scram(self, login: str, caller: Caller) -> Exchange | Reason:
        outcome = await self._verification.scram(login, caller)
        if isinstance(outcome, Reason):
            self._counted(outcome, caller)
        return outcome

    async def kept_off(self, exchange: Exchange) -> Reason | None:
        reason = await self._verification.kept_off(exchange)
        if reason is not None:
            self._counted(reason, exchange.attempt.caller)
        return reason

    async def proven(self, exchange: Exchange, which: int) -> Identity | Reason:
        return self._counted(await self._verification.proven(exchange, which), exchange.attempt.caller)

    async def disproved(self, exchange: Exchange) -> None:
        await self._verification.disproved(exchange)
        self._counted(Reason.WRONG, exchange.attempt.caller)

    def _counted(self, outcome: Identity | Reason, caller: Caller) -> Identity | Reason:
        result = outcome.value if isinstance(outcome, Reason) else "right"
        self._metrics.logins.add((caller.scope.value, result))
        return outcome

"""Attempts to log in, in few words."""

from mailnode.directory.attempt import Caller, Identity, Scope
from mailnode.directory.source import source_of
from mailnode.directory.verification import Verification

HOST = "192.0.2.1"


def caller(host: str = HOST, scope: Scope = Scope.IMAP) -> Caller:
    return Caller(source_of(host), scope)


async def verified(verification: Verification, login: str, password: str) -> int | None:
    """The account whose password for this address it is; None: refused, for whatever reason."""
    outcome = await verification.verify(login, password, caller())
    return outcome.account if isinstance(outcome, Identity) else None

"""One attempt to log in: by whom, from where, to what; and why it failed."""

from __future__ import annotations

import enum
import logging
from dataclasses import dataclass, field

from mailnode.directory.source import Source

log = logging.getLogger(__name__)


class Scope(enum.StrEnum):
    """What a login is for; an application password opens some of it."""

    IMAP = "imap"
    POP3 = "pop3"
    SMTP = "smtp"


@dataclass(frozen=True, slots=True)
class Caller:
    source: Source
    scope: Scope


@dataclass(frozen=True, slots=True)
class Identity:
    """Who has logged in, and by which password: 0 is the account's own, else an application password."""

    account: int
    password: int
    stamp: bytes = field(default=b"", compare=False)
    """What the credentials said of it (`revocation`)."""


class Reason(enum.StrEnum):
    """Why an attempt failed, as the log says it (docs/fail2ban reads it). The peer learns less."""

    WRONG = "wrong"
    REPEATED = "repeated"  # the same wrong password again: an old one in some device, not a guess
    MALFORMED = "malformed"
    SUSPENDED = "suspended"
    SCOPE = "scope"  # an application password that is not for this
    EXPIRED = "expired"  # one that was
    DELAYED = "delayed"  # too many failures before: the password was not looked at
    BUSY = "busy"  # too many wait for the hash, or the account was changed meanwhile
    UNAVAILABLE = "unavailable"  # what says so cannot be read now


def log_failure(caller: Caller, login: str, reason: Reason) -> None:
    """One line. What the peer chose stands last, so that it cannot pass for any other part of the line."""
    extra = {"peer": caller.source.host, "service": caller.scope, "reason": reason, "login": login}
    log.warning("authentication failed", extra=extra)

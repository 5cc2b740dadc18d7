"""What a session asks for, and what it can be answered, as frozen values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from protocols.sasl.step import Challenge

# ---- events --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answered:
    """The session answers by itself: `send(event, Done())` gives the octets. A long list is several."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class Dismissed:
    """The peer made too many mistakes: `send(event, Done())`, then close."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class StartTls:
    """STLS, RFC 2595 §4: `send(event, Done())`, then TLS and a new session."""


@dataclass(frozen=True, slots=True)
class Login:
    """USER and PASS. Answer: Opened or Refused."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Authenticate:
    """AUTH. `mechanism` in capitals, one of the policy's; `initial` None: there was none.

    Answer: Challenge, Opened or Refused.
    """

    mechanism: str
    initial: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class AuthenticateResponse:
    """What the client said to the last challenge. Answer: as to Authenticate."""

    octets: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Retr:
    """A message, or with TOP its header and some lines. `index` counts from 0 in the maildrop opened.

    Answer: any number of Octets, the message from its start, then Done; or Refused instead of all that. With
    TOP `Session.wants_octets` tells when there is no need for more.
    """

    index: int


@dataclass(frozen=True, slots=True)
class Quit:
    """The end. Remove these messages (by index, ascending), then answer Done or Refused, and close.

    `retrieved` are those of the others that RETR has given to their end.
    """

    deleted: Sequence[int]
    retrieved: Sequence[int] = ()


Event = Answered | Dismissed | StartTls | Login | Authenticate | AuthenticateResponse | Retr | Quit

# ---- answers -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Maildrop:
    """The messages as they are now: octets of each, and their unique-ids (1-70 of %x21-7E, RFC 1939 §7)."""

    sizes: Sequence[int]
    unique_id: Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Opened:
    """The user is known, and the maildrop is locked for this session."""

    maildrop: Maildrop


@dataclass(frozen=True, slots=True)
class Refused:
    """-ERR. `code` is empty or a response code: AUTH, IN-USE, LOGIN-DELAY, SYS/TEMP, SYS/PERM."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Octets:
    octets: bytes


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing more to say to this event."""


Answer = Opened | Refused | Octets | Done | Challenge

"""A listener as a value: everything that distinguishes a protocol, or a port of it, from another."""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from mailnode.listeners.conversation import Conversation


class Session(Protocol):
    """The three verbs (docs/architecture.md)."""

    def feed(self, octets: bytes, /) -> None: ...

    def next(self) -> Any | None: ...

    def send(self, event: Any, answer: Any, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end: its address and port; an empty one and 0 over a unix socket."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Tls:
    """What was negotiated, in OpenSSL's words: `TLSv1.3`, `TLS_AES_256_GCM_SHA384`."""

    version: str
    cipher: str


S = TypeVar("S")


class Goodbye(enum.Enum):
    """Why we end a conversation that the peer would have gone on with."""

    FAILED = "our own mistake"
    SILENT = "the peer said nothing for too long"
    STOPPING = "the node stops"
    REVOKED = "the login is no longer good"
    DISPOSSESSED = "another session has what this one had for itself"


@dataclass(frozen=True, slots=True)
class Listener(Generic[S]):
    """One row for each type of event, and what surrounds the rows; the rows of a connection share an S.

    `session` makes a session for a conversation, at its begin and again after STARTTLS: it reads `peer` and
    `tls`. `state` makes the S, once. `opened` says the greeting; `closed` gives back what S holds.
    `refusal` is said instead of a greeting when too many are connected. `goodbye` gives the last octets; it
    sees the session, so that it can stay silent in the middle of an answer.
    """

    name: str
    session: Callable[[Conversation[S]], Session]
    state: Callable[[Conversation[S]], S]
    opened: Callable[[S], Awaitable[None]]
    rows: Mapping[type, Callable[[S, Any], Awaitable[None]]]
    closed: Callable[[S], Awaitable[None]]
    refusal: bytes
    goodbye: Callable[[Any, Goodbye], bytes]
    silence_seconds_max: int

"""What a session gives: frozen events. One with a `reply` is settled: send that, or a refusal instead.

Events of one mail transaction carry its number, which rises within a session.
"""

from __future__ import annotations

from dataclasses import dataclass

from protocols.smtp.envelope import MailParameters, Path
from protocols.smtp.reply import Reply


@dataclass(frozen=True, slots=True)
class Answered:
    """A command that asks nothing of anybody, or a peer's mistake."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Hello:
    """EHLO, HELO or LHLO, RFC 5321 §4.1.1.1. `extended`: not HELO. Ends a transaction like RSET."""

    name: bytes
    extended: bool
    reply: Reply


@dataclass(frozen=True, slots=True)
class Mail:
    """RFC 5321 §4.1.1.2. Answer: a Reply; a positive one opens the transaction."""

    transaction: int
    reverse_path: Path
    parameters: MailParameters


@dataclass(frozen=True, slots=True)
class Rcpt:
    """RFC 5321 §4.1.1.3. Answer: a Reply."""

    transaction: int
    forward_path: Path


@dataclass(frozen=True, slots=True)
class Data:
    """Content is about to come, by DATA or the first BDAT. Answer: GO_ON or a refusal, which ends it all.

    After GO_ON come Chunks and one LastChunk, or ContentRefused, or Reset when the peer gives up.
    """

    transaction: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """Content, unstuffed, with CRLF line ends, at most 256 KiB. No answer."""

    transaction: int
    octets: bytes


@dataclass(frozen=True, slots=True)
class LastChunk:
    """The end of content. Answer: a Reply; with LMTP a tuple of them, one for each accepted recipient."""

    transaction: int
    octets: bytes


@dataclass(frozen=True, slots=True)
class ContentRefused:
    """The content ended, but it is too long or holds what mail must not: forget the transaction."""

    transaction: int
    reply: Reply


@dataclass(frozen=True, slots=True)
class Reset:
    """RSET: forget the transaction, RFC 5321 §4.1.1.5."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class StartTls:
    """RFC 3207. After a positive answer this session gives and reads nothing more."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Auth:
    """RFC 4954 §4. Answer: a Challenge, or a Reply; 235 ends well.

    `initial` is None when the client waits for the server's first challenge.
    """

    mechanism: str
    initial: bytes | None


@dataclass(frozen=True, slots=True)
class AuthResponse:
    """What the client says to a challenge. Answer: as to Auth."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class AuthCancelled:
    """The client gave up the exchange, or sent what is no base64."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Goodbye:
    """QUIT, or the peer made too many errors: send the reply and close."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Challenge:
    """An answer, not an event: the server's turn in a SASL exchange."""

    octets: bytes


Event = (
    Answered
    | Hello
    | Mail
    | Rcpt
    | Data
    | Chunk
    | LastChunk
    | ContentRefused
    | Reset
    | StartTls
    | Auth
    | AuthResponse
    | AuthCancelled
    | Goodbye
)
Answer = Reply | tuple[Reply, ...] | Challenge

"""What a client asked, as frozen values: what `Session.next` gives.

Every event is answered by `Session.send(event, answer)`: any number of octets of untagged responses, then one
end (`Ok`, `No`, `Bad`). What the answers are to some events in particular:

    Reply                 the session knows the answer: `send(event, event.answer)`
    Login                 Ok: the session adds the capabilities, and is AUTHENTICATED from then on
    Authenticate          Challenge(octets): the next event is AuthenticateResponse; or Ok, No, Bad
    AuthenticateResponse  the same; Challenge, Ok, No or Bad ends this event
    StartTls              Ok, then the TLS handshake and a new session: `Session.over`
    Select                responses of `response.selected`, then Ok with code READ-WRITE or READ-ONLY; a No
                          leaves no mailbox selected (RFC 9051 §6.3.2)
    Append                GoOn(): Chunk events follow and one LastChunk; or No, which ends it
    NextMessage           as Append: GoOn(), and its Chunks follow; or No, which ends the APPEND
    Chunk                 is not answered. A No or Bad to `event.append` ends the APPEND before its end: the
                          rest of the literal is swallowed and nothing of it comes any more
    AppendBroken          instead of LastChunk: `send(event, event.answer)`
    LastChunk             Ok (with code APPENDUID) once the message is stored, or No
    Idle                  GoOn(): from then on `send(None, updates)` at any time; the next event is IdleDone
    IdleDone              Ok: it ends the IDLE command; Idle itself gets no end
    Logout                Ok: the session says BYE before it; then close
    Goodbye               the session gives up: `send(event, event.answer)`, then close

Mailbox names are full names as Unicode text, "/" between levels, INBOX in capitals wherever it is the first
level; `spelled` is the name as the client wrote it, empty where that is the same. Flags are as sent, each
once, system flags in the case of RFC 9051 §2.3.2 (`\\Seen`).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from protocols.imap.answer import Answer, Bad, Bye, No
from protocols.imap.fetch import Plan
from protocols.imap.resync import Known
from protocols.imap.search import Key, Return
from protocols.imap.sequence import SequenceSet


@dataclass(frozen=True, slots=True)
class Reply:
    """What the session answers by itself: syntax errors, CAPABILITY, ENABLE, go-on for small literals."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class Goodbye:
    """The client broke the protocol beyond repair, or too often."""

    answer: Bye


# ---- any state -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Noop:
    """NOOP, RFC 9051 §6.1.2, and CHECK, RFC 3501 §6.4.1: untagged updates, then Ok."""


@dataclass(frozen=True, slots=True)
class Logout:
    """RFC 9051 §6.1.3."""


@dataclass(frozen=True, slots=True)
class Id:
    """RFC 2971: what the client says of itself; an absent value is ""."""

    parameters: tuple[tuple[str, str], ...]


# ---- not authenticated ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StartTls:
    """RFC 9051 §6.2.1."""


@dataclass(frozen=True, slots=True)
class Login:
    """RFC 9051 §6.2.3; comes only where plain text is allowed."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Authenticate:
    """RFC 9051 §6.2.2. `mechanism` in capitals, one of the policy's; `initial` None: there was none."""

    mechanism: str
    initial: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class AuthenticateResponse:
    """The client's answer to a challenge, out of its base64."""

    octets: bytes = field(repr=False)


# ---- authenticated -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Compress:
    """RFC 4978 §3: DEFLATE, the one mechanism there is, has not begun yet. After Ok it does."""


@dataclass(frozen=True, slots=True)
class Select:
    """SELECT, or with `examine` EXAMINE, RFC 9051 §6.3.2-3. What was selected before is not any more.

    `condstore`: with a parameter that enables it (RFC 7162 §3.1.8); `known`: QRESYNC's arguments (§3.2.5).
    """

    mailbox: str
    examine: bool
    condstore: bool = False
    known: Known | None = None
    spelled: str = ""


@dataclass(frozen=True, slots=True)
class Create:
    """RFC 9051 §6.3.4; `special_use` (RFC 6154 §3) such as ("\\\\Sent",). A "/" at the end was dropped."""

    mailbox: str
    special_use: tuple[str, ...] = ()
    spelled: str = ""


@dataclass(frozen=True, slots=True)
class Delete:
    mailbox: str
    spelled: str = ""


@dataclass(frozen=True, slots=True)
class Rename:
    mailbox: str
    new_name: str
    spelled: str = ""


@dataclass(frozen=True, slots=True)
class Subscribe:
    mailbox: str


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    mailbox: str


@dataclass(frozen=True, slots=True)
class List:
    """LIST, RFC 9051 §6.3.9 with RFC 5258, 5819, 6154. `listing.answer` says what to answer.

    `select` holds of SUBSCRIBED, REMOTE, RECURSIVEMATCH, SPECIAL-USE; `returns` of SUBSCRIBED, CHILDREN,
    SPECIAL-USE; `status` the items of RETURN (STATUS (...)), empty when it was not asked. `extended`: it was
    said in one of the ways of RFC 5258 §1.
    """

    reference: str
    patterns: tuple[str, ...]
    select: frozenset[str] = frozenset()
    returns: frozenset[str] = frozenset()
    status: tuple[str, ...] = ()
    extended: bool = False


@dataclass(frozen=True, slots=True)
class Lsub:
    """RFC 3501 §6.3.9."""

    reference: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Namespace:
    """RFC 9051 §6.3.10."""


@dataclass(frozen=True, slots=True)
class Status:
    """RFC 9051 §6.3.11; items in capitals: MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN DELETED SIZE ..."""

    mailbox: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GetQuota:
    """RFC 9208 §4.1.1."""

    root: str


@dataclass(frozen=True, slots=True)
class GetQuotaRoot:
    """RFC 9208 §4.1.2."""

    mailbox: str


class LiteralKind(enum.Enum):
    PLAIN = "{}"
    LITERAL8 = "~{}"  # RFC 3516 §4.4: octets kept as they are, NUL allowed


@dataclass(frozen=True, slots=True, eq=False)
class Append:
    """RFC 9051 §6.3.12. `internal_date` in seconds since 1970-01-01 UTC; None when the client gave none.

    `size` is what the client announced; of a PLAIN literal the Chunks hold more where a bare LF became CRLF.
    `utf8`: the literal stands in UTF8 (...), RFC 6855 §4; `enabled`: what the
    client had enabled.
    """

    mailbox: str
    flags: tuple[str, ...]
    internal_date: int | None
    size: int
    kind: LiteralKind
    utf8: bool = False
    enabled: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class NextMessage:
    """One more message of the same APPEND (RFC 3502): the Chunks of the one before have all been given."""

    append: Append
    flags: tuple[str, ...]
    internal_date: int | None
    size: int
    kind: LiteralKind
    utf8: bool = False


@dataclass(frozen=True, slots=True)
class Chunk:
    """The next octets of an APPEND's message, at least one."""

    append: Append
    octets: bytes


@dataclass(frozen=True, slots=True)
class AppendBroken:
    """The literal held NUL, or the command did not end after it: what came of it is dropped."""

    append: Append
    answer: Bad | No


@dataclass(frozen=True, slots=True)
class LastChunk:
    """The last octets, perhaps none; the command is whole. Several may be unanswered at a time."""

    append: Append
    octets: bytes


@dataclass(frozen=True, slots=True)
class Idle:
    """RFC 9051 §6.3.13."""


@dataclass(frozen=True, slots=True)
class IdleDone:
    """DONE. After a line that was something else the session makes of the Ok a BAD."""


# ---- selected ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Close:
    """RFC 9051 §6.4.1: expunges silently, unless the mailbox was selected by EXAMINE."""


@dataclass(frozen=True, slots=True)
class Unselect:
    """RFC 9051 §6.4.2."""


@dataclass(frozen=True, slots=True)
class Expunge:
    """EXPUNGE, or UID EXPUNGE (RFC 4315 §2.1) of `uids`."""

    uids: SequenceSet | None


@dataclass(frozen=True, slots=True)
class Search:
    """RFC 9051 §6.4.4. `returns` None: an untagged SEARCH; else ESEARCH with these (RFC 4731 §3.1).

    `response.found` says the result.
    """

    tag: bytes
    key: Key
    by_uid: bool
    returns: Return | None


@dataclass(frozen=True, slots=True)
class Fetch:
    """RFC 9051 §6.4.5. With `by_uid` the plan shows the UID in each response, asked for or not.

    `changed_since`: only messages with a mod-sequence above it, -1: all (RFC 7162 §3.1.4.1). `vanished`: and
    the UIDs of those that went since then (§3.2.6).
    """

    numbers: SequenceSet
    plan: Plan
    by_uid: bool
    changed_since: int = -1
    vanished: bool = False


class StoreMode(enum.Enum):
    REPLACE = "FLAGS"
    ADD = "+FLAGS"
    REMOVE = "-FLAGS"


@dataclass(frozen=True, slots=True)
class Store:
    """RFC 9051 §6.4.6. `unchanged_since`: only messages with no higher mod-sequence, -1: all (RFC 7162
    §3.1.3)."""

    numbers: SequenceSet
    by_uid: bool
    mode: StoreMode
    flags: tuple[str, ...]
    silent: bool
    unchanged_since: int = -1


@dataclass(frozen=True, slots=True)
class Copy:
    """RFC 9051 §6.4.7."""

    numbers: SequenceSet
    by_uid: bool
    mailbox: str


@dataclass(frozen=True, slots=True)
class Move:
    """RFC 9051 §6.4.8: untagged OK with COPYUID, then EXPUNGEs, then Ok."""

    numbers: SequenceSet
    by_uid: bool
    mailbox: str


Event = (
    Reply
    | Goodbye
    | Noop
    | Logout
    | Id
    | StartTls
    | Login
    | Authenticate
    | AuthenticateResponse
    | Compress
    | Select
    | Create
    | Delete
    | Rename
    | Subscribe
    | Unsubscribe
    | List
    | Lsub
    | Namespace
    | Status
    | GetQuota
    | GetQuotaRoot
    | Append
    | NextMessage
    | Chunk
    | LastChunk
    | AppendBroken
    | Idle
    | IdleDone
    | Close
    | Unselect
    | Expunge
    | Search
    | Fetch
    | Store
    | Copy
    | Move
)


@dataclass(frozen=True, slots=True)
class Capability:
    """RFC 9051 §6.1.1: never given, the session answers."""


@dataclass(frozen=True, slots=True)
class Enable:
    """RFC 5161 §3.1: never given, the session answers."""

    names: tuple[str, ...]


Asked = Event | Capability | Enable

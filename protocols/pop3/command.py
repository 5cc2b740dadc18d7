"""The commands, one row each: dispatch, state check and CAPA read it, and nothing else lists them."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from protocols.fault import Fault
from protocols.pop3 import event
from protocols.pop3.content import Top, Whole
from protocols.pop3.event import Maildrop
from protocols.pop3.surrogate import Surrogate
from protocols.sasl.step import initial_response

"""Mechanisms that send the password itself."""

LISTED_LINES = 1000  # of a LIST or UIDL at a time: some 20 KiB
LANGUAGE = "en"
EXPIRE_NEVER = -1
NOTHING = Maildrop((), str)


class State(enum.Enum):
    """RFC 1939 §3, and what a SASL exchange adds; the value is what a command out of place is told."""

    AUTHORIZATION = "log in first"
    EXCHANGE = "an authentication exchange is open"
    TRANSACTION = "you are logged in already"
    CLOSED = "the session has ended"


@dataclass(frozen=True, slots=True)
class Policy:
    """What is offered, and the bounds. `mechanisms`: SASL names, in order of preference.

    `expire_days`, `login_delay_seconds`: what EXPIRE and LOGIN-DELAY tell; 0 of the latter: it is not told.
    """

    host: str
    mechanisms: tuple[str, ...]
    starttls: bool
    passwords_need_tls: bool
    line_octets_max: int
    exchange_line_octets_max: int
    errors_max: int
    expire_days: int = EXPIRE_NEVER
    login_delay_seconds: int = 0


class Facts:
    """What a session knows of itself. `user`: USER was given, PASS is awaited. `utf8`: RFC 6856 §2."""

    __slots__ = (
        "content",
        "deleted",
        "listing",
        "maildrop",
        "octets",
        "policy",
        "retrieved",
        "state",
        "surrogate",
        "tls",
        "user",
        "utf8",
    )

    def __init__(self, policy: Policy, tls: bool) -> None:
        self.policy = policy
        self.tls = tls
        self.state = State.AUTHORIZATION
        self.user: bytes | None = None
        self.utf8 = False
        self.maildrop = NOTHING
        self.deleted: set[int] = set()
        self.retrieved: set[int] = set()
        self.octets = 0  # of the messages that are not deleted
        self.listing: Iterator[bytes] | None = None  # what is still to be said of a list
        self.content: Top | Whole = Whole()
        self.surrogate: Surrogate | None = None

    @property
    def count(self) -> tuple[int, int]:
        """Messages that are not marked as deleted, and their octets."""
        return len(self.maildrop.sizes) - len(self.deleted), self.octets

    def open(self, maildrop: Maildrop) -> None:
        self.maildrop = maildrop
        self.octets = sum(maildrop.sizes)

    def delete(self, index: int) -> None:
        self.deleted.add(index)
        self.octets -= self.maildrop.sizes[index]

    def restore(self) -> None:
        self.deleted.clear()
        self.octets = sum(self.maildrop.sizes)

    @property
    def takes_passwords(self) -> bool:
        return self.tls or not self.policy.passwords_need_tls

    @property
    def mechanisms(self) -> tuple[str, ...]:
        return self.policy.mechanisms if self.takes_passwords else ()

    @property
    def starttls(self) -> bool:
        return self.policy.starttls and not self.tls


@dataclass(frozen=True, slots=True)
class Command:
    """`read` makes the event of the argument, or raises Fault. `capability` is its line in CAPA, or empty."""

    verb: bytes
    states: tuple[State, ...]
    read: Callable[[Facts, bytes], event.Event]
    capability: Callable[[Facts], str] = lambda facts: ""


# ---- responses -----------------------------------------------------------------------------------------


def ok(text: str) -> bytes:
    return f"+OK {text}\r\n".encode()


def err(code: str, text: str) -> bytes:
    """RFC 2449 §8: the code stands in square brackets before the text."""
    return f"-ERR [{code}] {text}\r\n".encode() if code else f"-ERR {text}\r\n".encode()


def answered(text: str) -> event.Answered:
    return event.Answered(ok(text))


def listed(facts: Facts, first: str, lines: Iterator[str]) -> event.Answered:
    """A multi-line response: the first line now, the others in pieces (Facts.listing)."""
    facts.listing = pieces(lines)
    return answered(first)


def pieces(lines: Iterator[str]) -> Iterator[bytes]:
    piece = []
    for line in lines:
        piece.append(line)
        if len(piece) == LISTED_LINES:
            yield "".join(f"{line}\r\n" for line in piece).encode()
            piece.clear()
    piece.append(".")
    yield "".join(f"{line}\r\n" for line in piece).encode()


# ---- arguments -----------------------------------------------------------------------------------------


def nothing(argument: bytes) -> None:
    if argument:
        raise Fault("", "No argument expected")


def number(argument: bytes, what: str) -> int:
    if not argument.isdigit() or len(argument) > 10:
        raise Fault("", f"Expected {what}")
    return int(argument)


def message(facts: Facts, argument: bytes) -> int:
    """msg: the index of an existing message that is not marked as deleted, RFC 1939 §5."""
    given = number(argument, "a message number")
    if not 1 <= given <= len(facts.maildrop.sizes):
        raise Fault("", f"No such message, only {len(facts.maildrop.sizes)} in the maildrop")
    if given - 1 in facts.deleted:
        raise Fault("", f"Message {given} is deleted")
    return given - 1


def text(argument: bytes) -> str:
    try:
        return argument.decode()
    except UnicodeDecodeError:
        raise Fault("AUTH", "Not UTF-8") from None


# ---- AUTHORIZATION -------------------------------------------------------------------------------------


def _user(facts: Facts, argument: bytes) -> event.Event:
    """USER name: says yes to every name, so that nobody learns who exists (RFC 1939 §13)."""
    _check_plaintext(facts)
    if not argument:
        raise Fault("", "Expected a name")
    facts.user = argument
    return answered("Tell the password")


def _pass(facts: Facts, argument: bytes) -> event.Event:
    """PASS string: all of the line, RFC 1939 §7: spaces may be part of a password."""
    _check_plaintext(facts)
    user, facts.user = facts.user, None
    if user is None:
        raise Fault("", "USER comes first")
    return event.Login(text(user), text(argument))


def _check_plaintext(facts: Facts) -> None:
    if not facts.takes_passwords:
        raise Fault("", "Passwords are taken in TLS only: STLS comes first")


def _auth(facts: Facts, argument: bytes) -> event.Event:
    """auth-command = "AUTH" SP sasl-mech [SP initial-response], RFC 5034 §5"""
    if not argument:  # Leniency: before CAPA there was, AUTH alone listed the mechanisms; seen from Outlook
        return listed(facts, "Mechanisms follow", iter(facts.mechanisms))
    word, _, response = argument.partition(b" ")
    mechanism = word.decode("ascii", "replace").upper()
    if mechanism not in facts.policy.mechanisms:
        raise Fault("", "Mechanism is not offered")
    _check_plaintext(facts)
    initial = initial_response(response) if response else None
    if response and initial is None:
        raise Fault("", "Cannot decode base64")
    return event.Authenticate(mechanism, initial)


def _sasl(facts: Facts) -> str:
    return " ".join(("SASL", *facts.mechanisms)) if facts.mechanisms else ""


def _utf8(facts: Facts, argument: bytes) -> event.Event:
    """RFC 6856 §2.1: messages are sent as they are."""
    nothing(argument)
    facts.utf8 = True
    return answered("Messages come as they are stored")


def _stls(facts: Facts, argument: bytes) -> event.Event:
    nothing(argument)
    if facts.utf8:
        raise Fault("", "STLS comes before UTF8")  # RFC 6856 §2.1
    if facts.tls:
        raise Fault("", "TLS is active already")
    if not facts.policy.starttls:
        raise Fault("", "TLS is not offered here")
    return event.StartTls()


# ---- any state -----------------------------------------------------------------------------------------


def _capa(facts: Facts, argument: bytes) -> event.Event:
    """RFC 2449 §5: the same in both states."""
    nothing(argument)
    capabilities = [*(row.capability(facts) for row in COMMANDS.values()), *_behaviour(facts.policy)]
    return listed(
        facts,
        "Capabilities follow",
        filter(None, capabilities),
    )


def _lang(facts: Facts, argument: bytes) -> event.Event:
    """RFC 6856 §3: there is one language, and "*" is it; a range that matches it, RFC 4647 §3.3.1."""
    if not argument:
        return listed(facts, "Languages follow", iter((f"{LANGUAGE} English",)))
    if argument.lower() not in (b"*", LANGUAGE.encode()):
        raise Fault("", f"Responses are in {LANGUAGE} only")
    return answered(f"{LANGUAGE} This is English")


def _quit(facts: Facts, argument: bytes) -> event.Event:
    nothing(argument)
    return event.Quit(sorted(facts.deleted), tuple(sorted(facts.retrieved - facts.deleted)))


# ---- TRANSACTION ---------------------------------------------------------------------------------------


def _stat(facts: Facts, argument: bytes) -> event.Event:
    nothing(argument)
    return answered("{} {}".format(*facts.count))


def _list(facts: Facts, argument: bytes) -> event.Event:
    """LIST [msg]: scan listings, RFC 1939 §5."""
    sizes = facts.maildrop.sizes
    if argument:
        index = message(facts, argument)
        return answered(f"{index + 1} {sizes[index]}")
    first = "{} messages ({} octets)".format(*facts.count)
    return listed(facts, first, (f"{index + 1} {sizes[index]}" for index in _present(facts)))


def _uidl(facts: Facts, argument: bytes) -> event.Event:
    """UIDL [msg]: unique-id listings, RFC 1939 §7."""
    unique_id = facts.maildrop.unique_id
    if argument:
        index = message(facts, argument)
        return answered(f"{index + 1} {unique_id(index)}")
    return listed(
        facts, "Unique-ids follow", (f"{index + 1} {unique_id(index)}" for index in _present(facts))
    )


def _present(facts: Facts) -> Iterator[int]:
    return (index for index in range(len(facts.maildrop.sizes)) if index not in facts.deleted)


def _retr(facts: Facts, argument: bytes) -> event.Event:
    index = message(facts, argument)
    return _sent(facts, index, Whole())


def _sent(facts: Facts, index: int, content: Top | Whole) -> event.Event:
    facts.content = content
    facts.surrogate = None if facts.utf8 else Surrogate()
    return event.Retr(index)


def _top(facts: Facts, argument: bytes) -> event.Event:
    """TOP msg n"""
    msg, _, lines = argument.partition(b" ")
    index = message(facts, msg)
    return _sent(facts, index, Top(number(lines.strip(), "a number of lines")))


def _dele(facts: Facts, argument: bytes) -> event.Event:
    index = message(facts, argument)
    facts.delete(index)
    return answered(f"Message {index + 1} is marked")


def _rset(facts: Facts, argument: bytes) -> event.Event:
    nothing(argument)
    facts.restore()
    return answered("No message is marked")


def _noop(facts: Facts, argument: bytes) -> event.Event:
    nothing(argument)
    return answered("Nothing done")


_BEFORE = (State.AUTHORIZATION,)
_AFTER = (State.TRANSACTION,)
_BOTH = (State.AUTHORIZATION, State.TRANSACTION)

_ROWS = (
    Command(b"CAPA", _BOTH, _capa),
    Command(b"USER", _BEFORE, _user, lambda facts: "USER" if facts.takes_passwords else ""),
    Command(b"PASS", _BEFORE, _pass),
    Command(b"AUTH", _BEFORE, _auth, _sasl),
    Command(b"STLS", _BEFORE, _stls, lambda facts: "STLS" if facts.starttls else ""),
    Command(b"UTF8", _BEFORE, _utf8, lambda facts: "UTF8 USER"),
    Command(b"LANG", _BOTH, _lang, lambda facts: "LANG"),
    Command(b"QUIT", _BOTH, _quit),
    Command(b"STAT", _AFTER, _stat),
    Command(b"LIST", _AFTER, _list),
    Command(b"UIDL", _AFTER, _uidl, lambda facts: "UIDL"),
    Command(b"RETR", _AFTER, _retr),
    Command(b"TOP", _AFTER, _top, lambda facts: "TOP"),
    Command(b"DELE", _AFTER, _dele),
    Command(b"RSET", _AFTER, _rset),
    Command(b"NOOP", _AFTER, _noop),
)  # fmt: skip

COMMANDS = {row.verb: row for row in _ROWS}


def _behaviour(policy: Policy) -> Iterator[str]:
    """Capabilities that are no commands: RFC 2449 §6.4-9, RFC 3206 §6."""
    yield from ("PIPELINING", "RESP-CODES", "AUTH-RESP-CODE")
    yield "EXPIRE NEVER" if policy.expire_days == EXPIRE_NEVER else f"EXPIRE {policy.expire_days}"
    if policy.login_delay_seconds:
        yield f"LOGIN-DELAY {policy.login_delay_seconds}"
    yield "IMPLEMENTATION mailnode"

"""The commands, one row each: dispatch, state check and HELP read it, and nothing else lists them."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from protocols.fault import Fault
from protocols.sasl.step import initial_response
from protocols.smtp import event, extension, grammar, reply
from protocols.smtp.profile import Channel, Flavour, Profile
from protocols.smtp.reply import Reply


class State(enum.Enum):
    """Where the session stands; its value is what a command out of sequence is told."""

    START = "say hello first"
    READY = "no transaction is open"
    MAIL = "the transaction has no recipient yet"
    RCPT = "the transaction has recipients"
    CONTENT = "content is being sent"
    CHUNKS = "content is being sent in chunks"
    AUTH = "an authentication exchange is open"
    CLOSED = "the session has ended"


_ANY = (State.START, State.READY, State.MAIL, State.RCPT, State.CHUNKS)
_SMTP = (Flavour.MX, Flavour.SUBMISSION)
_SUBMISSION = (Flavour.SUBMISSION,)
_LMTP = (Flavour.LMTP,)


class Facts:
    """What a session knows of itself. `transaction` counts MAIL commands."""

    __slots__ = (
        "authenticated",
        "channel",
        "profile",
        "recipients",
        "smtputf8",
        "state",
        "transaction",
    )

    def __init__(self, profile: Profile, channel: Channel) -> None:
        self.profile = profile
        self.channel = channel
        self.state = State.START
        self.authenticated = False
        self.transaction = 0
        self.recipients = 0
        self.smtputf8 = False


@dataclass(frozen=True, slots=True)
class Command:
    """`read` makes the event of the argument, or raises Fault; `then` is the state after a positive reply.

    `needs` is the EHLO keyword without which the verb is not implemented here. `beside_content`: may be given
    while earlier contents still wait for their replies. `counted`: octets follow the line.
    """

    verb: bytes
    syntax: str
    states: tuple[State, ...]  # tuples are searched by identity, sets by Enum.__hash__ in Python
    read: Callable[[Facts, bytes], event.Event]
    then: State | None = None
    flavours: tuple[Flavour, ...] = tuple(Flavour)
    needs: str = ""
    beside_content: bool = False
    counted: bool = False


def _ehlo(facts: Facts, argument: bytes) -> event.Event:
    name = grammar.hello_name(argument)
    return event.Hello(name, True, extension.ehlo_reply(facts.profile, facts.channel))


def _helo(facts: Facts, argument: bytes) -> event.Event:
    return event.Hello(grammar.hello_name(argument), False, Reply(250, "", facts.profile.host))


def _mail(facts: Facts, argument: bytes) -> event.Event:
    """mail = "MAIL FROM:" Reverse-path [SP Mail-parameters] CRLF"""
    if facts.profile.flavour is Flavour.SUBMISSION and not facts.authenticated:
        raise Fault("530 5.7.0", "Authentication required")  # RFC 4954 §6, RFC 6409 §4.3
    path, rest = grammar.reverse_path(grammar.after(b"FROM:", argument))
    parameters = extension.mail_parameters(rest, facts.profile, facts.channel)
    if not parameters.smtputf8 and not path.mailbox.isascii():
        raise Fault("553 5.6.7", "This address needs SMTPUTF8")  # RFC 6531 §3.5
    facts.smtputf8 = parameters.smtputf8
    facts.transaction += 1
    facts.recipients = 0
    return event.Mail(facts.transaction, path, parameters)


def _rcpt(facts: Facts, argument: bytes) -> event.Event:
    """rcpt = "RCPT TO:" ( "<Postmaster@" Domain ">" / "<Postmaster>" / Forward-path ) [SP Rcpt-parameters]"""
    path, rest = grammar.forward_path(grammar.after(b"TO:", argument))
    if rest:
        extension.rcpt_parameters(rest)
    if not facts.smtputf8 and not path.mailbox.isascii():
        raise Fault("553 5.6.7", "This address needs SMTPUTF8")
    if facts.recipients >= facts.profile.bounds.recipients_max:
        raise Fault("452 4.5.3", "Too many recipients")  # RFC 5321 §4.5.3.1.10
    return event.Rcpt(facts.transaction, path)


def _data(facts: Facts, argument: bytes) -> event.Event:
    grammar.nothing(argument)
    return event.Data(facts.transaction)


def _bdat(facts: Facts, argument: bytes) -> event.Event:
    """The chunk's octets were taken off the argument before."""
    return event.Data(facts.transaction)


def chunk(argument: bytes) -> tuple[int, bytes]:
    """bdat-cmd = "BDAT" SP chunk-size [ SP end-marker ] CR LF, RFC 3030 §2; the size and what follows it."""
    size, _, marker = argument.partition(b" ")
    return grammar.number(size, "BDAT"), marker.strip().upper()


def _rset(facts: Facts, argument: bytes) -> event.Event:
    grammar.nothing(argument)
    return event.Reset(reply.OK)


def _noop(facts: Facts, argument: bytes) -> event.Event:
    return event.Answered(reply.OK)


def _quit(facts: Facts, argument: bytes) -> event.Event:
    grammar.nothing(argument)
    return event.Goodbye(reply.GOODBYE)


def _vrfy(facts: Facts, argument: bytes) -> event.Event:
    """Tells nothing of who exists: RFC 5321 §3.5.3, §7.3."""
    if not argument:
        raise Fault("501 5.5.4", "Expected an address")
    return event.Answered(reply.CANNOT_VERIFY)


def _expn(facts: Facts, argument: bytes) -> event.Event:
    return event.Answered(Reply(502, "5.7.2", "Lists are not expanded here"))  # RFC 5321 §7.3


def _help(facts: Facts, argument: bytes) -> event.Event:
    """help = "HELP" [ SP String ] CRLF"""
    row = COMMANDS.get(argument.upper())
    if row is not None:
        return event.Answered(Reply(214, "2.0.0", row.syntax))
    here = [row.verb.decode() for row in COMMANDS.values() if available(row, facts)]
    return event.Answered(Reply(214, "2.0.0", "Commands:", (" ".join(here), "HELP verb tells its syntax")))


def _starttls(facts: Facts, argument: bytes) -> event.Event:
    grammar.nothing(argument)
    return event.StartTls(reply.READY_FOR_TLS)


def _auth(facts: Facts, argument: bytes) -> event.Event:
    """auth-command = "AUTH" SP sasl-mech [SP initial-response] CRLF, RFC 4954 §4"""
    if facts.authenticated:
        raise Fault("503 5.5.1", "Already authenticated")
    if not extension.auth_offered(facts.profile, facts.channel):
        raise Fault("538 5.7.11", "Encryption required: use STARTTLS first")
    word, _, response = argument.partition(b" ")
    mechanism = word.decode("ascii", "replace").upper()
    if mechanism not in facts.profile.mechanisms:
        raise Fault("504 5.5.4", "Mechanism is not offered")
    initial = initial_response(response) if response else None
    if response and initial is None:
        raise Fault("501 5.5.2", "Cannot decode base64")
    return event.Auth(mechanism, initial)


_READY = (State.READY,)
_OPEN = (State.MAIL, State.RCPT)
_RCPT = (State.RCPT,)
_RCPT_OR_CHUNKS = (State.RCPT, State.CHUNKS)

_ROWS = (
    Command(b"EHLO", "EHLO host", _ANY, _ehlo, State.READY, _SMTP),
    Command(b"HELO", "HELO host", _ANY, _helo, State.READY, _SMTP),
    Command(b"LHLO", "LHLO host", _ANY, _ehlo, State.READY, _LMTP),  # RFC 2033 §4.1
    Command(b"MAIL", "MAIL FROM:<address> [SIZE=octets] [BODY=8BITMIME] [SMTPUTF8]", _READY, _mail,
            State.MAIL, beside_content=True),
    Command(b"RCPT", "RCPT TO:<address>", _OPEN, _rcpt, State.RCPT, beside_content=True),
    Command(b"DATA", "DATA", _RCPT, _data, State.CONTENT, beside_content=True),
    Command(b"BDAT", "BDAT octets [LAST]", _RCPT_OR_CHUNKS, _bdat, State.CHUNKS, needs="CHUNKING",
            beside_content=True, counted=True),
    Command(b"RSET", "RSET", _ANY, _rset),
    Command(b"NOOP", "NOOP [text]", _ANY, _noop),
    Command(b"QUIT", "QUIT", _ANY, _quit, State.CLOSED),
    Command(b"VRFY", "VRFY address", _ANY, _vrfy),
    Command(b"EXPN", "EXPN list", _ANY, _expn),
    Command(b"HELP", "HELP [verb]", _ANY, _help),
    Command(b"STARTTLS", "STARTTLS", _READY, _starttls, State.CLOSED, needs="STARTTLS"),
    Command(b"AUTH", "AUTH mechanism [initial-response]", _READY, _auth, flavours=_SUBMISSION),
)  # fmt: skip

COMMANDS = {row.verb: row for row in _ROWS}

HTTP_VERBS = frozenset({b"GET", b"POST", b"PUT", b"HEAD", b"OPTIONS", b"CONNECT"})
"""A browser made to speak to us (CWE-918): its body must not be read as commands."""


def available(row: Command, facts: Facts) -> bool:
    profile = facts.profile
    if profile.flavour not in row.flavours:
        return False
    return not row.needs or extension.offered(row.needs, profile, facts.channel)

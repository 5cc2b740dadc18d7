"""The session of a POP3 server.

Every command gives an event, and one event is open at a time, so answers leave in the order of the commands
(RFC 2449 §6.6). The greeting is `send(None, session.greeting)`.
"""

from __future__ import annotations

from protocols.fault import Fault
from protocols.line import LineBuffer, LineTooLong
from protocols.pop3.command import COMMANDS, Facts, Policy, State, err, ok
from protocols.pop3.content import Stuffing, Whole
from protocols.pop3.event import (
    Answer,
    Answered,
    Authenticate,
    AuthenticateResponse,
    Dismissed,
    Event,
    Octets,
    Opened,
    Quit,
    Refused,
    Retr,
    StartTls,
)
from protocols.sasl.step import Challenge, decoded, encoded


class Session:
    """One connection, or what of it is behind STLS; `tls` says which."""

    __slots__ = ("_asked", "_errors", "_facts", "_lines", "_stuffing")

    def __init__(self, policy: Policy, tls: bool) -> None:
        self._facts = Facts(policy, tls)
        self._lines = LineBuffer(policy.line_octets_max)
        self._asked: Event | None = None
        self._stuffing: Stuffing | None = None  # a message is being sent
        self._errors = 0

    @property
    def greeting(self) -> Answered:
        return Answered(ok(f"{self._facts.policy.host} POP3 ready"))

    @property
    def wants_octets(self) -> bool:
        """More of the message asked for would be sent on."""
        return self._facts.content.wants_octets

    @property
    def in_content(self) -> bool:
        """Whatever is sent now would be taken as part of a message, or of a list."""
        return self._stuffing is not None or self._facts.listing is not None

    # -- the three verbs

    @property
    def retrieved(self) -> tuple[int, ...]:
        """The indexes of messages that RETR gave whole, and that are not marked as deleted."""
        return tuple(sorted(self._facts.retrieved - self._facts.deleted))

    def feed(self, octets: bytes) -> None:
        if self._facts.state is not State.CLOSED:
            self._lines.feed(octets)

    def next(self) -> Event | None:
        if self._asked is not None or self._facts.state is State.CLOSED:
            return None
        self._asked = self._listed() or self._command()
        return self._asked

    def send(self, event: Event | None, answer: Answer | Answered) -> bytes:
        """What may leave now; `event` None: the greeting."""
        if isinstance(answer, Answered):
            return answer.octets
        if event is None or event is not self._asked:
            raise ValueError("this event is not open")
        if isinstance(answer, Octets):
            return self._content(answer.octets)
        self._asked = None
        if isinstance(answer, Refused):
            return self._refused(event, answer)
        if isinstance(answer, Challenge):
            self._enter(State.EXCHANGE)
            return b"+ " + encoded(answer.octets) + b"\r\n"
        if isinstance(answer, Opened):
            return self._opened(answer)
        return self._done(event)

    # -- answers

    def _enter(self, state: State) -> None:
        policy = self._facts.policy
        self._facts.state = state
        exchange = state is State.EXCHANGE
        self._lines.line_octets_max = policy.exchange_line_octets_max if exchange else policy.line_octets_max
        if state is State.CLOSED:
            self._lines.clear()

    def _content(self, octets: bytes) -> bytes:
        first = b""
        if self._stuffing is None:
            self._stuffing = Stuffing()
            first = ok("Message follows")
        if self._facts.surrogate is not None:
            octets = self._facts.surrogate.take(octets)
        return first + self._stuffing.take(self._facts.content.take(octets))

    def _refused(self, event: Event, answer: Refused) -> bytes:
        if isinstance(event, Authenticate | AuthenticateResponse):
            self._enter(State.AUTHORIZATION)
        elif isinstance(event, Quit):
            self._enter(State.CLOSED)
        return err(answer.code, answer.text)

    def _opened(self, answer: Opened) -> bytes:
        self._facts.open(answer.maildrop)
        self._enter(State.TRANSACTION)
        return ok("{} messages ({} octets)".format(*self._facts.count))

    def _done(self, event: Event) -> bytes:
        if isinstance(event, Answered):
            return event.octets
        if isinstance(event, Retr):
            if isinstance(self._facts.content, Whole):
                self._facts.retrieved.add(event.index)
            return self._last()
        self._enter(State.CLOSED)
        if isinstance(event, StartTls):
            return ok("Begin TLS")
        return event.octets if isinstance(event, Dismissed) else ok("Goodbye")

    def _last(self) -> bytes:
        last = self._content(b"")
        stuffing, surrogate = self._stuffing, self._facts.surrogate
        assert stuffing is not None
        self._stuffing = self._facts.surrogate = None
        if surrogate is not None:
            last += stuffing.take(self._facts.content.take(surrogate.end()))
        return last + stuffing.end()

    # -- events

    def _listed(self) -> Event | None:
        """The next piece of a list."""
        listing = self._facts.listing
        piece = next(listing, None) if listing is not None else None
        if piece is None:
            self._facts.listing = None
            return None
        return Answered(piece)

    def _command(self) -> Event | None:
        try:
            line = self._lines.line()
        except LineTooLong:
            return self._too_long()
        if line is None:
            return None
        try:
            event = self._response(line) if self._facts.state is State.EXCHANGE else self._read(line)
        except Fault as fault:
            return self._mistake(fault)
        self._errors = 0
        return event

    def _read(self, line: bytes) -> Event:
        verb, _, argument = line.partition(b" ")
        row = COMMANDS.get(verb.upper())
        if row is None:
            raise Fault("", "Unknown command")
        if self._facts.state not in row.states:
            raise Fault("", f"{row.verb.decode()} is out of place: {self._facts.state.value}")
        if row.verb != b"PASS":
            argument = argument.strip(b" ")  # Leniency: RFC 1939 §3 has one space between; seen from people
        return row.read(self._facts, argument)

    def _response(self, line: bytes) -> Event:
        """What is no base64, and "*", end the exchange: RFC 5034 §4."""
        octets = decoded(line)
        if octets is not None:
            return AuthenticateResponse(octets)
        self._enter(State.AUTHORIZATION)
        raise Fault("", "Authentication cancelled" if line == b"*" else "Cannot decode base64")

    def _too_long(self) -> Event:
        if self._facts.state is State.EXCHANGE:
            self._enter(State.AUTHORIZATION)
        return self._mistake(Fault("", "Line too long"))

    def _mistake(self, fault: Fault) -> Event:
        """Answered with -ERR, and at last with goodbye when there were only mistakes in a row."""
        self._errors += 1
        if self._errors > self._facts.policy.errors_max:
            return Dismissed(err("", "Too many errors"))
        return Answered(err(fault.code, fault.text))

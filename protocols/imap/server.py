"""The session of an IMAP server: octets in, events and responses out.

One command is open at a time, APPENDs excepted: once the message of one has been given, the next may be, up
to `ImapLimits.events_open_max`; any other command waits for their answers. What the client did wrong is
answered through `Reply` events, so that it too leaves in order.
"""

from __future__ import annotations

import binascii
import enum

from protocols.fault import Fault
from protocols.imap import arguments, command, response
from protocols.imap.answer import Answer, Bad, Bye, Challenge, GoOn, Greeting, No, Ok, refusal
from protocols.imap.capability import COMPRESS, ENABLED_BY_ENABLE, Policy, Standing, capabilities
from protocols.imap.command import Command, State
from protocols.imap.event import (
    Append,
    AppendBroken,
    Authenticate,
    AuthenticateResponse,
    Capability,
    Compress,
    Enable,
    Event,
    Goodbye,
    Idle,
    IdleDone,
    LastChunk,
    Login,
    Logout,
    NextMessage,
    Reply,
)
from protocols.imap.framing import Announced, Framer
from protocols.imap.grammar import Grammar, decoded
from protocols.imap.head import UNTAGGED, Head, head, tag_of
from protocols.imap.limits import ImapLimits
from protocols.imap.message import Incoming, check_size, kind_of
from protocols.imap.order import Open, Order
from protocols.line import LineTooLong


class _Reading(enum.Enum):
    """What the next octets are."""

    COMMAND = enum.auto()
    MESSAGE = enum.auto()
    RESPONSE = enum.auto()  # of AUTHENTICATE
    IDLE = enum.auto()


class Session:
    """One connection, or what of it is behind STARTTLS. `send(None, Greeting(...))` comes first.

    `state` LOGOUT: nothing more is read; what `send` gave last is the end of the conversation.
    """

    __slots__ = (
        "_asked",
        "_errors",
        "_framer",
        "_held",
        "_idle_broken",
        "_incoming",
        "_limits",
        "_order",
        "_policy",
        "_reading",
        "enabled",
        "state",
    )

    def __init__(self, limits: ImapLimits, policy: Policy) -> None:
        self.state = State.NOT_AUTHENTICATED
        self.enabled: frozenset[str] = frozenset()
        self._limits = limits
        self._policy = policy
        self._framer = Framer(limits.line_octets_max)
        self._order = Order()
        self._reading = _Reading.COMMAND
        self._asked: Event | None = None  # nothing more is given until this is answered
        self._held: Open | None = None  # read, but waits for APPENDs
        self._incoming: Incoming | None = None  # the message that is being read
        self._idle_broken = False
        self._errors = 0  # BAD in a row

    # ---- the three verbs

    def feed(self, octets: bytes) -> None:
        if self.state is not State.LOGOUT:
            self._framer.feed(octets)

    def next(self) -> Event | None:
        if self._asked is not None or self.state is State.LOGOUT:
            return None
        if self._held is not None:
            return self._release(self._held)
        try:
            return self._read()
        except LineTooLong as fault:
            return self._too_long(fault.start)

    def send(self, event: Event | None, answer: Answer) -> bytes:
        """The octets that may leave now: none while an earlier command is not answered."""
        if event is None:
            return self._unasked(answer)
        opened = self._order.find(event)
        if isinstance(answer, bytes):
            return self._order.part(opened, answer)
        if isinstance(answer, Challenge):
            return self._challenge(opened, answer)
        if isinstance(answer, GoOn):
            return self._go_on(event, opened, answer)
        if isinstance(answer, Bye):
            return self._bye(answer)
        assert not isinstance(answer, Greeting)
        return self._end(opened, answer)

    # ---- answers

    def _unasked(self, answer: Answer) -> bytes:
        if isinstance(answer, Greeting):
            return response.condition(UNTAGGED, Ok(answer.text, self._capability()))
        if isinstance(answer, Bye):
            return self._bye(answer)
        assert isinstance(answer, bytes)
        if len(self._order) and isinstance(self._order.last.event, Idle | IdleDone):
            # DONE may have been read already: this was on its way, and is told before the tagged answer.
            return self._order.part(self._order.last, answer)
        return self._order.unasked(answer)

    def _bye(self, answer: Bye) -> bytes:
        self._over()
        return response.bye(answer)

    def _over(self) -> None:
        self.state = State.LOGOUT
        self._asked = self._held = None
        self._framer.clear()

    def _challenge(self, opened: Open, answer: Challenge) -> bytes:
        assert isinstance(opened.event, Authenticate | AuthenticateResponse)
        self._asked = None
        self._reading = _Reading.RESPONSE
        return self._order.part(opened, response.plus(binascii.b2a_base64(answer.octets, newline=False)))

    def _go_on(self, event: Event, opened: Open, answer: GoOn) -> bytes:
        self._asked = None
        plus = response.plus(answer.text.encode())
        if isinstance(event, Reply):
            return self._order.end(opened, plus)
        if isinstance(event, Idle):
            self._reading = _Reading.IDLE
            return self._order.part(opened, plus)
        assert isinstance(event, Append | NextMessage)
        synchronising = self._framer.stream()
        self._reading = _Reading.MESSAGE
        if isinstance(event, Append):
            self._incoming = Incoming(event, self._framer, self._limits, self._policy)
        else:
            assert self._incoming is not None
            self._incoming.begin(event)
        return self._order.part(opened, plus) if synchronising else b""

    def _end(self, opened: Open, answer: Ok | No | Bad) -> bytes:
        event = opened.event
        if isinstance(event, Append) and not isinstance(answer, Ok):
            self._drop_message(event)
        if isinstance(event, IdleDone) and self._idle_broken:
            answer = Bad("IDLE ends with DONE")
        if self._asked is event:
            self._asked = None
        self._move(opened.row, answer)
        if isinstance(event, Login | Authenticate | AuthenticateResponse) and isinstance(answer, Ok):
            answer = Ok(answer.text, answer.code or self._capability())
        if isinstance(event, Compress) and isinstance(answer, Ok):
            self.enabled |= {COMPRESS}
            self._framer.clear()  # the client waits for the answer (RFC 4978 §3): what came is not deflated
        octets = response.condition(opened.tag, answer)
        if isinstance(event, Logout):
            octets = response.bye(Bye("Until next time")) + octets
        return self._order.end(opened, octets)

    def _drop_message(self, append: Append) -> None:
        """What is still to come of its literal is of no use."""
        is_read = self._incoming is not None and self._incoming.append is append
        if is_read or self._asked is append:
            self._framer.drop()
            self._asked = None
            self._message_ended()

    def _move(self, row: Command | None, answer: Ok | No | Bad) -> None:
        if row is None:
            return
        to = row.then if isinstance(answer, Ok) else row.otherwise if isinstance(answer, No) else None
        if to is State.LOGOUT:
            self._over()
        elif to is not None:
            self.state = to

    def _capability(self) -> str:
        authenticated = self.state is not State.NOT_AUTHENTICATED
        return "CAPABILITY " + capabilities(Standing(self._policy, authenticated))

    # ---- events

    def _give(self, opened: Open) -> Event | None:
        """Open it, unless it must wait for APPENDs."""
        waits = len(self._order) and not isinstance(opened.event, Append | Reply | Goodbye)
        if waits:
            self._held = opened
            return None
        self._order.add(opened)
        self._asked = opened.event
        return opened.event

    def _release(self, held: Open) -> Event | None:
        if len(self._order):
            return None
        self._held = None
        return self._give(held)

    def _reply(self, tag: bytes, answer: Answer, said: bytes = b"") -> Event | None:
        """What the session says itself, or goodbye once the client has done enough wrong."""
        event: Event = Reply(answer)
        if isinstance(answer, Bad):
            self._errors += 1
            if self._errors > self._limits.errors_max:
                event = Goodbye(Bye("Too many commands that are none"))
        opened = Open(tag, event, None)
        opened.said.append(said)
        return self._give(opened)

    def _replace(self, event: Event) -> Event:
        """The next event of the same command."""
        self._order.last.event = self._asked = event
        self._reading = _Reading.COMMAND
        return event

    # ---- reading

    def _read(self) -> Event | None:
        if self._reading is _Reading.MESSAGE:
            return self._read_message()
        if self._reading is _Reading.COMMAND:
            return self._read_command()
        line = self._framer.line()
        if line is None:
            return None
        if self._reading is _Reading.IDLE:
            return self._idle_done(line)
        return self._response(line)

    def _too_long(self, start: bytes) -> Event | None:
        if self._reading is _Reading.IDLE:
            return self._idle_done(start)
        if self._reading is _Reading.RESPONSE:
            return self._replace(Reply(Bad("Line too long", "TOOBIG")))
        if self._reading is _Reading.MESSAGE:
            return self._message_broken(Bad("Line too long", "TOOBIG"))
        tag, space, _ = start.partition(b" ")
        return self._reply(tag_of(tag) if space else UNTAGGED, Bad("Line too long", "TOOBIG"))

    def _idle_done(self, line: bytes) -> Event:
        self._idle_broken = line.upper() != b"DONE"
        return self._replace(IdleDone())

    def _response(self, line: bytes) -> Event:
        octets = decoded(line)
        if octets is None:  # "*" gives up, RFC 9051 §6.2.2
            return self._replace(Reply(Bad("AUTHENTICATE is cancelled" if line == b"*" else "Not base64")))
        return self._replace(AuthenticateResponse(octets))

    def _read_command(self) -> Event | None:
        while len(self._order) < self._limits.events_open_max:
            read = self._framer.next()
            if read is None:
                return None
            if isinstance(read, Announced):
                event = self._announced(read)
            elif read:
                event = self._command(read)
            else:
                continue  # Leniency: empty lines, seen after a literal of clients that count its CRLF twice
            if event is not None or self._held is not None:
                return event
        return None

    def _command(self, octets: bytes) -> Event | None:
        tag = tag_of(octets)
        try:
            found = head(octets)
            row = command.row(found, self.state)
            grammar = self._grammar(octets, found)
            asked = row.arguments(grammar)
            grammar.end()
            command.check(asked, self._policy, self.enabled)
        except Fault as fault:
            return self._reply(tag, refusal(fault))
        self._errors = 0
        if command.enables_condstore(asked):
            self.enabled |= {"CONDSTORE"}
        if isinstance(asked, Capability | Enable):
            return self._answer_itself(tag, asked)
        return self._give(Open(tag, asked, row))

    def _grammar(self, octets: bytes, found: Head) -> Grammar:
        return Grammar(octets, found.at, self._limits, found.tag, found.by_uid, self.enabled)

    def _answer_itself(self, tag: bytes, asked: Capability | Enable) -> Event | None:
        if isinstance(asked, Capability):
            return self._reply(tag, Ok("CAPABILITY completed"), response.capability(self._capability()))
        turned_on = [name for name in asked.names if name in ENABLED_BY_ENABLE]
        self.enabled |= frozenset(turned_on)
        if "QRESYNC" in self.enabled:
            self.enabled |= {"CONDSTORE"}  # RFC 7162 §3.2.3
        return self._reply(tag, Ok("ENABLE completed"), response.enabled(turned_on))

    # ---- literals

    def _announced(self, literal: Announced) -> Event | None:
        """A literal is to come: of which command?"""
        first = self._framer.first_line
        tag = tag_of(first)
        try:
            found = head(first)
            row = command.row(found, self.state)
            command.check_literal(literal, self._policy)
            if found.name == "APPEND" and first[found.at : literal.start].strip():
                return self._append_announced(found, row, literal)
            self._check_small(literal)
        except Fault as fault:
            return self._refuse(literal, tag, refusal(fault))
        self._framer.take()
        return self._reply(tag, GoOn()) if literal.synchronising else None

    def _check_small(self, literal: Announced) -> None:
        if literal.literal8:
            raise Fault("BAD", "literal8 is for messages")
        if self._framer.size + literal.size > self._limits.command_octets_max:
            raise Fault("NO [TOOBIG]", "The command is too long")

    def _append_announced(self, found: Head, row: Command, literal: Announced) -> Event | None:
        octets = self._framer.so_far[: literal.start]
        append = arguments.append(self._grammar(octets, found), literal.size, kind_of(literal))
        check_size(literal, self._limits)
        return self._give(Open(found.tag, append, row))

    def _refuse(self, literal: Announced, tag: bytes, answer: Bad | No) -> Event | None:
        """The command is not taken; a literal that comes unasked is swallowed, to a bound (RFC 7888 §4)."""
        before = self.state is State.NOT_AUTHENTICATED
        bound = self._limits.swallow_octets_max if before else self._limits.message_octets_max
        if not literal.synchronising and literal.size > bound:
            return self._give(Open(tag, Goodbye(Bye("The literal is too large", "TOOBIG")), None))
        self._framer.drop()
        return self._reply(tag, answer)

    def _read_message(self) -> Event | None:
        assert self._incoming is not None
        event = self._incoming.next()
        if isinstance(event, NextMessage):
            self._asked = event
        elif isinstance(event, LastChunk):
            self._errors = 0
            self._message_ended()
        elif isinstance(event, AppendBroken):
            self._message_ended()
        elif isinstance(event, Goodbye):
            return self._replace(event)
        return event

    def _message_broken(self, answer: Bad | No) -> Event:
        assert self._incoming is not None
        broken = self._incoming.broken(answer)
        self._message_ended()
        return broken

    def _message_ended(self) -> None:
        self._reading = _Reading.COMMAND
        self._incoming = None

"""The session of an SMTP, submission or LMTP server: octets in, events and replies out.

Every command gives an event, those that ask nobody too (`Answered`), so that replies leave in order whatever
they wait for. One event is open at a time, contents excepted: once the end of one was given, MAIL, RCPT, DATA
and BDAT of later transactions are given while its reply is awaited, up to `Bounds.events_open_max` contents,
so that pipelined transactions (RFC 2920, RFC 3030 §4.2) can share a sync. Any other command waits.
"""

from __future__ import annotations

from collections import deque

from protocols.fault import Fault
from protocols.line import LineBuffer, LineTooLong
from protocols.sasl.step import decoded, encoded
from protocols.smtp import command, reply
from protocols.smtp.command import COMMANDS, HTTP_VERBS, Command, Facts, State
from protocols.smtp.content import Counted, Dotted, Text
from protocols.smtp.event import (
    Answer,
    Answered,
    Auth,
    AuthCancelled,
    AuthResponse,
    Challenge,
    Chunk,
    ContentRefused,
    Data,
    Event,
    Goodbye,
    LastChunk,
    Rcpt,
    Reset,
)
from protocols.smtp.profile import BareNewline, Channel, Flavour, Profile
from protocols.smtp.reply import Reply, of_fault

AUTH_LINE_OCTETS_MAX = 12_288  # RFC 4954 §4: of AUTH with its initial response, and of each response
HELD_MAX = 2_000  # replies behind an awaited one: more than the recipients of a transaction, 100 KB


class _Open:
    """An event that was given, and the octets of its answer until those before it have left."""

    __slots__ = ("event", "octets", "recipients", "row")

    def __init__(self, event: Event, row: Command | None, recipients: int) -> None:
        self.event = event
        self.row = row
        self.recipients = recipients
        self.octets: bytes | None = None


class Session:
    """One connection, or what of it is behind STARTTLS.

    `greeting` is sent by `send(None, greeting)`, or a refusal instead of it (RFC 5321 §3.1).
    """

    __slots__ = (
        "_asked",
        "_bounds",
        "_chunks",
        "_content",
        "_contents_open",
        "_discarding",
        "_errors",
        "_facts",
        "_held",
        "_lines",
        "_open",
        "_refused",
    )

    def __init__(self, profile: Profile, channel: Channel) -> None:
        self._bounds = profile.bounds
        self._facts = Facts(profile, channel)
        line_octets_max = profile.bounds.line_octets_max
        if profile.mechanisms:
            line_octets_max = max(line_octets_max, AUTH_LINE_OCTETS_MAX)
        self._lines = LineBuffer(line_octets_max)
        self._open: deque[_Open] = deque()
        self._asked: Event | None = None  # nothing more is given until this is answered
        self._held: tuple[Event, Command | None] | None = None  # read, but waits for open contents
        self._content: Dotted | Counted | None = None
        self._chunks: Counted | None = None  # of the open transaction, between two BDAT too
        self._discarding: tuple[int, Reply] | None = None  # octets of a refused BDAT, and what to say then
        self._contents_open = 0
        self._errors = 0
        self._refused = 0  # recipients, since the last message

    @property
    def greeting(self) -> Reply:
        profile = self._facts.profile
        return Reply(220, "", f"{profile.host} {profile.flavour.word} ready")

    # -- the three verbs

    def feed(self, octets: bytes) -> None:
        if isinstance(self._content, Dotted):
            self._content.feed(octets)
        elif self._facts.state is not State.CLOSED:
            self._lines.feed(octets)

    def next(self) -> Event | None:
        if self._asked is not None or self._facts.state is State.CLOSED:
            return None
        if self._contents_open >= self._bounds.events_open_max:
            return None
        if len(self._open) >= HELD_MAX:
            return None
        if self._content is not None:
            return self._next_content(self._content)
        if self._discarding is not None:
            return self._discard(*self._discarding)
        return self._next_command()

    def send(self, event: Event | None, answer: Answer) -> bytes:
        """What may leave now: this answer and those it held back; nothing while earlier ones are awaited."""
        if event is None:
            assert isinstance(answer, Reply)
            return answer.octets()
        opened = self._find(event)
        opened.octets = self._octets(opened, answer)
        if event is self._asked:
            self._asked = None
            self._moved(event, opened.row, answer)
        else:
            self._contents_open -= 1
        return self._leaving(opened)

    # -- answers

    def _find(self, event: Event) -> _Open:
        for opened in self._open:
            if opened.event is event:
                return opened
        raise ValueError("this event has no answer, or had it")

    def _leaving(self, opened: _Open) -> bytes:
        if len(self._open) == 1:
            self._open.clear()
            return opened.octets or b""
        leaving = []
        while self._open and (octets := self._open[0].octets) is not None:
            leaving.append(octets)
            self._open.popleft()
        return leaving[0] if len(leaving) == 1 else b"".join(leaving)

    def _octets(self, opened: _Open, answer: Answer) -> bytes:
        if isinstance(answer, Challenge):
            return b"334 " + encoded(answer.octets) + b"\r\n"
        if isinstance(answer, tuple):
            return b"".join(one.octets() for one in answer)
        if type(opened.event) is Data and self._chunks is not None:
            return b""  # the chunk is not read yet, and has its own reply
        return answer.octets() * opened.recipients

    def _moved(self, event: Event, row: Command | None, answer: Answer) -> None:
        """To another state, as an answer to the only open command makes it."""
        facts = self._facts
        kind = type(event)
        if kind is Auth or kind is AuthResponse:
            self._authenticating(answer)
            return
        assert isinstance(answer, Reply)
        if kind is Data:
            self._start_content(answer)
        elif kind is Goodbye:
            facts.state = State.CLOSED
        elif kind is Reset:
            self._chunks = None
            facts.state = State.START if facts.state is State.START else State.READY
        elif row is not None and row.then is not None and answer.positive and kind is not Answered:
            facts.state = row.then
            facts.recipients += kind is Rcpt
            self._chunks = None
        elif kind is Rcpt:
            self._refused += answer.code >= 500
        if facts.state is State.CLOSED:
            self._lines.clear()

    def _authenticating(self, answer: Answer) -> None:
        facts = self._facts
        facts.state = State.AUTH if isinstance(answer, Challenge) else State.READY
        if isinstance(answer, Reply):
            facts.authenticated = answer.code == 235
            self._errors += not answer.positive

    def _start_content(self, answer: Reply) -> None:
        facts = self._facts
        chunks = self._chunks
        if chunks is None:
            facts.state = State.CONTENT if answer.positive else State.READY
            if answer.positive:
                dotted = Dotted(self._text())
                dotted.feed(self._lines.octets(len(self._lines)))
                self._content = dotted
        elif answer.positive:
            facts.state = State.CHUNKS
            self._content = chunks
        else:  # RFC 3030 §2: accept and discard the chunk before the reply
            facts.state = State.READY
            self._discarding = (chunks.wanted, answer)
            self._chunks = None

    def _text(self) -> Text:
        return Text(self._facts.profile.bare_newline, self._bounds.message_octets_max)

    # -- events

    def _give(self, event: Event, row: Command | None) -> Event | None:
        """Open it, unless it must wait for contents."""
        beside = row is not None and row.beside_content and type(event) is not Goodbye
        if self._contents_open and not beside:
            self._held = (event, row)
            return None
        self._open.append(_Open(event, row, 1))
        self._asked = event
        return event

    def _mistake(self, answer: Reply) -> Event:
        """What the peer did wrong, or goodbye once it has done enough; a full envelope is no mistake."""
        self._errors += 500 <= answer.code < 540
        if self._errors > self._bounds.errors_max:
            return Goodbye(reply.TOO_MANY_ERRORS)
        return Answered(answer)

    def _next_command(self) -> Event | None:
        if self._held is not None:
            if self._contents_open:
                return None
            event, row = self._held
            self._held = None
            return self._give(event, row)
        try:
            line = self._lines.line()
        except LineTooLong as too_long:
            return self._give(self._too_long(too_long.start), None)
        if line is None:
            return None
        if self._facts.state is State.AUTH:
            return self._give(self._auth_response(line), None)
        if self._lines.bare and self._facts.profile.bare_newline is BareNewline.REJECT:
            return self._bare(line)
        return self._command(line)

    def _bare(self, line: bytes) -> Event | None:
        """RFC 5321 §2.3.8: only CRLF ends a line; a chunk is dropped with its command."""
        if line[:5].upper() == b"BDAT ":
            return self._counted(line[5:], reply.NOT_CRLF)
        return self._give(self._mistake(reply.NOT_CRLF), None)

    def _command(self, line: bytes) -> Event | None:
        verb, _, argument = line.partition(b" ")
        verb = verb.upper()
        argument = argument.strip(b" \t")  # RFC 5321 §4.1.1 tolerates white space at the end
        row = COMMANDS.get(verb)
        if row is None or not command.available(row, self._facts):
            return self._give(self._unknown(verb, row), None)
        if row.counted:
            out_of_place = self._facts.state not in row.states
            return self._counted(argument, self._out_of_sequence() if out_of_place else None)
        return self._give(self._read(row, argument), row)

    def _read(self, row: Command, argument: bytes) -> Event:
        if self._facts.state not in row.states:
            return self._mistake(self._out_of_sequence())
        if row.then is State.RCPT and self._harvests():
            return Goodbye(reply.TOO_MANY_UNKNOWN)
        try:
            return row.read(self._facts, argument)
        except Fault as fault:
            return self._mistake(of_fault(fault))

    def _harvests(self) -> bool:
        """Whether the peer tries names rather than sends mail: RFC 5321 §7.3."""
        if self._facts.profile.flavour is not Flavour.MX:
            return False
        return self._refused > self._bounds.refused_recipients_max

    def _out_of_sequence(self) -> Reply:
        return Reply(503, "5.5.1", f"Bad sequence of commands: {self._facts.state.value}")

    def _unknown(self, verb: bytes, row: Command | None) -> Event:
        if verb in HTTP_VERBS:
            return Goodbye(reply.NOT_HTTP)
        if row is None or self._facts.profile.flavour not in row.flavours:
            return self._mistake(reply.UNKNOWN)
        return self._mistake(Reply(502, "5.5.1", f"{row.verb.decode()} is not offered here"))

    def _too_long(self, start: bytes) -> Event:
        if start[:5].upper() == b"BDAT ":
            return Goodbye(reply.CHUNK_WITHOUT_SIZE)
        if self._facts.state is State.AUTH:
            self._facts.state = State.READY
            return AuthCancelled(reply.AUTH_LINE_TOO_LONG)
        return self._mistake(reply.LINE_TOO_LONG)

    def _auth_response(self, line: bytes) -> Event:
        """ "*" gives up: RFC 4954 §4."""
        octets = decoded(line)  # "=" is for initial responses only
        if octets is not None:
            return AuthResponse(octets)
        self._facts.state = State.READY
        return AuthCancelled(reply.AUTH_CANCELLED if line == b"*" else reply.AUTH_NOT_BASE64)

    # -- content

    def _next_content(self, content: Dotted | Counted) -> Event | None:
        if isinstance(content, Counted):
            content.feed(self._lines.octets(content.wanted))
        while (piece := content.next()) is not None:
            if content.dropped > self._bounds.dropped_octets_max:
                self._content = None
                return self._give(Goodbye(reply.ENDLESS), None)
            if content.ended:
                return self._content_ended(content, piece)
            if content.fault is None:
                return Chunk(self._facts.transaction, piece)
        if isinstance(content, Counted) and content.whole:
            return self._chunk_ended(content)
        return None

    def _chunk_ended(self, content: Counted) -> Event | None:
        """RFC 3030 §2: a reply to each BDAT."""
        self._content = None
        received = Reply(250, "2.0.0", f"{content.chunk_octets} octets received")
        return self._give(Answered(content.fault or received), COMMANDS[b"BDAT"])

    def _content_ended(self, content: Dotted | Counted, piece: bytes) -> Event:
        facts = self._facts
        if isinstance(content, Dotted):
            self._lines.feed(content.rest())
        self._content = self._chunks = None
        facts.state = State.READY
        replies = facts.recipients if facts.profile.flavour is Flavour.LMTP else 1  # RFC 2033 §4.2
        event: Event
        if content.fault is not None:
            event = self._asked = ContentRefused(facts.transaction, content.fault)
        else:
            event = LastChunk(facts.transaction, piece)
            self._contents_open += 1
            self._errors = self._refused = 0
        self._open.append(_Open(event, None, replies))
        return event

    def _counted(self, argument: bytes, refusal: Reply | None) -> Event | None:
        """BDAT. The octets that it counts are no commands, whatever becomes of it."""
        row = COMMANDS[b"BDAT"]
        try:
            octets, marker = command.chunk(argument)
        except Fault:
            return self._give(Goodbye(reply.CHUNK_WITHOUT_SIZE), row)
        if octets > self._bounds.dropped_octets_max:
            return self._give(Goodbye(reply.ENDLESS), None)
        if marker not in (b"", b"LAST"):
            refusal = refusal or reply.BAD_CHUNK
        if refusal is not None:
            self._spoil(refusal)
            return self._discard(octets, refusal)
        if self._chunks is not None:
            self._chunks.begin(octets, marker == b"LAST")
            self._content = self._chunks
            return self._next_content(self._chunks)
        self._chunks = Counted(self._text())
        self._chunks.begin(octets, marker == b"LAST")
        return self._give(row.read(self._facts, argument), row)

    def _spoil(self, refusal: Reply) -> None:
        """A chunk is missing: those in the pipeline behind it are refused with it, RFC 3030 §2."""
        if self._facts.state is State.RCPT:
            self._facts.state = State.CHUNKS
            self._chunks = Counted(self._text())
        if self._chunks is not None:
            self._chunks.refuse(refusal)

    def _discard(self, octets: int, answer: Reply) -> Event | None:
        octets -= len(self._lines.octets(octets))
        if octets:
            self._discarding = (octets, answer)
            return None
        self._discarding = None
        return self._give(self._mistake(answer), COMMANDS[b"BDAT"])

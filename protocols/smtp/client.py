"""SMTP and LMTP, client side: commands in, replies out (RFC 5321, RFC 2033).

`send` takes a command and gives its octets; `next` gives each reply with the command that it answers. Several
commands may wait for their replies at once where `may_pipeline` says so (RFC 2920): the session pairs them in
order. After STARTTLS has been answered with 220 this session is over, and one with Channel.TLS goes on.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from protocols.fault import Fault
from protocols.line import LineBuffer, LineTooLong
from protocols.smtp.envelope import NO_PARAMETERS, Body, MailParameters, Path
from protocols.smtp.profile import Channel, Flavour
from protocols.smtp.reply import Reply

LINE_OCTETS_MAX = 4096  # RFC 5321 §4.5.3.1.5 says 512; verbose servers write more
LINES_MAX = 200  # of one reply: no EHLO has so many
EXTENSION_OCTETS_MAX = 1000

_LINE = re.compile(rb"([2-5][0-9]{2})(?:([- ])(.*))?\Z", re.DOTALL)
_ENHANCED = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?: |\Z)")
_STUFFED = re.compile(rb"(?<=\r\n)\.")


@dataclass(frozen=True, slots=True)
class Opening:
    """Not sent: the greeting answers it."""


@dataclass(frozen=True, slots=True)
class Hello:
    """EHLO, or LHLO with LMTP; `extended` False: HELO."""

    name: str
    extended: bool = True


@dataclass(frozen=True, slots=True)
class StartTls:
    """RFC 3207 §4."""


@dataclass(frozen=True, slots=True)
class Mail:
    """Parameters that the server does not offer are left out: ask `extensions` before."""

    reverse_path: Path
    parameters: MailParameters = NO_PARAMETERS


@dataclass(frozen=True, slots=True)
class Rcpt:
    forward_path: Path


@dataclass(frozen=True, slots=True)
class Data:
    """After a 354 come Text and EndOfText."""


@dataclass(frozen=True, slots=True)
class Text:
    """Content with CRLF line ends, cut anywhere; nothing answers it."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class EndOfText:
    """CRLF.CRLF. With LMTP as many replies answer it as recipients were accepted (RFC 2033 §4.2)."""


@dataclass(frozen=True, slots=True)
class Reset:
    """RSET."""


@dataclass(frozen=True, slots=True)
class Quit:
    """QUIT."""


Command = Opening | Hello | StartTls | Mail | Rcpt | Data | Text | EndOfText | Reset | Quit


@dataclass(frozen=True, slots=True)
class Answered:
    """`command` None: the server spoke unasked, as it does with 421 before it closes (RFC 5321 §3.8)."""

    command: Command | None
    reply: Reply


@dataclass(frozen=True, slots=True)
class Broken:
    """What came is no SMTP; nothing more is given."""

    fault: Fault


Event = Answered | Broken


class Session:
    """The three verbs. `extensions` has what the last EHLO offered: keyword in capitals → parameters."""

    __slots__ = (
        "_accepted",
        "_awaited",
        "_input",
        "_lines",
        "_lmtp",
        "_over",
        "_tail",
        "extensions",
    )

    def __init__(self, flavour: Flavour, channel: Channel) -> None:
        """In TLS there is no second greeting, RFC 3207 §4.2."""
        self._lmtp = flavour is Flavour.LMTP
        self._input = LineBuffer(LINE_OCTETS_MAX)
        self._awaited: deque[Command] = deque([Opening()] if channel is Channel.PLAIN else [])
        self._lines: list[bytes] = []
        self._accepted = 0
        self._tail = b""  # the last two octets of the content
        self._over = False
        self.extensions: Mapping[str, str] = {}

    @property
    def may_pipeline(self) -> bool:
        return "PIPELINING" in self.extensions

    # -- our commands

    def send(self, command: Command) -> bytes:
        """The octets of a command, or of a piece of content."""
        if isinstance(command, Text):
            return self._stuffed(command.octets)
        octets = self._octets(command)
        self._awaited.extend([command] * (self._accepted if self._of_each(command) else 1))
        return octets

    def _of_each(self, command: Command) -> bool:
        return self._lmtp and isinstance(command, EndOfText)

    def _octets(self, command: Command) -> bytes:
        match command:
            case Hello():
                verb = ("LHLO" if self._lmtp else "EHLO") if command.extended else "HELO"
                return f"{verb} {command.name}\r\n".encode()
            case StartTls():
                return b"STARTTLS\r\n"
            case Mail():
                self._accepted = 0
                parameters = self._parameters(command.parameters)
                return b"MAIL FROM:<%b>%b\r\n" % (command.reverse_path.mailbox, parameters)
            case Rcpt():
                return b"RCPT TO:<%b>\r\n" % command.forward_path.mailbox
            case Data():
                self._tail = b"\r\n"
                return b"DATA\r\n"
            case EndOfText():
                return b".\r\n" if self._tail == b"\r\n" else b"\r\n.\r\n"
            case Reset():
                return b"RSET\r\n"
            case Quit():
                return b"QUIT\r\n"
            case _:
                raise AssertionError(f"{command} is not sent")

    def _parameters(self, parameters: MailParameters) -> bytes:
        words = b""
        if parameters.size and "SIZE" in self.extensions:
            words += b" SIZE=%d" % parameters.size
        if parameters.body is not Body.SEVEN_BIT and "8BITMIME" in self.extensions:
            words += b" BODY=%b" % parameters.body.value
        if parameters.smtputf8 and "SMTPUTF8" in self.extensions:
            words += b" SMTPUTF8"
        return words

    def _stuffed(self, octets: bytes) -> bytes:
        """A line that begins with a dot gets another, RFC 5321 §4.5.2; cuts do not matter."""
        if not octets:
            return b""
        before, self._tail = self._tail, (self._tail + octets)[-2:]
        return _STUFFED.sub(b"..", before + octets)[len(before) :]

    # -- the server's replies

    def feed(self, octets: bytes) -> None:
        self._input.feed(octets)

    def next(self) -> Event | None:
        if self._over:
            return None
        try:
            reply = self._reply()
            return None if reply is None else self._answered(reply)
        except LineTooLong:
            return self._break(Fault("554 5.5.0", "The server's reply has a line that is too long"))
        except Fault as fault:
            return self._break(fault)

    def _break(self, fault: Fault) -> Broken:
        self._over = True
        return Broken(fault)

    def _reply(self) -> Reply | None:
        """Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF: §4.2"""
        while (line := self._input.line()) is not None:
            found = _LINE.match(line)
            if found is None or (self._lines and found[1] != self._lines[0][:3]):
                raise Fault("554 5.5.0", "The server's reply is malformed")
            self._lines.append(line)
            if found[2] != b"-":
                lines, self._lines = self._lines, []
                return _read(lines)
            if len(self._lines) >= LINES_MAX:
                raise Fault("554 5.5.0", "The server's reply has too many lines")
        return None

    def _answered(self, reply: Reply) -> Answered:
        if not self._awaited:
            if reply.code != 421:
                raise Fault("554 5.5.0", "The server answered what was not asked")
            self._over = True
            return Answered(None, reply)
        command = self._awaited.popleft()
        if reply.positive and (reply.code >= 300) is not isinstance(command, Data):  # §4.3.2
            raise Fault("554 5.5.0", "The server's reply is none to what was asked")
        match command:
            case Hello() if reply.positive:
                self.extensions = dict(map(_extension, reply.more)) if command.extended else {}
            case Rcpt() if reply.positive:
                self._accepted += 1
            case StartTls() if reply.positive:
                self._over = True  # what follows in the clear is nobody's: RFC 3207 §6
            case Quit():
                self._over = True
        return Answered(command, reply)


def _read(lines: list[bytes]) -> Reply:
    """The enhanced status code of each line is taken off, RFC 2034 §4; what is no ASCII is replaced."""
    texts = [line[4:].decode("ascii", "replace") for line in lines]
    code = int(lines[0][:3])
    found = _ENHANCED.match(texts[0])
    enhanced = found[1] if found and found[1][0] == str(code)[0] else ""
    if enhanced:
        texts = [text.removeprefix(enhanced).removeprefix(" ") for text in texts]
    return Reply(code, enhanced, texts[0], tuple(texts[1:]))


def _extension(line: str) -> tuple[str, str]:
    """ehlo-line = ehlo-keyword *( SP ehlo-param ), RFC 5321 §4.1.1.1; "AUTH=PLAIN" is an old AUTH PLAIN."""
    keyword, _, parameters = line[:EXTENSION_OCTETS_MAX].partition(" ")
    return keyword.upper(), parameters

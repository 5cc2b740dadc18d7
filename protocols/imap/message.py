"""The messages of one APPEND on their way: octets of a literal, then the end of the command or one more."""

from __future__ import annotations

from protocols.fault import Fault
from protocols.imap import arguments
from protocols.imap.answer import Bad, Bye, No, refusal
from protocols.imap.capability import Policy
from protocols.imap.command import check_literal
from protocols.imap.content import Content
from protocols.imap.event import Append, AppendBroken, Chunk, Goodbye, LastChunk, LiteralKind, NextMessage
from protocols.imap.framing import Announced, Framer
from protocols.imap.grammar import Grammar
from protocols.imap.limits import ImapLimits

Came = Chunk | NextMessage | LastChunk | AppendBroken | Goodbye


def kind_of(literal: Announced) -> LiteralKind:
    return LiteralKind.LITERAL8 if literal.literal8 else LiteralKind.PLAIN


def check_size(literal: Announced, limits: ImapLimits) -> None:
    """Of a message to come; raises Fault. None is empty: RFC 3502 §6.3.11 gives up with such a one."""
    if literal.size > limits.message_octets_max:
        raise Fault("NO [TOOBIG]", f"A message may have {limits.message_octets_max} octets")
    if not literal.size:
        raise Fault("NO", "The message is empty")


class Incoming:
    """What is being read of `append`, whose literal `framer` streams."""

    __slots__ = ("_content", "_framer", "_last", "_limits", "_message", "_next", "_policy", "append")

    def __init__(self, append: Append, framer: Framer, limits: ImapLimits, policy: Policy) -> None:
        self.append = append
        self._framer = framer
        self._limits = limits
        self._policy = policy
        self._message: Append | NextMessage = append
        self._content = Content(append.kind)
        self._last = b""  # the end of the message, until what follows it is known
        self._next: NextMessage | None = None

    def begin(self, message: NextMessage) -> None:
        """The literal of one more message streams from here on."""
        self._message = message
        self._content = Content(message.kind)

    def next(self) -> Came | None:
        """After LastChunk, AppendBroken and Goodbye there is nothing more; raises LineTooLong."""
        if self._next is not None:
            another, self._next = self._next, None
            return another
        octets = self._framer.chunk(self._limits.chunk_octets_max)
        if octets:
            kept = self._content.kept(octets)
            if self._framer.literal_left:
                return Chunk(self.append, kept)
            self._last = kept
        if self._framer.literal_left:
            return None
        rest = self._framer.next()
        return None if rest is None else self._after(rest)

    def broken(self, answer: Bad | No) -> AppendBroken:
        return AppendBroken(self.append, answer)

    def _after(self, rest: bytes | Announced) -> Came:
        """What stands behind a message: the end of the command, or another message (RFC 3502)."""
        try:
            if self._content.has_nul:
                raise Fault("NO", "The message holds NUL")
            if isinstance(rest, Announced):
                return self._another(rest)
            if rest != self._closing:
                raise Fault("BAD", "The command goes on after the message")
            return LastChunk(self.append, self._last)
        except Fault as fault:
            return self._refused(rest, refusal(fault))

    @property
    def _closing(self) -> bytes:
        return b")" if self._message.utf8 else b""

    def _another(self, literal: Announced) -> Came:
        """The last octets of one message, then the next one; of an empty message there is nothing to say."""
        octets = self._framer.so_far[: literal.start]
        grammar = Grammar(octets, 0, self._limits, b"", False, self.append.enabled)
        if self._closing and not grammar.skip(self._closing):
            raise grammar.fault('")"')
        another = arguments.next_message(grammar, self.append, literal.size, kind_of(literal))
        check_size(literal, self._limits)
        check_literal(literal, self._policy)
        if not self._last:
            return another
        last, self._last, self._next = self._last, b"", another
        return Chunk(self.append, last)

    def _refused(self, rest: bytes | Announced, answer: Bad | No) -> AppendBroken | Goodbye:
        if isinstance(rest, Announced):
            if not rest.synchronising and rest.size > self._limits.message_octets_max:
                return Goodbye(Bye("The literal is too large", "TOOBIG"))
            self._framer.drop()
        return self.broken(answer)

"""Any commands in any order, contents open together: replies leave in the order of what they answer."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from protocols.smtp import reply
from protocols.smtp.event import (
    Answer,
    Auth,
    AuthResponse,
    Challenge,
    Chunk,
    Data,
    Event,
    LastChunk,
    Mail,
    Rcpt,
)
from protocols.smtp.profile import Channel
from protocols.smtp.reply import Reply
from tests.protocols.smtp.peer import PROFILES, opened
from tests.protocols.stateful import Conversation

LINES = (
    *(b"EHLO c.example\r\n", b"HELO c.example\r\n", b"LHLO c.example\r\n", b"RSET\r\n", b"NOOP\r\n"),
    *(
        b"MAIL FROM:<a@b.example>\r\n",
        b"MAIL FROM:<> BODY=8BITMIME SIZE=9\r\n",
        b"RCPT TO:<d@here.example>\r\n",
    ),
    *(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<d@here.example>\r\nDATA\r\n", b"DATA\r\n", b".\r\n", b"text\r\n"),
    *(
        b"MAIL FROM:<>\r\nRCPT TO:<d@here.example>\r\nBDAT 3 LAST\r\nabc",
        b"BDAT 3\r\nabc",
        b"BDAT 0 LAST\r\n",
    ),
    *(
        b"AUTH PLAIN AGEAYg==\r\n",
        b"AUTH LOGIN\r\n",
        b"YQ==\r\n",
        b"*\r\n",
        b"what\r\n",
        b"VRFY a\r\n",
        b"QUIT\r\n",
    ),
)


TRANSACTION = b"MAIL FROM:<>\r\nRCPT TO:<d@here.example>\r\nBDAT 3 LAST\r\nabc"


class SmtpConversation(Conversation):
    @initialize(name=st.sampled_from(sorted(PROFILES)))
    def connect(self, name: str) -> None:
        self.session = opened(PROFILES[name], Channel.TLS)
        self.session.feed(b"LHLO c\r\n" if name == "lmtp" else b"EHLO c\r\n")

    @rule(octets=st.sampled_from(LINES), at=st.integers(0, 80))
    def peer_says(self, octets: bytes, at: int) -> None:
        self.hear(octets, at)

    @rule(count=st.integers(1, 3))
    def peer_sends_mail(self, count: int) -> None:
        """Whole transactions in a pipeline, RFC 2920: all but the end of each content is answered yes."""
        self.hear(TRANSACTION * count, 0)
        self.take()
        for _ in range(3 * count + 1):
            asked = [at for at, (event, _) in enumerate(self.open) if not isinstance(event, LastChunk)]
            for at in reversed(asked):
                self.answer(at, True)
            self.take()

    def asks(self, event: Event) -> bool:
        return not isinstance(event, Chunk)

    def answers(self, event: Event, text: str, yes: bool) -> Sequence[Answer]:
        match event:
            case Data() if yes:
                return [reply.GO_ON]
            case Auth("LOGIN", None):
                return [Challenge(b"Password:")]
            case Auth() | AuthResponse():
                return [Reply(235 if yes else 535, "", text)]
            case Mail() | Rcpt() | LastChunk() | Data():
                return [Reply(250 if yes else 451, "", text)]
            case _:
                return [event.reply]

    def in_order(self) -> None:
        """LMTP repeats a reply for each recipient."""
        lines = self.said.split(b"\r\n")
        self.said = b"\r\n".join(line for at, line in enumerate(lines) if not at or line != lines[at - 1])
        super().in_order()


TestSmtpConversation = SmtpConversation.TestCase
TestSmtpConversation.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)

"""Any commands in any order, APPENDs open together: answers leave in the order of the commands."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from protocols.imap import event as events
from protocols.imap.answer import Answer, Challenge, GoOn, Greeting, No, Ok
from protocols.imap.event import Event
from protocols.imap.server import Session
from tests.protocols.imap.peer import CLEAR, LIMITS
from tests.protocols.stateful import Conversation

LINES = (
    *(
        b"a login ann sesame\r\n",
        b"b select inbox\r\n",
        b"c noop\r\n",
        b"d fetch 1:* flags\r\n",
        b"e what\r\n",
    ),
    *(
        b"f append inbox {3+}\r\nabc\r\n",
        b"g append inbox {3}\r\n",
        b"abc",
        b"\r\n",
        b"h append inbox {3+}\r\n",
    ),
    *(b"i idle\r\n", b"done\r\n", b"j authenticate plain\r\n", b"AGEAYg==\r\n", b"*\r\n", b"k close\r\n"),
    *(
        b"l append inbox {3+}\r\nabc {2+}\r\nde\r\n",
        b"m search all\r\n",
        b"n logout\r\n",
        b'o list "" {1+}\r\n*\r\n',
    ),
    *(
        b"p expunge\r\n",
        b"q unselect\r\n",
        b"r store 1 +flags (\\seen)\r\n",
        b"s append inbox {9999999+}\r\n",
    ),
)
SETTLED = events.Reply | events.Goodbye | events.AppendBroken


class ImapConversation(Conversation):
    session: Session

    @initialize()
    def connect(self) -> None:
        self.session = Session(LIMITS, CLEAR)
        self.said += self.session.send(None, Greeting("ready"))

    @rule(octets=st.sampled_from(LINES), at=st.integers(0, 40))
    def client_says(self, octets: bytes, at: int) -> None:
        self.hear(octets, at)

    @rule(count=st.integers(1, 4))
    def client_appends(self, count: int) -> None:
        """Several in a pipeline: each may begin once the message of the one before has been given."""
        for number in range(count):
            self.hear(b"u%d append inbox {3+}\r\nabc\r\n" % number, 0)
            self.take()
            for at in reversed(range(len(self.open))):
                if not isinstance(self.open[at][0], events.LastChunk):
                    self.answer(at, True)
            self.take()

    @rule()
    def something_happens(self) -> None:
        """Untagged data may leave only between answers, or within that of an IDLE."""
        self.said += self.session.send(None, b"* 1 EXISTS\r\n")
        assert self.said.endswith(b"\r\n")

    def asks(self, event: Event) -> bool:
        return not isinstance(event, events.Chunk)

    def answers(self, event: Event, text: str, yes: bool) -> Sequence[Answer]:
        if isinstance(event, SETTLED):
            return [event.answer]
        if isinstance(event, events.Idle):
            return [GoOn("idling")]
        if isinstance(event, events.Append | events.NextMessage) and yes:
            return [GoOn()]
        if isinstance(event, events.Authenticate) and event.initial is None:
            return [Challenge(b"")]
        if isinstance(event, events.IdleDone | events.Logout):
            return [Ok("Done")]
        return [b"* 1 FETCH (FLAGS ())\r\n", Ok(text)] if yes else [No(text)]


TestImapConversation = ImapConversation.TestCase
TestImapConversation.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)

"""Any commands in any order: one is open at a time, and every answer leaves."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from protocols.pop3.event import (
    Answer,
    Authenticate,
    AuthenticateResponse,
    Done,
    Event,
    Login,
    Octets,
    Opened,
    Quit,
    Refused,
    Retr,
)
from protocols.pop3.server import Session
from protocols.sasl.step import Challenge
from tests.protocols.pop3.peer import MAILDROP, POLICY
from tests.protocols.stateful import Conversation

LINES = (
    *(
        b"USER ann\r\n",
        b"PASS x\r\n",
        b"CAPA\r\n",
        b"STAT\r\n",
        b"LIST\r\n",
        b"UIDL 2\r\n",
        b"RETR 1\r\n",
        b"QUIT\r\n",
    ),
    *(
        b"TOP 2 1\r\n",
        b"DELE 1\r\n",
        b"RSET\r\n",
        b"NOOP\r\n",
        b"UTF8\r\n",
        b"AUTH PLAIN\r\n",
        b"AGEAYg==\r\n",
        b"*\r\n",
    ),
    *(b"what\r\n", b"RETR 99\r\n", b"\r\n", b"LANG *\r\n", b"AUTH PLAIN AGEAYg==\r\n"),
)


class Pop3Conversation(Conversation):
    session: Session

    @initialize()
    def connect(self) -> None:
        self.session = Session(POLICY, True)

    @rule(octets=st.sampled_from(LINES), at=st.integers(0, 40))
    def client_says(self, octets: bytes, at: int) -> None:
        self.hear(octets, at)

    @invariant()
    def one_is_open_at_a_time(self) -> None:
        assert len(self.open) <= 1

    def asks(self, event: Event) -> bool:
        return True

    def answers(self, event: Event, text: str, yes: bool) -> Sequence[Answer]:
        match event:
            case Login() if yes:
                return [Opened(MAILDROP)]
            case Authenticate(_, None):
                return [Challenge(b"")]
            case Authenticate() | AuthenticateResponse() if yes:
                return [Opened(MAILDROP)]
            case Login() | Authenticate() | AuthenticateResponse():
                return [Refused("AUTH", text)]
            case Retr() | Quit() if not yes:
                return [Refused("SYS/TEMP", text)]
            case Retr():
                return [Octets(b"Subject: a\r\n"), Octets(b"\r\n.b\r\n"), Done()]
            case _:
                return [Done()]


TestPop3Conversation = Pop3Conversation.TestCase
TestPop3Conversation.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)

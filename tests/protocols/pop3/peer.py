"""A listener that fits into a test: one maildrop, one password, answers at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from protocols.pop3.command import Policy
from protocols.pop3.event import (
    Answer,
    Answered,
    Authenticate,
    AuthenticateResponse,
    Done,
    Event,
    Login,
    Maildrop,
    Octets,
    Opened,
    Quit,
    Refused,
    Retr,
)
from protocols.pop3.server import Session
from protocols.sasl.step import Challenge

POLICY = Policy(
    host="pop.example",
    mechanisms=("PLAIN", "LOGIN"),
    starttls=True,
    passwords_need_tls=False,
    line_octets_max=512,
    exchange_line_octets_max=2500,
    errors_max=100,
)
STRICT = replace(POLICY, passwords_need_tls=True)
IMPATIENT = replace(POLICY, errors_max=5)

MESSAGES = (
    b"Subject: dots\r\nFrom: a@b.example\r\n\r\n.\r\n.one\r\ntwo\r\n. three\r\n\r\nlast\r\n",
    b"\r\nno header at all\r\n.and a dot at the end\r\n",
    b"Subject: no line end at the end",
)
MAILDROP = Maildrop([len(message) for message in MESSAGES], lambda index: f"uid-{index}")
PASSWORD = "open sesame"


@dataclass(slots=True)
class Peer:
    """Knows "ann"; the maildrop of "busy" is locked, that of "unlucky" cannot be read after the login."""

    events: list[Event] = field(default_factory=list)
    piece_octets: int = 7
    _unlucky: bool = False

    def __call__(self, event: Event) -> Iterable[Answer]:
        self.events.append(event)
        match event:
            case Login():
                yield self._login(event.user, event.password)
            case Authenticate("LOGIN", _):
                yield Challenge(b"Username:")
            case Authenticate(_, None):
                yield Challenge(b"")
            case Authenticate(_, initial):
                yield self._plain(initial or b"")
            case AuthenticateResponse(b"ann"):
                yield Challenge(b"Username:")
            case AuthenticateResponse():
                yield self._plain(event.octets)
            case Retr() | Quit() if self._unlucky:
                yield Refused("SYS/TEMP", "Not now")
            case Retr():
                yield from self._pieces(MESSAGES[event.index])
            case _:
                yield Done()

    def _pieces(self, message: bytes) -> Iterable[Answer]:
        for start in range(0, len(message), self.piece_octets):
            yield Octets(message[start : start + self.piece_octets])
        yield Done()

    def _plain(self, message: bytes) -> Answer:
        _, _, rest = message.partition(b"\0")
        user, _, password = rest.partition(b"\0")
        return self._login(user.decode(errors="replace"), password.decode(errors="replace"))

    def _login(self, user: str, password: str) -> Answer:
        if user not in ("ann", "busy", "unlucky") or password != PASSWORD:
            return Refused("AUTH", "Wrong name or password")
        if user == "busy":
            return Refused("IN-USE", "Maildrop is locked")
        self._unlucky = user == "unlucky"
        return Opened(MAILDROP)


class Greeted:
    """A session that says its greeting by itself, as the first thing a listener does."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._greeting: Answered | None = session.greeting

    def feed(self, octets: bytes) -> None:
        self._session.feed(octets)

    def next(self) -> Event | None:
        return self._greeting or self._session.next()

    def send(self, event: Event | None, answer: Answer) -> bytes:
        greeting = self._greeting
        if greeting is not None and event is greeting:
            self._greeting = None
            return self._session.send(None, greeting)
        return self._session.send(event, answer)

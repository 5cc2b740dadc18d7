"""The other end of a test: puts messages in and reads out what is there, with Python's own library."""

import imaplib
import re
import smtplib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.wire.fetched import Fetched, fetched
from tests.wire.imap import trust
from tests.wire.server import HOST, Server

WAIT_SECONDS_MAX = 30.0
SENDER = "sender@client.example.net"
FIELD = re.compile(rb"([!-9;-~]+):[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*")  # RFC 5322 §2.2


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the server under test."""

    server: Server
    address: str
    password: str

    @contextmanager
    def session(self) -> Iterator[imaplib.IMAP4_SSL]:
        """A logged-in IMAP session; nothing is selected."""
        tls = trust(self.server.certificate)
        connection = imaplib.IMAP4_SSL(
            HOST, self.server.port("imaps"), ssl_context=tls, timeout=WAIT_SECONDS_MAX
        )
        with connection:
            connection.login(self.address, self.password)
            yield connection

    def append(self, message: bytes, mailbox: str = "INBOX", flags: str = "") -> None:
        with self.session() as session:
            status, _ = session.append(mailbox, flags, "", message)
            assert status == "OK"

    def deliver(self, *messages: bytes) -> None:
        """Bring them in through the MX, one after another."""
        with smtplib.SMTP(HOST, self.server.port("smtp")) as sender:
            for message in messages:
                sender.sendmail(SENDER, [self.address], message)

    def messages(self, mailbox: str = "INBOX", least: int = 0) -> list[Fetched]:
        """UID, FLAGS and BODY[] of all, once there are `least`."""
        return self.eventually(lambda found: len(found) >= least, mailbox)

    def eventually(self, holds: Callable[[list[Fetched]], bool], mailbox: str = "INBOX") -> list[Fetched]:
        """UID, FLAGS and BODY[] of all, once they are so: looks again at each change that is told."""
        with self.session() as session:
            session.select(f'"{mailbox}"', readonly=True)
            while not holds(found := _all(session)):
                try:
                    _await_untagged(session)
                except TimeoutError:
                    raise AssertionError(f"{mailbox} stays so: {found}") from None
            return found

    def octets(self, mailbox: str = "INBOX", least: int = 0) -> list[bytes]:
        return [message.items[b"BODY[]"] for message in self.messages(mailbox, least)]

    def mailboxes(self) -> set[str]:
        with self.session() as session:
            _, lines = session.list()
            return {line.partition(b'" ')[2].decode().strip('"') for line in lines if isinstance(line, bytes)}


def trace_fields(stored: bytes, message: bytes) -> list[str]:
    """Names of the fields that `message` got in front on its way; behind them it is as it was sent."""
    assert stored.endswith(message), f"{stored!r}\nis not, with fields in front,\n{message!r}"
    front = stored.removesuffix(message)
    fields = list(FIELD.finditer(front))
    assert b"".join(field[0] for field in fields) == front, front
    return [field[1].decode() for field in fields]


def _all(session: imaplib.IMAP4) -> list[Fetched]:
    """Asked for again where a change is told meanwhile, which IDLE would not repeat."""
    while True:
        session.untagged_responses.clear()
        responses = fetch(session, "1:*", "(UID FLAGS BODY.PEEK[])", uid=True)
        changed = {"EXISTS", "EXPUNGE"} & set(session.untagged_responses)
        if not changed and all(b"BODY[]" in each.items for each in responses):
            return responses


def fetch(session: imaplib.IMAP4, messages: str, items: str, *, uid: bool = False) -> list[Fetched]:
    """FETCH, its responses put together again from imaplib's pieces."""
    status, pieces = session.uid("FETCH", messages, items) if uid else session.fetch(messages, items)
    assert status == "OK", pieces
    return fetched(_responses(pieces))


def _responses(pieces: Iterable[object]) -> Iterator[bytes]:
    """imaplib gives (text up to a literal, literal) pairs and the rest of each line: join them."""
    response = b""
    for piece in pieces:
        if isinstance(piece, tuple):
            text, literal = piece
            response += text + b"\r\n" + literal
        elif isinstance(piece, bytes):
            yield b"* " + _with_name(response + piece)
            response = b""


def _with_name(response: bytes) -> bytes:
    """imaplib takes the word FETCH away: `7 (UID 1 ...)`."""
    number, _, rest = response.partition(b" ")
    return number + b" FETCH " + rest


def _await_untagged(session: imaplib.IMAP4) -> None:
    """IDLE (RFC 2177) until the server tells anything."""
    tag = b"idle1"
    session.send(tag + b" IDLE\r\n")
    while not session.readline().startswith(b"* "):
        pass
    session.send(b"DONE\r\n")
    while not session.readline().startswith(tag):
        pass

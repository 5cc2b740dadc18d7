"""Servers' sessions and the client's: any octets are answered, and the same in any cuts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from protocols.imap.server import Session as Imap
from protocols.pop3.server import Session as Pop3
from protocols.smtp import client
from protocols.smtp.envelope import Path
from protocols.smtp.profile import Channel, Flavour, Profile
from tests.dialogues.runner import Session, drain
from tests.fuzz.cutting import pieces_of
from tests.protocols.imap import peer as imap
from tests.protocols.pop3 import peer as pop3
from tests.protocols.smtp import peer as smtp

Played = tuple[bytes, object]
"""What was said, and what the peer took."""

Start = Callable[[], tuple[Session, Callable[[Any], Iterable[Any]], Callable[[], object]]]
"""A fresh session, who answers its events, and what that one took so far."""


def same_in_any_cut(start: Start) -> Callable[[bytes], None]:
    def target(octets: bytes) -> None:
        pieces = pieces_of(octets)
        assert _played(start, pieces) == _played(start, [b"".join(pieces)])

    return target


def _played(start: Start, pieces: list[bytes]) -> Played:
    session, answers, taken = start()
    said = b""
    for piece in pieces:
        session.feed(piece)
        said += drain(session, answers)
    return said, taken()


def smtp_start(profile: Profile, opening: bytes = b"") -> Start:
    def start() -> tuple[Session, smtp.Peer, Callable[[], object]]:
        session, peer = smtp.opened(profile, Channel.TLS), smtp.Peer()
        session.feed(opening)
        drain(session, peer)
        return session, peer, lambda: peer.contents

    return start


def imap_start(opening: bytes = b"") -> Start:
    def start() -> tuple[Session, imap.Peer, Callable[[], object]]:
        session = Imap(imap.LIMITS, imap.CLEAR)
        peer = imap.Peer(lambda: session.enabled)
        session.feed(opening)
        drain(session, peer)
        return session, peer, lambda: {name: box.octets for name, box in peer.mailboxes.items()}

    return start


def pop3_start(opening: bytes = b"") -> Start:
    def start() -> tuple[Session, pop3.Peer, Callable[[], object]]:
        session, peer = Pop3(pop3.POLICY, True), pop3.Peer()
        session.feed(opening)
        drain(session, peer)
        return session, peer, lambda: peer.events

    return start


def smtp_client(octets: bytes) -> None:
    """A server that says anything at all is understood or is no SMTP."""
    pieces = pieces_of(octets)
    assert _understood(pieces) == _understood([b"".join(pieces)])


def _understood(pieces: list[bytes]) -> list[str]:
    """The events, as words: faults are exceptions, and equal to themselves only."""
    session = client.Session(Flavour.LMTP, Channel.TLS)
    for command in (client.Hello("c.example"), client.Mail(Path(b"a@b.example")), client.Reset()):
        session.send(command)
    events: list[str] = []
    for piece in pieces:
        session.feed(piece)
        events.extend(map(repr, iter(session.next, None)))
    return events

"""A listener that fits into a test: it answers events at once and keeps what it was given."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

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
from protocols.smtp.profile import BareNewline, Bounds, Channel, Flavour, Profile
from protocols.smtp.reply import Reply
from protocols.smtp.server import Session

BOUNDS = Bounds(
    line_octets_max=512,
    recipients_max=5,
    message_octets_max=1_000_000,
    errors_max=20,
    refused_recipients_max=6,
    events_open_max=4,
)
MX = Profile(Flavour.MX, "mx.example", BOUNDS, BareNewline.REJECT, starttls=True)
LMTP = Profile(Flavour.LMTP, "lmtp.example", BOUNDS, BareNewline.NORMALIZE)
SUBMISSION = Profile(
    Flavour.SUBMISSION,
    "submit.example",
    BOUNDS,
    BareNewline.NORMALIZE,
    starttls=True,
    mechanisms=("PLAIN", "LOGIN"),
)
PROFILES = {"mx": MX, "lmtp": LMTP, "submission": SUBMISSION}


def opened(profile: Profile, channel: Channel = Channel.PLAIN) -> Session:
    """A session after its greeting."""
    session = Session(profile, channel)
    session.send(None, session.greeting)
    return session


@dataclass(slots=True)
class Peer:
    """Refuses addresses that begin with "unknown", DATA for "refuse-data@", and content with "spam"."""

    contents: list[bytes] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    _chunks: bytes = b""
    _recipients: list[bytes] = field(default_factory=list)

    def __call__(self, event: Event) -> Iterable[Answer]:
        self.events.append(event)
        match event:
            case Mail():
                self._recipients.clear()
                self._chunks = b""
                yield reply.SENDER_OK
            case Rcpt():
                yield self._recipient(event.forward_path.mailbox)
            case Data():
                refused = b"refuse-data@here.example" in self._recipients
                yield Reply(451, "4.3.0", "Not now") if refused else reply.GO_ON
            case Chunk():
                self._chunks += event.octets
            case LastChunk():
                yield self._end(self._chunks + event.octets)
            case Auth() if event.initial is None:
                yield Challenge(b"Password:")
            case Auth():
                yield self._authenticated(event.initial or b"")
            case AuthResponse():
                yield self._authenticated(event.octets)
            case _:
                yield event.reply

    def _recipient(self, mailbox: bytes) -> Reply:
        if mailbox.startswith(b"unknown"):
            return Reply(550, "5.1.1", "No such user")
        self._recipients.append(mailbox)
        return reply.RECIPIENT_OK

    def _end(self, content: bytes) -> Reply:
        self._chunks = b""
        if b"spam" in content:
            return Reply(550, "5.7.1", "Refused")
        self.contents.append(content)
        return Reply(250, "2.0.0", f"{len(content)} octets accepted")

    def _authenticated(self, octets: bytes) -> Reply:
        return reply.AUTHENTICATED if b"secret" in octets else Reply(535, "5.7.8", "Authentication failed")

"""What a mail client reads: SELECT, STATUS, FETCH; warm, and for the first time after `row.forget`."""

from dataclasses import dataclass

from interop.bench.cpu import Meter
from interop.bench.filling import fill, mixed
from interop.bench.row import Benched, Figures, Row, Scale, accounts, forget
from interop.bench.session import logged_in, measured
from interop.peers.dovecot import DovecotMaildir, DovecotMdbox

ADDRESS = next(iter(accounts(1)))
SESSIONS = 20  # that ask what takes well below a millisecond
HEADER_FIELDS = (
    b"From To Cc Bcc Subject Date Message-ID Priority X-Priority References Newsgroups In-Reply-To "
    b"Content-Type Reply-To"
)
COMMANDS = {
    "FLAGS": b"FETCH 1:* (FLAGS)",
    "ENVELOPE BODYSTRUCTURE": b"FETCH 1:* (ENVELOPE BODYSTRUCTURE)",
    "Thunderbird's header fields": b"UID FETCH 1:* (UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (%b)])"
    % HEADER_FIELDS,
    "1,000 bodies": b"FETCH 1:1000 (BODY.PEEK[])",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """A command in a mailbox that a new session has selected."""

    what: str
    command: bytes
    messages: int
    first: bool

    @property
    def label(self) -> str:
        return f"{self.what}, {self.messages:,}{', first' if self.first else ''}"

    def run(self, server: Benched, meter: Meter) -> Figures:
        if self.first:
            forget(server)
        session = logged_in(server, ADDRESS)
        session.ask(b"SELECT INBOX")
        if not self.first:
            session.ask(self.command)
        figures = measured([session], meter, self.command)
        session.close()
        return figures


@dataclass(frozen=True, slots=True)
class Opening:
    """SELECT or STATUS by new sessions."""

    what: str
    command: bytes
    messages: int
    first: bool

    @property
    def label(self) -> str:
        return f"{self.what}, {self.messages:,}{', first' if self.first else ''}"

    def run(self, server: Benched, meter: Meter) -> Figures:
        if self.first:
            forget(server)
        else:
            _once(server, self.command)
        sessions = [logged_in(server, ADDRESS) for _ in range(1 if self.first else SESSIONS)]
        figures = measured(sessions, meter, self.command)
        for session in sessions:
            session.close()
        return figures


def _once(server: Benched, command: bytes) -> None:
    """So that what is measured after it is warm."""
    session = logged_in(server, ADDRESS)
    session.ask(command)
    session.close()


OPENINGS = {"SELECT": b"SELECT INBOX", "STATUS": b"STATUS INBOX (MESSAGES UIDNEXT UNSEEN RECENT)"}


def row(scale: Scale) -> Row:
    messages = scale.messages

    def filled(server: Benched, meter: Meter) -> None:
        fill(server, ADDRESS, mixed(messages))

    openings = [Opening(*each, messages, first) for each in OPENINGS.items() for first in (False, True)]
    readings = [Reading(*each, messages, first) for each in COMMANDS.items() for first in (False, True)]
    return Row((DovecotMaildir, DovecotMdbox), accounts(1), filled, [*openings, *readings])

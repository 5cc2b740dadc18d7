"""STORE, COPY, MOVE and EXPUNGE, each undone before the next repetition."""

from dataclasses import dataclass

from interop.bench.cpu import Meter
from interop.bench.fetch import ADDRESS
from interop.bench.filling import fill, mixed
from interop.bench.row import Benched, Figures, Row, Scale, accounts
from interop.bench.session import logged_in, measured
from interop.peers.dovecot import DovecotMaildir, DovecotMdbox

TARGET = b"Copies"


@dataclass(frozen=True, slots=True)
class Change:
    """`command` is timed, in INBOX or in the mailbox of copies; `before` and `after` are not."""

    label: str
    command: bytes
    before: tuple[bytes, ...] = ()
    after: tuple[bytes, ...] = ()

    def run(self, server: Benched, meter: Meter) -> Figures:
        session = logged_in(server, ADDRESS)
        session.ask(b"SELECT INBOX")
        for command in self.before:
            session.ask(command)
        figures = measured([session], meter, self.command)
        for command in self.after:
            session.ask(command)
        session.close()
        return figures


SELECT_TARGET = b"SELECT " + TARGET
DELETE_ALL = b"STORE 1:* +FLAGS.SILENT (\\Deleted)"
EMPTY = (SELECT_TARGET, DELETE_ALL, b"EXPUNGE")
COPY = b"COPY 1:1000 " + TARGET


def row(scale: Scale) -> Row:
    count = f"{scale.messages:,}"

    def filled(server: Benched, meter: Meter) -> None:
        fill(server, ADDRESS, mixed(scale.messages))
        session = logged_in(server, ADDRESS)
        session.ask(b"CREATE " + TARGET)
        session.close()

    unflagged = (b"STORE 7 -FLAGS (\\Flagged)",)
    unseen = (b"STORE 1:* -FLAGS.SILENT (\\Seen)",)
    workloads = [
        Change(f"STORE +FLAGS, {count}", b"STORE 1:* +FLAGS (\\Seen)", after=unseen),
        Change(f"STORE +FLAGS.SILENT, {count}", b"STORE 1:* +FLAGS.SILENT (\\Seen)", after=unseen),
        Change(f"STORE one of {count}", b"STORE 7 +FLAGS (\\Flagged)", after=unflagged),
        Change(f"COPY 1,000 of {count}", COPY, after=EMPTY),
        Change("EXPUNGE 1,000", b"EXPUNGE", before=(COPY, SELECT_TARGET, DELETE_ALL)),
    ]
    return Row((DovecotMaildir, DovecotMdbox), accounts(1), filled, workloads)

"""What it adds to an IMAP command that the account is led by another node than the one that was asked.

Two sessions of one account, one at each of two nodes, give each command in turns.
"""

from collections.abc import Callable
from dataclasses import dataclass

from interop.bench.client import latency_figures
from interop.bench.cpu import Meter
from interop.bench.messages import plain
from interop.bench.placed import PlacedNodes
from interop.bench.row import PASSWORD, Benched, Figures, Row, Scale, accounts
from interop.bench.session import Session, Timed

USER = next(iter(accounts(1)))
MAILS = 100
COUNT, QUICK_COUNT = 2000, 100
MESSAGE = plain(2048).message(b"remote@client.example.test")
MAILBOX = b"INBOX"


@dataclass(frozen=True, slots=True)
class Compared:
    label: str
    give: Callable[[Session, int], Timed]
    """With the number of the turn."""
    count: int

    def run(self, server: Benched, meter: Meter) -> Figures:
        assert isinstance(server, PlacedNodes)
        owner = server.owners[USER]
        here, elsewhere = (_session(server, node) for node in (owner, 1 - owner))
        seconds: dict[str, list[float]] = {"here": [], "elsewhere": []}
        for turn in range(self.count):
            for name, session in (("here", here), ("elsewhere", elsewhere)):
                seconds[name].append(self.give(session, turn).seconds)
        here.close()
        elsewhere.close()
        figures = {
            f"{name} {figure}": value
            for name, each in seconds.items()
            for figure, value in latency_figures(each).items()
        }
        return figures | {
            f"added, {each}": figures[f"elsewhere {each}"] - figures[f"here {each}"]
            for each in ("p50 ms", "p99 ms")
        }


def _session(server: PlacedNodes, node: int) -> Session:
    session = server.connected(node)
    session.login(USER)
    session.ask(b"SELECT " + MAILBOX)
    return session


def _store(session: Session, turn: int) -> Timed:
    sign = b"-" if turn // MAILS % 2 else b"+"
    return session.ask(b"STORE %d %bFLAGS.SILENT (\\Flagged)" % (1 + turn % MAILS, sign))


def _append(session: Session, turn: int) -> Timed:
    return session.append(b"Sent", MESSAGE)


def row(scale: Scale) -> Row:
    def filled(server: Benched, meter: Meter) -> None:
        assert isinstance(server, PlacedNodes)
        session = _session(server, server.owners[USER])
        for _ in range(MAILS):
            session.append(MAILBOX, MESSAGE)
        session.close()

    count = QUICK_COUNT if scale.quick else COUNT
    workloads = [
        Compared("NOOP", lambda session, _: session.ask(b"NOOP"), count),
        Compared("STATUS", lambda session, _: session.ask(b"STATUS Sent (MESSAGES UNSEEN)"), count),
        Compared(f"FETCH FLAGS of {MAILS}", lambda session, _: session.ask(b"FETCH 1:* FLAGS"), count),
        Compared("FETCH BODY[] of one", _body, count),
        Compared("STORE of one", _store, count),
        Compared("APPEND of 2 KB", _append, count // 2),
    ]
    return Row((), {USER: PASSWORD}, filled, workloads, repetitions=1, ours=PlacedNodes)


def _body(session: Session, turn: int) -> Timed:
    return session.ask(b"FETCH %d BODY.PEEK[]" % (1 + turn % MAILS))

"""Whether long answers let others be answered: NOOP of another session meanwhile, one after the other.

One mailbox has a million entries (copies of one message), another the mixed messages of the row `fetch`.
"""

import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection

from interop.bench.cpu import Meter
from interop.bench.filling import fill, mixed
from interop.bench.idle import doubled
from interop.bench.row import Benched, Figures, Row, Scale, accounts, forget
from interop.bench.session import Session, logged_in

LONG, OTHER = accounts(2)
MILLION, QUICK_MILLION = 1_000_000, 20_000
PAUSE_SECONDS = 0.001  # between two NOOPs
FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """`command` in `mailbox` is what takes long; with `cold` it is SELECT of a node that was just started."""

    label: str
    mailbox: bytes
    command: bytes
    cold: bool = False

    def run(self, server: Benched, meter: Meter) -> Figures:
        if self.cold:
            forget(server)
        session = logged_in(server, LONG)
        if not self.cold:
            session.ask(b"SELECT " + self.mailbox)
        ours, theirs = FORK.Pipe()
        probe = FORK.Process(target=_probe, args=(server, theirs))
        probe.start()
        ours.recv()
        seconds = session.ask(self.command).seconds
        ours.send("stop")
        latencies: list[float] = ours.recv()
        probe.join()
        session.close()
        latencies.sort()
        return {
            "s": seconds,
            "NOOP p50 ms": 1000 * latencies[len(latencies) // 2],
            "NOOP p99 ms": 1000 * latencies[len(latencies) * 99 // 100],
            "NOOP max ms": 1000 * latencies[-1],
        }


def _probe(server: Benched, told: Connection) -> None:
    """A process of its own, so that reading the long answer does not count."""
    session = logged_in(server, OTHER)
    session.ask(b"SELECT INBOX")
    _until(lambda: True, session)
    told.send("ready")
    told.send(_until(told.poll, session))


def _until(ended: Callable[[], bool], session: Session) -> list[float]:
    latencies = [session.ask(b"NOOP").seconds]
    while not ended():
        time.sleep(PAUSE_SECONDS)  # a probe at a time: without it the probing would be the load
        latencies.append(session.ask(b"NOOP").seconds)
    return latencies


def row(scale: Scale) -> Row:
    million = QUICK_MILLION if scale.quick else MILLION

    def filled(server: Benched, meter: Meter) -> None:
        fill(server, LONG, mixed(scale.messages))
        session = logged_in(server, LONG)
        session.ask(b"CREATE Million")
        session.close()
        doubled(server, LONG, million, b"Million")
        doubled(server, OTHER, 100)

    count, mixed_count = f"{million:,}", f"{scale.messages:,}"
    workloads = [
        Meanwhile(f"SELECT of {count}, cold", b"Million", b"SELECT Million", cold=True),
        Meanwhile(f"FETCH FLAGS of {count}", b"Million", b"FETCH 1:* (FLAGS)"),
        Meanwhile(f"SEARCH ALL of {count}", b"Million", b"SEARCH ALL"),
        Meanwhile(f"SEARCH RETURN (ALL) UNSEEN of {count}", b"Million", b"UID SEARCH RETURN (ALL) UNSEEN"),
        Meanwhile(f"SEARCH LARGER of {count}", b"Million", b"SEARCH LARGER 1000000"),
        Meanwhile(f"STORE +FLAGS.SILENT of {count}", b"Million", b"STORE 1:* +FLAGS.SILENT (\\Seen)"),
        Meanwhile(f"STORE -FLAGS of {count}", b"Million", b"STORE 1:* -FLAGS (\\Seen)"),
        Meanwhile(f"SEARCH BODY of {mixed_count}", b"INBOX", b"SEARCH BODY needleinhaystack"),
        Meanwhile(f"SEARCH TEXT of {mixed_count}", b"INBOX", b"SEARCH TEXT needleinhaystack"),
        Meanwhile(f"FETCH ENVELOPE of {mixed_count}", b"INBOX", b"FETCH 1:* (ENVELOPE BODYSTRUCTURE)"),
        Meanwhile(f"FETCH bodies of {mixed_count}", b"INBOX", b"FETCH 1:* (BODY.PEEK[])"),
    ]
    return Row((), accounts(2), filled, workloads)

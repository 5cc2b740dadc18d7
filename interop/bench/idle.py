"""Many connections that do nothing: how fast they log in and what each one holds of the server's memory.

Each has an account of its own with 1,000 messages in INBOX. Memory is the proportional set (PSS) of all
processes of the server, above what it was before the first connection.
"""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from interop.bench.cpu import Meter, await_quiet
from interop.bench.filling import multiappend
from interop.bench.many import NodeOfMany
from interop.bench.messages import plain
from interop.bench.row import Benched, Figures, Row, Scale, accounts, forget
from interop.bench.session import Session, logged_in
from interop.peers.dovecot import DovecotHibernate

MESSAGES, QUICK_MESSAGES = 1000, 50
AT_A_TIME = 16  # logins under way at the client
PER_SOURCE = 90  # connections from one address of the loopback: servers bound them
REST_SECONDS = 25.0  # Dovecot parks a connection after 5, ours gives up arrays after 10 to 20
BACKGROUND_SECONDS_MAX = 300.0  # compaction, and a scrub that reads all that there is
BACKGROUND_WINDOW_SECONDS, BACKGROUND_SHARE_MAX = 3.0, 0.01  # of one core
TOUCHED_EVERY = 100
T = TypeVar("T")
U = TypeVar("U")
INSTANCES = Path("/proc/sys/fs/inotify/max_user_instances")
INSTANCES_MIN = 8192  # with fewer Dovecot polls


@dataclass(frozen=True, slots=True)
class Idle:
    connections: int

    @property
    def label(self) -> str:
        return f"{self.connections:,} connections"

    def run(self, server: Benched, meter: Meter) -> Figures:
        await_rest(meter)
        forget(server)
        _touch(server)
        await_rest(meter)
        with enough_inotify(), ThreadPoolExecutor(AT_A_TIME) as threads:
            first = logged_in(server, next(iter(server.accounts)))  # the password is known from here on
            stages = _Stages(meter, self.connections, threads)
            sessions = stages.map(
                "connects", lambda at: Session(server, _source(at)), range(self.connections)
            )
            addresses = dict(zip(sessions, server.accounts, strict=True))
            stages.map("logins", lambda session: session.login(addresses[session]), sessions)
            stages.map("SELECTs", lambda session: session.ask(b"SELECT INBOX"), sessions)
            stages.map("IDLEs", Session.idle, sessions, REST_SECONDS)
            for session in (first, *sessions):
                session.close()
        return stages.figures


class _Stages:
    """What each stage cost; memory is that after it."""

    def __init__(self, meter: Meter, connections: int, threads: ThreadPoolExecutor) -> None:
        self.figures: Figures = {}
        self._meter = meter
        self._connections = connections
        self._threads = threads
        self._cpu = await_quiet(meter)
        self._memory = proportional_octets(meter)

    def map(
        self, name: str, work: Callable[[T], U], items: Sequence[T], pause_seconds: float = 0.0
    ) -> list[U]:
        start = time.perf_counter()
        done = list(self._threads.map(work, items))
        seconds = time.perf_counter() - start
        time.sleep(pause_seconds)  # what is measured is a server that was left alone that long
        cpu = await_quiet(self._meter)
        held = proportional_octets(self._meter) - self._memory
        self.figures |= {
            f"{name}/s": len(items) / seconds,
            f"{name}: server CPU ms": 1000 * (cpu - self._cpu) / len(items),
            f"{name}: KiB a connection": held / 1024 / self._connections,
        }
        self._cpu = cpu
        return done


def _touch(server: Benched) -> None:
    """A few accounts all over the store: what a server keeps of its files belongs to no connection."""
    for address in list(server.accounts)[::TOUCHED_EVERY]:
        session = logged_in(server, address)
        session.ask(b"SELECT INBOX")
        session.close()
    time.sleep(
        REST_SECONDS
    )  # ours gives up arrays after that long, Dovecot parks a connection: neither says so


def await_rest(meter: Meter) -> None:
    """Wait until nothing goes on in the background: it takes memory that no connection has to do with."""
    deadline = time.monotonic() + BACKGROUND_SECONDS_MAX
    cpu_max = BACKGROUND_WINDOW_SECONDS * BACKGROUND_SHARE_MAX
    used = cpu_max
    while used >= cpu_max and time.monotonic() < deadline:
        before = meter.seconds()
        time.sleep(BACKGROUND_WINDOW_SECONDS)  # the window in which CPU is counted
        used = meter.seconds() - before


def proportional_octets(meter: Meter) -> int:
    """PSS of all processes of a server."""
    return sum(process_octets(process) for process in meter.processes())


def process_octets(process: int) -> int:
    """PSS of one, proc(5); 0 when it has ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def _source(at: int) -> str:
    return f"127.1.0.{1 + at // PER_SOURCE}"


@contextlib.contextmanager
def enough_inotify() -> Iterator[None]:
    """For the time of a run, where we may."""
    before = INSTANCES.read_text()
    with contextlib.suppress(OSError):
        INSTANCES.write_text(str(max(int(before), INSTANCES_MIN)))
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            INSTANCES.write_text(before)


def row(scale: Scale) -> Row:
    messages = QUICK_MESSAGES if scale.quick else MESSAGES

    def filled(server: Benched, meter: Meter) -> None:
        logged_in(server, next(iter(server.accounts))).close()
        with ThreadPoolExecutor(4) as threads:
            for _ in threads.map(lambda address: doubled(server, address, messages), server.accounts):
                pass

    workloads = [Idle(scale.connections)]
    every = accounts(scale.connections)
    return Row((DovecotHibernate,), every, filled, workloads, repetitions=1, ours=NodeOfMany)


def doubled(server: Benched, address: str, messages: int, mailbox: bytes = b"INBOX") -> None:
    """Fill a mailbox by copies of itself."""
    session = logged_in(server, address)
    session.ask(multiappend(mailbox, [plain(2048).message(b"idle@client.example.test")]))
    session.ask(b"SELECT " + mailbox)
    count = 1
    while count < messages:
        more = min(count, messages - count)
        session.ask(b"COPY 1:%d %b" % (more, mailbox))
        count += more
    session.close()

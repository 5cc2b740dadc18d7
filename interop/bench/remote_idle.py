"""Many sessions in IDLE at one node, each on an account of its own: all accounts there, then all elsewhere.

What it holds is the proportional set (PSS) of each node, above what it was before the first of the sessions.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from interop.bench.cpu import Meter
from interop.bench.idle import AT_A_TIME, PER_SOURCE, REST_SECONDS, await_rest, process_octets
from interop.bench.placed import PlacedNodes
from interop.bench.row import Benched, Figures, Row, Scale, accounts
from interop.bench.session import Session

NODE = 0
"""That all sessions are at."""
BATCH = 500
"""Connections that are looked up together, and log in before the next ones come."""
ATTEMPTS_MAX, AGAIN_SECONDS = 10, 1.0
"""Of a login that is answered "not now"."""


@dataclass(frozen=True, slots=True)
class Idle:
    elsewhere: bool
    connections: int

    @property
    def label(self) -> str:
        return f"{self.connections:,} in IDLE on accounts {'elsewhere' if self.elsewhere else 'here'}"

    def run(self, server: Benched, meter: Meter) -> Figures:
        assert isinstance(server, PlacedNodes)
        owner = 1 - NODE if self.elsewhere else NODE
        addresses = [each for each, node in server.owners.items() if node == owner][: self.connections]
        server.stop()
        server.start()
        first = _at_node(server, 1)[0]
        first.login(addresses[0])  # its password is all accounts', and known from here on
        await_rest(meter)
        before = [process_octets(server.process_of(node)) for node in (NODE, 1 - NODE)]
        sessions: list[Session] = []
        with ThreadPoolExecutor(AT_A_TIME) as threads:
            while len(sessions) < len(addresses):
                some = addresses[len(sessions) :][:BATCH]
                made = _at_node(server, len(some))
                list(threads.map(_begin, made, some))
                sessions += made
        time.sleep(REST_SECONDS)  # what is measured is a server that was left alone that long
        await_rest(meter)
        after = [process_octets(server.process_of(node)) for node in (NODE, 1 - NODE)]
        for session in (first, *sessions):
            session.close()
        at_it, at_other = (
            (now - then) / 1024 / len(sessions) for now, then in zip(after, before, strict=True)
        )
        return {
            "sessions": len(sessions),
            "KiB a session at its node": at_it,
            "KiB a session at the other": at_other,
            "KiB a session": at_it + at_other,
        }


def _begin(session: Session, address: str) -> None:
    for attempts_left in reversed(range(ATTEMPTS_MAX)):
        try:
            session.login(address)
            break
        except RuntimeError as refused:  # a node that is starved by the others tells them so
            if not attempts_left or "UNAVAILABLE" not in str(refused):
                raise
            time.sleep(AGAIN_SECONDS)  # as a client waits that heard "not now"
    session.ask(b"SELECT INBOX")
    session.idle()


def _at_node(server: PlacedNodes, count: int) -> list[Session]:
    """Connections that the node accepted."""
    found: list[Session] = []
    sources = _sources()
    process = server.process_of(NODE)
    while len(found) < count:
        made = [Session(server, next(sources)) for _ in range(min(BATCH, 2 * (count - len(found))))]
        accepted = server.accepted(made)
        mine = [each for each in made if accepted.get(each) == process]
        found += mine[: count - len(found)]
        for each in set(made) - set(found):
            each.close()
    return found


def _sources() -> Iterator[str]:
    """Of the loopback: a server bounds how many come from one."""
    at = 0
    while True:
        yield f"127.{1 + at // (PER_SOURCE * 250)}.0.{1 + at // PER_SOURCE % 250}"
        at += 1


def _filled(server: Benched, meter: Meter) -> None:
    """The mailboxes are empty: what a session holds of one that has messages is the row `idle`'s."""


def row(scale: Scale) -> Row:
    """Twice the accounts, and some: of each node as many as there are sessions."""
    every = accounts(2 * scale.connections + scale.connections // 10)
    workloads: Sequence[Idle] = [Idle(False, scale.connections), Idle(True, scale.connections)]
    return Row((), every, _filled, workloads, repetitions=1, ours=PlacedNodes)

"""What a row of the bench is: which servers do which work, on what they were filled with before."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from interop.bench.cpu import Meter
from tests.wire.node import Node
from tests.wire.server import DOMAIN, Server

PASSWORD = "wonderland"
Figures = dict[str, float]


class Benched(Server, Protocol):
    """A server whose folder is known."""

    @property
    def directory(self) -> Path: ...


# Directory, base port, accounts, command prefix.
Make = Callable[[Path, int, Mapping[str, str], Sequence[str]], Benched]


class Workload(Protocol):
    @property
    def label(self) -> str: ...

    def run(self, server: Benched, meter: Meter) -> Figures:
        """Figures by name; one that ends in "/s" is better when it is larger."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of everything."""

    messages: int
    connections: int
    quick: bool


@dataclass(frozen=True, slots=True)
class Row:
    """`fill` is called once for each server; then come the workloads in order, repeated."""

    peers: Sequence[Make]
    accounts: Mapping[str, str]
    fill: Callable[[Benched, Meter], None]
    workloads: Sequence[Workload]
    repetitions: int = 3
    ours: Make = Node
    fresh: bool = False
    """Whether each repetition begins with servers that were just made and filled."""


def accounts(count: int) -> dict[str, str]:
    return {f"user{number}@{DOMAIN}": PASSWORD for number in range(count)}


def forget(server: Benched) -> None:
    """Start it anew, without what it may have derived from the mail: Dovecot's indexes and caches.

    What an mdbox has in its index beside the cache is nowhere else, and stays.
    """
    server.stop()
    for pattern in ("mail/*/Maildir/**/dovecot.index*", "mail/*/mdbox/**/dovecot.index.cache*"):
        for file in server.directory.glob(pattern):
            file.unlink()
    server.start()

"""What a server under test looks like from outside, and where it listens."""

import random
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

HOST = "127.0.0.1"

# Service -> standard port; a server under test adds its base port.
STANDARD_PORTS: Mapping[str, int] = {
    "lmtp": 24,
    "smtp": 25,
    "pop3": 110,
    "imap": 143,
    "submissions": 465,
    "submission": 587,
    "imaps": 993,
    "pop3s": 995,
}

DOMAIN = "example.test"


class Server(Protocol):
    """A server that can be started, stopped, killed and started again on the same data."""

    @property
    def name(self) -> str: ...

    @property
    def host(self) -> str:
        """The address of its ports."""

    @property
    def accounts(self) -> Mapping[str, str]:
        """Address -> password."""

    @property
    def certificate(self) -> Path:
        """PEM file of the certificate that the TLS listeners show."""

    def port(self, service: str) -> int: ...

    def start(self) -> None:
        """Return when every listener accepts."""

    def stop(self) -> None:
        """Ask for a clean end and wait for it; raise `ServerFailed` when it was not clean."""

    def kill(self) -> None:
        """SIGKILL, every process of it."""


class ServerFailed(Exception):
    """The server did not start, or did not end cleanly; the text carries the end of its log."""


def free_base_port(randomness: random.Random) -> int:
    """A base port whose standard ports are all free on the loopback, below the ephemeral range.

    Any number may be one: of two runs that ask at the same time, hardly ever both get the same.
    """
    candidates = range(11000, 31000)
    for base in randomness.sample(candidates, len(candidates)):
        if all(_is_free(base + port) for port in STANDARD_PORTS.values()):
            return base
    raise ServerFailed("no base port is free")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True

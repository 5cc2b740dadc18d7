"""Members of a real etcd on free ports of the loopback, in a directory that goes with them."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

READY = b"serving client traffic"


class Member:
    """One process of etcd, which may be killed, stopped and started again on what it has written."""

    def __init__(
        self,
        directory: Path,
        name: str,
        client: int,
        peer: int,
        cluster: str,
        scheme: str,
        *options: str,
        address: str = "127.0.0.1",
        prefix: Sequence[str] = (),
    ) -> None:
        """`prefix` is put before the command line, for a wrapper that ends in exec."""
        self.endpoint = f"{address}:{client}"
        ours, theirs = f"{scheme}://{self.endpoint}", f"http://{address}:{peer}"
        self._command = [
            *(*prefix, "etcd", "--name", name, "--data-dir", str(directory / name), "--logger", "zap"),
            *("--listen-client-urls", ours, "--advertise-client-urls", ours),
            *("--listen-peer-urls", theirs, "--initial-advertise-peer-urls", theirs),
            *("--initial-cluster", cluster, "--heartbeat-interval", "50", "--election-timeout", "500"),
            *options,
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def wait_until_ready(self) -> None:
        """By its log, which says so once."""
        assert self._process is not None and self._process.stderr is not None
        log, said = self._process.stderr, b""
        for line in log:
            said += line
            if READY in line:
                break
        assert READY in said, said.decode()
        threading.Thread(target=_drain, args=(log,), daemon=True).start()

    def kill(self) -> None:
        self.send(signal.SIGKILL)
        assert self._process is not None
        self._process.wait()
        self._process = None

    @property
    def is_running(self) -> bool:
        return self._process is not None

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def ctl(self, trusted: Path | None, *command: str) -> None:
        """As its administrator."""
        certificate = () if trusted is None else ("--cacert", str(trusted))
        endpoint = self.endpoint if trusted is None else self.endpoint.replace("127.0.0.1", "localhost")
        words = ["etcdctl", "--endpoints", endpoint, *certificate, *command]
        subprocess.run(words, check=True, capture_output=True)

    def compact(self, revision: int) -> None:
        self.ctl(None, "compact", str(revision))

    def end(self) -> None:
        if self._process is not None:
            self.kill()


@contextmanager
def members(count: int, *options: str, scheme: str = "http") -> Iterator[list[Member]]:
    """All of one cluster, running."""
    if shutil.which("etcd") is None:
        pytest.skip("etcd is not installed (see interop/debian-packages.txt)")
    with tempfile.TemporaryDirectory() as directory:
        ports = free_ports(2 * count)
        names = [f"m{number}" for number in range(count)]
        cluster = ",".join(f"{name}=http://127.0.0.1:{ports[2 * at + 1]}" for at, name in enumerate(names))
        made = [
            Member(Path(directory), name, ports[2 * at], ports[2 * at + 1], cluster, scheme, *options)
            for at, name in enumerate(names)
        ]
        try:
            for member in made:
                member.start()
            for member in made:
                member.wait_until_ready()
            yield made
        finally:
            for member in made:
                member.end()


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _drain(log: IO[bytes]) -> None:
    """So that it never waits for a reader."""
    with log:
        for _ in log:
            pass

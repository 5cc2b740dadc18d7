"""Our own server as a process: `mailnode init`, then `mailnode up` as often as wanted."""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from tests.wire.server import DOMAIN, HOST, STANDARD_PORTS, ServerFailed

START_SECONDS_MAX = 60.0
INIT_SECONDS_MAX = 300.0  # a password hash an account, and interop asks for some 180 of them
STOP_SECONDS_MAX = 30.0
LOG_TAIL_OCTETS = 4000


class Node:
    """A node in `directory`, with its ports at `base_port` + the standard ones.

    `prefix` is put before the command line, for a wrapper that ends in exec; `options` go to `mailnode init`;
    `passed` are descriptors that the process has, too.
    """

    name = "mailnode"

    def __init__(
        self,
        directory: Path,
        base_port: int,
        accounts: Mapping[str, str],
        prefix: Sequence[str] = (),
        options: Sequence[str] = ("--allow-plaintext-auth", "--local-only"),
        passed: Sequence[int] = (),
        address: str = HOST,
    ) -> None:
        self.host = address
        self.directory = directory
        self.base_port = base_port
        self.accounts = accounts
        self.certificate = directory / "tls" / "cert.pem"
        self.log = directory.with_name(directory.name + ".log")
        self._prefix = list(prefix)
        self._options = list(options)
        self._passed = list(passed)
        self._process: subprocess.Popen[bytes] | None = None

    def init(self) -> None:
        """`mailnode init`, for what must be known before the first start."""
        command = [*program(), "init", str(self.directory), "--domain", DOMAIN]
        command += ["--base-port", str(self.base_port), *self._options]
        for address, password in self.accounts.items():
            command += ["--account", f"{address}:{password}"]
        done = subprocess.run(command, capture_output=True, timeout=INIT_SECONDS_MAX)
        if done.returncode != 0:
            raise ServerFailed(f"mailnode init ended with {done.returncode}:\n{done.stderr.decode()}")

    def take_any_author(self) -> None:
        """After `init`: users send samples of other people's mail."""
        file = self.directory / "mailnode.toml"
        text = file.read_text()
        assert "\nforeign_from = false " in text
        file.write_text(text.replace("\nforeign_from = false ", "\nforeign_from = true "))

    def run_by(self, *prefix: str) -> None:
        """From the next start on."""
        self._prefix = list(prefix)

    def port(self, service: str) -> int:
        return self.base_port + STANDARD_PORTS[service]

    @property
    def is_running(self) -> bool:
        return self._process is not None

    def has_ended(self) -> bool:
        """By itself."""
        return self._running().poll() is not None

    @property
    def process_id(self) -> int:
        return self._running().pid

    def start(self) -> None:
        """Return when it printed its line; the first time, `mailnode init` comes before."""
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        """`start` without the wait, for a node that waits for others."""
        assert self._process is None, "already started"
        if not self.directory.exists():
            self.init()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._prefix, *program(), "up", str(self.directory)],
                stdout=subprocess.PIPE,
                stderr=log,
                pass_fds=self._passed,
            )

    def wait_until_ready(self) -> None:
        stdout = self._running().stdout
        assert stdout is not None
        if not _saw_ready(stdout, START_SECONDS_MAX):
            self.kill()
            raise ServerFailed(f"mailnode up did not get ready:\n{self._log_tail()}")

    def stop(self) -> None:
        process = self._running()
        process.send_signal(signal.SIGTERM)
        try:
            status = process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServerFailed(f"mailnode did not end on SIGTERM:\n{self._log_tail()}") from None
        self._forget()
        if status != 0:
            raise ServerFailed(f"mailnode ended with {status}:\n{self._log_tail()}")

    def kill(self) -> None:
        process = self._running()
        process.kill()
        process.wait()
        self._forget()

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "not started"
        return self._process

    def _forget(self) -> None:
        process = self._running()
        if process.stdout is not None:
            process.stdout.close()
        self._process = None

    def _log_tail(self) -> str:
        return self.log.read_bytes()[-LOG_TAIL_OCTETS:].decode(errors="replace")


def program() -> list[str]:
    """The console script beside the interpreter that runs us."""
    return [str(Path(sys.executable).with_name("mailnode"))]


def _saw_ready(stdout: IO[bytes], seconds_max: float) -> bool:
    """Read until a line that begins with `ready`; False at the end of the stream or of the time."""
    deadline = time.monotonic() + seconds_max
    text = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stdout, selectors.EVENT_READ)
        while selector.select(max(0.0, deadline - time.monotonic())):
            octets = os.read(stdout.fileno(), 65536)
            if not octets:
                return False
            text += octets
            if any(line.startswith(b"ready") for line in text.splitlines()[: text.count(b"\n")]):
                return True
    return False

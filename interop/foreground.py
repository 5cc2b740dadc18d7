"""A server that runs in the foreground and logs to its output."""

import os
import selectors
import subprocess
import time
from collections.abc import Callable, Sequence

from tests.wire.server import ServerFailed

WAIT_SECONDS_MAX = 60.0


class Foreground:
    """Its log comes by a pipe, so that what happens is waited for, not looked for."""

    def __init__(self, command: Sequence[str]) -> None:
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.log: list[str] = []
        self._pending = b""

    def await_line(self, is_it: Callable[[str], bool], at: int = 0) -> str:
        """The first such line of the log from line `at` on."""
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while True:
            for line in self.log[at:]:
                if is_it(line):
                    return line
            at = len(self.log)
            self._read(deadline)

    def _read(self, deadline: float) -> None:
        """At least one more line."""
        assert self.process.stdout is not None
        count = len(self.log)
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while len(self.log) == count:
                ready = selector.select(max(0.0, deadline - time.monotonic()))
                octets = os.read(self.process.stdout.fileno(), 65536) if ready else b""
                if not octets:
                    raise ServerFailed("\n".join(["It did not say so in time:", *self.log[-20:]]))
                *lines, self._pending = (self._pending + octets).split(b"\n")
                self.log += [line.decode(errors="replace") for line in lines]

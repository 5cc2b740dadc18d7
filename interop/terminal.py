"""A program on a terminal: what is on its screen, and keys for it."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence

import pyte

from interop.programs import RUN_SECONDS_MAX

COLUMNS, ROWS = 100, 40
READ_OCTETS = 65536


class Terminal:
    """The program that runs on it; every wait ends with the screen as the reason where it was in vain."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._outer, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self._process = subprocess.Popen(
            command, stdin=inner, stdout=inner, stderr=inner, env=dict(environment), start_new_session=True
        )
        os.close(inner)
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def text(self) -> str:
        """What is on the screen, without the spaces at the ends of lines."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def press(self, keys: str) -> None:
        os.write(self._outer, keys.encode())

    def until(self, *texts: str) -> str:
        """Wait until one of these is on the screen; which one."""
        deadline = time.monotonic() + RUN_SECONDS_MAX
        while True:
            for text in texts:
                if text in self.text:
                    return text
            assert self._read(deadline), f"never saw one of {texts}:\n{self.text}"

    def ended(self) -> int:
        """Wait for its end; its status."""
        deadline = time.monotonic() + RUN_SECONDS_MAX
        while self._read(deadline):
            pass
        assert time.monotonic() < deadline, f"it does not end:\n{self.text}"
        return self._process.wait()

    def _read(self, deadline: float) -> bool:
        """Draw what it wrote; False at its end or when the time is over."""
        if not select.select([self._outer], [], [], max(0.0, deadline - time.monotonic()))[0]:
            return False
        try:
            octets = os.read(self._outer, READ_OCTETS)
        except OSError:  # EIO: the other end is closed
            return False
        self._stream.feed(octets)
        return bool(octets)

    def close(self) -> None:
        os.close(self._outer)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

"""Thunderbird on a display in memory, with one account, its password remembered."""

import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from interop.programs import RUN_SECONDS_MAX, environment, program
from interop.thunderbird import profile
from interop.thunderbird.desktop import Desktop, desktop
from interop.thunderbird.marionette import Marionette
from interop.witness import Account

LIBRARY = Path(__file__).with_name("library.js")
POLL_SECONDS = 0.05  # a file that another process writes

# What goes over the connection that selected INBOX, but for the end of IDLE.
INBOX = re.compile(rb":S-INBOX:((?:SendData|CreateNewLineFromSocket): [^\r\n]*)")

WAYS = {
    "plain": profile.Way("imap", profile.PLAIN, "submission", profile.PLAIN),
    "starttls": profile.Way("imap", profile.STARTTLS, "submission", profile.STARTTLS),
    "tls": profile.Way("imaps", profile.TLS, "submissions", profile.TLS),
}


class Thunderbird:
    """A running one; `call` does something at its window (library.js)."""

    def __init__(self, home: Path, screen: Desktop) -> None:
        self._log = home / "dialogue"
        control = ["--marionette", "--remote-allow-system-access"]
        scratch = home / "tmp"  # beside another Thunderbird it would take the other's files for its own
        scratch.mkdir()
        logging = {"MOZ_LOG": "IMAP:5,sync", "MOZ_LOG_FILE": str(self._log)}
        self._process = subprocess.Popen(
            [program("thunderbird"), "--profile", str(home / "profile"), "--no-remote", *control],
            env={**environment(home), "DISPLAY": screen.display, "TMPDIR": str(scratch), **logging},
            stdout=(home / "output").open("ab"),
            stderr=subprocess.STDOUT,
        )
        self._marionette = Marionette(self._port(home / "profile" / "MarionetteActivePort"), LIBRARY)
        self.call = self._marionette.call

    def _port(self, file: Path) -> int:
        """It says by this file which port it took."""
        deadline = time.monotonic() + RUN_SECONDS_MAX
        while not (file.exists() and (port := file.read_text())):
            assert time.monotonic() < deadline and self._process.poll() is None, "Thunderbird did not start"
            time.sleep(POLL_SECONDS)  # it tells nobody but by this file
        return int(port)

    def dialogue(self) -> bytes:
        """What it said to the IMAP server and what it was told."""
        return self._log.with_name(self._log.name + ".moz_log").read_bytes()

    def settle(self) -> None:
        """Wait until its connection with INBOX is in IDLE.

        A second move that comes while it still works at one it may do in its own view alone, and what is told
        just when it enters IDLE may go unseen until the server says more.
        """
        deadline = time.monotonic() + RUN_SECONDS_MAX
        while not (said := INBOX.findall(self.dialogue())) or not said[-1].startswith(
            b"CreateNewLineFromSocket: + "
        ):
            assert time.monotonic() < deadline, f"it does not come to rest: {said[-5:]}"
            time.sleep(POLL_SECONDS)  # its state shows in its log alone

    def stop(self) -> None:
        self.call("quit")
        self._marionette.close()
        assert self._process.wait(RUN_SECONDS_MAX) == 0

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture(scope="session")
def screen() -> Iterator[Desktop]:
    with desktop() as running:
        yield running


@pytest.fixture
def thunderbird(
    request: pytest.FixtureRequest, account: Account, home: Path, screen: Desktop
) -> Iterator[Thunderbird]:
    program("thunderbird")
    profile.write(home / "profile", account, WAYS[getattr(request, "param", "tls")])
    running = Thunderbird(home, screen)
    try:
        running.call("remember", account.address, account.password)
        yield running
    finally:
        if running.alive:  # the test failed
            picture = home / "failure.png"
            screen.picture(picture)
            print(f"what was on the screen: {picture}")
            running.kill()

"""Commands as docs/cluster.md has them, typed into a shell: only addresses and ports are the test's own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

DOCUMENT = Path(__file__).parents[2] / "docs" / "cluster.md"
COMMAND_SECONDS_MAX = 120
STOP_SECONDS_MAX = 60


def commands(title: str, block: int = 1) -> list[str]:
    """The lines of that block below that title, but for what installs packages."""
    _, _, below = DOCUMENT.read_text().partition(f"## {title}\n")
    blocks = re.findall(r"^```\n(.*?)^```$", below, re.DOTALL | re.MULTILINE)
    return [line for line in blocks[block - 1].splitlines() if not line.startswith("apt-get ")]


class CommandFailed(Exception):
    """The text is all that it said."""


class Shell:
    """Runs lines in one directory, with our own `mailnode` first in the path."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self._environment = {**os.environ, "PATH": path}

    def run(self, line: str, stdin: str = "") -> str:
        """What it prints. Raises CommandFailed."""
        done = subprocess.run(
            ["bash", "-ec", line],
            cwd=self.directory,
            env=self._environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS_MAX,
        )
        if done.returncode != 0:
            raise CommandFailed(f"{line}: {done.stdout}{done.stderr}")
        return done.stdout

    @contextmanager
    def serving(self, line: str, ready: int) -> Iterator[Background]:
        """Once so many of the processes that the line puts into the background are ready."""
        log = (self.directory / "log").open("ab")
        process = subprocess.Popen(
            ["bash", "-ec", f"{line}\nwait"],
            cwd=self.directory,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
        assert process.stdout is not None
        try:
            _wait_for_ready(process.stdout, ready)
            yield Background(process.pid)
        finally:
            process.stdout.close()
            _end(process)
            log.close()


class Background:
    """What a shell runs, by the directories that they serve."""

    def __init__(self, shell: int) -> None:
        self._shell = shell

    def kill(self, directory: str) -> None:
        (found,) = [each for each in _children(self._shell) if _words(each)[-2:] == ["up", directory]]
        os.kill(found, signal.SIGKILL)


def until(seconds: float, attempt: Callable[[], bool]) -> None:
    """Tries until it succeeds. Raises TimeoutError."""
    began = time.monotonic()
    while not attempt():
        if time.monotonic() - began > seconds:
            raise TimeoutError


def _wait_for_ready(said: IO[bytes], count: int) -> None:
    """Raises AssertionError where they end before."""
    for line in said:
        count -= line.startswith(b"ready")
        if not count:
            return
    raise AssertionError(f"{count} of them were never ready")


def _end(shell: subprocess.Popen[bytes]) -> None:
    """Nothing that it runs is left."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for each in _children(shell.pid):
            os.kill(each, number)
        with suppress(subprocess.TimeoutExpired):
            shell.wait(STOP_SECONDS_MAX)
            return


def _children(process: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except FileNotFoundError:
        return []


def _words(process: int) -> list[str]:
    return Path(f"/proc/{process}/cmdline").read_text().split("\0")[:-1]

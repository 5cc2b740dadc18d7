"""Foreign programs: found, or skipped with the reason; run with a clean environment and a time limit."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

RUN_SECONDS_MAX = 60.0
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mailnode-interop"
"""Where `interop/install` puts what is no Debian package beside the others."""

# A tagged or untagged NO or BAD, whatever the program's log puts before it.
REFUSAL = re.compile(rb"(?<![\w.])(?:\*|[A-Za-z0-9]+) (?:NO|BAD) [^\r\n]*")

Done = subprocess.CompletedProcess[bytes]


def program(name: str) -> str:
    """Its path; where it is absent the test is skipped."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed (see interop/debian-packages.txt)")
    return path


def cached(name: str) -> Path:
    """What `interop/install` put below CACHE; where it is absent the test is skipped."""
    path = CACHE / name
    if not path.exists():
        pytest.skip(f"{path} is not there (see interop/install)")
    return path


def run(command: Sequence[str], home: Path, standard_input: bytes = b"") -> Done:
    """Run it to its end; its status is the caller's to judge."""
    return subprocess.run(
        command, input=standard_input, capture_output=True, timeout=RUN_SECONDS_MAX, env=environment(home)
    )


def environment(home: Path) -> dict[str, str]:
    return {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "xterm"}


def succeeded(done: Done) -> bytes:
    """Its output; the test fails with what it said where its status is not 0."""
    assert done.returncode == 0, f"status {done.returncode}\n{done.stderr.decode(errors='replace')}"
    return done.stdout


def refusals(dialogue: bytes) -> list[bytes]:
    """The NO and BAD answers in a program's log of its IMAP dialogue."""
    return REFUSAL.findall(dialogue)

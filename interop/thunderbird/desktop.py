"""An X display in memory."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from interop.programs import program, succeeded

SCREEN = "1280x900x24"


@dataclass(frozen=True, slots=True)
class Desktop:
    display: str

    def picture(self, file: Path) -> None:
        """What is on the screen now."""
        command = [program("import"), "-display", self.display, "-window", "root", str(file)]
        succeeded(subprocess.run(command, capture_output=True))


@contextmanager
def desktop() -> Iterator[Desktop]:
    """Xvfb on a display number that it finds free."""
    path = program("Xvfb")
    ours, its = os.pipe()
    with open(ours) as reader:
        process = subprocess.Popen(
            [path, "-displayfd", str(its), "-screen", "0", SCREEN, "-nolisten", "tcp"],
            pass_fds=[its],
            stderr=subprocess.DEVNULL,
        )
        os.close(its)
        number = reader.readline().strip()
    assert number, "Xvfb did not start"
    yield Desktop(f":{number}")
    process.terminate()
    process.wait()

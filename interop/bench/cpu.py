"""CPU time of a server: all its processes, those that have ended included."""

import contextlib
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from interop.peers.processes import descendants, stat_fields

CPUACCT = Path("/sys/fs/cgroup/cpuacct")  # cgroup v1
UNIFIED = Path("/sys/fs/cgroup")  # cgroup v2
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")

QUIET_WINDOW_SECONDS = 0.2
QUIET_SHARE_MAX = 0.01  # of one core
QUIET_WAIT_SECONDS_MAX = 10.0


class Meter(Protocol):
    """CPU seconds of what was started behind `prefix`."""

    @property
    def prefix(self) -> Sequence[str]: ...

    def seconds(self) -> float: ...

    def processes(self) -> list[int]:
        """Those that live."""

    def close(self) -> None:
        """When the processes have ended."""


def open_meter(name: str) -> Meter:
    """A cgroup where we may make one, else sums over /proc in steps of a clock tick."""
    for parent, figure in ((CPUACCT, "cpuacct.usage"), (UNIFIED, "cpu.stat")):
        folder = parent / f"mailnode-bench-{os.getpid()}-{name}"
        try:
            folder.mkdir()
        except OSError:
            continue
        if (folder / figure).exists():
            return CgroupMeter(folder)
        folder.rmdir()
    return TreeMeter()


class CgroupMeter:
    """Exact: the kernel adds up the group."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.prefix = _joining(folder / "cgroup.procs")

    def seconds(self) -> float:
        if (self._folder / "cpuacct.usage").exists():
            return int((self._folder / "cpuacct.usage").read_text()) / 1e9
        stat = dict(line.split() for line in (self._folder / "cpu.stat").read_text().splitlines())
        return int(stat["usage_usec"]) / 1e6

    def processes(self) -> list[int]:
        return [int(line) for line in (self._folder / "cgroup.procs").read_text().split()]

    def close(self) -> None:
        """The last children of an ended server may be a moment behind it, and hold the group."""
        deadline = time.monotonic() + QUIET_WAIT_SECONDS_MAX
        while (self._folder / "cgroup.procs").read_text() and time.monotonic() < deadline:
            time.sleep(QUIET_WINDOW_SECONDS)  # a control group tells nobody that it is empty
        with contextlib.suppress(OSError):
            self._folder.rmdir()


class TreeMeter:
    """utime + stime of each living process below ours, and what their ended children used."""

    def __init__(self) -> None:
        descriptor, name = tempfile.mkstemp(prefix="mailnode-bench-")
        os.close(descriptor)
        self._file = Path(name)
        self.prefix = _joining(self._file)

    def seconds(self) -> float:
        # utime stime cutime cstime are fields 14-17 of proc(5), the state is field 3
        ticks = sum(sum(map(int, stat_fields(each)[11:15])) for each in self.processes())
        return ticks / TICKS_A_SECOND

    def processes(self) -> list[int]:
        roots = [int(line) for line in self._file.read_text().split()]
        return list({each for root in roots for each in descendants(root)})

    def close(self) -> None:
        self._file.unlink()


def _joining(file: Path) -> list[str]:
    """A command prefix that writes its own process id to `file` and becomes the command."""
    return ["/bin/sh", "-c", 'echo $$ >> "$0" && exec "$@"', str(file)]


def await_quiet(meter: Meter) -> float:
    """Wait until what the last work left behind (queues, compaction) is done; the CPU seconds then."""
    deadline = time.monotonic() + QUIET_WAIT_SECONDS_MAX
    before = meter.seconds()
    while time.monotonic() < deadline:
        time.sleep(QUIET_WINDOW_SECONDS)  # the window in which CPU is counted
        now = meter.seconds()
        if now - before <= QUIET_SHARE_MAX * QUIET_WINDOW_SECONDS:
            return now
        before = now
    return before

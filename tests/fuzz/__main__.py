"""`python -m tests.fuzz [TARGET ...] --seconds 3600`: the seconds are shared; status 1 when one broke."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tests.fuzz.targets import TARGETS, found_of, seeds_of

FOUND = Path(__file__).parent / "found"
INPUT_OCTETS_MAX = 4096
ONE_INPUT_SECONDS_MAX = 10  # a search of that length is a finding: it would hold the loop
WORD = re.compile(rb"[!-~]{3,20}")
_RUNS = re.compile(rb"stat::number_of_executed_units:\s+(\d+)")


@dataclass(frozen=True, slots=True)
class Outcome:
    name: str
    runs: int
    broken: Path | None
    said: str


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("target", nargs="*", default=list(TARGETS), help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=int, default=60, help="of all targets together")
    parser.add_argument("--jobs", type=int, default=2, help="targets at the same time")
    options = parser.parse_args()
    seconds = max(1, options.seconds * options.jobs // len(options.target))
    with ThreadPoolExecutor(options.jobs) as pool:
        outcomes = list(pool.map(lambda name: fuzzed(name, seconds), options.target))
    for outcome in outcomes:
        print(f"{outcome.name:20} {outcome.runs:12,} inputs  {outcome.broken or 'nothing found'}")
        if outcome.broken or not outcome.runs:
            print(outcome.said)
    print(f"{sum(outcome.runs for outcome in outcomes):,} inputs in {seconds * len(outcomes):,} s of search")
    return 1 if any(outcome.broken or not outcome.runs for outcome in outcomes) else 0


def fuzzed(name: str, seconds: int) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="mailnode-fuzz-") as scratch:
        folder, broken = Path(scratch) / "inputs", Path(scratch) / "broken-"
        folder.mkdir()
        seeds = [*seeds_of(name), *(path.read_bytes() for path in found_of(name))]
        for octets in seeds:
            (folder / digest(octets)).write_bytes(octets)
        words = Path(scratch) / "words"
        words.write_text("".join(f'"{word}"\n' for word in dictionary(seeds)))
        command = [
            *(sys.executable, "-m", "tests.fuzz.run", name),
            *(f"-max_total_time={seconds}", f"-max_len={INPUT_OCTETS_MAX}"),
            *([f"-dict={words}"] if words.stat().st_size else []),  # it takes no empty one
            *(f"-timeout={ONE_INPUT_SECONDS_MAX}", f"-artifact_prefix={broken}", "-print_final_stats=1"),
            *("-rss_limit_mb=4096", str(folder)),
        ]
        ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        inputs = sorted(Path(scratch).glob("broken-*"))
        runs = _RUNS.search(ran.stdout)
        said = ran.stdout[-4000:].decode(errors="replace")
        return Outcome(name, int(runs[1]) if runs else 0, kept(name, inputs[0]) if inputs else None, said)


def dictionary(seeds: Iterable[bytes]) -> list[str]:
    """Words of the seeds, as libFuzzer reads them."""
    words = {word for octets in seeds for word in WORD.findall(octets)}
    return [word.decode().replace("\\", "\\\\").replace('"', '\\"') for word in sorted(words)]


def kept(name: str, broken: Path) -> Path:
    """It becomes an entry of `found`, which every run of the tests plays."""
    octets = broken.read_bytes()
    path = FOUND / name / digest(octets)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(octets)
    return path


def digest(octets: bytes) -> str:
    return sha256(octets).hexdigest()[:16]


if __name__ == "__main__":
    sys.exit(main())

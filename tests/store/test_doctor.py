"""Shards that RocksDB does not open, or not read in whole, and what is left of them."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from mailnode.store import keys
from mailnode.store.doctor import examine, recover
from mailnode.store.keys import Family
from mailnode.store.shard import ShardError, open_shard
from tests.store.damaging import flip, flush, where
from tests.store.test_damage import BAD, MEMORY_OCTETS, ROWS, key, opened

STATE = Family.STATE
WRITTEN = 500

_WRITER = """
import os, sys
from pathlib import Path
from mailnode.store.shard import open_shard
shard = open_shard(Path(sys.argv[1]), {memory}, b"incarnation-1234")
for number in range({written}):
    shard.write([("state", number.to_bytes(8, "big"), bytes([number % 251]) * 100)], sync=True)
os._exit(9)
"""


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A shard of which all rows lie in the log: its process was killed."""
    path = tmp_path / "shard"
    program = _WRITER.format(memory=MEMORY_OCTETS, written=WRITTEN)
    subprocess.run([sys.executable, "-c", program, str(path)], cwd=Path(__file__).parents[2])
    return path


def log(path: Path) -> Path:
    return max(path.glob("*.log"), key=lambda file: file.stat().st_size)


def rows(path: Path) -> list[int]:
    shard = opened(path)
    try:
        return [int.from_bytes(row_key, "big") for row_key, _ in shard.scan(STATE, b"", keys.END)]
    finally:
        shard.close()


def test_a_torn_tail_of_the_log_costs_the_write_that_was_torn_and_needs_no_doctor(killed: Path) -> None:
    os.truncate(log(killed), log(killed).stat().st_size - 30)
    assert examine(killed, MEMORY_OCTETS).is_sound
    assert rows(killed) == list(range(WRITTEN - 1))


@pytest.mark.parametrize("share", [0.5, 0.98])
def test_a_bad_record_within_the_log_is_refused_named_and_left_behind_on_request(
    killed: Path, share: float
) -> None:
    octets = log(killed).stat().st_size
    flip(log(killed), int(octets * share))
    with pytest.raises(ShardError, match=r"is damaged .*mailnode doctor shard"):
        opened(killed)
    found = examine(killed, MEMORY_OCTETS)
    assert "Corruption" in found.log and found.log_octets >= octets and not found.unreadable
    before = {file.name: file.read_bytes() for file in killed.glob("*.log")}
    aside, count = recover(killed, MEMORY_OCTETS, 7, b"other")
    left = rows(killed)
    assert left == list(range(len(left))), "nothing behind the bad record, and no hole before it"
    assert int(WRITTEN * share) - 5 < len(left) == count < WRITTEN
    assert examine(killed, MEMORY_OCTETS).is_sound
    assert {file.name: file.read_bytes() for file in aside.glob("*.log")} == before


@pytest.mark.parametrize("part", ["block", "index"])
def test_what_a_damaged_table_does_not_give_back_is_named_and_the_rest_comes_over(
    tmp_path: Path, part: str
) -> None:
    path, rest = tmp_path / "shard", random.Random(7)
    values = [rest.randbytes(100) for _ in range(ROWS)]
    shard = opened(path)
    for number, value in enumerate(values):
        shard.write([(STATE, key(number), value)], sync=False)
    flush(shard)
    shard.write([(STATE, key(ROWS), b"later")], sync=True)
    shard.close()
    file, at = where(path, values[BAD], ".sst")
    flip(file, at if part == "block" else file.stat().st_size - 100)
    found = examine(path, MEMORY_OCTETS)
    assert not found.is_sound
    _, count = recover(path, MEMORY_OCTETS, 7, b"other")
    left = rows(path)
    assert BAD not in left and len(left) == count
    # Without its index a table of the lowest level hides what others of its family have.
    assert part == "index" or (ROWS in left and len(left) > ROWS - 50)
    assert examine(path, MEMORY_OCTETS).is_sound


def test_a_shard_in_use_and_what_is_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ShardError, match="is no shard"):
        examine(tmp_path / "shard", MEMORY_OCTETS)
    program = _WRITER.format(memory=MEMORY_OCTETS, written=1).replace(
        "os._exit(9)", "print(1, flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "shard")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        for work in (lambda p: examine(p, MEMORY_OCTETS), lambda p: recover(p, MEMORY_OCTETS, 7, b"other")):
            with pytest.raises(ShardError, match="in use by another node"):
                work(tmp_path / "shard")
        holder.kill()
    open_shard(tmp_path / "shard", MEMORY_OCTETS, b"x").close()

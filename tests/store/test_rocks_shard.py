"""The shard on disk: what opens, what is refused, what a killed process leaves."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rocksdict import Options, Rdict

from mailnode.pb.row_pb2 import FormatRow
from mailnode.store import keys
from mailnode.store.formats import FORMAT
from mailnode.store.keys import FAMILIES, Family
from mailnode.store.recent import Recent
from mailnode.store.shard import DropTo, RocksShard, ShardError, open_shard
from tests.store import writer

MEMORY_OCTETS = 16 * 1024 * 1024
BATCHES_BEFORE_THE_KILL = 60


def opened(path: Path) -> RocksShard:
    return open_shard(path, MEMORY_OCTETS, b"incarnation-1234")


def test_a_shard_keeps_the_incarnation_of_its_making(tmp_path: Path) -> None:
    opened(tmp_path / "shard").close()
    again = open_shard(tmp_path / "shard", MEMORY_OCTETS, b"another")
    assert again.incarnation == b"incarnation-1234"
    again.close()


def test_every_family_is_made(tmp_path: Path) -> None:
    opened(tmp_path / "shard").close()
    assert set(Rdict.list_cf(str(tmp_path / "shard"), Options(raw_mode=True))) == {"default", *FAMILIES}


def test_who_does_not_read_what_is_going_to_be_written_does_not_open_the_shard(tmp_path: Path) -> None:
    path = tmp_path / "shard"
    shard = open_shard(path, MEMORY_OCTETS, b"incarnation-1234")
    shard.reach(FORMAT)
    shard.reach(FORMAT + 1)
    shard.reach(FORMAT)
    shard.close()
    with pytest.raises(ShardError, match=f"format {FORMAT + 1}"):
        open_shard(path, MEMORY_OCTETS, b"")


@pytest.mark.parametrize(("format", "program"), [(FORMAT + 1, "a newer one"), (FORMAT - 1, "an older one")])
def test_rows_of_another_format_are_refused_and_left_alone(tmp_path: Path, format: int, program: str) -> None:
    path = tmp_path / "shard"
    opened(path).close()
    other = FormatRow(format=format, incarnation=b"incarnation-1234").SerializeToString()
    _put_format(path, other)
    with pytest.raises(ShardError, match=f"format {format}.*knows {FORMAT}: use {program}"):
        opened(path)
    assert _format(path) == other  # and the lock was given back


def test_a_shard_in_use_is_refused_in_words_that_help(tmp_path: Path) -> None:
    shard = opened(tmp_path / "shard")
    with pytest.raises(ShardError, match="in use by another node"):
        opened(tmp_path / "shard")
    shard.close()
    opened(tmp_path / "shard").close()


def test_a_path_that_cannot_be_a_shard_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"not a folder")
    with pytest.raises(ShardError, match=str(tmp_path / "file")):
        opened(tmp_path / "file")


def test_a_damaged_shard_is_refused_as_damaged(tmp_path: Path) -> None:
    path = tmp_path / "shard"
    opened(path).close()
    (path / "CURRENT").write_bytes(b"MANIFEST-999999\n")
    with pytest.raises(ShardError, match=str(path)):
        opened(path)


@pytest.fixture
def killed(tmp_path: Path) -> Iterator[tuple[RocksShard, int]]:
    """A shard whose process was killed while it wrote, and the last batch that it knew to be synced."""
    child = subprocess.Popen(
        [sys.executable, writer.__file__, str(tmp_path / "shard")], stdout=subprocess.PIPE, cwd=_root()
    )
    assert child.stdout is not None
    told = [int(child.stdout.readline()) for _ in range(BATCHES_BEFORE_THE_KILL)]
    child.kill()
    told += [int(line) for line in child.stdout.read().splitlines(keepends=True) if line.endswith(b"\n")]
    child.wait()
    child.stdout.close()
    shard = opened(tmp_path / "shard")
    yield shard, told[-1]
    shard.close()


def test_a_killed_process_leaves_synced_batches_and_whole_ones_only(killed: tuple[RocksShard, int]) -> None:
    shard, synced = killed
    found = [int.from_bytes(key[5:], "big") for key, _ in shard.scan(Family.STATE, b"batch", b"batci")]
    assert found == list(range(1, len(found) + 1)), "a later batch without an earlier one"
    assert len(found) >= synced
    last = len(found).to_bytes(8, "big")
    assert {shard.get(Family.STATE, b"row%d" % row) for row in range(writer.ROWS)} == {last}
    assert [value[:8] for value in shard.values(Family.BLOB, b"", keys.END)] == [
        number.to_bytes(8, "big") for number in found
    ]


def _root() -> Path:
    return Path(__file__).parents[2]


def _put_format(path: Path, row: bytes) -> None:
    families = {family: Options(raw_mode=True) for family in FAMILIES}
    database = Rdict(str(path), Options(raw_mode=True), column_families=families)
    database.put(keys.FORMAT, row)
    database.close()


def _format(path: Path) -> bytes:
    families = {family: Options(raw_mode=True) for family in FAMILIES}
    database = Rdict(str(path), Options(raw_mode=True), column_families=families)
    row = database.get(keys.FORMAT)
    database.close()
    assert isinstance(row, bytes)
    return row


def test_a_blob_that_was_read_is_read_anew_once_it_was_put_or_dropped(tmp_path: Path) -> None:
    shard = opened(tmp_path / "shard")
    blobs = {b"one": b"1" * 5000, b"two": b"2" * 5000}
    shard.write([(Family.BLOB, key, value) for key, value in blobs.items()], sync=True)
    assert shard.get_many(Family.BLOB, [b"two", b"none", b"one"]) == [blobs[b"two"], None, blobs[b"one"]]
    shard.write([(Family.BLOB, b"one", b"changed"), (Family.BLOB, b"two", None)], sync=True)
    assert (shard.get(Family.BLOB, b"one"), shard.get(Family.BLOB, b"two")) == (b"changed", None)
    shard.write([(Family.BLOB, b"a", DropTo(b"z"))], sync=True)
    assert shard.get_many(Family.BLOB, list(blobs)) == [None, None]
    shard.close()


def test_what_was_read_last_is_kept_within_its_bound() -> None:
    recent = Recent(octets_max=1000)
    recent.put([(b"%d" % number, b"x" * 100) for number in range(10)])
    assert recent.get([b"0"]) == [b"x" * 100]
    recent.put([(b"new", b"y" * 100), (b"large", b"z" * 500)])
    asked = [b"0", b"1", b"2", b"new", b"large"]
    assert recent.get(asked) == [b"x" * 100, None, b"x" * 100, b"y" * 100, None]


def test_dropped_blobs_are_given_back_once_they_are_a_share_of_the_disk(tmp_path: Path) -> None:
    shard = opened(tmp_path / "shard")
    kept, dropped = ([bytes([family, number]) for number in range(100)] for family in (0, 1))
    for number, one in enumerate(zip(kept, dropped, strict=True), 1):
        shard.write([(Family.BLOB, key, os.urandom(20_000)) for key in one], sync=False)
        if number % 10 == 0:
            shard._columns[Family.BLOB].flush()  # ends a blob file
    assert not shard.collect(0.25)
    shard.write([(Family.BLOB, key, None) for key in dropped], sync=False)
    _compact(shard)
    before = _blob_octets(tmp_path)
    assert shard.collect(0.25)
    _compact(shard)
    assert _blob_octets(tmp_path) < 0.8 * before  # the older half
    _compact(shard)
    assert _blob_octets(tmp_path) < 0.55 * before
    assert not shard.collect(0.25)
    assert all(len(value or b"") == 20_000 for value in shard.get_many(Family.BLOB, kept))
    shard.close()


def test_the_disk_has_dropped_blobs_back_though_nothing_more_is_written(tmp_path: Path) -> None:
    shard = opened(tmp_path / "shard")

    def on_disk() -> int:
        octets: int = shard._columns[Family.BLOB].property_int_value("rocksdb.total-blob-file-size")
        return octets

    blobs = [b"%04d" % number for number in range(200)]
    for start in range(0, 200, 10):
        shard.write([(Family.BLOB, key, os.urandom(20_000)) for key in blobs[start : start + 10]], sync=True)
        shard._columns[Family.BLOB].flush()  # ends a blob file
    before = on_disk()
    shard.write([(Family.BLOB, key, None) for key in blobs if int(key) % 10], sync=True)
    until = time.monotonic() + 30
    while on_disk() > 0.4 * before:
        assert time.monotonic() < until, "nothing came back"
        shard.collect(0.25)
    kept = [key for key in blobs if not int(key) % 10]
    assert all(len(value or b"") == 20_000 for value in shard.get_many(Family.BLOB, kept))
    shard.close()


def _compact(shard: RocksShard) -> None:
    """All of it: files that nothing new overlaps would be left as they are."""
    shard.write([(Family.BLOB, b"", b"first"), (Family.BLOB, b"\xff", b"last")], sync=False)
    shard._columns[Family.BLOB].flush()
    shard._columns[Family.BLOB].compact_range(None, None)


def _blob_octets(path: Path) -> int:
    return sum(file.stat().st_size for file in (path / "shard").rglob("*.blob"))

"""What a shard does with blocks and blobs that the disk changed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailnode.store import keys
from mailnode.store.damage import MARK, Unreadable, first_readable, readable
from mailnode.store.keys import Family
from mailnode.store.shard import DropTo, RocksShard, open_shard
from tests.store.damaging import flip, flush, where

MEMORY_OCTETS = 16 * 1024 * 1024
ROWS = 2000
BAD = 1000
STATE = Family.STATE


def key(number: int) -> bytes:
    return number.to_bytes(8, "big")


def opened(path: Path) -> RocksShard:
    return open_shard(path, MEMORY_OCTETS, b"incarnation-1234")


@pytest.fixture
def damaged(tmp_path: Path) -> Iterator[RocksShard]:
    """Of its rows the one of BAD lies in a block that is damaged, and BAD's blob is too."""
    rest = random.Random(7)
    values = [rest.randbytes(100) for _ in range(ROWS)]
    blobs = [rest.randbytes(5000) for _ in range(20)]
    shard = opened(tmp_path / "shard")
    shard.write([(STATE, key(number), value) for number, value in enumerate(values)], sync=True)
    shard.write([(Family.BLOB, key(number), value) for number, value in enumerate(blobs)], sync=True)
    flush(shard)
    shard.close()
    for octets, suffix in ((values[BAD], ".sst"), (blobs[10], ".blob")):
        file, at = where(tmp_path / "shard", octets, suffix)
        flip(file, at + 20)
    shard = opened(tmp_path / "shard")
    yield shard
    shard.close()


def test_a_scan_never_takes_the_rows_before_a_damaged_block_for_all(damaged: RocksShard) -> None:
    rows = damaged.scan(STATE, b"", keys.END)
    found = []
    with pytest.raises(Unreadable) as told:
        for row_key, _ in rows:
            found.append(row_key)
    assert found == [key(number) for number in range(len(found))]
    assert ROWS // 4 < len(found) <= BAD
    assert told.value.following > key(BAD)


def test_what_can_be_read_behind_a_damaged_block_is_read(damaged: RocksShard) -> None:
    found = [int.from_bytes(row_key, "big") for row_key, _ in readable(damaged, STATE, b"", keys.END)]
    missing = sorted(set(range(ROWS)) - set(found))
    assert BAD in missing and len(missing) < 50
    assert missing == list(range(missing[0], missing[-1] + 1)), "one block"
    assert found == sorted(set(found))


def test_a_scan_that_begins_within_the_damage_goes_on_behind_it(damaged: RocksShard) -> None:
    found = [row_key for row_key, _ in readable(damaged, STATE, key(BAD), key(ROWS))]
    assert found[-1] == key(ROWS - 1) and key(BAD) not in found
    assert not list(readable(damaged, STATE, key(BAD), key(BAD + 1)))


def test_one_of_many_that_cannot_be_read_is_left_out(damaged: RocksShard) -> None:
    with pytest.raises(Unreadable):
        damaged.get(STATE, key(BAD))
    none, first, last = damaged.get_many(STATE, [key(BAD), key(0), key(ROWS - 1)])
    assert none is None and first is not None and last is not None


def test_a_blob_that_the_disk_changed_is_not_given_out(damaged: RocksShard) -> None:
    with pytest.raises(Unreadable):
        damaged.get(Family.BLOB, key(10))
    found = damaged.get_many(Family.BLOB, [key(number) for number in range(20)])
    assert [number for number, value in enumerate(found) if value is None] == [10]
    assert len(list(readable(damaged, Family.BLOB, b"", keys.END))) == 19


def test_a_damaged_shard_goes_on_to_be_written_where_compacting_it_would_stop_that(
    damaged: RocksShard, tmp_path: Path
) -> None:
    with pytest.raises(Unreadable):
        damaged.get(STATE, key(BAD))
    assert (tmp_path / "shard" / MARK).exists()
    for number in range(60):  # many times more table files than start a compaction, or would hold up writes
        damaged.write([(STATE, key(number), b"new")], sync=False)
        damaged._columns[STATE].flush()
    assert damaged.get(STATE, key(59)) == b"new"


def test_the_mark_of_damage_outlives_the_process(damaged: RocksShard, tmp_path: Path) -> None:
    assert len(list(readable(damaged, STATE, b"", keys.END))) < ROWS
    damaged.close()
    again = opened(tmp_path / "shard")
    for number in range(60):
        again.write([(STATE, key(number), b"new")], sync=False)
        again._columns[STATE].flush()
    again.close()


def test_a_shard_that_proved_sound_is_compacted_again(tmp_path: Path) -> None:
    opened(tmp_path / "shard").close()
    (tmp_path / "shard" / MARK).write_text("once")
    shard = opened(tmp_path / "shard")
    shard.heal()
    assert not (tmp_path / "shard" / MARK).exists()
    for number in range(60):
        shard.write([(STATE, key(number % 3), b"new")], sync=False)
        shard._columns[STATE].flush()
    shard._columns[STATE].compact_range(None, None)
    assert len(list(tmp_path.glob("shard/*.sst"))) < 10
    shard.close()


def test_a_table_whose_damage_is_written_over_is_not_compacted(damaged: RocksShard, tmp_path: Path) -> None:
    """It reads as if nothing was wrong, and a compaction would meet the block and stop every write."""
    rows = [(row_key, value) for row_key, value in readable(damaged, STATE, b"", keys.END)]
    before = max(row_key for row_key, _ in rows if row_key < key(BAD))
    behind = min(row_key for row_key, _ in rows if row_key > key(BAD))
    anew = [(STATE, row_key, value) for row_key, value in rows if row_key == before]
    damaged.write([(STATE, before, DropTo(behind)), *anew, (STATE, key(BAD), b"anew")], sync=True)
    assert (key(BAD), b"anew") in list(damaged.scan(STATE, b"", keys.END))
    damaged.heal()
    assert (tmp_path / "shard" / MARK).exists()
    damaged.close()
    again = opened(tmp_path / "shard")
    again.heal()
    assert (tmp_path / "shard" / MARK).exists()
    for number in range(60):
        again.write([(STATE, key(number), b"new")], sync=False)
        again._columns[STATE].flush()
    again.close()


@pytest.mark.parametrize("bad", [(10, 11), (10, 5000), (0, 2**64)])
def test_the_first_key_behind_the_damage_is_found_whatever_its_length(bad: tuple[int, int]) -> None:
    first, last = bad

    def reads(asked: bytes) -> bool:
        return not first <= int.from_bytes(asked[:9], "big") < last

    start, end = first.to_bytes(9, "big"), (2**65).to_bytes(9, "big")
    assert first_readable(start, end, reads)[:9] == last.to_bytes(9, "big")

"""RocksDB behind the shard's verbs, and the keys."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.pb.row_pb2 import FormatRow
from mailnode.store import keys
from mailnode.store.keys import Family
from mailnode.store.shard import FORMAT, RocksShard, ShardError, open_shard

MEMORY = 16 * 1024 * 1024
U64 = st.integers(0, 2**64 - 1)
U32 = st.integers(0, 2**32 - 1)


def opened(path: Path) -> RocksShard:
    return open_shard(path / "shard", MEMORY, b"incarnation-one")


def test_a_scan_is_bounded_and_in_order_and_batches_are_whole(tmp_path: Path) -> None:
    shard = opened(tmp_path)
    shard.write([(Family.STATE, b"%03d" % n, b"v%d" % n) for n in range(300)], sync=True)
    shard.write([(Family.STATE, b"005", None), (Family.HEAD, b"005", b"head")], sync=False)
    assert list(shard.scan(Family.STATE, b"004", b"007")) == [(b"004", b"v4"), (b"006", b"v6")]
    assert list(shard.values(Family.STATE, b"298", keys.END)) == [b"v298", b"v299"]
    assert shard.get_many(Family.STATE, [b"004", b"005"]) == [b"v4", None]
    assert shard.get(Family.HEAD, b"005") == b"head"
    shard.drop_range(Family.STATE, b"000", b"299")
    assert list(shard.scan(Family.STATE, b"", keys.END)) == [(b"299", b"v299")]
    shard.close()


def test_rows_and_incarnation_outlive_a_reopening(tmp_path: Path) -> None:
    shard = opened(tmp_path)
    shard.write([(Family.BLOB, b"k", b"x" * 100_000)], sync=True)
    shard.close()
    shard = open_shard(tmp_path / "shard", MEMORY, b"another")
    assert (shard.incarnation, shard.get(Family.BLOB, b"k")) == (b"incarnation-one", b"x" * 100_000)
    shard.close()


def test_a_shard_in_use_and_one_of_a_newer_format_are_refused(tmp_path: Path) -> None:
    shard = opened(tmp_path)
    with pytest.raises(ShardError, match="in use"):
        opened(tmp_path)
    newer = FormatRow(format=FORMAT + 1).SerializeToString()
    shard._db.put(keys.FORMAT, newer)
    shard.close()
    with pytest.raises(ShardError, match=f"format {FORMAT + 1}"):
        opened(tmp_path)


WRITER = """
import sys
from pathlib import Path
from mailnode.store.shard import open_shard
shard = open_shard(Path(sys.argv[1]), 16 << 20, b"i" * 16)
number = 0
while True:
    shard.write([("state", b"%08d%d" % (number, half), b"v" * 900) for half in (0, 1)], sync=True)
    print(number, flush=True)
    number += 1
"""


def test_synced_batches_outlive_kill_9_and_every_batch_is_whole(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path / "shard")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        acknowledged = [int(writer.stdout.readline()) for _ in range(300)]
        writer.kill()
        acknowledged += [int(line) for line in writer.stdout.read().split(b"\n")[:-1]]
    shard = opened(tmp_path)
    found = [key for key, _ in shard.scan(Family.STATE, b"", keys.END)]
    assert len(found) % 2 == 0
    assert {b"%08d0" % number for number in acknowledged} <= set(found)
    shard.close()


@given(U64, U64, U32, U32, U32, U32)
def test_keys_sort_as_their_numbers(one: int, other: int, box: int, box2: int, uid: int, uid2: int) -> None:
    pairs = sorted([(one, box, uid), (other, box2, uid2)])
    assert [keys.entry(*p) for p in pairs] == sorted(keys.entry(*p) for p in pairs)
    assert keys.uid_of_entry(keys.entry(one, box, uid)) == uid
    assert keys.account_of(keys.mail(one, other)) == one


@given(st.binary(min_size=1, max_size=12).filter(lambda prefix: prefix.strip(b"\xff")), st.binary(max_size=8))
def test_after_is_behind_every_key_with_the_prefix(prefix: bytes, rest: bytes) -> None:
    assert prefix + rest < keys.after(prefix)
    assert not keys.after(prefix).startswith(prefix)

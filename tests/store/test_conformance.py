"""What every shard does, the one on disk and the one that tests use in its place."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mailnode.store.keys import FAMILIES, Family
from mailnode.store.shard import DropTo, Put, Shard, open_shard
from tests.store.faulty_shard import FaultyShard

S, B = Family.STATE, Family.BLOB
MEMORY_OCTETS = 16 * 1024 * 1024

Reopen = Callable[[Shard], Shard]


def _fakes(path: Path) -> tuple[Shard, Reopen]:
    def reopen(shard: Shard) -> Shard:
        assert isinstance(shard, FaultyShard)
        return shard.reopen(kept=shard.unsynced)

    return FaultyShard(), reopen


def _on_disk(path: Path) -> tuple[Shard, Reopen]:
    def reopen(shard: Shard) -> Shard:
        shard.close()
        return open_shard(path, MEMORY_OCTETS, b"other")

    return open_shard(path, MEMORY_OCTETS, b"first"), reopen


@pytest.fixture(params=[_fakes, _on_disk])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Shard, Reopen]]:
    make: Callable[[Path], tuple[Shard, Reopen]] = request.param
    shard, reopen = make(tmp_path / "shard")
    open_now = [shard]

    def reopen_and_keep(shard: Shard) -> Shard:
        open_now[:] = [reopen(shard)]
        return open_now[0]

    yield shard, reopen_and_keep
    open_now[0].close()


@pytest.fixture
def shard(made: tuple[Shard, Reopen]) -> Shard:
    return made[0]


def rows(
    shard: Shard, family: str = S, start: bytes = b"", end: bytes = b"\xff"
) -> list[tuple[bytes, bytes]]:
    return list(shard.scan(family, start, end))


def put(shard: Shard, *keys: bytes, family: str = S) -> None:
    shard.write([(family, key, b"v" + key) for key in keys], sync=True)


def test_what_was_put_is_read(shard: Shard) -> None:
    shard.write([(S, b"a", b"1"), (S, b"empty", b""), (B, b"a", b"\0\xff" * 5000)], sync=False)
    assert (shard.get(S, b"a"), shard.get(S, b"empty"), shard.get(S, b"b")) == (b"1", b"", None)
    assert shard.get(B, b"a") == b"\0\xff" * 5000


def test_families_are_apart(shard: Shard) -> None:
    shard.write([(family, b"key", family.encode()) for family in FAMILIES], sync=True)
    assert [shard.get(family, b"key") for family in FAMILIES] == [family.encode() for family in FAMILIES]


def test_many_are_got_in_the_order_asked_for(shard: Shard) -> None:
    put(shard, b"a", b"b", b"c")
    assert shard.get_many(S, [b"c", b"x", b"a", b"c"]) == [b"vc", None, b"va", b"vc"]
    assert shard.get_many(S, []) == []


def test_a_scan_begins_at_its_start_and_ends_before_its_end(shard: Shard) -> None:
    put(shard, b"a", b"b", b"b\0", b"b\xff\xff", b"c", b"c\0")
    assert [key for key, _ in rows(shard, start=b"b", end=b"c")] == [b"b", b"b\0", b"b\xff\xff"]
    assert list(shard.values(S, b"b\0", b"c\0")) == [b"vb\0", b"vb\xff\xff", b"vc"]
    assert rows(shard, start=b"b\x01", end=b"b\x02") == []
    assert rows(shard, start=b"d") == []


def test_a_range_is_dropped_in_its_place_among_the_rows_of_a_write(shard: Shard) -> None:
    put(shard, b"a", b"b", b"b\xff", b"c")
    put(shard, b"b", family=B)
    shard.write([(S, b"b", b"gone"), (S, b"b", DropTo(b"c")), (S, b"b1", b"new")], sync=True)
    assert rows(shard) == [(b"a", b"va"), (b"b1", b"new"), (b"c", b"vc")]
    assert rows(shard, family=B) == [(b"b", b"vb")]


def test_a_scan_shows_what_was_there_when_its_first_row_was_read(shard: Shard) -> None:
    put(shard, b"a", b"b", b"c")
    scan = shard.scan(S, b"a", b"z")
    first = next(scan)
    shard.write([(S, b"b", None), (S, b"c", b"new"), (S, b"d", b"new")], sync=True)
    assert [first, *scan] == [(b"a", b"va"), (b"b", b"vb"), (b"c", b"vc")]


def test_a_scan_of_one_family_does_not_wander_into_another(shard: Shard) -> None:
    put(shard, b"a", b"z")
    put(shard, b"m", family=B)
    assert [key for key, _ in rows(shard)] == [b"a", b"z"]


def test_a_dropped_row_is_gone_and_may_come_back(shard: Shard) -> None:
    put(shard, b"a", b"b")
    shard.write([(S, b"a", None), (S, b"never", None)], sync=True)
    assert rows(shard) == [(b"b", b"vb")]
    put(shard, b"a")
    assert shard.get(S, b"a") == b"va"


def test_of_two_puts_of_one_row_in_a_batch_the_last_counts(shard: Shard) -> None:
    shard.write(
        [(S, b"a", b"1"), (S, b"a", None), (S, b"a", b"2"), (S, b"b", b"1"), (S, b"b", None)], sync=True
    )
    assert rows(shard) == [(b"a", b"2")]


def test_a_range_is_dropped_from_its_start_to_before_its_end(shard: Shard) -> None:
    put(shard, b"a", b"b", b"bb", b"c")
    put(shard, b"b", family=B)
    shard.write([(S, b"b", DropTo(b"c"))], sync=False)
    assert rows(shard) == [(b"a", b"va"), (b"c", b"vc")]
    assert shard.get(B, b"b") == b"vb"


def test_a_batch_that_cannot_be_made_writes_nothing(shard: Shard) -> None:
    def breaking() -> Iterator[Put]:
        yield S, b"a", b"1"
        raise ValueError

    with pytest.raises(ValueError):
        shard.write(breaking(), sync=True)
    assert rows(shard) == []


def test_everything_written_is_there_after_an_orderly_reopen(made: tuple[Shard, Reopen]) -> None:
    shard, reopen = made
    put(shard, b"a", b"b", b"c")
    shard.write([(S, b"b", None), (B, b"x", b"unsynced")], sync=False)
    shard.write([(S, b"c", DropTo(b"d"))], sync=False)
    incarnation = shard.incarnation
    shard = reopen(shard)
    assert rows(shard) == [(b"a", b"va")]
    assert shard.get(B, b"x") == b"unsynced"
    assert shard.incarnation == incarnation

"""The oldest goes first, from memory by octets, from the disk by octets and age."""

from __future__ import annotations

from mailnode.cluster.kept import Kept

MIB = 1 << 20


def none(partition: int, seq: int) -> bool:
    return False


def test_what_leaves_memory_is_what_was_written_first() -> None:
    kept = Kept(memory_octets_max=100, disk_octets_max=MIB, seconds_max=10)
    for seq, partition in enumerate((1, 2, 1), 1):
        assert list(kept.leaving_memory(none)) == []
        kept.wrote(partition, seq, 40, now=0)
    assert list(kept.leaving_memory(none)) == [(1, 1), (2, 2)]
    assert list(kept.leaving_memory(none)) == []


def test_what_is_not_applied_leaves_memory_later() -> None:
    kept = Kept(memory_octets_max=100, disk_octets_max=MIB, seconds_max=10)
    for seq, partition in enumerate((1, 2, 1, 2), 1):
        kept.wrote(partition, seq, 40, now=0)
    assert list(kept.leaving_memory(lambda partition, seq: partition == 1)) == [(2, 2), (2, 4)]
    kept.wrote(2, 5, 40, now=0)
    assert list(kept.leaving_memory(none)) == [(1, 1), (1, 3)]


def test_the_disk_keeps_so_many_octets() -> None:
    kept = Kept(memory_octets_max=100 * MIB, disk_octets_max=2 * MIB, seconds_max=1e9)
    for seq in range(1, 5):
        kept.wrote(7, seq, MIB, now=0)
    assert list(kept.leaving_disk(0)) == [(7, 1), (7, 2)]


def test_a_partition_that_is_seldom_written_is_trimmed_by_age() -> None:
    kept = Kept(memory_octets_max=100, disk_octets_max=MIB, seconds_max=10)
    kept.found(3, 40, now=0)
    kept.wrote(1, 5, 50, now=1)
    kept.wrote(1, 6, 50, now=8)
    assert list(kept.leaving_disk(10.5)) == [(3, 40)]
    assert list(kept.leaving_disk(12)) == [(1, 6)]
    assert list(kept.leaving_disk(100)) == []


def test_of_several_that_are_seldom_written_the_oldest_leave_first() -> None:
    kept = Kept(memory_octets_max=10 * MIB, disk_octets_max=10 * MIB, seconds_max=10)
    kept.wrote(1, 5, 50, now=1)
    kept.wrote(2, 6, 50, now=2)
    kept.wrote(1, 7, MIB, now=3)
    kept.wrote(1, 8, 50, now=4)
    assert list(kept.leaving_disk(12.5)) == [(1, 7), (2, 6)]
    assert list(kept.leaving_disk(14.5)) == [(1, 8)]

"""The disk of tests loses what a disk may lose, and no more."""

import pytest

from mailnode.store.keys import Family
from tests.store.faulty_shard import Died, Fate, FaultyShard, Plan, Step

S = Family.STATE


def at(step: Step, fate: Fate, count: int = 1) -> Plan:
    """The fate of the `count`th step of a kind."""
    steps = 0

    def plan(now: Step) -> Fate:
        nonlocal steps
        steps += now is step
        return fate if now is step and steps == count else Fate.GO_ON

    return plan


def left(shard: FaultyShard, kept: int = 0) -> list[bytes]:
    return [key for key, _ in shard.reopen(kept).scan(S, b"", b"\xff")]


def test_a_sync_covers_what_was_written_before() -> None:
    shard = FaultyShard()
    shard.write([(S, b"a", b"")], sync=False)
    shard.write([(S, b"b", b"")], sync=True)
    shard.write([(S, b"c", b"")], sync=False)
    assert left(shard) == [b"a", b"b"]


def test_unsynced_writes_are_kept_only_with_those_before_them() -> None:
    shard = FaultyShard()
    for key in (b"a", b"b", b"c"):
        shard.write([(S, key, b"")], sync=False)
    assert [left(shard, kept) for kept in range(4)] == [[], [b"a"], [b"a", b"b"], [b"a", b"b", b"c"]]


@pytest.mark.parametrize("step", [Step.BEFORE_LOG, Step.BEFORE_SYNC])
def test_a_write_that_fails_is_not_seen_and_may_be_there_later(step: Step) -> None:
    shard = FaultyShard(at(step, Fate.FAIL))
    with pytest.raises(OSError):
        shard.write([(S, b"a", b"1")], sync=True)
    assert shard.get(S, b"a") is None
    assert shard.unsynced == (step is Step.BEFORE_SYNC)


@pytest.mark.parametrize(
    ("step", "unsynced", "synced"),
    [
        (Step.BEFORE_LOG, 0, []),
        (Step.BEFORE_SYNC, 1, []),
        (Step.BEFORE_MEMORY, 0, [b"a"]),
        (Step.AFTER_WRITE, 0, [b"a"]),
    ],
)
def test_a_process_may_end_at_every_step_of_a_write(step: Step, unsynced: int, synced: list[bytes]) -> None:
    shard = FaultyShard(at(step, Fate.DIE))
    with pytest.raises(Died):
        shard.write([(S, b"a", b"1")], sync=True)
    with pytest.raises(Died):
        shard.get(S, b"a")
    assert (shard.unsynced, left(shard)) == (unsynced, synced)

"""The list of a partition: what two of them have in common, and what is kept of what is trimmed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mailnode.cluster.replica_log import Log
from mailnode.cluster.replica_messages import START, Entry, Position

EPOCHS = st.lists(st.integers(1, 5), max_size=12).map(sorted)


def log_of(epochs: list[int]) -> Log:
    log = Log()
    for seq, epoch in enumerate(epochs, 1):
        log.append(Entry(Position(epoch, seq), b"x"))
    return log


@given(EPOCHS, st.integers(0, 12))
def test_what_is_trimmed_keeps_its_epochs(epochs: list[int], upto: int) -> None:
    log = log_of(epochs)
    log.trim(min(upto, len(epochs)))
    assert [log.epoch_at(seq) for seq in range(1, len(epochs) + 1)] == epochs
    assert log.last == (Position(epochs[-1], len(epochs)) if epochs else START)


@given(EPOCHS, EPOCHS)
def test_asking_in_turn_comes_to_the_common_point(ours: list[int], theirs: list[int]) -> None:
    """As the primary and a follower do; what is common is what has one epoch and one seq."""
    primary, follower = log_of(ours), log_of(theirs)
    before = primary.last
    for _ in range(len(ours) + len(theirs) + 1):
        if follower.has(before):
            break
        before = primary.nearest(follower.nearest(before))
    assert primary.has(before)
    assert follower.has(before)


@given(EPOCHS, st.integers(0, 12))
def test_what_is_truncated_is_gone_with_its_epochs(epochs: list[int], after: int) -> None:
    log = log_of(epochs)
    log.truncate(min(after, len(epochs)))
    kept = log_of(epochs[:after])
    assert (log.last, log.epochs) == (kept.last, kept.epochs)


def test_what_is_released_is_still_in_the_log_but_not_in_memory() -> None:
    entries = [Entry(Position(1, seq), b"x") for seq in range(1, 6)]
    log = Log([Position(1, 1)], 0, entries)
    log.release(3)
    assert (log.trimmed, log.released, log.last) == (0, 3, (1, 5))
    assert log.has(Position(1, 2)) and log.after(3, 5) == entries[3:]
    log.trim(4)
    assert (log.trimmed, log.released, log.after(4, 5)) == (4, 4, entries[4:])

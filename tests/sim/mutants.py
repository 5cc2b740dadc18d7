"""The core with one named fault each: the simulator must find them, or it proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from mailnode.cluster.replica import Replica
from mailnode.cluster.replica_messages import Append, Member, Row
from mailnode.cluster.replica_pair import Leading
from mailnode.cluster.replica_pairs import Pairs
from mailnode.cluster.replicas import Replicas
from tests.sim.node import Node

_acknowledge, _step, _read = Replicas._acknowledge, Replica.step, Replica.read
_judge, _lead = Replicas._judge, Replica._lead


def acknowledge_before_durable(self: Replicas) -> None:
    self._synced = self._number
    _acknowledge(self)


def no_epoch_fence(self: Replica, sender: Member, message: Any, now: float) -> None:
    if isinstance(message, Append) and message.epoch < self.epoch and not self.is_leading:
        message = replace(message, epoch=self.epoch)
    _step(self, sender, message, now)


def new_set_before_read_back(self: Replica) -> set[Member]:
    """Those who were asked to be removed do not count any more, whatever becomes of the asking."""
    assert self.row is not None
    return set(self.asked[-1].row.in_sync if self.asked else self.row.in_sync)


def old_set_until_read_back(self: Replica) -> set[Member]:
    """Those who were asked to be added do not count yet, though they may be in the map already."""
    assert self.row is not None
    return set(self.row.in_sync)


def break_promises(self: Pairs, partition: int) -> float:
    return 0.0


def refuse_no_claim(self: Replicas, partition: int) -> int:
    """The pair's heartbeats stand for partitions that were taken over."""
    return 0


def add_learners_early(self: Replicas, replica: Replica) -> None:
    found = {member: progress.matched for member, progress in replica.progress.items()}
    for progress in replica.progress.values():
        progress.matched = replica.log.last.seq
    _judge(self, replica)
    for member, matched in found.items():
        replica.progress[member].matched = matched


def lead_in_the_epoch_of_a_run_before(self: Replica, row: Row) -> None:
    if row.primary == self.me and self.row is None and row.epoch == self.epoch > 0:
        self.row = row
        _lead(self, row.epoch)
        return
    _read(self, row)


def serve_without_end(self: Leading, partition: int, epoch: int, now: float) -> bool:
    return self.acked > 0


def keep_the_name_of_a_replaced_disk(self: Node) -> None:
    self.disk = type(self.disk)()


def serve_before_the_tail_is_committed(self: Replica) -> bool:
    return self.is_leading


def reuse_a_seq(self: Replica, epoch: int) -> None:
    """A new primary begins after what it has applied, not after what it has."""
    self.log.truncate(max(self.applied, self.log.released))
    _lead(self, epoch)


MUTANTS: dict[str, tuple[type, str, Callable[..., Any]]] = {
    each.__name__: (owner, name, each)
    for owner, name, each in (
        (Replicas, "_acknowledge", acknowledge_before_durable),
        (Replica, "step", no_epoch_fence),
        (Replica, "required", new_set_before_read_back),
        (Replica, "required", old_set_until_read_back),
        (Pairs, "promised_until", break_promises),
        (Replicas, "_known_epoch", refuse_no_claim),
        (Replicas, "_judge", add_learners_early),
        (Replica, "read", lead_in_the_epoch_of_a_run_before),
        (Leading, "holds", serve_without_end),
        (Node, "replace_disk", keep_the_name_of_a_replaced_disk),
        (Replica, "has_begun", serve_before_the_tail_is_committed),
        (Replica, "_lead", reuse_a_seq),
    )
}


@contextmanager
def injected(name: str) -> Iterator[None]:
    owner, method, fault = MUTANTS[name]
    with patch.object(owner, method, fault):
        yield

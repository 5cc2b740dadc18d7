"""The core with one named fault each: the simulator must find them, or it proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from mailnode.cluster.membership import Membership
from mailnode.cluster.replica import Replica
from mailnode.cluster.replica_messages import Append, Member, Row
from mailnode.cluster.replica_pair import Leading
from mailnode.cluster.replica_pairs import Pairs
from mailnode.cluster.replicas import Replicas
from tests.sim.node import Node

_acknowledge, _step, _read = Replicas._acknowledge, Replica.step, Replica.read
_judge, _hand_over = Membership.judge, Membership.hand_over
_lead, _advance = Replica._lead, Replica._advance
_is_ripe, _lacks_primary = Membership._is_ripe, Replicas._lacks_primary


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


def add_learners_early(self: Membership, replica: Replica, now: float) -> None:
    found = {member: progress.matched for member, progress in replica.progress.items()}
    for progress in replica.progress.values():
        progress.matched = replica.log.last.seq
    _judge(self, replica, now)
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


def serve_while_it_is_given(self: Replica) -> bool:
    """The giver relies on the promises that it has."""
    return False


def give_up_what_was_asked(self: Membership, replica: Replica, now: float) -> None:
    """The map does not answer, so the giver goes on."""
    if replica.is_given() and now >= replica.asked_at + 0.3:
        replica.asked.clear()
        replica.giving = None
    _hand_over(self, replica, now)


def give_what_is_not_committed(self: Membership, replica: Replica, now: float) -> None:
    """To one who only learns, and does not have it all."""
    if replica.giving and replica.row and len(replica.progress) > len(replica.row.in_sync) - 1:
        learner = next(member for member in replica.progress if member not in replica.row.in_sync)
        replica.row = replace(replica.row, in_sync=(*replica.row.in_sync, learner))
        replica.giving = replace(replica.giving, to=learner, run=self._runs[learner])
        replica.commit = replica.log.last.seq
    _hand_over(self, replica, now)


def send_far_what_is_not_committed(self: Replica, to: Member) -> int:
    return self.log.last.seq


def end_before_other_data_centres_have_it(self: Replica) -> int:
    return self.commit


def let_far_copies_come_in_sync(self: Membership, replica: Replica, member: Member, now: float) -> bool:
    row = replica.row
    assert row is not None
    is_far = any(far.node == member.node for far in row.far) and member not in row.in_sync
    return is_far or _is_ripe(self, replica, member, now)


def commit_by_far_copies(self: Replica) -> None:
    """With what other data centres have, so that a cut between them stops all of them."""
    row, before = self.row, self.commit
    _advance(self)
    if self.is_leading and row is not None and row.far:
        self.commit = max(before, min(self.commit, *(self.matched_in(far.dc) for far in row.far)))


def forget_to_ask_for_far_copies(self: Replicas, replica: Replica, row: Row) -> bool:
    """One that was once told something is told all, it believes."""
    known = bool(replica.far_dc(self.me)) and replica.log.last.seq > 0
    return not known and _lacks_primary(self, replica, row)


MUTANTS: dict[str, tuple[type, str, Callable[..., Any]]] = {
    each.__name__: (owner, name, each)
    for owner, name, each in (
        (Replicas, "_acknowledge", acknowledge_before_durable),
        (Replica, "step", no_epoch_fence),
        (Replica, "required", new_set_before_read_back),
        (Replica, "required", old_set_until_read_back),
        (Pairs, "promised_until", break_promises),
        (Replicas, "_known_epoch", refuse_no_claim),
        (Membership, "judge", add_learners_early),
        (Replica, "read", lead_in_the_epoch_of_a_run_before),
        (Leading, "holds", serve_without_end),
        (Node, "replace_disk", keep_the_name_of_a_replaced_disk),
        (Replica, "has_begun", serve_before_the_tail_is_committed),
        (Replica, "_lead", reuse_a_seq),
        (Replica, "is_given", serve_while_it_is_given),
        (Membership, "hand_over", give_up_what_was_asked),
        (Membership, "hand_over", give_what_is_not_committed),
        (Replica, "_end", send_far_what_is_not_committed),
        (Replica, "confirmed", end_before_other_data_centres_have_it),
        (Membership, "_is_ripe", let_far_copies_come_in_sync),
        (Replica, "_advance", commit_by_far_copies),
        (Replicas, "_lacks_primary", forget_to_ask_for_far_copies),
    )
}


@contextmanager
def injected(name: str) -> Iterator[None]:
    owner, method, fault = MUTANTS[name]
    with patch.object(owner, method, fault):
        yield

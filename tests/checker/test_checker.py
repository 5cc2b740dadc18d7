"""The short form of `python -m tests.checker`, and that it would notice."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator

import pytest

from tests.checker.register import Register, Write
from tests.checker.rest import Memory, caught_up
from tests.checker.rounds import ACCOUNTS, run
from tests.checker.told import Lie, Told
from tests.checker.world import World
from tests.wire.fetched import Fetched, fetched
from tests.wire.node import Node
from tests.wire.server import free_base_port

ROUNDS = 3


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    running = Node(tmp_path_factory.mktemp("checker") / "node", free_base_port(random.Random()), ACCOUNTS)
    running.start()
    yield running
    running.stop()


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_no_client_is_told_what_cannot_be_true(node: Node, seed: int) -> None:
    outcome = asyncio.run(run(node, seed, 0, lambda rounds, _: rounds < ROUNDS))
    assert not outcome.fault, outcome.fault
    assert outcome.operations >= ROUNDS * outcome.clients


# ---- what one client was told


def told(*uids: int) -> Told:
    view = Told(0)
    view.exists(len(uids))
    for number, uid in enumerate(uids, 1):
        if uid:
            view.fetch(item(f"* {number} FETCH (UID {uid})"))
    return view


def item(response: str) -> Fetched:
    (only,) = fetched([response.encode()])
    return only


def test_numbers_follow_each_expunge() -> None:
    view = told(3, 5, 9, 0)
    assert [view.expunge(2).uid, view.expunge(2).uid] == [5, 9]
    assert (view.uids(), len(view.messages), view.number(3)) == ([3], 2, 1)


def test_who_vanished_is_known_by_uid_or_is_one_of_those_without() -> None:
    view = told(3, 0, 0, 9)
    view.vanish(3)
    view.vanish(5)
    assert [known.uid for known in view.messages] == [0, 9]
    view.vanish(7)
    for uid in (7, 10):
        with pytest.raises(Lie):
            view.vanish(uid)


@pytest.mark.parametrize(
    "response", ["* 4 FETCH (FLAGS ())", "* 0 FETCH (FLAGS ())", "* 2 FETCH (UID 6)", "* 3 FETCH (UID 5)"]
)
def test_a_fetch_that_contradicts_what_was_told_is_a_lie(response: str) -> None:
    with pytest.raises(Lie):
        told(3, 5, 0).fetch(item(response))


def test_fewer_messages_without_expunge_are_a_lie() -> None:
    with pytest.raises(Lie):
        told(3, 5).exists(1)
    with pytest.raises(Lie):
        told(3, 5).expunge(3)
    with pytest.raises(Lie):
        told(3, 5).recent(3)


# ---- what all know


def test_a_read_may_find_only_what_was_in_force_while_it_lasted() -> None:
    register = Register([Write(0, 1, False), Write(5, 8, True), Write(20, None, False)])
    assert register.may_read(False, 2, 4) and not register.may_read(True, 2, 4)
    assert register.may_read(False, 4, 6) and register.may_read(True, 4, 6)
    assert register.may_read(True, 10, 12) and not register.may_read(False, 10, 12)
    assert register.may_read(True, 30, 31) and register.may_read(False, 30, 31)


def test_what_was_stored_and_deleted_by_nobody_must_be_there() -> None:
    world = World()
    world.create(("box", 1), world.tick(), frozenset({"one"}), "APPEND 1")
    world.settle("box", {1: frozenset({"one"})})
    with pytest.raises(Lie, match="lost"):
        world.settle("box", {})
    with pytest.raises(Lie, match="nobody deleted"):
        world.expunged(("box", 1))
    world.write([("box", 1)], ["\\Deleted"], True)
    world.expunged(("box", 1))
    world.settle("box", {})


def test_a_flag_at_rest_must_be_one_that_was_stored() -> None:
    world = World()
    world.create(("box", 1), world.tick(), frozenset(), "APPEND 1")
    (write,) = world.write([("box", 1)], ["one"], True)
    write.acknowledged = world.tick()
    with pytest.raises(Lie, match="at rest"):
        world.settle("box", {1: frozenset()})
    world.settle("box", {1: frozenset({"one"})})


def test_a_uid_is_one_message_recent_to_one_session() -> None:
    world = World()
    world.create(("box", 1), world.tick(), frozenset(), "APPEND 1")
    world.identify(("box", 1), b"x")
    world.claim_recent(("box", 1), 7)
    with pytest.raises(Lie):
        world.create(("box", 1), world.tick(), frozenset(), "APPEND 2")
    with pytest.raises(Lie):
        world.identify(("box", 1), b"y")
    with pytest.raises(Lie):
        world.claim_recent(("box", 1), 8)


def test_what_was_expunged_is_not_there_for_who_selects_later() -> None:
    world = World()
    world.expunged(("box", 1))
    with pytest.raises(Lie):
        world.seen(("box", 1), selected_at=world.tick())


def test_other_flags_have_another_mod_sequence_and_it_only_grows() -> None:
    world, view = World(), told(3)
    world.versioned(("box", 3), 7, frozenset())
    with pytest.raises(Lie):
        world.versioned(("box", 3), 7, frozenset({"one"}))
    view.fetch(item("* 1 FETCH (UID 3 MODSEQ (7))"))
    with pytest.raises(Lie):
        view.fetch(item("* 1 FETCH (UID 3 MODSEQ (6))"))


def test_who_returns_knows_what_vanished_and_what_changed() -> None:
    memory = Memory(1, 5, {1: frozenset(), 2: frozenset(), 3: frozenset()})
    changed = b"* 1 FETCH (UID 3 FLAGS (one) MODSEQ (6))"
    assert caught_up(memory, (b"* VANISHED (EARLIER) 1:2,9", changed)) == {3: frozenset({"one"})}
    with pytest.raises(Lie):
        caught_up(memory, (b"* 1 FETCH (UID 3 FLAGS (one) MODSEQ (5))",))

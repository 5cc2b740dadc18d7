"""The ring: even, steady, and never two copies on one host."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailnode.cluster.layer import Node
from mailnode.cluster.ring import SLOTS, Placement, placements


def nodes_of(count: int, racks: int = 4) -> list[Node]:
    return [Node(f"n{number}", f"h{number}", f"r{number % racks}", "a") for number in range(count)]


def counted(placed: list[Placement], primaries: bool = False) -> dict[str, int]:
    counts: dict[str, int] = {}
    for placement in placed:
        for name in placement.home[: 1 if primaries else None]:
            counts[name] = counts.get(name, 0) + 1
    return counts


def held(placed: list[Placement]) -> dict[int, tuple[str, ...]]:
    return {slot: (*placement.home, *placement.far) for slot, placement in enumerate(placed)}


def moved(before: list[Placement], after: list[Placement]) -> int:
    return sum(len(set(new.home) - set(old.home)) for old, new in zip(before, after, strict=True))


def is_even(placed: list[Placement], nodes: list[Node], copies: int) -> bool:
    total = sum(node.weight for node in nodes)
    counts, primaries = counted(placed), counted(placed, primaries=True)
    return all(
        abs(counts[node.name] / (SLOTS * copies * node.weight / total) - 1) <= 0.1
        and abs(primaries[node.name] / (SLOTS * node.weight / total) - 1) <= 0.1
        for node in nodes
    )


@settings(max_examples=12, deadline=None)
@given(st.integers(3, 100), st.integers(1, 3))
def test_every_node_is_within_a_tenth_of_its_share_of_copies_and_of_primaries(
    count: int, copies: int
) -> None:
    nodes = nodes_of(count)
    placed = placements(nodes, "a", copies)
    assert all(len(placement.home) == copies for placement in placed)
    assert is_even(placed, nodes, copies)


@settings(max_examples=10, deadline=None)
@given(st.integers(4, 60), st.integers(1, 3), st.lists(st.integers(0, 10_000), min_size=2, max_size=4))
def test_a_node_that_comes_or_goes_moves_at_most_its_share_and_a_fifth(
    count: int, copies: int, steps: list[int]
) -> None:
    nodes = nodes_of(count)
    placed = placements(nodes, "a", copies)
    for number, step in enumerate(steps):
        before = len(nodes)
        if step % 2 or before == 4:
            nodes = [*nodes, Node(f"new{number}", f"new{number}", f"r{step % 4}", "a")]
        else:
            nodes = [node for index, node in enumerate(nodes) if index != step % before]
        after = placements(nodes, "a", copies, held(placed))
        assert moved(placed, after) <= 1.2 / before * SLOTS * copies
        assert is_even(after, nodes, copies)
        placed = after


@settings(max_examples=8, deadline=None)
@given(st.integers(1, 30), st.randoms(use_true_random=False))
def test_the_order_of_the_nodes_changes_nothing(count: int, order: random.Random) -> None:
    nodes = nodes_of(count)
    shuffled = list(nodes)
    order.shuffle(shuffled)
    assert placements(nodes, "a", 3, slots=512) == placements(shuffled, "a", 3, slots=512)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from([0.5, 1, 2, 4])), min_size=1, max_size=16))
def test_two_copies_are_never_on_one_host(shape: list[tuple[int, float]]) -> None:
    nodes = [Node(f"n{i}", f"h{host}", f"r{host % 2}", "a", weight) for i, (host, weight) in enumerate(shape)]
    hosts = {node.name: node.host for node in nodes}
    for placement in placements(nodes, "a", 3, slots=512):
        assert (
            len({hosts[name] for name in placement.home})
            == len(placement.home)
            == min(3, len({*hosts.values()}))
        )


def test_two_copies_are_not_in_one_rack_where_the_weights_allow_it() -> None:
    nodes = nodes_of(12, racks=4)
    racks = {node.name: node.rack for node in nodes}
    placed = placements(nodes, "a", 3)
    assert all(len({racks[name] for name in placement.home}) == 3 for placement in placed)
    after = placements(nodes[1:], "a", 3, held(placed))
    for _ in range(10):
        after = placements(nodes[1:], "a", 3, held(after))
    assert all(len({racks[name] for name in placement.home}) == 3 for placement in after)


def test_capacity_is_weight() -> None:
    nodes = [Node(f"n{i}", f"h{i}", f"r{i % 4}", "a", weight) for i, weight in enumerate([1, 1, 2, 2, 3, 3])]
    assert is_even(placements(nodes, "a", 2), nodes, 2)


def test_the_primary_is_at_home_and_one_copy_in_each_further_data_centre() -> None:
    nodes = [Node(f"{dc}{number}", f"{dc}{number}", dc=dc) for dc in "abc" for number in range(4)]
    placed = placements(nodes, "b", 2)
    for placement in placed:
        assert [name[0] for name in placement.home] == ["b", "b"]
        assert [name[0] for name in placement.far] == ["a", "c"]
    assert placements(nodes, "b", 2, held(placed)) == placed


def test_what_cannot_be_placed_is_told() -> None:
    for nodes in (
        [],
        [Node("n", "h", dc="b")],
        [Node("n", "h", dc="a", weight=0)],
        [Node("n", "h", dc="a")] * 2,
    ):
        with pytest.raises(ValueError, match=r"data centre|weight|name"):
            placements(nodes, "a", 3)

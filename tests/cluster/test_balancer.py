"""Copies follow the nodes of a real etcd, by whoever is elected; primaries do what rows ask of them."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from mailnode.cluster import etcd_rows as rows
from mailnode.cluster.etcd import Put
from mailnode.cluster.etcd_rows import Home
from mailnode.cluster.ring import SLOTS
from mailnode.clustered import ClusterAt
from tests.cluster.members import Member, members
from tests.cluster.moves import at_of, copies_of, init, is_whole, node, until


@pytest.fixture(scope="module")
def etcds() -> Iterator[Member]:
    with members(1) as made:
        yield made[0]


@pytest.fixture
def at(etcds: Member) -> ClusterAt:
    return at_of(etcds)


def test_what_a_lost_node_had_is_copied_to_others_and_a_node_that_joins_gets_its_share(
    at: ClusterAt, tmp_path: Path
) -> None:
    async def scene() -> None:
        await init(at, 2)
        async with asyncio.timeout(60), AsyncExitStack() as stack:
            joining = asyncio.create_task(stack.enter_async_context(node(at, "a", tmp_path)))
            leaving = AsyncExitStack()
            await leaving.enter_async_context(node(at, "b", tmp_path))
            made = await joining
            await until(made, lambda: copies_of(made) == {"a": SLOTS, "b": SLOTS})
            await stack.enter_async_context(node(at, "c", tmp_path))
            shares = {"a": 2731, "b": 2731, "c": 2731}
            await until(made, lambda: is_whole(made) and near(copies_of(made), shares))
            await leaving.aclose()
            await until(made, lambda: is_whole(made) and copies_of(made) == {"a": SLOTS, "c": SLOTS})
            assert made.source.balancer in ("a", "c")

    asyncio.run(scene())


def near(found: Counter[str], wanted: dict[str, int]) -> bool:
    return found.keys() == wanted.keys() and all(abs(found[name] - wanted[name]) <= 1 for name in wanted)


def test_a_node_that_leaves_is_emptied_and_a_raised_promise_is_kept(at: ClusterAt, tmp_path: Path) -> None:
    async def scene() -> None:
        await init(at, 1)
        async with asyncio.timeout(60), AsyncExitStack() as stack:
            made = await stack.enter_async_context(node(at, "a", tmp_path))
            await stack.enter_async_context(node(at, "b", tmp_path))
            await until(made, lambda: is_whole(made) and copies_of(made) == {"a": SLOTS / 2, "b": SLOTS / 2})
            source, peer = made.source, made.source.nodes["b"]
            leaving = Put(source.keys.node("b"), rows.node_octets(replace(peer, is_leaving=True)))
            await source.etcd.transact([], [leaving])
            await until(made, lambda: is_whole(made) and copies_of(made) == {"a": SLOTS})
            home = Put(source.keys.home(0), rows.home_octets(Home("", 1, 2, 2)))
            await source.etcd.transact([], [Put(leaving.key, rows.node_octets(peer)), home])
            await until(made, lambda: is_whole(made) and copies_of(made) == {"a": SLOTS, "b": SLOTS})
            await until(made, lambda: all(row.min_insync == 2 for _, row in made.map.rows()))

    asyncio.run(scene())

"""What an operator wants of a cluster, by a real etcd; what may not be is refused with its reason."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from mailnode.cluster.etcd import Put
from mailnode.cluster.ring import SLOTS
from mailnode.cluster.wishes import Refused, Wishes
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


def test_a_node_is_emptied_stays_after_all_and_is_removed_once_it_is_gone(
    at: ClusterAt, tmp_path: Path
) -> None:
    async def scene() -> None:
        await init(at, 1)
        async with asyncio.timeout(60), AsyncExitStack() as stack:
            made = await stack.enter_async_context(node(at, "a", tmp_path))
            wishes = Wishes(made.source, made.swaps)
            with pytest.raises(Refused, match="'x' is no node of this cluster: a"):
                await wishes.leave("x", is_leaving=True)
            with pytest.raises(Refused, match="no other node is left"):
                await wishes.leave("a", is_leaving=True)
            leaving = AsyncExitStack()
            await leaving.enter_async_context(node(at, "b", tmp_path))
            await until(made, lambda: is_whole(made) and copies_of(made)["b"] == SLOTS / 2)
            with pytest.raises(Refused, match="b runs"):
                await wishes.remove("b")
            assert await wishes.leave("b", is_leaving=True)
            await until(made, lambda: is_whole(made) and copies_of(made)["b"] == 0)
            await leaving.aclose()
            await until(made, lambda: len(made.source.leases) == 1)
            name = made.source.keys.name("b")
            await made.source.etcd.transact([], [Put(name, b"")])  # as who came in by a token has it
            assert await wishes.remove("b") == 0
            await until(made, lambda: list(made.source.nodes) == ["a"])
            assert await made.source.etcd.get(name) is None, "another machine may have the name"

    asyncio.run(scene())


def test_a_partition_moves_to_the_node_that_is_named_and_stays_there(at: ClusterAt, tmp_path: Path) -> None:
    async def scene() -> None:
        await init(at, 1)
        async with asyncio.timeout(60), AsyncExitStack() as stack:
            made = await stack.enter_async_context(node(at, "a", tmp_path))
            leaving = AsyncExitStack()
            await leaving.enter_async_context(node(at, "b", tmp_path))
            await until(made, lambda: is_whole(made) and copies_of(made)["b"] == SLOTS / 2)
            wishes = Wishes(made.source, made.swaps)
            moved = next(number for number, row in made.map.rows() if row.primary.node == "a" and number > 99)
            assert (await wishes.move(moved, "b")).replicas == ("b",)
            await until(made, lambda: is_whole(made) and made.map.primary(moved) == "b")
            # Another one goes back for it, so that both have their share.
            await until(made, lambda: is_whole(made) and copies_of(made)["b"] == SLOTS / 2)
            assert made.map.primary(moved) == "b"
            with pytest.raises(Refused, match="partition 5000 has no row"):
                await wishes.move(5000, "b")
            await leaving.aclose()
            await until(made, lambda: len(made.source.leases) == 1)
            with pytest.raises(Refused, match="b does not run"):
                await wishes.move(moved, "b")
            with pytest.raises(Refused, match=r"the only copy in sync of 2,048 partitions"):
                await wishes.remove("b")

    asyncio.run(scene())

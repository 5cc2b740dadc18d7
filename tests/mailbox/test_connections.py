"""How many connections an account has from one address, over all nodes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from mailnode.mailbox import connections
from mailnode.mailbox.connections import Connections, Counts
from mailnode.mailbox.service import Leases
from mailnode.mailbox.verbs import Unavailable

ACCOUNT, OTHER, HERE, THERE = 7, 8, "192.0.2.1", "192.0.2.2"


class Node:
    """One with connections; the counts are at another, which it may not reach."""

    def __init__(self) -> None:
        self.term = 1
        self.counts = Counts(lambda account: self.term)
        self.leases: Leases | None = {}
        self.connections = Connections(self.at_owner)

    def beside(self) -> Node:
        """Another one, of the same accounts."""
        made = Node()
        made.counts = self.counts
        return made

    async def at_owner(self, account: int, function: str, octets: bytes) -> bytes:
        if self.leases is None:
            raise Unavailable
        return await self.counts.functions[function](octets, self.leases)

    async def admit(self, count: int, address: str = HERE, account: int = ACCOUNT) -> int:
        return sum([await self.connections.admit(account, address, 3) for _ in range(count)])

    async def leave(self, count: int) -> None:
        for _ in range(count):
            self.connections.leave(ACCOUNT, HERE)
        await asyncio.gather(*self.connections._telling)

    def cut(self) -> None:
        """The other end notices."""
        assert self.leases is not None
        for gone in self.leases.values():
            gone()
        self.leases = None


def scenario(test: Callable[[Node, Node], Awaitable[None]]) -> None:
    async def played() -> None:
        one = Node()
        await test(one, one.beside())

    asyncio.run(played())


def test_an_account_has_so_many_from_each_address_whichever_nodes_they_come_to() -> None:
    async def test(one: Node, other: Node) -> None:
        assert (await one.admit(2), await other.admit(2)) == (2, 1)
        assert await one.admit(1, THERE) and await one.admit(1, HERE, OTHER)
        await one.leave(1)
        assert await other.admit(2) == 1
        await one.leave(1)
        await other.leave(2)
        assert (await one.admit(4), await other.admit(1)) == (3, 0)

    scenario(test)


def test_those_of_a_node_that_died_count_no_more() -> None:
    async def test(one: Node, other: Node) -> None:
        assert await one.admit(3) == 3 and not await other.admit(1)
        one.cut()
        assert await other.admit(4) == 3
        await other.leave(3)
        assert not one.counts._counts

    scenario(test)


def test_who_is_in_stays_and_is_counted_again_after_a_cut_or_a_move() -> None:
    async def test(one: Node, other: Node) -> None:
        assert await one.admit(2) == 2
        one.cut()
        assert await one.admit(2) == 1, "it counts by itself"
        assert await other.admit(2) == 2
        one.leases = {}
        await one.connections.look(ACCOUNT)
        assert not await other.admit(1)
        one.term = other.term = 2  # it is led anew
        await other.connections.look(ACCOUNT)
        assert await other.admit(2) == 1
        await one.connections.look(ACCOUNT)
        await other.leave(1)
        assert not await other.admit(1)

    scenario(test)


def test_who_left_while_the_account_could_not_be_asked_is_counted_out_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "_AGAIN_SECONDS", 0)

    async def test(one: Node, other: Node) -> None:
        assert await one.admit(3) == 3
        leases, one.leases = one.leases, None
        for _ in range(3):
            one.connections.leave(ACCOUNT, HERE)
        assert not await other.admit(1)
        assert len(one.connections._telling) == 1
        one.leases = leases  # it was not the stream that was away
        await asyncio.gather(*one.connections._telling)
        assert await other.admit(1) == 1

    scenario(test)

"""Nodes of `tests/cluster/nodes` that compare and mend their copies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from mailnode.cluster.aside import Aside
from mailnode.cluster.compare import Place, Range
from mailnode.cluster.comparing import Comparing, Found
from mailnode.cluster.copies import Copies, Copy, Proof
from mailnode.cluster.repairs import Rows, Written
from mailnode.cluster.replica_messages import Member
from tests.cluster.by_hand import HandClock
from tests.cluster.nodes import PARTITION, Cluster, Node

T = TypeVar("T")
TURNS_MAX = 400


def nothing_proven(view: object, family: str, key: bytes) -> str:
    return ""


class Looking:
    """Of a cluster: each node's copies, and what the primary finds."""

    def __init__(self, cluster: Cluster, directory: Path, proof: Proof = nothing_proven) -> None:
        self.cluster = cluster
        self.directory = directory
        self.proof = proof

    def compare(
        self, name: str = "a", mends: bool = True, meanwhile: Callable[[], object] = lambda: None
    ) -> Found:
        """As that node finds it; `meanwhile` is called again and again."""
        node, found = self.cluster.nodes[name], Found()
        elsewhere = partial(Crossing, self, node)
        comparing = Comparing(
            self.copies(node), elsewhere, self.cluster.limits, mends=mends, octets_a_second=0
        )
        task = node.hand.start(comparing.compare(PARTITION, found))
        for _ in range(TURNS_MAX):
            if task.done():
                break
            meanwhile()
            self.cluster.settle()
            self.cluster.pass_time(0.25)
        task.result()
        self.cluster.settle()
        return found

    def copies(self, node: Node) -> Copies:
        pool = node.hand.loads
        aside = Aside(self.aside(node.me.node), HandClock(), self.cluster.limits.aside_octets_max)
        return Copies(node.me.node, node.replication, self.proof, aside, pool, pool, self.cluster.limits)

    def aside(self, name: str) -> Path:
        return self.directory / f"aside-{name}.jsonl"


async def crossed(other: Node, asked: Coroutine[Any, Any, T]) -> T:
    """Done on the loop of another node."""
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[T] = loop.create_future()

    def answer(task: asyncio.Task[T]) -> None:
        error = task.exception()
        loop.call_soon(
            partial(answered.set_exception, error) if error else partial(answered.set_result, task.result())
        )

    other.hand.start(asked).add_done_callback(answer)
    return await answered


class Crossing:
    def __init__(self, looking: Looking, node: Node, member: Member) -> None:
        self._other = looking.cluster.nodes[member.node]
        self._copies = looking.copies(self._other)

    async def open(self, partition: int, seq: int, octets_a_second: int) -> Copy:
        return CrossedCopy(
            self._other, await crossed(self._other, self._copies.open(partition, seq, octets_a_second))
        )

    async def hold(self, partition: int, seq: int) -> Copy:
        return CrossedCopy(self._other, await crossed(self._other, self._copies.hold(partition, seq)))


class CrossedCopy:
    def __init__(self, other: Node, copy: Copy) -> None:
        self.node = copy.node
        self.at = copy.at
        self._other = other
        self._copy = copy

    async def hashes(self, asked: Sequence[Range]) -> list[int]:
        return await crossed(self._other, self._copy.hashes(asked))

    async def rows(self, asked: Range) -> Rows:
        return await crossed(self._other, self._copy.rows(asked))

    async def wrong(self, places: Sequence[Place]) -> list[str]:
        return await crossed(self._other, self._copy.wrong(places))

    async def values(self, places: Sequence[Place]) -> list[bytes | None]:
        return await crossed(self._other, self._copy.values(places))

    async def mend(self, unread: Sequence[Range], rows: Sequence[Written]) -> None:
        await crossed(self._other, self._copy.mend(unread, rows))

    async def close(self) -> None:
        await crossed(self._other, self._copy.close())

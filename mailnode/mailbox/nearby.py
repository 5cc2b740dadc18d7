"""Small rows of accounts that another data centre leads, as the far copy in this one has them.

What it has was committed, some seconds ago, or before a cut: a row that is there may be believed to have been
there. That there is none says nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor

from mailnode.cluster.map import Map, NotMapped
from mailnode.mailbox.service import Function, Leases
from mailnode.mailbox.verbs import Unavailable
from mailnode.store import keys
from mailnode.store.damage import Unreadable
from mailnode.store.keys import Family
from mailnode.store.shard import Shard

_ROW = "nearby.row"

RowNearby = Callable[[int, int, bytes], Awaitable[bytes]]
"""Of an account, kind and key; empty: nothing is known of it nearby."""

Call = Callable[[str, str, bytes], Awaitable[bytes]]
"""What a function of another node answers; raises Unavailable."""


async def nothing(account: int, kind: int, key: bytes) -> bytes:
    """Where there is one data centre."""
    return b""


class Nearby:
    """Of a node. Lives on the loop."""

    def __init__(
        self, shard: Shard, loads: Executor, known: Map, call: Call, is_sound: Callable[[int], bool]
    ) -> None:
        """`is_sound`: whether this node has a copy of a partition that goes on."""
        self._shard = shard
        self._loads = loads
        self._map = known
        self._call = call
        self._is_sound = is_sound
        self.functions: dict[str, Function] = {_ROW: self._answer}

    async def row(self, account: int, kind: int, key: bytes) -> bytes:
        """Empty too where the account is led in this data centre: then its node is as near."""
        node, whole = self._holder(keys.partition(account)), keys.state(account, kind, key)
        if not node:
            return b""
        if node == self._map.me.node:
            return await self._read(whole)
        try:
            return await self._call(node, _ROW, whole)
        except Unavailable:
            return b""

    def _holder(self, partition: int) -> str:
        """Of several the last: it has been there the longest, and goes once the others have all."""
        try:
            row = self._map.row(partition)
        except NotMapped:  # this node began while the other data centre was cut off
            return self._map.me.node
        dc = self._dc(self._map.me.node)
        if self._dc(row.primary.node) == dc:
            return ""
        return next((far.node for far in reversed(row.far) if far.dc == dc), "")

    def _dc(self, node: str) -> str:
        peer = self._map.peer(node)
        return peer.dc if peer is not None else ""

    async def _answer(self, octets: bytes, leases: Leases) -> bytes:
        return await self._read(octets)

    async def _read(self, whole: bytes) -> bytes:
        if not self._is_sound(keys.partition(keys.account_of(whole))):
            return b""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._loads, self._shard.get, Family.STATE, whole) or b""
        except Unreadable:
            return b""

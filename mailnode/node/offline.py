"""All nodes of a directory in this process, while none of them runs: for what an operator asks then."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from mailnode.admin import service
from mailnode.admin.everywhere import Everywhere
from mailnode.admin.operator import Operator
from mailnode.admin.other import OtherNode
from mailnode.clock import Clock
from mailnode.listeners.ports import become
from mailnode.node.house import House, house, operator
from mailnode.node.members import locked, members


@dataclass(frozen=True, slots=True)
class Offline:
    everywhere: Everywhere
    houses: Sequence[House]


@asynccontextmanager
async def offline(directory: Path, clock: Clock) -> AsyncIterator[Offline]:
    """Raises ConfigError and ShardError."""
    configs = members(directory)
    become(configs[0].user)  # what root would write the nodes could not
    async with AsyncExitStack() as stack:
        if len(configs) > 1:
            stack.enter_context(locked(configs[0]))
        houses, asked = [], []
        for config in configs:
            parts = await stack.enter_async_context(house(config, clock))
            doing = operator(config, parts, lambda changed: None)
            asked.append(await stack.enter_async_context(joined(parts, doing)))
            houses.append(parts)
        yield Offline(asked[0], houses)


@asynccontextmanager
async def joined(parts: House, doing: Operator) -> AsyncIterator[Everywhere]:
    """The node answers the others, and can ask them. Raises OSError."""
    others, peers = parts.others, parts.others.peers
    peers.add(service.among_nodes(doing))
    await peers.start()
    try:
        yield Everywhere(
            others.map.me.node,
            doing,
            lambda: [OtherNode(name, peers.channel) for name in others.others()],
            lambda name: OtherNode(name, peers.channel),
        )
    finally:
        await peers.stop()

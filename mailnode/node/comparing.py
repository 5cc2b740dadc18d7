"""A node of a cluster compares its copies with the others'."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import Executor
from contextlib import asynccontextmanager

from mailnode.clock import Clock
from mailnode.cluster.aside import Aside
from mailnode.cluster.copies import Copies
from mailnode.cluster.copies_elsewhere import CopiesElsewhere
from mailnode.cluster.copies_served import CopiesServed
from mailnode.cluster.hello import Hello
from mailnode.cluster.passes import Passes
from mailnode.cluster.peers import Peers
from mailnode.cluster.replica_messages import Member
from mailnode.cluster.replication import Replication
from mailnode.config import Config
from mailnode.mailbox import proof
from mailnode.store.damage import told


@asynccontextmanager
async def comparing(
    config: Config,
    replication: Replication,
    peers: Peers,
    hello: Hello,
    clock: Clock,
    upkeep: Executor,
    loads: Executor,
) -> AsyncIterator[Passes]:
    """Before `peers` starts. Damage that anybody meets meanwhile makes its partition suspect."""
    limits, loop = config.limits, asyncio.get_running_loop()
    me = replication.core.me.node
    aside = Aside(config.aside_file, clock, limits.aside_octets_max)
    copies = Copies(me, replication, proof.wrong, aside, upkeep, loads, limits)
    served = CopiesServed(copies, hello, clock, limits)
    peers.add(served.add_to)

    def elsewhere(member: Member) -> CopiesElsewhere:
        return CopiesElsewhere(member, peers, hello, limits)

    passes = Passes(copies, elsewhere, replication.led, clock, limits, config.compare_file)
    served.suspected = passes.suspect

    def met(family: str, key: bytes) -> None:
        loop.call_soon_threadsafe(passes.suspect, int.from_bytes(key[:2], "big"))

    told.follow(met)
    try:
        yield passes
    finally:
        told.leave(met)
        await passes.stop()
        await served.stop()

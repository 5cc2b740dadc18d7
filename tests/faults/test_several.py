"""Nodes of one directory are killed under load, one after the other: no promise is broken."""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path

from tests.crash.ledger import Ledger
from tests.faults.load import Door, Load, observed, run
from tests.node.several import kill, processes, wait_for_another
from tests.wire.node import Node
from tests.wire.server import DOMAIN, HOST, free_base_port

ACCOUNTS = {f"fault{number}@{DOMAIN}": "wonderland" for number in range(6)}
KILLS = int(os.environ.get("FAULT_KILLS", "6"))
OPTIONS = ("--allow-plaintext-auth", "--local-only", "--nodes", "3")
PROMISES_MAX = 300  # before a kill


def test_no_promise_is_broken_when_nodes_are_killed(tmp_path: Path) -> None:
    node = Node(tmp_path / "data", free_base_port(random.Random()), ACCOUNTS, options=OPTIONS)
    node.start()
    ports = {service: node.port(service) for service in ("smtp", "imaps")}
    door = Door("all", HOST, ports, ACCOUNTS, node.certificate)
    seed = random.SystemRandom().randrange(1_000_000)
    load, choice = Load((door,), Ledger(), seed), random.Random(seed)

    async def worst() -> None:
        for _ in range(KILLS):
            await load.more(choice.randint(1, PROMISES_MAX))
            dead = choice.choice(processes(node))
            kill(dead)
            await asyncio.to_thread(wait_for_another, node, dead, 3)
        await load.more(PROMISES_MAX)

    asyncio.run(run(load, worst))
    load.ledger.judge(observed(door))
    node.stop()
    assert not load.ledger.violations, (seed, load.ledger.violations[:20])
    assert load.count > KILLS

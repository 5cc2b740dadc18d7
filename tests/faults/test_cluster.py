"""Hosts, disks, ways and etcd of a cluster fail under load: no promise is broken, and copies are equal."""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path

import pytest

from tests.crash.ledger import Ledger
from tests.faults.cluster import NAMES, command, faulty_cluster
from tests.faults.hosts import missing
from tests.faults.load import Load, observed, run
from tests.faults.worst import FAULTS, Worst, some
from tests.wire.server import DOMAIN

ACCOUNTS = {f"fault{number}@{DOMAIN}": "wonderland" for number in range(6)}
COUNT = int(os.environ.get("FAULTS", "2"))
"""`make faults` tries more; each once before any comes again."""
NAMED = os.environ.get("FAULT_NAMES", "")
"""These, to look into what a seed has found."""
SEED = int(os.environ.get("FAULT_SEED", random.SystemRandom().randrange(1_000_000)))


def test_no_promise_is_broken_whatever_fails(tmp_path: Path) -> None:
    if why := missing():
        pytest.skip(why)
    with faulty_cluster(tmp_path, ACCOUNTS) as cluster:
        doors = tuple(cluster[name].door(ACCOUNTS) for name in NAMES)
        load = Load(doors, Ledger(), SEED)
        named = [fault for name in NAMED.split() for fault in FAULTS if fault.__name__ == name]
        worst = Worst(cluster, load, SEED, named or some(COUNT, SEED))
        try:
            asyncio.run(run(load, worst))
        except BaseException:
            print(SEED, worst.told)
            raise
        for door in doors:
            load.ledger.judge(observed(door))
        command(cluster["node1"], "cluster", "verify", "--all")
        assert not load.ledger.violations, (SEED, worst.told, load.ledger.violations[:20])
        assert load.count > len(worst.faults)

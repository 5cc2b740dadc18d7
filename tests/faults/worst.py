"""What befalls a cluster under load, one thing after the other, by a seed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import permutations

from tests.faults.cluster import NAMES, FaultyCluster
from tests.faults.load import Load

PROMISES_MAX = 150
"""Between two faults, and while one lasts."""
FAILOVER_SECONDS = 6.0
"""A fault may last so long: beyond what a lease and a promise hold off a takeover."""

Fault = Callable[[FaultyCluster, random.Random], None]


def kill(cluster: FaultyCluster, choice: random.Random) -> None:
    cluster[choice.choice(NAMES)].kill()


def stop(cluster: FaultyCluster, choice: random.Random) -> None:
    cluster[choice.choice(NAMES)].stop()


def cut(cluster: FaultyCluster, choice: random.Random) -> None:
    """One from the others, while clients reach it."""
    name = choice.choice(NAMES)
    cluster.hosts.cut([name], [other for other in NAMES if other != name])


def isolate(cluster: FaultyCluster, choice: random.Random) -> None:
    """From clients, too."""
    cluster.hosts.isolate(choice.choice(NAMES))


def mute(cluster: FaultyCluster, choice: random.Random) -> None:
    """One way."""
    cluster.hosts.mute(*choice.choice(list(permutations(NAMES, 2))))


def kill_etcd(cluster: FaultyCluster, choice: random.Random) -> None:
    cluster[choice.choice(NAMES)].etcd.kill()


def kill_all_etcd(cluster: FaultyCluster, choice: random.Random) -> None:
    for name in NAMES:
        cluster[name].etcd.kill()


def fill(cluster: FaultyCluster, choice: random.Random) -> None:
    cluster[choice.choice(NAMES)].fill()


def kill_two(cluster: FaultyCluster, choice: random.Random) -> None:
    """Of three: nobody may take anything that is not on two disks."""
    for name in choice.sample(NAMES, 2):
        cluster[name].kill()


FAULTS: tuple[Fault, ...] = (kill, stop, cut, isolate, mute, kill_etcd, fill, kill_all_etcd, kill_two)
_NOBODY_SERVES = (kill_two,)
"""While they last no write may be promised."""


def some(count: int, seed: int) -> list[Fault]:
    """Each once before any comes again, in an order of the seed's."""
    choice = random.Random(seed)
    rounds = -(-count // len(FAULTS))
    return [fault for _ in range(rounds) for fault in choice.sample(FAULTS, len(FAULTS))][:count]


@dataclass(slots=True)
class Worst:
    """One after the other, each with choices of the seed's."""

    cluster: FaultyCluster
    load: Load
    seed: int
    faults: Sequence[Fault]
    told: list[str] = field(default_factory=list)
    """What happened, and how many promises there were then."""

    async def __call__(self) -> None:
        choice = random.Random(self.seed)
        for fault in self.faults:
            await self.load.more(choice.randint(1, PROMISES_MAX))
            await self._befall(fault, choice)
        await self.load.more(PROMISES_MAX)
        await asyncio.to_thread(self.cluster.wait_until_whole)

    async def _befall(self, fault: Fault, choice: random.Random) -> None:
        # Else it would be two faults at once, of which nobody promises that others go on meanwhile.
        await asyncio.to_thread(self.cluster.wait_until_whole)
        self.told.append(f"{fault.__name__} at {self.load.count}")
        print(self.told[-1], flush=True)  # of a run that hangs this is all that is known
        await asyncio.to_thread(fault, self.cluster, choice)
        if fault not in _NOBODY_SERVES:
            await self._lasting(self.load.more(choice.randint(1, PROMISES_MAX)))
        await asyncio.to_thread(self.cluster.mend)

    async def _lasting(self, more: Awaitable[None]) -> None:
        """Until others have taken over and clients are promised something, whichever comes last."""
        await asyncio.gather(more, asyncio.sleep(FAILOVER_SECONDS))

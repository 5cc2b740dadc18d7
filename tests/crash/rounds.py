"""Start, judge, load, kill; again and again."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from tests.crash import load
from tests.crash.arrange import arrangers
from tests.crash.ledger import Key, Ledger
from tests.crash.observe import observe
from tests.wire.server import DOMAIN, Server

ACCOUNTS = {f"crash{number}@{DOMAIN}": "wonderland" for number in range(3)}
ACKNOWLEDGEMENTS_MAX = 400  # before a kill
KILLED_AGAIN_SHARE = 0.2  # of restarts: a second kill as soon as it is ready


@dataclass(frozen=True, slots=True)
class Plan:
    kills: int
    seed: int
    services: Sequence[str] = ("smtp", "lmtp")
    more: Callable[[load.Load, int], Sequence[Awaitable[None]]] = lambda load, seed: ()
    """Clients of this server alone."""


def run(server: Server, plan: Plan) -> Ledger:
    """`plan.kills` kills under load, each followed by a restart and a judgement; then a clean restart."""
    ledger = Ledger()
    choice = random.Random(plan.seed)
    for number in range(plan.kills):
        _start(server, choice)
        _judge(server, ledger, everything=False)
        _load_and_kill(server, ledger, plan, number, choice.randint(1, ACKNOWLEDGEMENTS_MAX))
        if ledger.violations:
            break
    _start(server, choice)
    _judge(server, ledger, everything=True)
    server.stop()
    server.start()
    _judge(server, ledger, everything=True)
    server.stop()
    return ledger


def _start(server: Server, choice: random.Random) -> None:
    server.start()
    if choice.random() < KILLED_AGAIN_SHARE:
        server.kill()
        server.start()


def _judge(server: Server, ledger: Ledger, *, everything: bool) -> None:
    def wanted(account: str, message_id: str) -> bool:
        message = ledger.messages.get(Key(account, message_id))
        return everything or message is None or not message.stored_digest

    ledger.judge(asyncio.run(observe(server, wanted)))


def _load_and_kill(server: Server, ledger: Ledger, plan: Plan, number: int, acknowledgements: int) -> None:
    fuse = load.Fuse(acknowledgements, server.kill)
    clients = load.Load(server, ledger, fuse, plan.services, tag=f"{plan.seed}.{number}")
    try:
        beside = (*arrangers(clients, plan.seed), *plan.more(clients, plan.seed))
        asyncio.run(load.run(clients, plan.seed, beside))
    except TimeoutError:
        ledger.refused(f"no answer within {load.LOAD_SECONDS_MAX} s")
    if not fuse.burnt:
        ledger.refused("the load ended before the kill")
        server.kill()


def report(ledger: Ledger, plan: Plan) -> str:
    """Counts first, then what is wrong."""
    lines = [
        f"kills under load: {plan.kills}, seed {plan.seed}",
        f"acknowledged: {sum(ledger.acknowledged.values())} ({_counts(ledger.acknowledged)})",
        f"cut off by a kill: {_counts(ledger.unanswered)}",
        f"messages known: {len(ledger.messages)}, judged: {ledger.verified}",
        f"violations: {len(ledger.violations)}",
    ]
    return "\n".join(lines + [f"  {violation}" for violation in ledger.violations[:50]])


def _counts(counter: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counter.items())) or "none"

"""Rounds of commands, each ended by a rest: then all that the clients were told is held against the truth."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.checker import commands
from tests.checker.ask import Ask
from tests.checker.client import Client
from tests.checker.rest import Rest
from tests.checker.told import Lie
from tests.checker.world import World
from tests.wire import imap
from tests.wire.node import Node
from tests.wire.server import HOST

ADDRESS, PASSWORD = "checked@example.test", "secret"
ACCOUNTS = {ADDRESS: PASSWORD}
ENABLED = (b"ENABLE CONDSTORE", b"ENABLE IMAP4rev2", b"ENABLE QRESYNC", b"NOOP", b"ENABLE IMAP4rev2 QRESYNC")
COMMANDS_A_ROUND = 40
COMMANDS_A_LONG_ROUND = 800  # who sleeps through one is told of hundreds of changes at once
LONG_ROUND_EVERY = 10
MORE_MESSAGES_MAX = 60


@dataclass(frozen=True, slots=True)
class Outcome:
    """`fault` is empty, or tells the lie and what its hearers were told before."""

    seed: int
    clients: int
    rounds: int
    operations: int
    seconds: float
    fault: str


async def run(node: Node, seed: int, messages: int, more: Callable[[int, float], bool]) -> Outcome:
    """Play rounds while `more(rounds, seconds)`, beginning with so many messages in one of the mailboxes."""
    randomness = random.Random(seed)
    world = World(messages + MORE_MESSAGES_MAX)
    observer = await _connected(node)
    await _filled(observer, messages)
    clients = [
        Client("abcdef"[index], await _connected(node), world, f"{seed} {index}")
        for index in range(randomness.randint(3, 6))
    ]
    for client, ask in zip(clients, ENABLED * 2, strict=False):
        client.rev2 = b"IMAP4rev2" in ask
        await client.play(Ask((ask,), world.tick()))
    rest = Rest(world, observer, await _connected(node))
    await rest.returning.ok(b"ENABLE QRESYNC")
    start, rounds, fault = time.monotonic(), 0, ""
    try:
        while more(rounds, time.monotonic() - start):
            rounds += 1
            await _round(
                clients, world, COMMANDS_A_ROUND if rounds % LONG_ROUND_EVERY else COMMANDS_A_LONG_ROUND
            )
            await rest.hold(clients)
    except (Lie, EOFError, OSError) as lie:
        fault = _told(seed, lie, clients)
    return Outcome(seed, len(clients), rounds, world.operations, time.monotonic() - start, fault)


async def _connected(node: Node) -> imap.ImapConnection:
    connection = await imap.connect(HOST, node.port("imap"), None)
    await connection.login(ADDRESS, PASSWORD)
    return connection


async def _filled(connection: imap.ImapConnection, messages: int) -> None:
    """The mailboxes anew, the first one with copies of one message."""
    for mailbox in commands.MAILBOXES:
        await connection.command(b"DELETE " + mailbox.encode())
        await connection.ok(b"CREATE " + mailbox.encode())
    if not messages:
        return
    box = commands.MAILBOXES[0].encode()
    await connection.ok(b"APPEND " + box, b"X-Id: first\r\n\r\nHello\r\n")
    await connection.ok(b"SELECT " + box)
    there = 1
    while there < messages:
        more = min(there, messages - there)
        await connection.ok(b"COPY 1:%d %b" % (more, box))
        there += more
    await connection.ok(b"UNSELECT")


async def _round(clients: list[Client], world: World, count: int) -> None:
    """Each client sends so many commands."""
    world.busy = len(clients)
    try:
        async with asyncio.TaskGroup() as group:
            for client in clients:
                group.create_task(_play(client, world, count))
    except ExceptionGroup as faults:
        raise faults.exceptions[0] from None


async def _play(client: Client, world: World, left: int) -> None:
    while left > 0:
        chance = client.random.random()
        if chance < commands.IDLE_SHARE:
            await client.idle(client.random.randint(1, 20))
            left -= 1
        elif chance > 1 - commands.NAP_SHARE:
            await _sleep(client, world)
            left -= 1
        else:
            asks = _chosen(client)
            await client.play(*asks)
            left -= len(asks)
    world.rests()


async def _sleep(client: Client, world: World) -> None:
    if world.sleeper:
        await world.idle(client.random.choice(commands.NAPS))
        return
    world.sleeper = True
    await world.idle(commands.SLEEP)
    world.sleeper = False


def _chosen(client: Client) -> list[Ask]:
    """A command, or several to be sent in one piece: numbers are used only before what may shift them."""
    count = 1
    if client.random.random() < commands.PIPELINE_SHARE:
        count = client.random.randint(2, commands.PIPELINED_MAX)
    asks: list[Ask] = []
    while len(asks) < count:
        ask = _one(client, allowed=all(ask.keeps_numbers for ask in asks))
        asks.append(ask)
        if ask.last:
            break
    return asks


def _one(client: Client, allowed: bool) -> Ask:
    table = commands.SELECTED if client.told is not None else commands.UNSELECTED
    while True:
        (command,) = client.random.choices(list(table), list(table.values()))
        ask = command(client)
        if ask is not None and (allowed or not ask.uses_numbers):
            return ask


def _told(seed: int, lie: BaseException, clients: list[Client]) -> str:
    said = [f"seed {seed}: {type(lie).__name__}: {lie}"]
    for client in clients:
        said += [f"client {client.name} ({client.mailbox or 'nothing selected'}):", *client.transcript]
    return "\n".join(said)

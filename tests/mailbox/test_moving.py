"""Whoever speaks to an account goes on wherever it moves, and what is promised meanwhile holds."""

from __future__ import annotations

import asyncio
import random

import pytest

from mailnode.mailbox.maildrops import Taken
from mailnode.mailbox.verbs import ALL_UIDS, Want, Watch
from mailnode.store.keys import Kind
from tests.mailbox import asks
from tests.mailbox.asks import add, create, intent, message, put_row
from tests.mailbox.moving import NAMES, Moving, moving

AROUND = ("b", "c", "a", "c", "b", "a")
"""From here to there, from there to elsewhere, and back here: as each of the nodes sees it."""


async def watched(it: Moving, name: str) -> Watch:
    """What happens in the mailbox, as it is told at a node."""
    account = await it.open(name)
    return await account.watch((await account.mailboxes()).position, 1)


async def told(watch: Watch, position: int) -> list[int]:
    """The positions up to this one."""
    positions = [0]
    while positions[-1] < position:
        positions += [each.position for each in watch.pending()]
        if positions[-1] < position:
            await watch.wait()
    return positions[1:]


def test_each_verb_is_answered_and_each_watch_told_at_all_nodes_after_each_move() -> None:
    async def scenario() -> None:
        async with moving(asks.ACCOUNT) as it:
            first = await it.open("a")
            await first.apply(intent(create("Other")))
            watches = [await watched(it, name) for name in NAMES]
            expected: list[int] = []
            for number, to in enumerate(AROUND):
                await it.move(to)
                for name in NAMES:
                    account = await it.open(name)
                    adding = add(message(message_id=b"<%d%s@x>" % (number, name.encode())))
                    result = await account.apply(intent(adding))
                    expected.append(result.position)
                    runs = [run async for run in account.messages(1, ALL_UIDS, Want.ENTRIES)]
                    assert sum(run.count for run in runs) == len(expected)
                    assert (await account.usage()).row.messages == len(expected)
            for watch in watches:
                assert await told(watch, expected[-1]) == expected

    asyncio.run(scenario())


@pytest.mark.parametrize("seed", range(5))
def test_what_is_acknowledged_while_it_moves_is_there_once(seed: int) -> None:
    async def scenario() -> None:
        async with moving(asks.ACCOUNT) as it:
            choice, done = random.Random(seed), asyncio.Event()
            await (await it.open("a")).apply(intent(create("Other")))
            watch = await watched(it, choice.choice(NAMES))
            acknowledged: asyncio.Queue[int] = asyncio.Queue()

            async def write(writer: int) -> None:
                number = 0
                while not done.is_set():
                    number += 1
                    account = await it.open(choice.choice(NAMES))
                    name = b"%8d%8d" % (writer, number)
                    result = await account.apply(intent(add(message(message_id=name)), name))
                    acknowledged.put_nowait(result.added[0].uid)

            writing = [asyncio.ensure_future(write(writer)) for writer in range(6)]
            added: list[int] = []
            for _ in range(12):
                await it.move(choice.choice([name for name in NAMES if name != it.leader]))
                added += [await acknowledged.get() for _ in range(choice.randrange(20))]
            done.set()
            await asyncio.gather(*writing)
            added += [acknowledged.get_nowait() for _ in range(acknowledged.qsize())]
            account = await it.open("b")
            run = await anext(account.messages(1, ALL_UIDS, Want.UIDS))
            assert sorted(added) == list(run.uids[: run.count]) == list(range(1, run.count + 1))
            positions = await told(watch, (await account.mailboxes()).position)
            assert len(positions) == len(set(positions)) == run.count

    asyncio.run(scenario())


def test_a_run_of_messages_goes_on_where_the_account_is_now() -> None:
    async def scenario() -> None:
        async with moving(asks.ACCOUNT) as it:
            account = await it.open("a")
            await account.apply(intent(create("Other")))
            for number in range(30):
                await account.apply(intent(add(message(message_id=b"<%d@x>" % number, body=b"x" * 100_000))))
            for name in NAMES:
                uids: list[int] = []
                async for run in (await it.open(name)).messages(1, ALL_UIDS, Want.OCTETS):
                    uids += run.uids[: run.count]
                    await it.move(NAMES[it.moves % 3 - 2])
                assert uids == list(range(1, 31))
            assert it.moves > 3

    asyncio.run(scenario())


def test_the_lock_of_a_maildrop_moves_along() -> None:
    async def scenario() -> None:
        async with moving(asks.ACCOUNT) as it:
            lost: list[str] = []
            for name in NAMES:
                await it.nodes[name].ties.follow(asks.ACCOUNT)
            assert await it.nodes["b"].maildrops.take(asks.ACCOUNT, 0, lambda: lost.append("b")) is Taken.YES
            for to in AROUND:
                await it.move(to)
                await it.nodes["b"].ties.looked(asks.ACCOUNT)
                for name in NAMES:
                    taken = await it.nodes[name].maildrops.take(asks.ACCOUNT, 0, lambda: None)
                    assert taken is Taken.IN_USE
            await it.nodes["b"].maildrops.release(asks.ACCOUNT)
            assert await it.nodes["c"].maildrops.take(asks.ACCOUNT, 0, lambda: None) is Taken.YES
            assert lost == []

    asyncio.run(scenario())


def test_what_is_compared_when_it_is_written_is_so_wherever_it_is_asked() -> None:
    """Each of many adds one to a number."""

    async def scenario() -> None:
        async with moving(asks.ACCOUNT) as it:

            async def add_one(name: str) -> None:
                account = await it.open(name)
                while True:
                    was = await account.row(Kind.CREDENTIAL, b"n")
                    row = put_row(Kind.CREDENTIAL, b"n", b"%d" % (int(was or b"0") + 1))
                    row.was = was
                    if not (await account.apply(intent(row))).refused:
                        return

            adding = [asyncio.ensure_future(add_one(NAMES[number % 3])) for number in range(30)]
            for to in AROUND[:3]:
                await it.move(to)
            await asyncio.gather(*adding)
            assert await (await it.open("c")).row(Kind.CREDENTIAL, b"n") == b"30"

    asyncio.run(scenario())

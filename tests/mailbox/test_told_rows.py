"""What a node remembers of accounts that another one leads."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from mailnode.limits import Limits
from mailnode.mailbox.places import Usages
from mailnode.mailbox.quota import NO_QUOTA, Usage
from mailnode.pb.change_pb2 import SetQuota
from mailnode.pb.row_pb2 import AccountRow
from mailnode.store.keys import Kind
from tests.cluster.by_hand import HandClock
from tests.mailbox.asks import add, intent, message, put_row
from tests.mailbox.test_remote import LIMITS, Nodes, nodes


def _put(value: bytes, key: bytes = b"alice") -> object:
    return put_row(Kind.DIRECTORY, key, value)


async def _row(made: Nodes, key: bytes = b"alice") -> tuple[bytes, bool]:
    """And whether the other node was asked."""
    before = made.wire.messages
    row = await made.remote.row(Kind.DIRECTORY, key)
    return row, made.wire.messages > before


async def _hear(made: Nodes) -> None:
    """All that the other node said before it answers this."""
    await made.remote.usage()


def test_a_row_is_asked_for_once_and_again_when_its_node_says_that_it_changed() -> None:
    async def scenario() -> None:
        async with nodes() as made:
            for value in (b"7", b"8"):
                await made.ask(_put(value))
                await _hear(made)
                assert await _row(made) == (value, True)
                assert await _row(made) == (value, False)
            await made.ask(_put(b""))
            await _hear(made)
            assert await _row(made) == (b"", True)

    asyncio.run(scenario())


def test_who_writes_a_row_reads_what_was_written() -> None:
    async def scenario() -> None:
        async with nodes() as made:
            for number in range(20):
                await made.remote.apply(intent(_put(b"%d" % number)))
                assert (await _row(made))[0] == b"%d" % number

    asyncio.run(scenario())


def test_nothing_is_remembered_of_a_node_whose_stream_ended() -> None:
    async def scenario() -> None:
        async with nodes() as made:
            await made.ask(_put(b"7"))
            assert await _row(made) == (b"7", True)
            made.wire.cut()
            await made.ask(_put(b"8"))
            await _hear(made)
            assert await _row(made) == (b"8", True)

    asyncio.run(scenario())


def test_what_its_node_forgets_is_forgotten_and_the_oldest_beyond_the_bound() -> None:
    async def scenario() -> None:
        async with nodes(limits=replace(LIMITS, directory_rows_cached_max=2)) as made:
            for key in (b"a", b"b", b"c"):
                await made.ask(_put(b"7", key))
                await _row(made, key)
            assert await _row(made, b"a") == (b"7", True)
            assert await _row(made, b"c") == (b"7", False)

    asyncio.run(scenario())


def test_other_rows_and_missing_ones_are_asked_for_each_time() -> None:
    async def scenario() -> None:
        async with nodes() as made:
            await made.ask(put_row(Kind.CREDENTIAL, b"alice", b"v"))
            for kind, value in ((Kind.CREDENTIAL, b"v"), (Kind.DIRECTORY, b"")):
                for _ in range(2):
                    before = made.wire.messages
                    assert await made.remote.row(kind, b"alice") == value
                    assert made.wire.messages > before

    asyncio.run(scenario())


def test_what_an_account_held_lately_is_not_asked_for_until_it_refuses() -> None:
    async def scenario() -> None:
        async with nodes() as made:
            assert (await made.remote.usage_lately()).row.messages == 0
            await made.ask(add(message()))
            before = made.wire.messages
            assert (await made.remote.usage_lately()).row.messages == 0
            assert made.wire.messages == before
            assert (await made.remote.usage()).row.messages == 1
            await made.ask(SetQuota(messages=SetQuota.Limit(own=1)))
            assert (await made.remote.usage_lately()).holds(1, 1)
            assert (await made.remote.apply(intent(add(message())))).refused == "OVERQUOTA"
            assert not (await made.remote.usage_lately()).holds(1, 1)

    asyncio.run(scenario())


def test_lately_is_some_seconds_ago_and_of_so_many_accounts() -> None:
    clock = HandClock()
    usages = Usages(clock, replace(Limits(), usages_lately_max=2))
    held = [Usage(AccountRow(messages=number), NO_QUOTA, 1) for number in range(3)]
    for number, usage in enumerate(held):
        usages.take(number, usage)
    assert [usages.get(number) for number in range(3)] == [None, *held[1:]]
    clock.microseconds += Limits().usage_lately_seconds_max * 1_000_000 - 1
    assert usages.get(1) is held[1]
    clock.microseconds += 1
    assert usages.get(1) is None


def test_a_row_that_comes_in_pieces_is_asked_for_each_time() -> None:
    """That it changed would be heard before its last piece."""

    async def scenario() -> None:
        async with nodes(limits=replace(LIMITS, piece_octets_max=100)) as made:
            await made.ask(_put(b"7" * 200))
            assert await _row(made) == await _row(made) == (b"7" * 200, True)

    asyncio.run(scenario())

"""What sessions have at the nodes of their accounts is looked at whenever it may have gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace

import pytest

from mailnode.limits import Limits
from mailnode.mailbox.accounts import Accounts
from mailnode.mailbox.service import Leases
from mailnode.mailbox.ties import Ties
from mailnode.mailbox.verbs import Unavailable
from mailnode.pb.change_pb2 import PutRow, RemoveAccount
from mailnode.store import keys
from mailnode.store.keys import Kind
from tests.mailbox import asks
from tests.mailbox.elsewhere import ASKER, OWNER, led_by
from tests.mailbox.test_remote import LIMITS, Nodes, nodes

REVOKING = PutRow(kind=Kind.CREDENTIAL, value=b"new", revokes=True)
OTHER = asks.ACCOUNT + 1


class Has:
    """Something of each account, whose looks wait for `may_look`."""

    def __init__(self, *accounts: int) -> None:
        self.accounts = accounts
        self.takes: list[int] = []
        self.unavailable: set[int] = set()
        self.failed = asyncio.Event()
        self.overtakings: list[int | None] = []
        self.looks: asyncio.Queue[int] = asyncio.Queue()
        self.may_look = asyncio.Event()
        self.may_look.set()
        self.fails = 0

    def held(self) -> Collection[int]:
        return self.accounts

    def taking(self) -> Collection[int]:
        return self.takes

    def overtaken(self, account: int | None) -> None:
        self.overtakings.append(account)

    async def look(self, account: int) -> None:
        await self.may_look.wait()
        if account in self.unavailable:
            self.failed.set()
            raise Unavailable
        if self.fails:
            self.fails -= 1
            raise Unavailable
        self.looks.put_nowait(account)


@dataclass(frozen=True)
class Tied:
    nodes: Nodes
    here: Ties
    there: Ties
    has: Has

    async def looked_at(self, count: int) -> list[int]:
        return sorted([await self.has.looks.get() for _ in range(count)])


def ties(accounts: Accounts, limits: Limits) -> Ties:
    assert accounts._places is not None
    return Ties(accounts._places._map, accounts._places, accounts.bulletin, limits)


@asynccontextmanager
async def tied(limits: Limits = LIMITS) -> AsyncIterator[Tied]:
    """`here` is the node with sessions, `there` that of the account."""
    async with nodes(limits=limits) as made:
        assert made.owner._places is not None
        made.owner._places.functions = made.wire.service.functions
        has = Has(asks.ACCOUNT, OTHER)
        it = Tied(made, ties(made.asker, limits), ties(made.owner, limits), has)
        it.here.add(has)
        await it.here.follow(asks.ACCOUNT)
        assert await it.looked_at(2) == [asks.ACCOUNT, OTHER]
        try:
            yield it
        finally:
            await it.here.close()
            await it.there.close()


def test_who_asks_that_all_have_looked_is_answered_when_they_have() -> None:
    async def scenario() -> None:
        async with tied() as it:
            it.has.may_look.clear()
            it.has.overtakings.clear()
            await it.nodes.ask(REVOKING)
            asking = [asyncio.ensure_future(each.looked(asks.ACCOUNT)) for each in (it.here, it.there)]
            await it.nodes.remote.usage()  # what was said before has come
            assert it.has.overtakings == [asks.ACCOUNT]
            assert not any(each.done() for each in asking)
            it.has.may_look.set()
            assert await it.looked_at(1) == [asks.ACCOUNT]
            await asyncio.gather(*asking)

    asyncio.run(scenario())


@pytest.mark.parametrize("ask", [REVOKING, RemoveAccount(address="alice@example.test")])
def test_a_change_is_told_once_it_is_made_whoever_made_it(ask: PutRow | RemoveAccount) -> None:
    async def scenario() -> None:
        async with tied() as it:
            await it.nodes.remote.apply(asks.intent(ask, b"id"))
            assert await it.looked_at(1) == [asks.ACCOUNT]
            await it.nodes.remote.apply(asks.intent(asks.put_row(Kind.CREDENTIAL, b"other", b"row")))
            await it.there.looked(asks.ACCOUNT)
            assert it.has.looks.empty()

    asyncio.run(scenario())


def test_what_was_changed_while_the_node_was_away_is_looked_at_when_it_is_back() -> None:
    async def scenario() -> None:
        async with tied() as it:
            it.nodes.wire.is_down = True
            it.nodes.wire.cut()
            await it.nodes.ask(REVOKING)
            await it.there.looked(asks.ACCOUNT)  # nobody waits for who is away
            it.has.overtakings.clear()
            it.has.fails = 1
            following = asyncio.ensure_future(it.here.follow(asks.ACCOUNT))
            it.nodes.wire.is_down = False
            assert await it.looked_at(2) == [asks.ACCOUNT, OTHER]
            assert it.has.overtakings == [None]
            await following

    asyncio.run(scenario())


def test_nothing_is_asked_after_a_cut_before_it_was_looked_at() -> None:
    async def scenario() -> None:
        async with tied() as it:
            assert it.nodes.asker._places is not None
            it.has.may_look.clear()
            it.nodes.wire.cut()
            cut = asyncio.ensure_future(it.nodes.asker._places.call(OWNER, "bulletin", b""))
            with suppress(Unavailable):
                await cut
            asking = asyncio.ensure_future(it.nodes.remote.usage())
            await it.here.follow(asks.ACCOUNT)  # it is heard again
            with pytest.raises(Unavailable, match="looked at"):
                await it.nodes.asker._places.seat(asks.ACCOUNT)
            assert not asking.done()
            it.has.accounts, had = (), it.has.accounts
            assert await it.nodes.asker._places.seat(asks.ACCOUNT), "nobody has a session any more"
            it.has.accounts = had
            it.nodes.wire.cut()
            with suppress(Unavailable):
                await it.nodes.asker._places.call(OWNER, "bulletin", b"")
            it.has.may_look.set()
            assert await it.looked_at(2) == [asks.ACCOUNT, OTHER]
            await asking

    asyncio.run(scenario())


def test_what_lies_at_another_node_now_is_looked_at_there() -> None:
    async def scenario() -> None:
        async with tied() as it:
            assert it.nodes.asker._places is not None
            known, partition = it.nodes.asker._places._map, keys.partition(asks.ACCOUNT)
            known.put(partition, led_by(ASKER, 2))
            assert await it.looked_at(2) == [asks.ACCOUNT, OTHER]
            known.put(partition, led_by(OWNER, 3))
            assert await it.looked_at(2) == [asks.ACCOUNT, OTHER]
            known.put(partition, led_by(OWNER, 4))  # it has other copies
            known.put(partition, replace(led_by(OWNER, 5), epoch=2))
            assert await it.looked_at(2) == [asks.ACCOUNT, OTHER]
            await it.nodes.ask(REVOKING)
            assert await it.looked_at(1) == [asks.ACCOUNT]

    asyncio.run(scenario())


def test_who_reads_late_looks_at_all_that_it_has() -> None:
    async def scenario() -> None:
        async with tied(replace(LIMITS, bulletin_accounts_max=2)) as it:
            it.has.may_look.clear()
            await it.nodes.ask(REVOKING)
            await it.nodes.remote.usage()
            for account in (1, 2, 3):
                it.nodes.owner.bulletin.add(account)
            it.has.may_look.set()
            assert await it.looked_at(3) == [asks.ACCOUNT, asks.ACCOUNT, OTHER]

    asyncio.run(scenario())


def test_a_node_that_does_not_look_is_not_waited_for_for_ever() -> None:
    async def scenario() -> None:
        async with tied(replace(LIMITS, remote_wait_seconds_max=0)) as it:
            it.has.may_look.clear()
            await it.nodes.ask(REVOKING)
            with pytest.raises(Unavailable):
                await it.there.looked(asks.ACCOUNT)


def test_who_cannot_be_followed_for_too_long_is_unavailable() -> None:
    async def scenario() -> None:
        async with tied(replace(LIMITS, remote_wait_seconds_max=0)) as it:
            it.nodes.wire.is_down = True
            it.nodes.wire.cut()
            with pytest.raises(Unavailable):
                while True:  # until the cut is noticed
                    await it.here.follow(asks.ACCOUNT)
                    await asyncio.sleep(0)

    asyncio.run(scenario())


def test_what_is_being_taken_of_an_account_that_moves_is_overtaken() -> None:
    """Else it may be had of the node that led it, and nobody follows the one that leads it."""

    async def scenario() -> None:
        async with tied() as it:
            assert it.nodes.asker._places is not None
            it.has.accounts, it.has.takes = (), [asks.ACCOUNT, OTHER, 7]
            it.has.overtakings.clear()
            for account in (asks.ACCOUNT, OTHER):
                it.nodes.asker._places._map.put(keys.partition(account), led_by(ASKER, 2))
            await it.here.follow(asks.ACCOUNT)
            await it.nodes.remote.usage()
            assert sorted(each or 0 for each in it.has.overtakings) == sorted([asks.ACCOUNT, OTHER])

    asyncio.run(scenario())


def test_an_account_that_cannot_be_looked_at_keeps_no_other_one_waiting() -> None:
    async def scenario() -> None:
        async with tied(replace(LIMITS, reattached_at_once_max=1)) as it:
            it.has.unavailable = {asks.ACCOUNT}
            await it.nodes.ask(REVOKING)
            await it.has.failed.wait()
            assert it.nodes.asker._places is not None
            it.nodes.asker._places._map.put(keys.partition(OTHER), led_by(OWNER, 9))
            assert await it.looked_at(1) == [OTHER]
            it.has.unavailable = set()
            assert set(await it.looked_at(2)) == {asks.ACCOUNT}

    asyncio.run(scenario())


def test_who_did_not_hear_an_answer_looks_at_all_that_it_has() -> None:
    """The node of the accounts takes it for heard as soon as it is asked again."""

    async def scenario() -> None:
        async with tied(replace(LIMITS, remote_seconds_max=1)) as it:
            functions = it.nodes.wire.service.functions
            read = functions["bulletin"]

            async def late(octets: bytes, leases: Leases) -> bytes:
                functions["bulletin"] = read
                await read(octets, leases)
                await asyncio.Event().wait()
                return b""

            functions["bulletin"] = late
            await it.nodes.ask(REVOKING)
            assert await it.looked_at(2) == [asks.ACCOUNT, OTHER]

    asyncio.run(scenario())

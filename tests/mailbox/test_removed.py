"""An account that was removed takes nothing, can be brought back, and leaves no row when its time is over."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from mailnode.limits import Limits
from mailnode.mailbox.accounts import Accounts
from mailnode.pb.change_pb2 import (
    Intent,
    PurgeAccount,
    Queue,
    RemoveAccount,
    SetQuota,
    Submit,
    Trim,
    UndeleteAccount,
)
from mailnode.pb.row_pb2 import MailRow, QueueRow
from mailnode.store import keys
from mailnode.store.keys import FAMILIES, Due, Kind
from mailnode.store.shard import Shard, open_shard
from tests.mailbox import asks
from tests.mailbox.asks import ALL, add, expunge, intent, message, upload
from tests.mailbox.decider import Decider, account
from tests.mailbox.house import Ticking, opened

KEPT_SECONDS = Limits().removed_kept_seconds
REMOVE = RemoveAccount(address="alice@example.test")


def removed() -> Decider:
    it = account("Other")
    it.ask(add(message()))
    it.ask(REMOVE)
    return it


@pytest.mark.parametrize(
    "ask",
    [
        add(message(inbox_stands_in=True)),
        upload(7, 0, b"octets"),
        expunge(1, ALL, whatever_flags=True),
        asks.copy(1, ALL, 2),
        asks.create("Again"),
        asks.create_mailbox("New"),
        asks.put_row(Kind.CREDENTIAL, b"", b"a password"),
        asks.undelete([]),
        SetQuota(),
        Submit(),
    ],
    ids=lambda ask: type(ask).__name__,
)
def test_a_removed_account_takes_nothing(ask: Any) -> None:
    assert removed().refused(ask) == "NONEXISTENT"


def test_what_its_user_has_sent_goes_on() -> None:
    it = account()
    mail = MailRow(size=4)
    recipients = [QueueRow.Recipient(forward_path=path) for path in (b"x@y", b"z@y")]
    it.ask(Submit(mail=mail, octets=b"body", item=QueueRow(recipients=recipients)))
    (waiting,) = it.found().queued
    it.ask(REMOVE)
    it.ask(Queue(mail=waiting))
    assert not it.found().queued


def test_it_is_as_it_was_when_it_is_brought_back() -> None:
    it = account("Other")
    it.ask(add(message(flags=4, keywords=["work"])))
    before = it.found()
    it.ask(REMOVE)
    assert it.refused(REMOVE) == ""
    it.ask(UndeleteAccount())
    found = it.found()
    assert (found.entries, found.mailboxes, found.row.removed) == (before.entries, before.mailboxes, 0)
    assert it.refused(UndeleteAccount()) == ""
    it.ask(add(message()))


def test_none_is_purged_that_was_not_removed_or_whose_time_is_not_over() -> None:
    it = account()
    assert it.refused(PurgeAccount()) == "CANNOT"
    it.ask(REMOVE)
    it.now_microseconds += KEPT_SECONDS * 1_000_000 - 1
    assert it.refused(PurgeAccount()) == "CANNOT"
    it.now_microseconds += 1
    change = it.leave_open(PurgeAccount())
    asked = (UndeleteAccount(), REMOVE, PurgeAccount(), add(message(inbox_stands_in=True)))
    for ask in (*asked, Trim(touched=1), Queue(mail=1), asks.collect([])):
        assert it.refused(ask) == "NONEXISTENT", "nothing is written behind the purge"
    it.commit(change)
    assert not rows_of(it.shard)


def test_a_trim_that_comes_behind_a_purge_leaves_nothing() -> None:
    assert Decider().refused(Trim(touched=1, results=1)) == "NONEXISTENT"


def test_there_is_nothing_to_remove_of_an_account_that_never_was() -> None:
    assert Decider().refused(REMOVE) == "NONEXISTENT"


def rows_of(shard: Shard, number: int = asks.ACCOUNT) -> list[tuple[str, bytes]]:
    start, end = keys.account_id(number), keys.account_id(number + 1)
    return [(family, key) for family in FAMILIES for key, _ in shard.scan(family, start, end)]


Work = Callable[[Accounts, Ticking, Shard], Awaitable[None]]


def run(path: Path, work: Work) -> None:
    shard, clock = open_shard(path / "shard", Limits().shard_memory_octets_min, bytes(16)), Ticking()

    async def body() -> None:
        with opened(shard, clock) as (accounts, failures):
            await work(accounts, clock, shard)
            assert not failures

    asyncio.run(body())
    shard.close()


def test_a_purge_drops_all_of_one_account_and_nothing_of_its_neighbours(tmp_path: Path) -> None:
    numbers = (asks.ACCOUNT - 1, asks.ACCOUNT, asks.ACCOUNT + 1)

    async def fill(accounts: Accounts, clock: Ticking, shard: Shard) -> None:
        for number in numbers:
            it = await accounts.open(number)
            long = message(body=bytes(300_000))
            item = QueueRow(recipients=[QueueRow.Recipient(forward_path=b"x@y")])
            for ask in (
                asks.create("Other"),
                add(message(), long),
                upload(9, 0, b"never named"),
                expunge(1, [(1, 1)], whatever_flags=True),
                asks.put_row(Kind.CREDENTIAL, b"", b"a password"),
                Submit(mail=MailRow(size=4), octets=b"body", item=item),
            ):
                assert not (await it.apply(intent(ask))).refused
        before = [rows_of(shard, number) for number in numbers]
        assert len({family for family, _ in before[1]}) >= 5
        middle = await accounts.open(asks.ACCOUNT)
        await middle.apply(intent(REMOVE))
        assert [task.account for task in accounts.dues.all(Due.REMOVED)] == [asks.ACCOUNT]
        clock._now += KEPT_SECONDS * 1_000_000
        await middle.apply(intent(PurgeAccount()))
        assert [rows_of(shard, number) for number in numbers] == [before[0], [], before[2]]
        for kind in (Due.REMOVED, Due.QUEUE, Due.EXPUNGED):
            assert asks.ACCOUNT not in [task.account for task in accounts.dues.all(kind)]

    async def later(accounts: Accounts, clock: Ticking, shard: Shard) -> None:
        assert rows_of(shard) == []
        assert accounts.dues.next_time(Due.REMOVED) is None
        assert len(rows_of(shard, asks.ACCOUNT + 1)) > 9

    run(tmp_path, fill)
    run(tmp_path, later)


def test_a_restart_knows_who_was_removed(tmp_path: Path) -> None:
    async def remove(accounts: Accounts, clock: Ticking, shard: Shard) -> None:
        it = await accounts.open(asks.ACCOUNT)
        await it.apply(intent(asks.create()))
        await it.apply(intent(REMOVE))

    async def find(accounts: Accounts, clock: Ticking, shard: Shard) -> None:
        (task,) = accounts.dues.all(Due.REMOVED)
        assert (task.account, task.key) == (asks.ACCOUNT, b"alice@example.test")
        it = await accounts.open(asks.ACCOUNT)
        assert (await it.apply(intent(add(message())))).refused == "NONEXISTENT"
        await it.apply(Intent(undelete_account=UndeleteAccount()))
        assert accounts.dues.all(Due.REMOVED) == []

    run(tmp_path, remove)
    run(tmp_path, find)

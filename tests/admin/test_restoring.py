"""One account out of a backup, beside what goes on in the node and over its death."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from mailnode.admin.restoring import NotRestored, Restoring, copied
from mailnode.cluster.map import Map
from mailnode.directory.address import Address
from mailnode.directory.creation import Creation
from mailnode.directory.credential import Credentials, Hashing
from mailnode.directory.revocation import Revocation
from mailnode.directory.rows import Rows
from mailnode.directory.sessions import Sessions
from mailnode.domain import Domain
from mailnode.limits import Limits, MiB
from mailnode.mailbox.collecting import Collecting
from mailnode.mailbox.content import UploadIds
from mailnode.mailbox.raising import raised
from mailnode.mailbox.trimming import Trimming
from mailnode.pb.change_pb2 import Add, Expunge, Intent, Submit, UidRange
from mailnode.pb.row_pb2 import DirectoryRow, MailRow, QueueRow
from mailnode.store import keys
from mailnode.store.backups import Backups, Source
from mailnode.store.keys import Due, Family, Kind
from mailnode.store.shard import RocksShard, open_shard
from tests.mailbox.house import ACCOUNT, Ticking, add, create, opened

ALICE = Address("alice", "example.com")
ROW = DirectoryRow(kind=DirectoryRow.ACCOUNT, state=DirectoryRow.ACTIVE, account=ACCOUNT)
OTHER = DirectoryRow(kind=DirectoryRow.ACCOUNT, state=DirectoryRow.ACTIVE, account=ACCOUNT + 1)
STATE = Family.STATE


class GivenAway(Rows):
    """An address that nobody has is another account's as soon as that was asked."""

    async def get(self, address: Address) -> DirectoryRow | None:
        found = await super().get(address)
        if found is None:
            await self.put_new(address, OTHER)
        return found


async def _filled(path: Path) -> None:
    """Messages of which one was expunged, and one that waits for another server."""
    shard = open_shard(path, 16 * MiB, b"old")
    with opened(shard, Ticking()) as (accounts, _):
        await Rows(accounts, Ticking()).put_new(ALICE, ROW)
        account = await accounts.open(ACCOUNT)
        await account.apply(create())
        await account.apply(Intent(add=Add(messages=[add("INBOX", b"%d@x" % number) for number in range(5)])))
        gone = Expunge(mailbox=1, uids=[UidRange(first=1, last=1)], whatever_flags=True)
        await account.apply(Intent(expunge=gone))
        item = QueueRow(recipients=[QueueRow.Recipient(forward_path=b"b@elsewhere.example")])
        submit = Submit(mail=MailRow(size=4, header=2), octets=b"\r\n\r\n", item=item)
        await account.apply(Intent(submit=submit))
    shard.close()


@pytest.fixture
def backups(tmp_path: Path) -> Backups:
    path = tmp_path / "old"
    asyncio.run(_filled(path))
    made = Backups(tmp_path / "backups")
    files = [Source(file, f"shard/{file.name}") for file in path.iterdir() if file.name != "LOCK"]
    made.make(files, "old", 1, lambda octets: None)
    return made


@contextmanager
def restoring(tmp_path: Path, kind: type[Rows], is_alone: bool = True) -> Iterator[tuple[Restoring, Rows]]:
    shard = open_shard(tmp_path / "new", 16 * MiB, b"new")
    clock = Ticking()
    with (
        opened(shard, clock) as (accounts, _),
        ThreadPoolExecutor(1) as pool,
    ):
        rows = kind(accounts, clock)
        hashing: Hashing = None  # type: ignore[assignment]  # no password is made
        revocation, limits = Revocation.alone(accounts, Sessions()), Limits()
        credentials = Credentials(accounts, hashing, revocation, clock, limits)
        domains = {ALICE.domain: Domain(ALICE.domain, "+", True, "")}
        creation = Creation(accounts, rows, credentials, domains, clock, limits)
        ids, alone = UploadIds(clock), Map.alone("node0")
        yield (
            Restoring(shard, alone, tmp_path, accounts, rows, creation, ids, clock, pool, pool, is_alone),
            rows,
        )
    shard.close()


def test_of_two_that_ask_at_the_same_time_the_second_finds_all_of_it(
    tmp_path: Path, backups: Backups
) -> None:
    async def asked() -> list[tuple[bool, int, int]]:
        with restoring(tmp_path, Rows) as (one, _):
            both = await asyncio.gather(*(one.restore(backups, "", str(ALICE), "") for _ in range(2)))
            return [(came.whole, came.messages, came.present) for _, came in both]

    assert asyncio.run(asked()) == [(True, 4, 0), (False, 0, 4)]


def test_where_others_have_copies_it_comes_back_by_intents_alone(tmp_path: Path, backups: Backups) -> None:
    async def asked() -> None:
        with restoring(tmp_path, Rows, is_alone=False) as (one, rows):
            _, came = await one.restore(backups, "", str(ALICE), "")
            assert (came.whole, came.messages, came.present) == (False, 4, 0)
            row = await rows.get(ALICE)
            assert row is not None and row.account != ACCOUNT
            assert not one._has_rows(ACCOUNT)

    asyncio.run(asked())


def test_an_address_that_was_given_away_meanwhile_stays_with_its_account(
    tmp_path: Path, backups: Backups
) -> None:
    async def asked() -> DirectoryRow | None:
        with restoring(tmp_path, GivenAway) as (one, rows):
            with pytest.raises(NotRestored, match="another account"):
                await one.restore(backups, "", str(ALICE), "")
            return await rows.get(ALICE)

    assert asyncio.run(asked()) == OTHER


def half_restored(tmp_path: Path) -> RocksShard:
    """What a death leaves between the first part of the rows and the second."""
    asyncio.run(_filled(tmp_path / "old"))
    old, shard = open_shard(tmp_path / "old", 16 * MiB, b""), open_shard(tmp_path / "new", 16 * MiB, b"")
    shard.write(copied(old, ACCOUNT), sync=True)
    old.close()
    return shard


def test_a_node_that_died_half_way_sends_nothing_of_what_waited_then(tmp_path: Path) -> None:
    shard = half_restored(tmp_path)
    with opened(shard, Ticking()) as (accounts, _):
        assert accounts.dues.all(Due.QUEUE) == []
    old = open_shard(tmp_path / "old", 16 * MiB, b"")
    shard.write(raised(old, ACCOUNT, 1), sync=True)
    old.close()
    with opened(shard, Ticking()) as (accounts, _):
        assert len(accounts.dues.all(Due.QUEUE)) == 1
    shard.close()


def test_upkeep_gives_no_position_to_what_is_half_restored(tmp_path: Path) -> None:
    shard = half_restored(tmp_path)
    clock = Ticking(1_900_000_000_000_000)

    async def kept() -> None:
        with opened(shard, clock) as (accounts, _), ThreadPoolExecutor(1) as loads:
            assert await Trimming(shard, accounts, loads, clock, Limits()).trim() == 0
            assert await Collecting(shard, accounts, loads, clock, Limits()).collect() == 0

    asyncio.run(kept())
    assert shard.get(STATE, keys.state(ACCOUNT, Kind.ACCOUNT)) is None
    shard.close()

"""Removing an account frees its address at once, whatever stops half-way; bringing it back needs it free."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from mailnode.directory.address import Address
from mailnode.directory.attempt import Identity
from mailnode.directory.creation import Created, Creation, Refused
from mailnode.directory.credential import Credentials, Hashing
from mailnode.directory.guessing import Guessing
from mailnode.directory.known import Known
from mailnode.directory.lookup import Lookup, Recipients, Unknown
from mailnode.directory.madeup import MadeUp
from mailnode.directory.removal import Removal, Removed
from mailnode.directory.revocation import Revocation
from mailnode.directory.rows import Rows
from mailnode.directory.sessions import Sessions
from mailnode.directory.turns import Turns
from mailnode.directory.verification import Verification
from mailnode.limits import Limits
from mailnode.mailbox.accounts import Accounts
from mailnode.mailbox.verbs import Account, NotKnown, Unavailable
from mailnode.pb.change_pb2 import Intent, RemoveAccount, UndeleteAccount
from mailnode.pb.row_pb2 import DirectoryRow
from mailnode.store import keys
from mailnode.store.keys import FAMILIES
from mailnode.store.shard import Shard, open_shard
from tests.directory.asking import verified
from tests.directory.conftest import CHEAP, DOMAINS
from tests.directory.memory import HandPool
from tests.mailbox.house import Ticking, opened

ANN = "ann@example.test"
ADDRESS = Address("ann", "example.test")
KEPT = Limits().removed_kept_seconds * 1_000_000


@dataclass
class House:
    accounts: Accounts
    rows: Rows
    lookup: Lookup
    verification: Verification
    creation: Creation
    removal: Removal
    sessions: Sessions
    clock: Ticking
    shard: Shard

    async def id(self) -> int:
        """Of the account that has the address; 0: nobody."""
        found = await self.lookup.resolve(ANN)
        return found.accounts[0].id if isinstance(found, Recipients) else 0


def run(path: Path, work: Callable[[House], Awaitable[None]]) -> None:
    path.mkdir(exist_ok=True)
    limits = Limits()
    shard, clock = open_shard(path / "shard", limits.shard_memory_octets_min, bytes(16)), Ticking()

    async def body() -> None:
        with opened(shard, clock) as (accounts, failures):
            rows = Rows(accounts, clock)
            lookup = Lookup(rows, DOMAINS, limits)
            turns = Turns(limits.authentication_threads_max, limits.authentication_queue_max)
            hashing, sessions = Hashing(HandPool(), turns, CHEAP), Sessions()
            revocation = Revocation.alone(accounts, sessions)
            credentials = Credentials(accounts, hashing, revocation, clock, limits)
            known, made_up = Known(accounts, clock, limits), MadeUp(accounts, clock, CHEAP)
            guessing = Guessing.alone(clock, limits)
            verification = Verification(
                credentials, lookup, hashing, known, made_up, sessions, guessing, clock, limits
            )
            creation = Creation(accounts, rows, credentials, DOMAINS, clock, limits)
            removal = Removal(accounts, rows, DOMAINS, clock, limits, revocation)
            if await rows.get(ADDRESS) is None and not removal.removed():
                assert isinstance(await creation.create(ANN, "secret"), Created)
            await work(House(accounts, rows, lookup, verification, creation, removal, sessions, clock, shard))
            assert not failures

    asyncio.run(body())
    shard.close()


def test_its_address_is_nobodys_and_then_another_accounts(tmp_path: Path) -> None:
    async def work(house: House) -> None:
        first = await house.id()
        told: list[str] = []
        house.sessions.begin(Identity(first, 0), lambda: told.append("ended"))
        outcome = await house.removal.remove("Ann@Example.test")
        assert isinstance(outcome, Removed) and (outcome.address, outcome.account) == (ANN, first)
        assert outcome.until - outcome.removed == KEPT
        assert isinstance(await house.lookup.resolve(ANN), Unknown)
        assert await verified(house.verification, ANN, "secret") is None
        assert told == ["ended"]
        assert isinstance(await house.removal.remove(ANN), Refused)
        assert isinstance(await house.creation.create(ANN, "another"), Created)
        assert await house.id() not in (0, first)

    run(tmp_path, work)


def test_it_comes_back_with_its_password_when_the_address_is_free(tmp_path: Path) -> None:
    async def work(house: House) -> None:
        first = await house.id()
        await house.removal.remove(ANN)
        await house.creation.create(ANN, "another")
        second = await house.id()
        taken = await house.removal.undelete(ANN)
        assert isinstance(taken, Refused) and "exists" in taken.reason
        await house.removal.remove(ANN)
        assert [each.account for each in house.removal.removed()] == [first, second]
        assert await house.removal.undelete(ANN) == Created(ANN)
        assert await house.id() == second
        assert await verified(house.verification, ANN, "another") == second
        await house.removal.remove(ANN)
        assert isinstance(await house.removal.undelete("bob@example.test"), Refused)

    run(tmp_path, work)


@pytest.mark.parametrize(
    "address", ["nobody@example.test", "ann", "ann@elsewhere.test", "postmaster@example.test"]
)
def test_what_is_no_account_is_not_removed(tmp_path: Path, address: str) -> None:
    async def work(house: House) -> None:
        assert isinstance(await house.removal.remove(address), Refused)
        assert isinstance(await house.removal.undelete(address), Refused)

    run(tmp_path, work)


def test_a_start_frees_the_address_of_one_whose_removal_stopped_half_way(tmp_path: Path) -> None:
    async def stop(house: House) -> None:
        account = await house.accounts.open(await house.id())
        await account.apply(Intent(remove_account=RemoveAccount(address=ANN)))
        assert await house.id()

    async def start(house: House) -> None:
        await house.removal.resume()
        assert await house.id() == 0
        assert await house.removal.undelete(ANN) == Created(ANN)

    async def bring_back(house: House) -> None:
        assert await house.removal.undelete(ANN) == Created(ANN)
        assert house.removal.removed() == [] and await house.id()

    run(tmp_path / "one", stop)
    run(tmp_path / "one", start)
    run(tmp_path / "other", stop)
    run(tmp_path / "other", bring_back)


def test_a_start_undoes_what_was_half_brought_back_and_leaves_another_of_the_address(tmp_path: Path) -> None:
    async def stop(house: House) -> None:
        account = await house.id()
        await house.removal.remove(ANN)
        row = DirectoryRow(kind=DirectoryRow.ACCOUNT, state=DirectoryRow.ACTIVE, account=account)
        assert await house.rows.put_new(ADDRESS, row)

    async def start(house: House) -> None:
        await house.removal.resume()
        assert await house.id() == 0
        await house.creation.create(ANN, "another")
        other = await house.id()
        await house.removal.resume()
        assert await house.id() == other

    run(tmp_path, stop)
    run(tmp_path, start)


def test_who_is_not_known_to_be_removed_may_be_asked_again(tmp_path: Path) -> None:
    async def work(house: House) -> None:
        drop = house.rows.drop

        async def fails(address: Address, was: DirectoryRow) -> bool:
            raise NotKnown

        house.rows.drop = fails  # type: ignore[method-assign]
        assert isinstance(await house.removal.remove(ANN), Refused)
        house.rows.drop = drop  # type: ignore[method-assign]
        assert isinstance(await house.removal.remove(ANN), Removed)
        assert await house.id() == 0

    run(tmp_path, work)


def test_aliases_that_name_it_are_told_and_lead_to_the_others_alone(tmp_path: Path) -> None:
    async def work(house: House) -> None:
        await house.creation.create("bob@example.test", "secret")
        await house.creation.create_alias("both@example.test", [ANN, "bob@example.test"])
        await house.removal.remove(ANN)
        named = ["abuse@example.test", "both@example.test", "postmaster@example.test"]
        assert await house.removal.named_by(ANN) == named
        both = await house.lookup.resolve("both@example.test")
        assert isinstance(both, Recipients) and [one.address for one in both.accounts] == ["bob@example.test"]
        assert isinstance(await house.lookup.resolve("abuse@example.test"), Unknown)

    run(tmp_path, work)


def test_it_is_purged_when_its_time_is_over_and_not_when_it_was_brought_back(tmp_path: Path) -> None:
    async def work(house: House) -> None:
        account = await house.id()
        await house.removal.remove(ANN)
        assert await house.removal.purge() == 0
        await house.removal.undelete(ANN)
        house.clock._now += 2 * KEPT
        assert await house.removal.purge() == 0 and await house.id() == account
        await house.removal.remove(ANN)
        house.clock._now += 2 * KEPT
        assert await house.removal.purge() == 1 and await house.removal.purge() == 0
        start, end = keys.account_id(account), keys.account_id(account + 1)
        assert not [key for family in FAMILIES for key, _ in house.shard.scan(family, start, end)]
        assert isinstance(await house.removal.undelete(ANN), Refused)
        opened_ = await house.accounts.open(account)
        assert (await opened_.apply(Intent(undelete_account=UndeleteAccount()))).refused == "NONEXISTENT"

    run(tmp_path, work)


@pytest.mark.parametrize("error", [NotKnown(), Unavailable("too few copies")])
def test_who_cannot_be_purged_now_holds_up_no_other_and_is_purged_later(
    tmp_path: Path, error: Exception
) -> None:
    async def work(house: House) -> None:
        await house.creation.create("bob@example.test", "secret")
        away = await house.id()
        for address in (ANN, "bob@example.test"):
            assert isinstance(await house.removal.remove(address), Removed)
        house.clock._now += 2 * KEPT
        open_ = house.accounts.open

        async def fails(account: int) -> Account:
            if account == away:
                raise error
            return await open_(account)

        house.accounts.open = fails  # type: ignore[method-assign]
        assert await house.removal.purge() == 1
        await house.removal.resume()
        house.accounts.open = open_  # type: ignore[method-assign]
        assert await house.removal.purge() == 1

    run(tmp_path, work)

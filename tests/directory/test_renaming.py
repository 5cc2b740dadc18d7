"""An account gets another address, wherever the node is killed in between; no moment refuses its mail."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from mailnode import node
from mailnode.cli import main
from mailnode.clock import SystemClock
from mailnode.config import load
from mailnode.directory.creation import NOT_KNOWN, Created, Refused
from mailnode.directory.lookup import Recipients, Unknown
from mailnode.directory.renaming import Renaming
from mailnode.directory.rows import Rows
from mailnode.mailbox.verbs import NotKnown
from mailnode.pb.change_pb2 import Intent, Result
from mailnode.store.keys import Due

OLD, NEW, OTHER = "alice@example.test", "alison@example.test", "bob@example.test"
STEPS = 6
"""The new row, the account, two aliases (postmaster, abuse), the old row, the end."""


@pytest.fixture
def made(tmp_path: Path) -> Path:
    directory = tmp_path / "node"
    accounts = [word for address in (OLD, OTHER) for word in ("--account", f"{address}:secret")]
    assert main(["init", str(directory), "--domain", "example.test", *accounts]) == 0
    return directory


class Stopping:
    """Accounts of a node that is gone at the apply of that number, before or after it is durable."""

    def __init__(self, accounts: Any, at: int, done: bool) -> None:
        self._accounts, self.left, self.done = accounts, at, done

    async def open(self, account: int) -> Any:
        return _Stopping(self, await self._accounts.open(account))

    async def directory_rows(self, kind: int) -> list[tuple[bytes, bytes]]:
        rows: list[tuple[bytes, bytes]] = await self._accounts.directory_rows(kind)
        return rows


class _Stopping:
    def __init__(self, all_of_them: Stopping, account: Any) -> None:
        self._all, self._account = all_of_them, account
        self.id, self.row = account.id, account.row

    async def apply(self, intent: Intent) -> Result:
        self._all.left -= 1
        if self._all.left < 0 or (self._all.left == 0 and not self._all.done):
            raise NotKnown
        result: Result = await self._account.apply(intent)
        if self._all.left == 0:
            raise NotKnown
        return result


@pytest.mark.parametrize("alias", [False, True])
@pytest.mark.parametrize("step", range(1, STEPS + 1))
@pytest.mark.parametrize("done", [False, True])
def test_a_rename_that_was_cut_is_finished_by_the_next_start(
    made: Path, step: int, done: bool, alias: bool
) -> None:
    async def cut() -> int:
        async with node.house(load(made), SystemClock()) as parts:
            accounts = Stopping(parts.accounts, step, done)
            rows = Rows(accounts, parts.clock)
            renaming = Renaming(accounts, rows, parts.domains, parts.clock)
            assert await renaming.rename(OLD, NEW, alias) == NOT_KNOWN
            owner = await parts.people.lookup.owner(OLD) or await parts.people.lookup.owner(NEW)
            assert owner is not None
            return owner.account

    async def later(account: int) -> None:
        async with node.house(load(made), SystemClock()) as parts:
            begun = done or step > 1
            at_once = [
                await parts.people.lookup.resolve(each)
                for each in (NEW if begun else OLD, "abuse@example.test")
            ]
            assert all(isinstance(each, Recipients) for each in at_once), "no moment refuses its mail"
            await parts.people.renaming.resume(parts.accounts.dues)
            assert parts.accounts.dues.all(Due.RENAMING) == []
            owner = await parts.people.lookup.owner(NEW if begun else OLD)
            assert owner is not None and owner.account == account
            old = await parts.people.lookup.resolve(OLD)
            assert isinstance(old, Recipients if alias or not begun else Unknown)
            assert begun is (await parts.people.lookup.owner(OLD) is None)
            for address in ("postmaster@example.test", "abuse@example.test"):
                found = await parts.people.lookup.resolve(address)
                assert isinstance(found, Recipients) and [one.id for one in found.accounts] == [account]

    asyncio.run(later(asyncio.run(cut())))


def test_an_address_that_is_taken_or_not_there_is_refused(made: Path) -> None:
    async def scenario() -> None:
        async with node.house(load(made), SystemClock()) as parts:
            rename = parts.people.renaming.rename
            assert await rename(OLD, OTHER, False) == Refused(f"{OTHER} exists")
            assert await rename(NEW, "x@example.test", False) == Refused(f"{NEW} is no account of this node")
            assert await rename(OLD, "Alice@EXAMPLE.test", False) == Refused(f"{OLD} is its address already")
            elsewhere = await rename(OLD, "alice@elsewhere.test", False)
            assert isinstance(elsewhere, Refused) and "none of this node's domains" in elsewhere.reason
            assert await rename(OLD, NEW, True) == Created(NEW)
            assert await rename(OLD, "x@example.test", True) == Refused(f"{OLD} is no account of this node")
            assert await rename(NEW, OLD, False) == Refused(f"{OLD} exists")

    asyncio.run(scenario())


def test_of_two_nodes_that_rename_an_account_one_does_and_one_that_removes_it_waits(made: Path) -> None:
    async def both() -> None:
        async with node.house(load(made), SystemClock()) as parts:
            people, third = parts.people, "third@example.test"
            another = Renaming(parts.accounts, people.rows, parts.domains, parts.clock)
            outcomes = await asyncio.gather(
                people.renaming.rename(OLD, NEW, True), another.rename(OLD, third, False)
            )
            assert sorted(isinstance(each, Created) for each in outcomes) == [False, True]
            owners = [await people.lookup.owner(each) for each in (OLD, NEW, third)]
            assert len([each for each in owners if each is not None]) == 1
            removing, renaming = await asyncio.gather(
                people.removal.remove(OTHER), people.renaming.rename(OTHER, "new@example.test", False)
            )
            assert isinstance(removing, Refused) != isinstance(renaming, Refused)
            lead = [await people.lookup.owner(each) for each in (OTHER, "new@example.test")]
            removed = people.removal.removed()
            assert len([each for each in lead if each is not None]) == 1 - len(removed)

    asyncio.run(both())

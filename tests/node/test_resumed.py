"""What a node left half-done is done by the next, on a real disk."""

import asyncio
from pathlib import Path

from mailnode import node
from mailnode.cli import main
from mailnode.clock import SystemClock
from mailnode.config import Config, load
from mailnode.directory.address import Address, canonical, draw_account_id
from mailnode.directory.lookup import Recipients, Unknown
from mailnode.pb.row_pb2 import DirectoryRow
from tests.directory.asking import verified

BOB, PASSWORD = "bob@example.test", "open sesame"


async def _begun(config: Config) -> None:
    """The first step of the creation of an account, and no other."""
    async with node.house(config, SystemClock()) as parts:
        address, prepared = canonical(BOB), parts.people.credentials.prepare(PASSWORD)
        assert isinstance(address, Address) and prepared is not None
        row = DirectoryRow(
            state=DirectoryRow.CREATING,
            account=draw_account_id(address, 0, parts.clock),
            credential=await parts.people.credentials.derived(config.domains[0], prepared),
        )
        assert await parts.people.rows.put_new(address, row)
        assert await parts.people.lookup.resolve(BOB) == Unknown()


async def _resumed(config: Config) -> None:
    async with node.house(config, SystemClock()) as parts:
        await parts.people.creation.resume(parts.accounts.dues)
        assert isinstance(await parts.people.lookup.resolve(BOB), Recipients)
        account = await verified(parts.people.verification, BOB, PASSWORD)
        assert account is not None
        assert "Drafts" in (await (await parts.accounts.open(account)).mailboxes()).names


def test_a_creation_that_was_cut_short_is_finished_by_the_next_start(tmp_path: Path) -> None:
    assert main(["init", str(tmp_path / "node"), "--domain", "example.test"]) == 0
    config = load(tmp_path / "node")
    asyncio.run(_begun(config))
    asyncio.run(_resumed(config))

import asyncio

from mailnode.directory.address import Address
from mailnode.pb.row_pb2 import DirectoryRow
from tests.directory.conftest import Directory

ALICE = Address("alice", "example.test")


def _row(account: int) -> DirectoryRow:
    return DirectoryRow(state=DirectoryRow.ACTIVE, account=account)


def test_a_row_is_what_was_last_written(house: Directory) -> None:
    async def scenario() -> None:
        assert await house.rows.put_new(ALICE, _row(7))
        assert await house.rows.replace(ALICE, _row(7), _row(8))
        assert await house.rows.get(ALICE) == _row(8)
        assert await house.rows.drop(ALICE, _row(8))
        assert await house.rows.get(ALICE) is None

    asyncio.run(scenario())


def test_an_address_without_a_row_is_asked_for_each_time(house: Directory) -> None:
    async def scenario() -> None:
        assert await house.rows.get(ALICE) is None
        assert await house.rows.put_new(ALICE, _row(7))
        assert await house.rows.get(ALICE) == _row(7)

    asyncio.run(scenario())


def test_a_new_row_replaces_none(house: Directory) -> None:
    async def scenario() -> None:
        assert await house.rows.put_new(ALICE, _row(7))
        assert not await house.rows.put_new(ALICE, _row(8))
        assert await house.rows.get(ALICE) == _row(7)

    asyncio.run(scenario())


def test_who_read_another_row_than_is_there_changes_nothing(house: Directory) -> None:
    async def scenario() -> None:
        assert await house.rows.put_new(ALICE, _row(7))
        assert not await house.rows.replace(ALICE, _row(6), _row(8))
        assert not await house.rows.drop(ALICE, _row(6))
        assert await house.rows.get(ALICE) == _row(7)

    asyncio.run(scenario())

import asyncio

from mailnode.directory.address import Address
from mailnode.pb.row_pb2 import DirectoryRow
from tests.directory.conftest import LIMITS, Directory

ALICE = Address("alice", "example.test")


def _row(account: int) -> DirectoryRow:
    return DirectoryRow(state=DirectoryRow.ACTIVE, account=account)


def test_a_row_is_read_once_and_again_after_it_was_written(house: Directory) -> None:
    async def scenario() -> None:
        await house.rows.put(ALICE, _row(7))
        assert [await house.rows.get(ALICE) for _ in range(3)] == [_row(7)] * 3
        assert house.accounts.reads == 1
        await house.rows.put(ALICE, _row(8))
        assert await house.rows.get(ALICE) == _row(8)

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


def test_what_was_read_before_a_write_is_not_remembered_after_it(house: Directory) -> None:
    async def scenario() -> None:
        await house.rows.put(ALICE, _row(7))
        house.accounts.reads_end.clear()
        first = asyncio.ensure_future(house.rows.get(ALICE))
        await asyncio.sleep(0)
        await house.rows.put(ALICE, _row(8))
        house.accounts.reads_end.set()
        assert await first == _row(7)
        assert await house.rows.get(ALICE) == _row(8)

    asyncio.run(scenario())


def test_as_many_rows_are_remembered_as_may_be_and_those_last_asked_for(house: Directory) -> None:
    async def scenario() -> None:
        count = LIMITS.directory_rows_cached_max
        addresses = [Address(f"user{number}", "example.test") for number in range(count + 1)]
        for address in addresses:
            await house.rows.put(address, _row(7))
        for address in [*addresses[:count], addresses[0], addresses[count]]:
            await house.rows.get(address)
        reads = house.accounts.reads
        await house.rows.get(addresses[0])
        assert house.accounts.reads == reads
        await house.rows.get(addresses[1])
        assert house.accounts.reads == reads + 1

    asyncio.run(scenario())

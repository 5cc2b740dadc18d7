"""Rows of the directory are read once where they lie, and are never older than what is committed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from mailnode.store import keys
from mailnode.store.keys import Kind
from tests.mailbox import asks
from tests.mailbox.asks import create, put_row
from tests.mailbox.process import LIMITS, House, opened

pytestmark = pytest.mark.usefixtures("everywhere")

KEY = b"alice@example.test"


@pytest.fixture
def house() -> Iterator[House]:
    house = opened(limits=replace(LIMITS, directory_rows_cached_max=3))
    yield house
    house.end()


def _put(house: House, value: bytes, key: bytes = KEY) -> None:
    house.ask(put_row(Kind.DIRECTORY, key, value))


def _row(house: House, key: bytes = KEY) -> bytes:
    return house.hand.until(house.account.row(Kind.DIRECTORY, key))


def _remembered(house: House, key: bytes = KEY) -> bytes:
    """Without the pool that reads; raises InvalidStateError."""
    return house.now(house.account.row(Kind.DIRECTORY, key))


def test_a_row_is_read_once_until_it_is_written(house: House) -> None:
    _put(house, b"7")
    assert _row(house) == b"7" == _remembered(house)
    _put(house, b"8")
    assert _row(house) == b"8" == _remembered(house)
    _put(house, b"")
    assert _row(house) == b""


def test_what_was_read_before_a_write_is_not_remembered_after_it(house: House) -> None:
    _put(house, b"7")
    reading = house.hand.start(house.account.row(Kind.DIRECTORY, KEY))
    house.hand.settle()
    house.hand.loads.run()
    writing = house.start(put_row(Kind.DIRECTORY, KEY, b"8"))
    house.write()
    assert writing.done() and not reading.done()
    house.hand.loads.hear()
    house.hand.settle()
    assert reading.result() == b"7"
    assert _row(house) == b"8"


def test_a_row_that_is_missing_or_of_another_kind_is_read_each_time(house: House) -> None:
    house.ask(put_row(Kind.CREDENTIAL, KEY, b"1"))
    for kind, value in ((Kind.DIRECTORY, b""), (Kind.CREDENTIAL, b"1")):
        for _ in range(2):
            reading = house.hand.start(house.account.row(kind, KEY))
            house.hand.settle()
            assert not reading.done()
            house.load()
            assert reading.result() == value


def test_as_many_are_remembered_as_may_be_and_those_last_asked_for(house: House) -> None:
    names = [b"%d@example.test" % number for number in range(4)]
    for name in names:
        _put(house, b"7", name)
    for name in (*names[:3], names[0], names[3]):
        house.hand.until(house.local.row(Kind.DIRECTORY, name))
    assert house.now(house.local.row(Kind.DIRECTORY, names[0])) == b"7"
    again = house.hand.start(house.local.row(Kind.DIRECTORY, names[1]))
    house.hand.settle()
    assert not again.done()
    house.load()


def test_nothing_is_remembered_of_what_others_write(house: House) -> None:
    house.ask(create())
    _put(house, b"7")
    assert _row(house) == b"7"
    house.accounts.forget(asks.ACCOUNT)
    reading = house.hand.start(house.accounts.here(asks.ACCOUNT))
    house.hand.settle()
    house.load()
    row = keys.state(asks.ACCOUNT, Kind.DIRECTORY, KEY)
    house.shard.write([(keys.Family.STATE, row, b"8")], sync=True)
    assert house.hand.until(reading.result().row(Kind.DIRECTORY, KEY)) == b"8"


def test_only_so_many_accounts_of_the_system_are_kept() -> None:
    house = opened(limits=replace(LIMITS, system_accounts_kept_max=1))
    one, two = (house.hand.until(house.accounts.here(keys.directory_account(slot))) for slot in (1, 2))
    numbers = id(one), id(two)
    del one
    assert id(house.now(house.accounts.here(keys.directory_account(2)))) == numbers[1]
    opening = house.hand.start(house.accounts.here(keys.directory_account(1)))
    house.hand.settle()
    assert not opening.done()
    house.load()
    house.end()


def test_what_was_read_while_the_account_went_elsewhere_is_not_remembered(house: House) -> None:
    _put(house, b"7")
    reading = house.hand.start(house.local.row(Kind.DIRECTORY, KEY))
    house.hand.settle()
    house.hand.loads.run()
    house.accounts._end(keys.partition(asks.ACCOUNT))
    house.hand.loads.hear()
    house.hand.settle()
    assert reading.result() == b"7"
    assert house.accounts.remembered.get((asks.ACCOUNT, Kind.DIRECTORY, KEY)) is None

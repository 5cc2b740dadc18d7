"""The rows of the directory: one an address. They are remembered where they lie (mailbox/remembered)."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Protocol, TypeVar

from google.protobuf.message import DecodeError, Message

from mailnode.clock import Clock
from mailnode.directory.address import Address, directory_account, stored_address
from mailnode.mailbox.nearby import RowNearby, nothing
from mailnode.mailbox.verbs import Account, decided
from mailnode.pb.change_pb2 import Intent, PutRow
from mailnode.pb.row_pb2 import DirectoryRow
from mailnode.store import keys
from mailnode.store.damage import Unreadable, told
from mailnode.store.keys import Due, Family, Kind

M = TypeVar("M", bound=Message)


class Accounts(Protocol):
    """Where accounts are opened, by id, wherever they live."""

    async def open(self, account: int) -> Account: ...

    async def directory_rows(self, kind: int) -> list[tuple[bytes, bytes]]: ...


class Rows:
    """Keyed by the whole canonical address."""

    def __init__(self, accounts: Accounts, clock: Clock, nearby: RowNearby = nothing) -> None:
        """`nearby` may lack what was written some seconds ago, and still have what was dropped then."""
        self._accounts = accounts
        self._clock = clock
        self._nearby = nearby

    async def active(self, address: Address) -> DirectoryRow | None:
        """That of an address which receives: what is nearby may say so, that there is none `get` alone does.

        Not for who is about to write; raises as `get`.
        """
        near = await self._nearby(directory_account(address), Kind.DIRECTORY, str(address).encode())
        with suppress(DecodeError):
            row = DirectoryRow.FromString(near)
            if near and row.state == DirectoryRow.ACTIVE:
                return row
        asked = await self.get(address)
        return asked if asked is not None and asked.state == DirectoryRow.ACTIVE else None

    async def get(self, address: Address) -> DirectoryRow | None:
        """Raises Unreadable: whether there is such an address is not known then."""
        account, key = await self._account(address), str(address).encode()
        stored = await account.row(Kind.DIRECTORY, key)
        return parsed(DirectoryRow, account.id, Kind.DIRECTORY, key, stored) if stored else None

    async def all(self) -> dict[Address, DirectoryRow]:
        """Every row that can be read, by address."""
        stored = await self._accounts.directory_rows(Kind.DIRECTORY)
        return await asyncio.to_thread(_by_address, stored)  # 0.3 s for 100,000

    async def drop(self, address: Address, was: DirectoryRow) -> bool:
        """The address answers to nobody from now on, unless another row is there; raises NotKnown."""
        return await self._applied(address, PutRow(kind=Kind.DIRECTORY, key=str(address).encode()), was)

    async def replace(self, address: Address, was: DirectoryRow, row: DirectoryRow) -> bool:
        """Write unless another row than `was` is there, and say whether it was so; raises NotKnown."""
        return await self._applied(address, self._put_row(address, row), was)

    async def put_new(self, address: Address, row: DirectoryRow) -> bool:
        """Write if there is none, and say whether it was so; raises NotKnown and Unavailable."""
        put_row = self._put_row(address, row)
        put_row.if_absent = True
        return await self._apply(address, put_row)

    async def _account(self, address: Address) -> Account:
        return await self._accounts.open(directory_account(address))

    def _put_row(self, address: Address, row: DirectoryRow) -> PutRow:
        """An account's row is due from its first step to its last: a restart finds what is half-done."""
        key = str(address).encode()
        put_row = PutRow(kind=Kind.DIRECTORY, key=key, value=row.SerializeToString())
        if row.kind == DirectoryRow.ACCOUNT:
            put_row.dues.add(kind=Due.CREATION, key=key, done=row.state != DirectoryRow.CREATING)
            put_row.dues.add(kind=Due.RENAMING, key=key, done=not row.renames)
        return put_row

    async def _applied(self, address: Address, put_row: PutRow, was: DirectoryRow) -> bool:
        put_row.was = was.SerializeToString()
        return await self._apply(address, put_row)

    async def _apply(self, address: Address, put_row: PutRow) -> bool:
        """Whether it was done: not where the row is another one than it should be."""
        account = await self._account(address)
        return not decided(await account.apply(Intent(id=intent_id(self._clock), put_row=put_row))).refused


def _by_address(stored: Iterable[tuple[bytes, bytes]]) -> dict[Address, DirectoryRow]:
    found = {}
    for key, value in stored:
        try:
            found[stored_address(key.decode())] = DirectoryRow.FromString(value)
        except (DecodeError, ValueError) as error:
            told.tell(Family.STATE, key, str(error))
    return dict(sorted(found.items(), key=lambda row: (row[0].domain, row[0].local)))


def parsed(kind: type[M], account: int, row_kind: int, key: bytes, value: bytes) -> M:
    """A small row of the state; raises Unreadable, and reports it."""
    try:
        return kind.FromString(value)
    except DecodeError as error:
        whole = keys.state(account, row_kind, key)
        told.tell(Family.STATE, whole, str(error))
        raise Unreadable(Family.STATE, whole, str(error)) from None


async def small_row(accounts: Accounts, account: int, kind: type[M], row_kind: int, key: bytes) -> M:
    """Of any account, empty where there is none; raises Unreadable, and reports it."""
    opened = await accounts.open(account)
    return parsed(kind, account, row_kind, key, await opened.row(row_kind, key))


def intent_id(clock: Clock) -> bytes:
    """8 octets of time, so that old results are one range, and 8 random ones."""
    return clock.now_microseconds().to_bytes(8, "big") + clock.random(8)

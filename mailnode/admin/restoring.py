"""One account out of a backup, into a running node.

Where neither its address nor its id is there any more it comes back as it was, under its old id. Else its
messages go into the account of an address as an import would do it: what is there stays, and a message
whose octets lie in the mailbox of that name already does not come twice, so asking again goes on.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from mailnode.admin.merging import Merging, NotMerged
from mailnode.clock import Clock
from mailnode.cluster import local_map
from mailnode.cluster.map import Map
from mailnode.config import MAP_FILE, ConfigError, shard_of
from mailnode.directory.address import Address, Malformed, canonical, directory_account
from mailnode.directory.creation import Creation
from mailnode.directory.creation import Refused as NotCreated
from mailnode.directory.rows import Rows
from mailnode.limits import MiB
from mailnode.mailbox.accounts import Accounts
from mailnode.mailbox.content import UploadIds
from mailnode.mailbox.raising import raised
from mailnode.mailbox.reads import Reads
from mailnode.mailbox.verbs import Account
from mailnode.pb.change_pb2 import Due
from mailnode.pb.row_pb2 import CredentialRow, DirectoryRow
from mailnode.store import keys
from mailnode.store.backups import Backup, Backups
from mailnode.store.damage import Unreadable, readable
from mailnode.store.keys import FAMILIES, Family, Kind
from mailnode.store.shard import Put, RocksShard, ShardError, open_copy

T = TypeVar("T")

MEMORY_OCTETS = 32 * MiB
_PUTS_OCTETS = 4 * MiB
"""Of one batch."""


class NotRestored(Exception):
    """The text is one line."""


class Elsewhere(Exception):
    """The account lies at another node, which restores it."""

    def __init__(self, node: str) -> None:
        super().__init__(node)
        self.node = node


@dataclass(slots=True)
class Restored:
    address: str
    whole: bool
    messages: int = 0
    present: int = 0


@dataclass(frozen=True, slots=True)
class Restoring:
    shard: RocksShard
    map: Map
    directory: Path
    accounts: Accounts
    rows: Rows
    creation: Creation
    upload_ids: UploadIds
    clock: Clock
    writer: Executor
    pool: Executor
    is_alone: bool
    """No other node has copies: else an account comes back by intents alone, as a new one."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def restore(self, backups: Backups, name: str, address: str, into: str) -> tuple[Backup, Restored]:
        """Raises NotRestored, Elsewhere, BackupError and NotKnown."""
        was, target = parsed(address), parsed(into or address)
        backup = await self._in_pool(partial(backups.named, name, str(was)))
        # One after the other: the second of two finds what the first brought back.
        async with self.turn:
            async with self._opened(backups, backup, keys.partition(directory_account(was))) as copy:
                row = await self._in_pool(partial(directory_row, copy, was))
            owner = self.map.primary(keys.partition(row.account))
            if owner != self.map.me.node:
                raise Elsewhere(owner)
            return await self._restored(backups, backup, row, was, target)

    async def _restored(
        self, backups: Backups, backup: Backup, row: DirectoryRow, was: Address, target: Address
    ) -> tuple[Backup, Restored]:
        async with self._opened(backups, backup, keys.partition(row.account)) as copy:
            current = await self.rows.get(target)
            as_it_was = self.is_alone and was == target and not self._has_rows(row.account)
            if current is None and as_it_was:
                return backup, await self._whole(copy, target, row)
            if current is None:
                current = await self._created(copy, target, row.account)
            if current.kind != DirectoryRow.ACCOUNT or current.state != DirectoryRow.ACTIVE:
                raise NotRestored(f"{target} is no account of this node")
            account = await self.accounts.open(current.account)
            return backup, await self._merged(copy, row.account, account, target)

    @asynccontextmanager
    async def _opened(self, backups: Backups, backup: Backup, partition: int) -> AsyncIterator[RocksShard]:
        """That shard of a backup which has the partition, only read."""
        path = Path(tempfile.mkdtemp(prefix="shard.restoring-", dir=self.directory))
        copy = None
        try:
            copy = await self._in_pool(partial(_open, backups, backup, partition, path))
            yield copy
        except ShardError as error:
            raise NotRestored(f"{backup.name} cannot be opened: {error}") from None
        finally:
            if copy is not None:
                await self._in_pool(copy.close)
            await self._in_pool(partial(shutil.rmtree, path, ignore_errors=True))

    def _has_rows(self, account: int) -> bool:
        try:
            return self.shard.get(Family.STATE, keys.state(account, Kind.ACCOUNT)) is not None
        except Unreadable:
            return True

    # -- as it was

    async def _whole(self, copy: RocksShard, address: Address, row: DirectoryRow) -> Restored:
        """The account's own row is written last: what a crash leaves before that is written once more."""
        account, now = row.account, self.clock.now_microseconds()
        for puts in (copied(copy, account), raised(copy, account, now)):
            while part := await self._in_pool(partial(next_part, puts)):
                await asyncio.get_running_loop().run_in_executor(self.writer, self.shard.write, part, True)
        self.accounts.forget(account)
        opened = await self.accounts.open(account)
        if not await self.rows.put_new(address, row):
            raise NotRestored(f"{address} was given to another account meanwhile: ask again to add to that")
        self._tell_dues(account)
        mailboxes = await opened.mailboxes()
        return Restored(str(address), True, sum(each.messages for each in mailboxes.rows.values()))

    def _tell_dues(self, account: int) -> None:
        start = keys.account_id(account)
        for key, _ in readable(self.shard, Family.DUE, start, keys.after(start)):
            due = Due(kind=keys.kind_of(key), time=keys.time_of_due(key), key=key[17:])
            if due.kind in (keys.Due.QUEUE, keys.Due.EXPUNGED):
                self.accounts.dues.commit(account, [due])

    # -- into what is there

    async def _created(self, copy: RocksShard, address: Address, was: int) -> DirectoryRow:
        """A new account that has the old one's password."""
        key = keys.state(was, Kind.CREDENTIAL)
        stored = await self._in_pool(lambda: copy.get(Family.STATE, key))
        outcome = await self.creation.create_as(str(address), CredentialRow.FromString(stored or b""))
        if isinstance(outcome, NotCreated):
            raise NotRestored(outcome.reason)
        row = await self.rows.get(address)
        assert row is not None
        return row

    async def _merged(self, copy: RocksShard, was: int, account: Account, address: Address) -> Restored:
        merging = Merging(Reads(copy, was), account, self.upload_ids, self._in_pool)
        try:
            await merging.merge()
        except NotMerged as error:
            raise NotRestored(f"{error}; {merging.messages} messages came back before that") from None
        return Restored(str(address), False, merging.messages, merging.present)

    async def _in_pool(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.pool, work)


def parsed(address: str) -> Address:
    parsed = canonical(address)
    if isinstance(parsed, Malformed):
        raise NotRestored(f"{address!a}: {parsed.reason}")
    return parsed


def _open(backups: Backups, backup: Backup, partition: int, path: Path) -> RocksShard:
    """By links: RocksDB checks what it reads. Raises NotRestored and ShardError."""
    kept = next((backups.kept(file) for file in backup.files if file.path == MAP_FILE), None)
    try:
        mapped = None if kept is None else local_map.read(kept)
    except ConfigError as error:
        raise NotRestored(f"{backup.name}: {error}") from None
    shard = shard_of(0 if mapped is None else mapped.owners[partition % keys.SLOTS])
    for file in backup.files:
        folder, _, name = file.path.rpartition("/")
        if folder == shard:
            (path / name).symlink_to(backups.kept(file).absolute())
    return open_copy(path, MEMORY_OCTETS)


def directory_row(copy: RocksShard, address: Address) -> DirectoryRow:
    if next(copy.scan(Family.LOG, b"", keys.END), None) is not None:
        raise NotRestored("a large change was half done at that moment: take another backup, or all of it")
    key = keys.state(directory_account(address), Kind.DIRECTORY, str(address).encode())
    row = DirectoryRow.FromString(copy.get(Family.STATE, key) or b"")
    if row.kind != DirectoryRow.ACCOUNT or not row.account:
        raise NotRestored(f"{address} was no account then")
    return row


def copied(copy: RocksShard, account: int) -> Iterator[Put]:
    """Every row of an account but its own, and what says that an item of its queue is due: `raised` writes
    those. A node that dies in between must not send what was sent already."""
    start = keys.account_id(account)
    own = keys.state(account, Kind.ACCOUNT)
    for family in FAMILIES:
        if family == Family.LOG:
            continue
        for key, value in readable(copy, family, start, keys.after(start)):
            is_queued = family == Family.DUE and keys.kind_of(key) == keys.Due.QUEUE
            if not is_queued and not (family == Family.STATE and key == own):
                yield family, key, value


def next_part(puts: Iterator[Put]) -> list[Put]:
    """The next of them, as many as one batch shall have."""
    part: list[Put] = []
    octets = 0
    for put in puts:
        part.append(put)
        octets += 100 + (len(put[2]) if isinstance(put[2], bytes) else 0)
        if octets >= _PUTS_OCTETS:
            break
    return part

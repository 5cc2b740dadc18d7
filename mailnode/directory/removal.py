"""How an account goes: its address at once, its rows when nobody may bring it back any more.

Removing: the account is marked, with a `due` row → its directory row goes. From the first step on it takes
nothing; from the second on its address is nobody's, and may be another account's, of another id. Bringing
back: a directory row, if the address is still free → the mark goes. What a run of the node leaves half-done
is a marked account whose address still leads to it: the next start frees the address.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from mailnode.clock import Clock
from mailnode.directory.address import Address, Malformed, canonical, stored_address
from mailnode.directory.creation import NOT_KNOWN, Created, Refused
from mailnode.directory.revocation import Revocation
from mailnode.directory.rows import Rows, intent_id
from mailnode.domain import Domain
from mailnode.limits import Limits
from mailnode.mailbox.accounts import Accounts
from mailnode.mailbox.verbs import NotKnown, Unavailable, decided
from mailnode.pb.change_pb2 import Intent, PurgeAccount, RemoveAccount, UndeleteAccount
from mailnode.pb.row_pb2 import DirectoryRow
from mailnode.store.keys import Due

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Removed:
    """An account that can be brought back, up to a time; times in microseconds."""

    address: str
    account: int
    removed: int
    until: int


class Removal:
    def __init__(
        self,
        accounts: Accounts,
        rows: Rows,
        domains: Mapping[str, Domain],
        clock: Clock,
        limits: Limits,
        revocation: Revocation,
    ) -> None:
        self._accounts = accounts
        self._rows = rows
        self._domains = domains
        self._clock = clock
        self._limits = limits
        self._revocation = revocation
        self._turn = asyncio.Lock()

    async def remove(self, address: str) -> Removed | Refused:
        """Its mail is 550 from now on, its users are sent away, and it can be brought back for a while."""
        asked = canonical(address)
        async with self._turn:
            row = None if isinstance(asked, Malformed) else await self._rows.get(asked)
            if isinstance(asked, Malformed) or row is None or row.kind != DirectoryRow.ACCOUNT:
                return Refused(f"{address!a} is no account of this node")
            if row.state != DirectoryRow.ACTIVE:
                return Refused(f"{asked} is being created")
            ask = RemoveAccount(address=str(asked))
            try:
                account = await self._accounts.open(row.account)
                result = await account.apply(Intent(id=intent_id(self._clock), remove_account=ask))
                if result.refused == "CHANGED":
                    return Refused(f"{asked} is being renamed: try again")
                if result.refused or not await self._rows.drop(asked, row):
                    return NOT_KNOWN
                await self._revocation.revoked(row.account)
            except (NotKnown, Unavailable):
                return NOT_KNOWN
        log.info("account removed", extra={"address": str(asked), "account": f"{row.account:016x}"})
        # Its due row lies with the account, which may be another node's.
        now, kept = self._clock.now_microseconds(), self._limits.removed_kept_seconds * 1_000_000
        known = (each for each in self.removed() if each.account == row.account)
        return next(known, Removed(str(asked), row.account, now, now + kept))

    async def undelete(self, address: str) -> Created | Refused:
        """The one of this address that was removed last, unless the address is another's meanwhile."""
        asked = canonical(address)
        async with self._turn:
            found = self.removed_of(address)
            if isinstance(asked, Malformed) or not found:
                return Refused(f"{address!a} is no account that can be brought back")
            if asked.domain not in self._domains:
                return Refused(f"{asked.domain} is none of this node's domains")
            try:
                return await self._bring_back(asked, found[-1].account)
            except (NotKnown, Unavailable):
                return NOT_KNOWN

    async def _bring_back(self, address: Address, account: int) -> Created | Refused:
        row = DirectoryRow(kind=DirectoryRow.ACCOUNT, state=DirectoryRow.ACTIVE, account=account)
        new = await self._rows.put_new(address, row)
        if not new and await self._rows.get(address) != row:
            return Refused(f"{address} exists: it can be brought back once that is removed or renamed")
        opened = await self._accounts.open(account)
        intent = Intent(id=intent_id(self._clock), undelete_account=UndeleteAccount())
        if decided(await opened.apply(intent)).refused:
            await self._rows.drop(address, row)
            return Refused(f"{address} is no account that can be brought back")
        log.info("account brought back", extra={"address": str(address), "account": f"{account:016x}"})
        return Created(str(address))

    def removed(self) -> list[Removed]:
        """Those that can be brought back, by time."""
        kept = self._limits.removed_kept_seconds * 1_000_000
        tasks = self._accounts.dues.all(Due.REMOVED)
        return [
            Removed(task.key.decode(), task.account, task.time_microseconds, task.time_microseconds + kept)
            for task in tasks
        ]

    def removed_of(self, address: str) -> list[Removed]:
        """Those of this address, the last one last."""
        asked = str(canonical(address))
        return [each for each in self.removed() if each.address == asked]

    async def named_by(self, address: str) -> list[str]:
        """The aliases that have this address among their targets."""
        rows = await self._rows.all()
        return [str(alias) for alias, row in rows.items() if address in row.targets]

    async def resume(self) -> None:
        """What the last run of the node, or who led the account before it, left half-done."""
        for each in self.removed():
            try:
                await self._free(stored_address(each.address), each.account)
            except (NotKnown, Unavailable):
                log.warning("an account is half removed", extra={"account": f"{each.account:016x}"})
            except Exception:  # what of one address cannot be read holds up no other
                log.exception("account %016x: its address cannot be freed", each.account)

    async def _free(self, address: Address, account: int) -> None:
        async with self._turn:
            row = await self._rows.get(address)
            if row is not None and row.kind == DirectoryRow.ACCOUNT and row.account == account:
                await self._rows.drop(address, row)

    async def purge(self) -> int:
        """The rows of those whose time is over go; how many were purged."""
        before = self._clock.now_microseconds() - self._limits.removed_kept_seconds * 1_000_000
        purged = 0
        for task in self._accounts.dues.take_all(Due.REMOVED, before):
            try:
                account = await self._accounts.open(task.account)
                result = decided(await account.apply(Intent(purge_account=PurgeAccount())))
            except (NotKnown, Unavailable):
                self._accounts.dues.again(Due.REMOVED, task)
                continue
            except Exception:  # what of one account cannot be read holds up no other
                log.exception("account %016x: it cannot be purged", task.account)
                self._accounts.dues.again(Due.REMOVED, task)
                continue
            if not result.refused:
                purged += 1
                log.info("account purged", extra={"account": f"{task.account:016x}"})
        return purged

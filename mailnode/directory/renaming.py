"""How an account gets another address: a saga over rows, each step repeatable, resumed wherever it stopped.

The new address leads to the account, with a `due` row → the account's own row says it → aliases of the old
address lead to the new one → the old address goes, or becomes an alias itself → the due row goes. From the
first step to the fourth both addresses are the account's: no mail is refused in between.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from mailnode.clock import Clock
from mailnode.directory.address import Address, Malformed, canonical, stored_address
from mailnode.directory.creation import NOT_KNOWN, Created, Refused
from mailnode.directory.rows import Accounts, Rows, intent_id
from mailnode.domain import Domain
from mailnode.mailbox.dues import Dues
from mailnode.mailbox.verbs import NotKnown, Unavailable, decided
from mailnode.pb.change_pb2 import Intent, RenameAccount
from mailnode.pb.row_pb2 import DirectoryRow
from mailnode.store.keys import Due

log = logging.getLogger(__name__)


class Renaming:
    def __init__(self, accounts: Accounts, rows: Rows, domains: Mapping[str, Domain], clock: Clock) -> None:
        self._accounts = accounts
        self._rows = rows
        self._domains = domains
        self._clock = clock
        self._turn = asyncio.Lock()

    async def rename(self, address: str, to: str, alias: bool) -> Created | Refused:
        """The account of `address` is that of `to`; asking again resumes what was left half-done."""
        old, new = canonical(address), canonical(to)
        for each, said in ((old, address), (new, to)):
            if isinstance(each, Malformed):
                return Refused(f"{said!a}: {each.reason}")
            if each.domain not in self._domains:
                return Refused(f"{each.domain} is none of this node's domains: {', '.join(self._domains)}")
        assert isinstance(old, Address) and isinstance(new, Address)
        if old == new:
            return Refused(f"{new} is its address already")
        async with self._turn:
            try:
                return await self._begin(old, new, alias)
            except (NotKnown, Unavailable):
                return NOT_KNOWN

    async def resume(self, dues: Dues) -> None:
        """What the last run of the node left half-done, each at its last step; what cannot be done now is
        due again."""
        for task in dues.take_all(Due.RENAMING, self._clock.now_microseconds()):
            new = stored_address(task.key.decode())
            try:
                async with self._turn:
                    row = await self._rows.get(new)
                    if row is not None and row.renames:
                        await self._finish(new, row)
            except (NotKnown, Unavailable):
                log.warning("an account is half renamed", extra={"address": str(new)})
                dues.again(Due.RENAMING, task)
            except Exception:  # what of one address cannot be read holds up no other
                log.exception("an account is half renamed", extra={"address": str(new)})

    async def _begin(self, old: Address, new: Address, alias: bool) -> Created | Refused:
        was = await self._rows.get(old)
        there = await self._rows.get(new)
        if there is not None and there.renames == str(old):
            return await self._finish(new, there)
        if was is None or was.kind != DirectoryRow.ACCOUNT or was.renames:
            return Refused(f"{old} is no account of this node")
        if was.state != DirectoryRow.ACTIVE:
            return Refused(f"{old} is being created")
        row = DirectoryRow(
            kind=DirectoryRow.ACCOUNT,
            state=DirectoryRow.ACTIVE,
            account=was.account,
            renames=str(old),
            keeps_alias=alias,
        )
        if not await self._rows.put_new(new, row):
            return Refused(f"{new} exists")
        return await self._finish(new, row)

    async def _finish(self, new: Address, row: DirectoryRow) -> Created | Refused:
        """Every step behind the first; each may have been done before."""
        old = stored_address(row.renames)
        account = await self._accounts.open(row.account)
        ask = RenameAccount(address=str(new), was=str(old))
        if decided(await account.apply(Intent(id=intent_id(self._clock), rename_account=ask))).refused:
            await self._rows.drop(new, row)  # it was removed meanwhile, or has another address
            return Refused(f"{old} is no account of this node")
        await self._lead_aliases(str(old), str(new))
        await self._leave(old, new, row)
        done = DirectoryRow(kind=row.kind, state=DirectoryRow.ACTIVE, account=row.account)
        await self._rows.replace(new, row, done)  # or another node has done it
        log.info("account renamed", extra={"address": str(new), "was": str(old)})
        return Created(str(new))

    async def _lead_aliases(self, old: str, new: str) -> None:
        for address, alias in (await self._rows.all()).items():
            found: DirectoryRow | None = alias
            while found is not None and found.kind == DirectoryRow.ALIAS and old in found.targets:
                targets = dict.fromkeys(new if target == old else target for target in found.targets)
                changed = DirectoryRow(kind=DirectoryRow.ALIAS, state=found.state, targets=list(targets))
                if await self._rows.replace(address, found, changed):
                    break
                found = await self._rows.get(address)

    async def _leave(self, old: Address, new: Address, row: DirectoryRow) -> None:
        was = await self._rows.get(old)
        if was is None or was.kind != DirectoryRow.ACCOUNT or was.account != row.account:
            return
        if row.keeps_alias:
            alias = DirectoryRow(kind=DirectoryRow.ALIAS, state=DirectoryRow.ACTIVE, targets=[str(new)])
            await self._rows.replace(old, was, alias)
        else:
            await self._rows.drop(old, was)

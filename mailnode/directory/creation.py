"""How an address comes to be: a small saga, each step repeatable, resumed wherever it stopped.

An account: its directory row `creating` with a new id, unless there is one → the account with its standard
mailboxes → its credentials → for the first of its domain, `postmaster` and `abuse` → the directory row
`active`. Until the last step the address answers to nobody; until then a `due` row stands, so that the next
start of the node finishes what this one leaves half-done.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mailnode.clock import Clock
from mailnode.directory.address import (
    Address,
    Malformed,
    canonical,
    canonical_domain,
    catch_all,
    draw_account_id,
)
from mailnode.directory.credential import Credentials
from mailnode.directory.rows import Accounts, Rows, intent_id
from mailnode.directory.turns import Busy
from mailnode.domain import Domain
from mailnode.limits import Limits
from mailnode.mailbox.dues import Dues
from mailnode.mailbox.names import JUNK
from mailnode.mailbox.verbs import NotKnown, Unavailable, decided
from mailnode.pb.change_pb2 import Create, Intent
from mailnode.pb.row_pb2 import CredentialRow, DirectoryRow
from mailnode.store.keys import Due

log = logging.getLogger(__name__)

STANDARD_MAILBOXES = (
    Create.Mailbox(name="INBOX"),
    Create.Mailbox(name="Drafts", special_use="\\Drafts"),
    Create.Mailbox(name="Sent", special_use="\\Sent"),
    Create.Mailbox(name=JUNK, special_use="\\Junk"),
    Create.Mailbox(name="Trash", special_use="\\Trash"),
    Create.Mailbox(name="Archive", special_use="\\Archive"),
)
"""Named as most clients name them, with their uses (RFC 6154 §2)."""

ROLES = ("postmaster", "abuse")
"""Addresses that every domain has (RFC 5321 §4.5.1, RFC 2142 §4): aliases of its first account."""

Homes = Callable[[str], int | None]
"""The home of accounts that are made for a data centre; empty: for that of this node."""


def first_home(dc: str) -> int | None:
    """Where there is one data centre, which has no name."""
    return None if dc else 0


@dataclass(frozen=True, slots=True)
class Created:
    address: str  # canonical


@dataclass(frozen=True, slots=True)
class Refused:
    """`reason` is one line for whoever asked."""

    reason: str


NOT_KNOWN = Refused("it is not known whether all of it was stored: try again")


class Creation:
    def __init__(
        self,
        accounts: Accounts,
        rows: Rows,
        credentials: Credentials,
        domains: Mapping[str, Domain],
        clock: Clock,
        limits: Limits,
        homes: Homes = first_home,
    ) -> None:
        self._homes = homes
        self._accounts = accounts
        self._rows = rows
        self._credentials = credentials
        self._domains = domains
        self._clock = clock
        self._limits = limits
        self._under_way: set[Address] = set()

    async def create(self, address: str, password: str, dc: str = "") -> Created | Refused:
        """A new account of this address, at home in a data centre; asking again resumes what an earlier
        attempt left half-done."""
        asked = self._ours(address)
        if isinstance(asked, Refused):
            return asked
        home = self._homes(dc)
        if home is None:
            return Refused(f"{dc or 'this data centre'} has no accounts: it owns no home")
        prepared = self._credentials.prepare(password)
        if prepared is None:
            return Refused("the password is empty, too long or has characters that none may have")
        if asked in self._under_way:
            return Refused(f"{asked} is being created")
        self._under_way.add(asked)
        try:
            return await self._create(asked, prepared, home)
        except (NotKnown, Unavailable):
            return NOT_KNOWN
        except Busy:
            return Refused("too many logins wait: try again")
        finally:
            self._under_way.discard(asked)

    async def create_as(self, address: str, credential: CredentialRow) -> Created | Refused:
        """A new account whose password is known as it is stored."""
        asked = self._ours(address)
        if isinstance(asked, Refused):
            return asked
        row = DirectoryRow(
            kind=DirectoryRow.ACCOUNT,
            state=DirectoryRow.CREATING,
            account=draw_account_id(asked, self._homes("") or 0, self._clock),
            credential=credential,
        )
        try:
            if not await self._rows.put_new(asked, row):
                return Refused(f"{asked} exists")
            await self._finish(asked, row)
        except (NotKnown, Unavailable):
            return NOT_KNOWN
        return Created(str(asked))

    async def resume(self, dues: Dues) -> None:
        """What the last run of the node left half-done, each at its last step; what cannot be done now is
        due again."""
        for task in dues.take_all(Due.CREATION, self._clock.now_microseconds()):
            address = self._ours(task.key.decode())
            if not isinstance(address, Address) or address in self._under_way:
                continue
            try:
                await self._resume(address)
            except (NotKnown, Unavailable):
                log.warning("an account is still half-done", extra={"address": str(address)})
                dues.again(Due.CREATION, task)
            except Exception:  # what of one address cannot be read holds up no other
                log.exception("an account is still half-done", extra={"address": str(address)})

    async def _resume(self, address: Address) -> None:
        row = await self._rows.get(address)
        if row is None or row.state != DirectoryRow.CREATING or not row.HasField("credential"):
            return
        self._under_way.add(address)
        try:
            await self._finish(address, row)
        finally:
            self._under_way.discard(address)

    async def create_alias(self, address: str, targets: Sequence[str]) -> Created | Refused:
        """Mail of `address`, or with `@domain` of what else has no row there, goes to all of `targets`."""
        asked = self._catch_all(address) if address.startswith("@") else self._ours(address)
        if isinstance(asked, Refused):
            return asked
        if not 0 < len(targets) <= self._limits.alias_rows_max:
            return Refused(f"an alias has 1 to {self._limits.alias_rows_max} targets")
        row = DirectoryRow(kind=DirectoryRow.ALIAS, state=DirectoryRow.ACTIVE)
        for target in targets:
            canonical_target = self._ours(target)
            if isinstance(canonical_target, Refused):
                return canonical_target
            row.targets.append(str(canonical_target))
        try:
            new = await self._rows.put_new(asked, row)
        except (NotKnown, Unavailable):
            return NOT_KNOWN
        return Created(str(asked)) if new else Refused(f"{asked} exists")

    async def remove_alias(self, address: str) -> Created | Refused:
        """The address goes; one of an account does not."""
        asked = self._catch_all(address) if address.startswith("@") else self._ours(address)
        if isinstance(asked, Refused):
            return asked
        row = await self._rows.get(asked)
        if row is None or row.kind != DirectoryRow.ALIAS:
            return Refused(f"{asked} is no alias")
        try:
            gone = await self._rows.drop(asked, row)
        except (NotKnown, Unavailable):
            return NOT_KNOWN
        return Created(str(asked)) if gone else Refused(f"{asked} was changed meanwhile: try again")

    def _ours(self, address: str) -> Address | Refused:
        parsed = canonical(address)
        if isinstance(parsed, Malformed):
            return Refused(f"{address!a}: {parsed.reason}")
        if parsed.domain not in self._domains:
            return Refused(f"{parsed.domain} is none of this node's domains: {', '.join(self._domains)}")
        return parsed

    def _catch_all(self, address: str) -> Address | Refused:
        domain = canonical_domain(address[1:])
        if isinstance(domain, Malformed) or domain not in self._domains:
            return Refused(f"{address[1:]!a} is none of this node's domains: {', '.join(self._domains)}")
        return catch_all(domain)

    async def _create(self, address: Address, prepared: bytes, home: int) -> Created | Refused:
        row = DirectoryRow(
            kind=DirectoryRow.ACCOUNT,
            state=DirectoryRow.CREATING,
            account=draw_account_id(address, home, self._clock),
            credential=await self._credentials.derived(self._domains[address.domain], prepared),
        )
        if not await self._rows.put_new(address, row):
            found = await self._rows.get(address)
            if found is None or found.state != DirectoryRow.CREATING:
                return Refused(f"{address} exists")
            row.account = found.account
            if not await self._rows.replace(address, found, row):
                return Refused(f"{address} is being created")
        await self._finish(address, row)
        return Created(str(address))

    async def _finish(self, address: Address, row: DirectoryRow) -> None:
        """Every step behind the first; each may have been done before."""
        create = Create(address=str(address), mailboxes=STANDARD_MAILBOXES)
        account = await self._accounts.open(row.account)
        decided(await account.apply(Intent(id=intent_id(self._clock), create=create)))  # or it was there
        was = await self._credentials.stored(row.account)
        if await self._rows.get(address) == row:  # else another node has finished it meanwhile
            await self._credentials.give(row.account, row.credential, was)
        await self._give_roles(address)
        active = DirectoryRow(kind=row.kind, state=DirectoryRow.ACTIVE, account=row.account)
        if not await self._rows.replace(address, row, active) and await self._rows.get(address) != active:
            raise NotKnown  # another node is at it
        log.info("account created", extra={"address": str(address), "account": f"{row.account:016x}"})

    async def _give_roles(self, first: Address) -> None:
        for role in ROLES:
            row = DirectoryRow(kind=DirectoryRow.ALIAS, state=DirectoryRow.ACTIVE, targets=[str(first)])
            await self._rows.put_new(Address(role, first.domain), row)

"""Whose mail is it: from an address to the accounts that receive it."""

import logging
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from mailnode.directory.address import (
    Address,
    Malformed,
    canonical,
    canonical_domain,
    catch_all,
    stored_address,
    without_tag,
)
from mailnode.directory.rows import Rows
from mailnode.domain import Domain, postmaster
from mailnode.limits import Limits
from mailnode.pb.row_pb2 import DirectoryRow


@dataclass(frozen=True, slots=True)
class Recipient:
    """An account that receives the mail of the address asked for.

    `address` is the account's own, canonical; `tag` what stood behind the separator (RFC 5233), with the case
    folded, or empty.
    """

    id: int
    address: str
    tag: str


@dataclass(frozen=True, slots=True)
class Owner:
    account: int
    domain: Domain


@dataclass(frozen=True, slots=True)
class Recipients:
    """One for an account; for an alias every account behind it, each once."""

    accounts: tuple[Recipient, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """The domain is ours, the address nobody's: 550 5.1.1."""


@dataclass(frozen=True, slots=True)
class NotLocal:
    """The domain is not ours."""


log = logging.getLogger(__name__)

Resolution = Recipients | Unknown | NotLocal


@dataclass(frozen=True, slots=True)
class _Match:
    address: Address
    tag: str
    row: DirectoryRow


class Lookup:
    """`domains` by canonical name; the first is where a bare `postmaster` goes (RFC 5321 §4.5.1)."""

    def __init__(self, rows: Rows, domains: Mapping[str, Domain], limits: Limits) -> None:
        self._rows = rows
        self._domains = domains
        self._limits = limits

    def is_local(self, domain: str) -> bool:
        return canonical_domain(domain) in self._domains

    async def resolve(self, address: str) -> Resolution:
        """The address as received, without angle brackets."""
        if address.lower() == "postmaster":
            address = postmaster(next(iter(self._domains), ""))
        if not self.is_local(address.rpartition("@")[2]):
            return NotLocal()
        asked = canonical(address)
        if isinstance(asked, Malformed):
            return Unknown()
        return await self._expand(asked)

    async def owner(self, login: str) -> Owner | None:
        """Of the account whose own address this is: no alias, tag or catch-all logs in."""
        asked = canonical(login)
        if isinstance(asked, Malformed) or asked.domain not in self._domains:
            return None
        row = await self._rows.active(asked)
        if row is None or row.kind != DirectoryRow.ACCOUNT:
            return None
        return Owner(row.account, self._domains[asked.domain])

    async def _expand(self, asked: Address) -> Recipients | Unknown:
        """Breadth first through aliases, each address once; beyond the bound it is refused whole."""
        found: dict[int, Recipient] = {}
        waiting = deque([(asked, "")])
        seen = {asked}
        while waiting and len(seen) <= self._limits.alias_rows_max:
            address, tag = waiting.popleft()
            match = await self._match(address, tag)
            if match is None:
                continue
            if match.row.kind == DirectoryRow.ACCOUNT:
                recipient = Recipient(match.row.account, str(match.address), match.tag)
                found.setdefault(recipient.id, recipient)
            for target in map(stored_address, match.row.targets):
                if target not in seen:
                    seen.add(target)
                    waiting.append((target, match.tag))
        if waiting:
            log.warning("alias too large", extra={"address": str(asked), "rows": len(seen)})
        return Unknown() if waiting or not found else Recipients(tuple(found.values()))

    async def _match(self, address: Address, tag: str) -> _Match | None:
        """Exact, then without the sub-address, then the catch-all; an address's own tag replaces `tag`."""
        domain = self._domains.get(address.domain)
        if domain is None:  # the target of an alias, in a domain that was ours once
            return None
        tries = [(address, tag)]
        if tagged := without_tag(address, domain.separator):
            tries.append(tagged)
        tries.append((catch_all(address.domain), tag))
        for tried, its_tag in tries:
            row = await self._rows.active(tried)
            if row is not None:
                return _Match(tried, its_tag, row)
        return None

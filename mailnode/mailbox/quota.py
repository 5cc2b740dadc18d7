"""How much an account may hold: its own limits, else those of its domain; and a domain as a whole. In how
many copies what it holds shall be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from mailnode.domain import Domain
from mailnode.pb.change_pb2 import SetQuota
from mailnode.pb.row_pb2 import AccountRow


class Quota(NamedTuple):
    """The limits of one account at this moment; 0: there is none."""

    octets: int
    messages: int
    domain_full: bool
    """Its domain holds as much as it may, as far as was last summed up."""

    def holds(self, row: AccountRow, messages: int, octets: int, grace_share: float = 0.0) -> bool:
        """Whether so much more fits. With grace the message that fills the account may go beyond the limit by
        that share of it, as long as the account was not full before."""
        if self.domain_full or (self.messages and row.messages + messages > self.messages):
            return False
        if not self.octets or row.octets + octets <= self.octets:
            return True
        return row.octets < self.octets and row.octets + octets <= self.octets * (1 + grace_share)


NO_QUOTA = Quota(0, 0, False)


@dataclass(frozen=True, slots=True)
class Usage:
    """What an account holds, and what it may, as committed."""

    row: AccountRow
    quota: Quota
    mailboxes: int

    def holds(self, messages: int, octets: int, grace_share: float = 0.0) -> bool:
        return self.quota.holds(self.row, messages, octets, grace_share)


class Quotas:
    """What the configuration says of each domain, by its name, together with what is told of its accounts."""

    def __init__(self, domains: Mapping[str, Domain]) -> None:
        self._domains = domains
        self.full: frozenset[str] = frozenset()
        """Domains that hold as much as they may."""

    def of(self, row: AccountRow) -> Quota:
        name = domain_of(row)
        domain = self._domains.get(name)
        octets = domain.quota_octets if domain is not None else 0
        messages = domain.quota_messages if domain is not None else 0
        if row.HasField("quota_octets"):
            octets = row.quota_octets
        if row.HasField("quota_messages"):
            messages = row.quota_messages
        return Quota(octets, messages, name in self.full)

    def copies(self, row: AccountRow) -> int:
        """Which its domain wants of each change; 0: as many as the map says."""
        domain = self._domains.get(domain_of(row))
        return domain.min_insync if domain is not None else 0

    def summed(self, octets: Mapping[str, int]) -> None:
        """What the accounts of each domain hold together."""
        limits = {name: domain.domain_quota_octets for name, domain in self._domains.items()}
        self.full = frozenset(name for name, most in limits.items() if most and octets.get(name, 0) >= most)

    @property
    def any_domain_limited(self) -> bool:
        return any(domain.domain_quota_octets for domain in self._domains.values())


def domain_of(row: AccountRow) -> str:
    return row.address.rpartition("@")[2]


def set_quota(row: AccountRow, ask: SetQuota) -> None:
    """Into the row, what was told of its limits."""
    for name in ("octets", "messages"):
        if not ask.HasField(name):
            continue
        limit: SetQuota.Limit = getattr(ask, name)
        if limit.HasField("own"):
            setattr(row, f"quota_{name}", limit.own)
        else:
            row.ClearField(f"quota_{name}")

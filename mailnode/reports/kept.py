"""Reports that came in: rows of the spool account of our domain's hash, by their time; old ones go."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from google.protobuf.message import DecodeError

from mailnode.clock import Clock
from mailnode.domain import Domain
from mailnode.limits import Limits
from mailnode.mailbox.accounts import Accounts
from mailnode.mailbox.verbs import Account, NotKnown, Unavailable, decided
from mailnode.pb.change_pb2 import Intent, PutRow
from mailnode.pb.row_pb2 import ReportRow
from mailnode.reports.collected import rows as small_rows
from mailnode.reports.places import DAY_SECONDS, account_of
from mailnode.reports.rowed import key, prefix
from mailnode.store.keys import Kind

TAKEN, REPEATED, IMPLAUSIBLE = "taken", "repeated", "implausible"


@dataclass(slots=True)
class Source:
    """Who sends as one of our domains, as others saw it."""

    domain: str
    address: str
    messages: int = 0
    failed: int = 0
    last_seconds: int = 0
    reporters: set[str] = field(default_factory=set)
    signers: set[str] = field(default_factory=set)
    """Domains whose signatures or SPF passed, which are not ours or not aligned where it fails."""


class Kept:
    def __init__(
        self, accounts: Accounts, domains: Mapping[str, Domain], clock: Clock, limits: Limits
    ) -> None:
        self._accounts = accounts
        self._domains = domains
        self._clock = clock
        self._limits = limits

    @property
    def domains(self) -> Collection[str]:
        return self._domains

    async def keep(self, row: ReportRow) -> str:
        """TAKEN, or why not; raises NotKnown and Unavailable."""
        now = self._clock.now_microseconds() // 1_000_000
        if not now - self._limits.reports_kept_seconds < row.begin <= row.end <= now + 2 * DAY_SECONDS:
            return IMPLAUSIBLE
        account = await self._accounts.open(account_of(row.domain))
        put = PutRow(kind=Kind.REPORT, key=key(row), value=row.SerializeToString(), if_absent=True)
        return REPEATED if decided(await account.apply(Intent(put_row=put))).refused else TAKEN

    async def all(self, domain: str, since_seconds: int) -> AsyncIterator[tuple[str, ReportRow]]:
        """Of one domain, or with an empty one of all, by their time; each with its name."""
        for each in [domain] if domain else sorted(self._domains):
            account = await self._accounts.open(account_of(each))
            async for name, value in small_rows(account, Kind.REPORT, prefix(each)):
                row = _read(value)
                if row is not None and row.end >= since_seconds:
                    yield name[len(prefix(each)) :].hex(), row

    async def named(self, name: str) -> ReportRow | None:
        try:
            octets = bytes.fromhex(name)
        except ValueError:
            return None
        for domain in self._domains:
            account = await self._accounts.open(account_of(domain))
            if value := await account.row(Kind.REPORT, prefix(domain) + octets):
                return _read(value)
        return None

    async def sources(self, domain: str, since_seconds: int) -> list[Source]:
        """Who fails most first."""
        found: dict[tuple[str, str], Source] = {}
        async for _, row in self.all(domain, since_seconds):
            for record in row.records:
                source = found.setdefault((row.domain, record.source), Source(row.domain, record.source))
                if row.kind == ReportRow.AGGREGATE:  # a failure report tells of one of its messages again
                    source.messages += record.count
                    source.failed += 0 if record.dkim or record.spf else record.count
                source.last_seconds = max(source.last_seconds, row.end)
                source.reporters.add(row.organization)
                passed = (each for each in (*record.dkim_auth, *record.spf_auth) if each.result == "pass")
                source.signers.update(each.domain for each in passed)
        return sorted(found.values(), key=lambda source: (-source.failed, -source.messages))

    async def trim(self) -> int:
        """What is older than its time goes, and of too many the oldest; how many went."""
        old = self._clock.now_microseconds() // 1_000_000 - self._limits.reports_kept_seconds
        gone = 0
        for domain in list(self._domains):
            if self._accounts.leads(account_of(domain)):
                with suppress(NotKnown, Unavailable):  # the next time
                    account = await self._accounts.open(account_of(domain))
                    gone += await self._trimmed(account, prefix(domain), old)
        return gone

    async def _trimmed(self, account: Account, start: bytes, old: int) -> int:
        names = [name async for name, _ in small_rows(account, Kind.REPORT, start)]
        most = self._limits.reports_kept_max
        too_many = max(0, len(names) - most)
        going = [
            name
            for at, name in enumerate(names)
            if at < too_many or int.from_bytes(name[len(start) : len(start) + 4], "big") < old
        ]
        for name in going:
            await account.apply(Intent(put_row=PutRow(kind=Kind.REPORT, key=name)))
        return len(going)


def _read(value: bytes) -> ReportRow | None:
    try:
        return ReportRow.FromString(value)
    except DecodeError:
        return None

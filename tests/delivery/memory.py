"""Accounts that keep what they were asked, and a directory that is a plain table."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from mailnode.delivery.transaction import Delivery
from mailnode.directory.lookup import NotLocal, Recipient, Recipients, Resolution, Unknown
from mailnode.limits import Limits
from mailnode.mailbox.content import UploadIds
from mailnode.mailbox.quota import Quota, Usage
from mailnode.mailbox.verbs import Gone, Mailboxes, Messages, NotKnown, UidRanges, Want, Watch
from mailnode.pb.account_pb2 import SearchKey
from mailnode.pb.change_pb2 import Add, Intent, Result
from mailnode.pb.row_pb2 import AccountRow
from tests.directory.memory import StillClock

ANN, BOB = 0x1001, 0x1002
DOMAIN = "@here.example"
DIRECTORY: dict[str, Resolution] = {
    "ann": Recipients((Recipient(ANN, "ann@here.example", ""),)),
    "ann+lists": Recipients((Recipient(ANN, "ann@here.example", "lists"),)),
    "sales": Recipients((Recipient(ANN, "ann@here.example", ""),)),
    "bob": Recipients((Recipient(BOB, "bob@here.example", ""),)),
    "all": Recipients((Recipient(ANN, "ann@here.example", ""), Recipient(BOB, "bob@here.example", ""))),
}


class Table:
    """`unavailable` makes it fail as a directory that cannot be asked does."""

    def __init__(self) -> None:
        self.unavailable = False

    async def resolve(self, address: str) -> Resolution:
        if self.unavailable:
            raise NotKnown
        local_part, _, domain = address.partition("@")
        if "@" + domain != DOMAIN:
            return NotLocal()
        return DIRECTORY.get(local_part, Unknown())


@dataclass(slots=True)
class KeepingAccount:
    """Answers as `outcomes` say, one after the other, then well; what it was asked before counts."""

    id: int
    asked: list[Intent] = field(default_factory=list)
    outcomes: deque[Result | Exception] = field(default_factory=deque)
    held: int = 0
    quota_octets: int = 0

    async def apply(self, intent: Intent) -> Result:
        kept = Intent()
        kept.CopyFrom(intent)
        self.asked.append(kept)
        outcome = self.outcomes.popleft() if self.outcomes else Result()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    @property
    def copies(self) -> list[Add.Message]:
        return [message for intent in self.asked for message in intent.add.messages]

    @property
    def uploaded(self) -> bytes:
        """The chunks of the only upload, joined; they came in order."""
        uploads = [intent.upload for intent in self.asked if intent.HasField("upload")]
        assert [upload.chunk for upload in uploads] == list(range(len(uploads)))
        assert len({upload.upload for upload in uploads}) <= 1
        return b"".join(upload.octets for upload in uploads)

    async def expunged(self) -> list[Gone]:
        raise AssertionError

    async def usage_lately(self) -> Usage:
        return await self.usage()

    async def usage(self) -> Usage:
        return Usage(AccountRow(octets=self.held), Quota(self.quota_octets, 0, False), 1)

    async def mailboxes(self) -> Mailboxes:
        raise NotImplementedError("a delivery reads nothing")

    def messages(self, mailbox: int, uids: UidRanges, want: Want) -> AsyncIterator[Messages]:
        raise NotImplementedError("a delivery reads nothing")

    def departed(self, mailbox: int, uids: UidRanges, want: Want) -> AsyncIterator[Messages]:
        raise NotImplementedError("a delivery reads nothing")

    def octets(self, mail: int, start: int, end: int) -> AsyncIterator[bytes]:
        raise NotImplementedError("a delivery reads nothing")

    async def search(self, mailbox: int, key: SearchKey) -> array[int]:
        raise NotImplementedError("a delivery reads nothing")

    async def claim_recent(self, mailbox: int) -> tuple[int, int]:
        raise NotImplementedError("a delivery reads nothing")

    async def recent(self, mailbox: int) -> int:
        raise NotImplementedError("a delivery reads nothing")

    async def watch(self, position: int, mailbox: int) -> Watch:
        raise NotImplementedError("a delivery reads nothing")

    async def row(self, kind: int, key: bytes) -> bytes:
        raise NotImplementedError("a delivery reads nothing")

    async def rows(self, kind: int, prefix: bytes, after: bytes, count_max: int) -> list[tuple[bytes, bytes]]:
        raise NotImplementedError("a delivery reads nothing")


class KeepingAccounts:
    """`broken` holds why an account cannot be opened."""

    def __init__(self) -> None:
        self.ann, self.bob = KeepingAccount(ANN), KeepingAccount(BOB)
        self.broken: dict[int, Exception] = {}

    async def open(self, account: int) -> KeepingAccount:
        if account in self.broken:
            raise self.broken[account]
        return {ANN: self.ann, BOB: self.bob}[account]


@dataclass(slots=True)
class House:
    lookup: Table = field(default_factory=Table)
    accounts: KeepingAccounts = field(default_factory=KeepingAccounts)
    clock: StillClock = field(default_factory=StillClock)
    limits: Limits = field(default_factory=Limits)
    full: bool = False
    """Whether the disk is."""
    dcs: frozenset[str] = frozenset(("dc1", "dc2", "dc3"))

    @property
    def delivery(self) -> Delivery:
        return Delivery(
            self.lookup,
            self.accounts,
            UploadIds(self.clock),
            self.clock,
            self.limits,
            lambda: self.full,
            dcs=lambda: self.dcs,
        )

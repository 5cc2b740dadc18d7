"""An account over a shard, on the running loop, with a clock of its own."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from mailnode.cluster.partitions import Partitions
from mailnode.limits import Limits
from mailnode.mailbox.accounts import Accounts
from mailnode.mailbox.quota import Quotas
from mailnode.mailbox.rows import ENTRY
from mailnode.mailbox.verbs import ALL_UIDS, Account, Want
from mailnode.pb.change_pb2 import Add, Create, Intent
from mailnode.pb.row_pb2 import MailRow
from mailnode.store.shard import Shard

ACCOUNT = 0x0ABC << 48 | 77


class Ticking:
    """Each look at the clock is a microsecond later."""

    def __init__(self, now: int = 1_700_000_000_000_000) -> None:
        self._now = now
        self._drawn = 0

    def now_microseconds(self) -> int:
        self._now += 1
        return self._now

    def monotonic_seconds(self) -> float:
        return self._now / 1_000_000

    def random(self, octets: int) -> bytes:
        self._drawn += 1
        return self._drawn.to_bytes(octets, "big")


@contextmanager
def opened(shard: Shard, clock: Ticking) -> Iterator[tuple[Accounts, list[OSError]]]:
    failures: list[OSError] = []
    limits = Limits()
    with ThreadPoolExecutor(1) as writer, ThreadPoolExecutor(2) as loads:
        partitions = Partitions(shard, writer, limits, failures.append)
        yield Accounts(shard, partitions, loads, clock, limits, Quotas({})), failures


def create() -> Intent:
    return Intent(create=Create(address="a@b", mailboxes=[Create.Mailbox(name=n) for n in ("One", "Two")]))


def add(name: str, message_id: bytes, flags: int = 0, keywords: tuple[str, ...] = ()) -> Add.Message:
    octets = b"Message-ID: <%b>\r\n\r\nbody\r\n" % message_id
    mail = MailRow(size=len(octets), header=len(octets) - 6, message_id=message_id)
    return Add.Message(name=name, octets=octets, mail=mail, flags=flags, keywords=keywords)


Image = tuple[int, int, int, int, int, int, int, int]


async def images(account: Account, mailbox: int) -> dict[int, Image]:
    """UID -> the entry."""
    found: dict[int, Image] = {}
    async for run in account.messages(mailbox, ALL_UIDS, Want.ENTRIES):
        found |= {image[-1]: image for image in ENTRY.iter_unpack(run.entries)}
    return found

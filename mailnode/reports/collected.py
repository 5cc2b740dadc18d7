"""What was counted of a domain's day, read back and let go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import TypeVar

from google.protobuf.message import DecodeError

from mailnode.mailbox.verbs import Account, decided
from mailnode.pb.change_pb2 import Due, Intent, PutRow
from mailnode.pb.row_pb2 import DmarcRow, TlsRow
from mailnode.reports.places import Topic

ROWS_READ = 1000
DROPPED_AT_ONCE = 200

R = TypeVar("R", DmarcRow, TlsRow)


async def rows(account: Account, kind: int, prefix: bytes) -> AsyncIterator[tuple[bytes, bytes]]:
    after = b""
    while found := await account.rows(kind, prefix, after, ROWS_READ):
        for row in found:
            yield row
        after = found[-1][0]


async def found(account: Account, topic: Topic, key: bytes, read: Callable[[bytes], R]) -> list[R]:
    """Each once, with how often it was found; what cannot be read is not there."""
    counts: dict[bytes, R] = {}
    async for _, value in rows(account, topic.kind, key):
        try:
            row = read(value)
        except DecodeError:
            continue
        count, row.count = row.count, 0
        counts.setdefault(row.SerializeToString(deterministic=True), row).count += count
    return sorted(counts.values(), key=lambda row: -row.count)


async def drop(account: Account, topic: Topic, key: bytes, due_microseconds: int) -> None:
    """All of it; the `due` row last, so that what a crash leaves is dropped after it."""
    gone = [key async for key, _ in rows(account, topic.kind, key)]
    for at in range(0, len(gone), DROPPED_AT_ONCE):
        puts = (PutRow(kind=topic.kind, key=each) for each in gone[at : at + DROPPED_AT_ONCE])
        await _applied(account, puts)
    done = Due(kind=topic.due, time=due_microseconds, key=key, done=True)
    await _applied(account, [PutRow(kind=topic.kind, key=key, dues=[done])])


async def _applied(account: Account, puts: Iterable[PutRow]) -> None:
    for result in await asyncio.gather(*(account.apply(Intent(put_row=put)) for put in puts)):
        decided(result)

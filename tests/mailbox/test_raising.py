"""What lies beyond the moment of a copy: nothing that was given out after it is given out again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mailnode.cli.keeping import raise_shard
from mailnode.mailbox.mending import POSITION_GAP, UID_GAP
from mailnode.mailbox.queue import NEVER
from mailnode.mailbox.reads import Reads
from mailnode.mailbox.rows import MODIFIED, longs
from mailnode.mailbox.verbs import Resync
from mailnode.pb.change_pb2 import Add, Change, Intent, Submit
from mailnode.pb.row_pb2 import LogRow, MailRow, QueueRow
from mailnode.store import keys
from mailnode.store.keys import Due, Family, Kind
from mailnode.store.shard import open_shard
from tests.mailbox.house import ACCOUNT, Ticking, add, create, opened

MEMORY_OCTETS = 16 * 1024 * 1024
STATE = Family.STATE


async def _filled(path: Path) -> int:
    """Some messages, an item of the queue, and a large change that a crash left half-done; its position."""
    shard = open_shard(path, MEMORY_OCTETS, b"old")
    with opened(shard, Ticking()) as (accounts, _):
        account = await accounts.open(ACCOUNT)
        await account.apply(create())
        await account.apply(Intent(add=Add(messages=[add("INBOX", b"%d@x" % number) for number in range(5)])))
        item = QueueRow(recipients=[QueueRow.Recipient(forward_path=b"b@elsewhere.example")])
        await account.apply(
            Intent(submit=Submit(mail=MailRow(size=4, header=2), octets=b"\r\n\r\n", item=item))
        )
    row = Reads(shard, ACCOUNT).head().row
    row.position += 1
    half_done = Change(format=1, account=ACCOUNT, position=row.position, row=row)
    log = LogRow(epoch=1, entry=half_done.SerializeToString()).SerializeToString()
    shard.write([(Family.LOG, keys.log(keys.partition(ACCOUNT), 99), log)], sync=True)
    shard.close()
    return row.position


def _raised(path: Path) -> int:
    """How many accounts."""
    shard = open_shard(path, MEMORY_OCTETS, b"")
    try:
        return raise_shard(shard)
    finally:
        shard.close()


def test_an_account_is_raised_with_all_that_clients_compare(tmp_path: Path) -> None:
    path = tmp_path / "shard"
    before = asyncio.run(_filled(path))
    assert _raised(path) == 1
    shard = open_shard(path, MEMORY_OCTETS, b"")
    assert not list(shard.scan(Family.LOG, b"", keys.END)), "finished first, not over what is raised"
    reads = Reads(shard, ACCOUNT)
    head = reads.head()
    position = before + POSITION_GAP
    assert head.row.position == head.row.touched_floor == position
    inbox = head.mailboxes[1]
    assert (inbox.highest_modseq, inbox.uid_next) == (position, 6 + UID_GAP)
    assert set(longs(reads.arrays(1).entries, MODIFIED)) == {position}
    start = keys.state(ACCOUNT, Kind.TOUCHED)
    assert not list(shard.scan(STATE, start, keys.after(start)))

    async def asked() -> int:
        with opened(shard, Ticking()) as (accounts, _):
            account = await accounts.open(ACCOUNT)
            for known in (before - 1, before, before + 1000):  # before the copy, at it, and in the gap
                with pytest.raises(Resync):
                    (await account.watch(known, 1)).pending()
            return (await account.apply(Intent(add=Add(messages=[add("INBOX", b"new@x")])))).added[0].uid

    assert asyncio.run(asked()) == 6 + UID_GAP
    shard.close()


def test_what_waited_for_other_servers_is_on_hold(tmp_path: Path) -> None:
    path = tmp_path / "shard"
    asyncio.run(_filled(path))
    _raised(path)
    shard = open_shard(path, MEMORY_OCTETS, b"")
    start = keys.state(ACCOUNT, Kind.QUEUE)
    [(_, value)] = shard.scan(STATE, start, keys.after(start))
    assert QueueRow.FromString(value).held
    dues = [key for key, _ in shard.scan(Family.DUE, b"", keys.END) if keys.kind_of(key) == Due.QUEUE]
    assert [keys.time_of_due(key) for key in dues] == [NEVER]
    shard.close()

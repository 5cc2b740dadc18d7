"""What waits in the queue of an account: rows, times, and that nothing is left when it is done."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from mailnode.limits import Limits
from mailnode.mailbox.accounts import Accounts
from mailnode.mailbox.dues import Task
from mailnode.mailbox.queue import NEVER, item_key
from mailnode.mailbox.verbs import Account
from mailnode.pb.change_pb2 import Intent, Queue, Submit, Upload
from mailnode.pb.row_pb2 import MailRow, QueueRow
from mailnode.store import keys
from mailnode.store.keys import FAMILIES, Due, Family, Kind
from mailnode.store.shard import Shard, open_shard
from tests.mailbox.house import ACCOUNT, Ticking, create, opened

OCTETS = b"Return-Path: <a@b>\r\nSubject: x\r\n\r\nbody\r\n"
LATE = NEVER - 1
Work = Callable[[Accounts, Account, Shard], Awaitable[None]]


def item(*recipients: bytes) -> QueueRow:
    waiting = [QueueRow.Recipient(forward_path=path) for path in recipients]
    return QueueRow(reverse_path=b"a@b", start=20, recipients=waiting)


def submit(intent_id: bytes = b"", *recipients: bytes) -> Intent:
    to = recipients or (b"x@y", b"z@y")
    mail = MailRow(size=len(OCTETS), header=len(OCTETS) - 6)
    return Intent(id=intent_id, submit=Submit(mail=mail, octets=OCTETS, item=item(*to)))


def run(path: Path, work: Work) -> None:
    shard = open_shard(path / "shard", Limits().shard_memory_octets_min, bytes(16))

    async def body() -> None:
        with opened(shard, Ticking()) as (accounts, failures):
            account = await accounts.open(ACCOUNT)
            await account.apply(create())
            await work(accounts, account, shard)
            assert not failures

    asyncio.run(body())
    shard.close()


def taken(accounts: Accounts) -> list[Task]:
    return list(iter(lambda: accounts.dues.take(Due.QUEUE, LATE), None))


async def stored(account: Account, task: Task) -> QueueRow:
    return QueueRow.FromString(await account.row(Kind.QUEUE, task.key))


def rows(shard: Shard) -> set[tuple[str, bytes]]:
    return {
        (family, key)
        for family in FAMILIES
        for key, _ in shard.scan(family, keys.account_id(ACCOUNT), keys.account_id(ACCOUNT + 1))
        if family != Family.STATE or keys.kind_of(key) not in (Kind.ACCOUNT, Kind.RESULT)
    }


def test_a_submitted_message_is_due_at_once_and_after_a_restart(tmp_path: Path) -> None:
    async def submits(accounts: Accounts, account: Account, shard: Shard) -> None:
        await account.apply(submit())
        assert accounts.dues.take(Due.QUEUE, 0) is None
        (task,) = taken(accounts)
        row = await stored(account, task)
        assert (row.due, row.size, len(row.recipients)) == (task.time_microseconds, len(OCTETS), 2)

    async def finds(accounts: Accounts, account: Account, shard: Shard) -> None:
        (task,) = taken(accounts)
        mail = int.from_bytes(task.key, "big")
        content = [octets async for octets in account.octets(mail, 20, len(OCTETS))]
        assert b"".join(content) == OCTETS[20:]

    run(tmp_path, submits)
    run(tmp_path, finds)


def test_an_attempt_moves_the_time_and_the_last_one_leaves_nothing(tmp_path: Path) -> None:
    async def work(accounts: Accounts, account: Account, shard: Shard) -> None:
        before = rows(shard)
        await account.apply(submit())
        (task,) = taken(accounts)
        mail = int.from_bytes(task.key, "big")
        row = await stored(account, task)
        del row.recipients[0]
        row.due += 1_000_000
        await account.apply(Intent(queue=Queue(mail=mail, item=row)))
        assert taken(accounts) == [task._replace(time_microseconds=row.due)]
        del row.recipients[:]
        await account.apply(Intent(queue=Queue(mail=mail, item=row)))
        assert taken(accounts) == []
        assert rows(shard) == before
        refused = await account.apply(Intent(queue=Queue(mail=mail, item=item(b"x@y"))))
        assert refused.refused == "NONEXISTENT"

    run(tmp_path, work)


def test_an_item_on_hold_is_not_due_until_it_is_let_go(tmp_path: Path) -> None:
    async def work(accounts: Accounts, account: Account, shard: Shard) -> None:
        await account.apply(submit())
        (task,) = taken(accounts)
        row = await stored(account, task)
        for held in (True, False):
            row.held = held
            await account.apply(Intent(queue=Queue(mail=int.from_bytes(task.key, "big"), item=row)))
            assert [task.time_microseconds for task in accounts.dues.all(Due.QUEUE)] == [
                NEVER if held else row.due
            ]
            assert len(taken(accounts)) == (not held)
            if held:
                assert accounts.dues.claim(Due.QUEUE, ACCOUNT, task.key) is not None

    run(tmp_path, work)


def test_a_retried_submission_is_queued_once(tmp_path: Path) -> None:
    async def work(accounts: Accounts, account: Account, shard: Shard) -> None:
        intent = submit(b"0123456789abcdef")
        first = await account.apply(intent)
        intent.retry = True
        assert await account.apply(intent) == first
        assert len(taken(accounts)) == 1

    run(tmp_path, work)


def test_the_chunks_of_a_long_content_go_with_it(tmp_path: Path) -> None:
    async def work(accounts: Accounts, account: Account, shard: Shard) -> None:
        before = rows(shard)
        size = 256 * 1024
        for chunk in range(3):
            await account.apply(Intent(upload=Upload(upload=77, chunk=chunk, octets=bytes(size))))
        intent = submit()
        intent.submit.mail.size, intent.submit.mail.upload, intent.submit.octets = 3 * size, 77, b""
        await account.apply(intent)
        (task,) = taken(accounts)
        await account.apply(Intent(queue=Queue(mail=int.from_bytes(task.key, "big"))))
        assert rows(shard) == before

    run(tmp_path, work)


def test_the_key_of_an_item_is_its_mail() -> None:
    assert item_key(258) == b"\0\0\0\0\0\0\1\2"

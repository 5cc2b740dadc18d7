"""`python -m interop.bench.applies`: small changes on a shard of its own, synced, many callers at once.

No protocol and no listener: what `Account.apply` costs by itself, the threads of the node included.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import uvloop

from mailnode.clock import SystemClock
from mailnode.cluster.partitions import Partitions
from mailnode.limits import Limits
from mailnode.mailbox.accounts import Accounts
from mailnode.mailbox.quota import Quotas
from mailnode.mailbox.rows import SEEN
from mailnode.mailbox.verbs import Account
from mailnode.pb.change_pb2 import Add, Create, Intent, PutRow, Result, Store, UidRange
from mailnode.pb.row_pb2 import MailRow
from mailnode.store.keys import Kind
from mailnode.store.shard import open_shard

ACCOUNTS = 16
MESSAGES = 1000  # in each INBOX before STORE is measured
HEADER = b"Subject: a small one\r\nMessage-ID: <%d@bench.example.test>\r\n\r\n"
MESSAGE_OCTETS = 1024

Ask = Callable[[int], Intent]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m interop.bench.applies", description=__doc__)
    parser.add_argument("--callers", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=3.0, help="for each kind of change (3)")
    parser.add_argument("--folder", type=Path, default=None, help="on the disk to measure")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        uvloop.run(_measured(Path(folder), options.callers, options.seconds))


async def _measured(folder: Path, callers: int, seconds: float) -> None:
    limits, clock = Limits(), SystemClock()
    shard = open_shard(folder / "shard", limits.shard_memory_octets, os.urandom(16))
    with ThreadPoolExecutor(1) as writer, ThreadPoolExecutor(limits.load_threads_max) as loads:
        partitions = Partitions(shard, writer, limits, _failed)
        accounts = Accounts(shard, partitions, loads, clock, limits, Quotas({}))
        opened = [await accounts.open(number << 48 | 0x123456) for number in range(ACCOUNTS)]
        await asyncio.gather(*(_filled(account) for account in opened))
        for name, ask in (("STORE of one flag", _store), ("PutRow", _put_row), ("Add of 1 KB", _add)):
            print(await _rate(name, opened, ask, callers, seconds), flush=True)
        await partitions.idle()
    shard.close()


def _failed(error: OSError) -> None:
    raise SystemExit(f"the shard failed: {error}")


async def _filled(account: Account) -> None:
    await _done(account.apply(Intent(id=_intent_id(), create=Create(address=f"{account.id:x}@example.test"))))
    messages = [message for number in range(MESSAGES) for message in _add(number).add.messages]
    await _done(account.apply(Intent(id=_intent_id(), add=Add(messages=messages))))


async def _rate(name: str, accounts: list[Account], ask: Ask, callers: int, seconds: float) -> str:
    numbers = iter(range(1 << 62))
    start, cpu = time.perf_counter(), time.process_time()
    counts = await asyncio.gather(
        *(_calling(accounts[each % len(accounts)], ask, numbers, start + seconds) for each in range(callers))
    )
    count, took, used = sum(counts), time.perf_counter() - start, time.process_time() - cpu
    return f"{name:20} {count / took:8.0f}/s {1e6 * used / count:6.0f} µs of CPU each, {callers} callers"


async def _calling(account: Account, ask: Ask, numbers: Iterator[int], until: float) -> int:
    count = 0
    while time.perf_counter() < until:
        await _done(account.apply(ask(next(numbers))))
        count += 1
    return count


async def _done(applied: Awaitable[Result]) -> None:
    result = await applied
    if result.refused:
        raise SystemExit(f"refused: {result.refused}")


def _intent_id() -> bytes:
    return time.time_ns().to_bytes(8, "big") + os.urandom(8)


def _store(number: int) -> Intent:
    """Sets \\Seen on every message in turn, then takes it away again."""
    uid = 1 + number % MESSAGES
    mode = Store.REMOVE if number // MESSAGES % 2 else Store.ADD
    store = Store(mailbox=1, uids=[UidRange(first=uid, last=uid)], mode=mode, flags=SEEN)
    return Intent(id=_intent_id(), store=store)


def _put_row(number: int) -> Intent:
    row = PutRow(kind=Kind.CREDENTIAL, key=b"%d" % (number % MESSAGES), value=b"%200d" % number)
    return Intent(id=_intent_id(), put_row=row)


def _add(number: int) -> Intent:
    header = HEADER % number
    mail = MailRow(size=MESSAGE_OCTETS, header=len(header), message_id=b"<%d@bench.example.test>" % number)
    message = Add.Message(mailbox=1, mail=mail, octets=header.ljust(MESSAGE_OCTETS, b"."))
    return Intent(id=_intent_id(), add=Add(messages=[message]))


if __name__ == "__main__":
    main()

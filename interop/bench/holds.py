"""`python -m interop.bench.holds`: what others feel while one session changes very many messages at once.

No protocol and no listener: a long change is applied to a mailbox, and meanwhile a heartbeat notes the
longest time that the loop was held, and the most that it worked itself; one caller reads in the same account,
and others set a flag in the same account and in another one. Each figure is the longest of its kind.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import uvloop

from interop.bench.applies import _done, _failed, _filled, _intent_id
from mailnode.clock import SystemClock
from mailnode.cluster.partitions import Partitions
from mailnode.limits import Limits
from mailnode.mailbox.accounts import Accounts
from mailnode.mailbox.quota import Quotas
from mailnode.mailbox.rows import DELETED, FLAGGED, SEEN
from mailnode.mailbox.verbs import Account, Want
from mailnode.pb.change_pb2 import Copy, CreateMailbox, DeleteMailbox, Expunge, Intent, Store, UidRange
from mailnode.store.shard import open_shard

BIG, OTHER = 1, 2  # mailboxes
EVERY = UidRange(first=1, last=0xFFFFFFFF)
HEARTBEAT_SECONDS = 0.001
RANGES = 20_000  # as many as one command may have


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m interop.bench.holds", description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000, help="in the mailbox, at least")
    parser.add_argument("--moved", type=int, default=100_000, help="copied, moved and expunged each time")
    parser.add_argument("--folder", type=Path, default=None, help="on the disk to measure")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        uvloop.run(_measured(Path(folder), options.messages, options.moved))


async def _measured(folder: Path, messages: int, moved: int) -> None:
    limits, clock = Limits(), SystemClock()
    shard = open_shard(folder / "shard", limits.shard_memory_octets, os.urandom(16))
    with ThreadPoolExecutor(1) as writer, ThreadPoolExecutor(limits.load_threads_max) as loads:
        partitions = Partitions(shard, writer, limits, _failed)
        accounts = Accounts(shard, partitions, loads, clock, limits, Quotas({}))
        big, small = [await accounts.open(number << 48 | 0x123456) for number in (1, 2)]
        await asyncio.gather(_filled(big), _filled(small))
        await _done(big.apply(Intent(id=_intent_id(), create_mailbox=CreateMailbox(name="Other"))))
        await _grown(big, messages)
        for name, intents in _long(moved):
            print(await _felt(name, intents, big, small), flush=True)
        await partitions.idle()
    shard.close()


async def _grown(account: Account, messages: int) -> None:
    """By copies of its messages to itself."""
    count = (await account.mailboxes()).rows[BIG].messages
    while count < messages:
        more = min(count, messages - count)
        copy = Copy(mailbox=BIG, uids=[UidRange(first=1, last=more)], target=BIG)
        await _done(account.apply(Intent(id=_intent_id(), copy=copy)))
        count += more


def _long(moved: int) -> list[tuple[str, list[Intent]]]:
    every = [UidRange(first=1, last=0xFFFFFFFF)]
    first = [UidRange(first=1, last=moved)]
    run = [UidRange(first=3 * moved + 1, last=4 * moved)]
    return [
        ("STORE of all", [Intent(store=Store(mailbox=BIG, uids=every, mode=Store.ADD, flags=SEEN))]),
        ("COPY", [Intent(copy=Copy(mailbox=BIG, uids=first, target=OTHER))]),
        ("MOVE", [Intent(copy=Copy(mailbox=BIG, uids=first, target=OTHER, move=True))]),
        ("STORE of each second", [_delete_each_second(at) for at in range(moved, 3 * moved, 2 * RANGES)]),
        ("EXPUNGE of them", [Intent(expunge=Expunge(mailbox=BIG, uids=every))]),
        ("EXPUNGE of a run", [Intent(expunge=Expunge(mailbox=BIG, uids=run, whatever_flags=True))]),
        ("MOVE back", [Intent(copy=Copy(mailbox=OTHER, uids=first, target=BIG, move=True))]),
        ("DELETE", [Intent(delete_mailbox=DeleteMailbox(mailbox=OTHER))]),
    ]


def _delete_each_second(at: int) -> Intent:
    uids = [UidRange(first=uid, last=uid) for uid in range(at + 1, at + 2 * RANGES, 2)]
    return Intent(store=Store(mailbox=BIG, uids=uids, mode=Store.ADD, flags=DELETED))


async def _felt(name: str, intents: list[Intent], big: Account, small: Account) -> str:
    done = asyncio.Event()
    others = [
        asyncio.create_task(_longest(done, act))
        for act in (_beat, lambda: _read(big), lambda: _flag(big), lambda: _flag(small))
    ]
    working = asyncio.create_task(_longest_work(done))
    await asyncio.sleep(0.05)
    start, cpu = time.perf_counter(), time.process_time()
    for intent in intents:
        intent.id = _intent_id()
        await _done(big.apply(intent))
    took, used = time.perf_counter() - start, time.process_time() - cpu
    done.set()
    beat, read, same, other = [1000 * longest for longest in await asyncio.gather(*others)]
    held, worked = beat - 1000 * HEARTBEAT_SECONDS, 1000 * await working
    return (
        f"{name:20} {took:5.2f} s, {used:5.2f} s of CPU; longest in ms: loop held {held:4.0f} "
        f"(working {worked:3.0f}), "
        f"read {read:4.0f}, flag in the account {same:4.0f}, in another {other:4.0f}"
    )


async def _longest(done: asyncio.Event, act: Callable[[], Awaitable[None]]) -> float:
    longest = 0.0
    while not done.is_set():
        start = time.perf_counter()
        await act()
        longest = max(longest, time.perf_counter() - start)
        await asyncio.sleep(HEARTBEAT_SECONDS)
    return longest


async def _longest_work(done: asyncio.Event) -> float:
    """The most that the loop's own thread worked between two beats: no wait for a core or another thread."""
    longest = 0.0
    while not done.is_set():
        start = time.thread_time()
        await _beat()
        longest = max(longest, time.thread_time() - start)
    return longest


async def _beat() -> None:
    await asyncio.sleep(HEARTBEAT_SECONDS)


async def _read(account: Account) -> None:
    uid = (await account.mailboxes()).rows[BIG].uid_next - 1
    async for _ in account.messages(BIG, ((uid - 20, uid),), Want.ENTRIES):
        pass


async def _flag(account: Account) -> None:
    uid = (await account.mailboxes()).rows[BIG].uid_next - 1
    mode = Store.ADD if time.perf_counter_ns() & 1 else Store.REMOVE
    store = Store(mailbox=BIG, uids=[UidRange(first=uid, last=uid)], mode=mode, flags=FLAGGED)
    await _done(account.apply(Intent(id=_intent_id(), store=store)))


if __name__ == "__main__":
    main()

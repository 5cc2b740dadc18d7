"""`python -m interop.bench.mailboxes`: an account with some 10,000 mailboxes, and what others feel of it.

Each figure is of one command over a socket: server CPU, and the longest that another session of the same
account waited for a NOOP meanwhile.
"""

import argparse
import asyncio
import os
import random
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path

from tests.wire import imap
from tests.wire.node import Node
from tests.wire.server import HOST, free_base_port

ADDRESS, PASSWORD = "many@example.test", "secret"
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
TOGETHER = 200  # commands in one piece


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m interop.bench.mailboxes", description=__doc__)
    parser.add_argument("--mailboxes", type=int, default=8000, help="at the third level; more lie above")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mailnode-bench-") as scratch:
        node = Node(Path(scratch) / "node", free_base_port(random.Random()), {ADDRESS: PASSWORD})
        node.start()
        try:
            asyncio.run(_measured(node, options.mailboxes))
        finally:
            node.stop()


async def _measured(node: Node, count: int) -> None:
    one, other = [await _logged_in(node) for _ in range(2)]
    names = [b"top%d/mid%d/leaf%d" % (n // 100, n // 10 % 10, n % 10) for n in range(count)]
    creates = _all(one, [b"CREATE " + name for name in names])
    print(await _felt(f"CREATE, of {count}", creates, node, other, count))
    for text in (
        b'LIST "" *',
        b'LIST "" %',
        b'LIST "" * RETURN (STATUS (MESSAGES UNSEEN UIDNEXT))',
        b"STATUS top3/mid3/leaf3 (MESSAGES UNSEEN)",
        b"RENAME top1 other",
        b"DELETE top2/mid2/leaf2",
        b"SUBSCRIBE top3/mid3/leaf3",
    ):
        print(await _felt(text.decode(), one.ok(text), node, other, 1), flush=True)


async def _logged_in(node: Node) -> imap.ImapConnection:
    connection = await imap.connect(HOST, node.port("imap"), None)
    await connection.login(ADDRESS, PASSWORD)
    return connection


async def _all(connection: imap.ImapConnection, commands: list[bytes]) -> None:
    for start in range(0, len(commands), TOGETHER):
        part = commands[start : start + TOGETHER]
        connection.write(b"".join(b"x%d %b\r\n" % (n, command) for n, command in enumerate(part)))
        for number in range(len(part)):
            assert (await connection.response()).startswith(b"x%d OK" % number)


async def _felt(
    name: str, work: Awaitable[object], node: Node, other: imap.ImapConnection, commands: int
) -> str:
    before = _cpu_seconds(node)
    task, longest = asyncio.ensure_future(work), 0.0
    while not task.done():
        start = time.perf_counter()
        await other.ok(b"NOOP")
        longest = max(longest, time.perf_counter() - start)
    await task
    cpu = (_cpu_seconds(node) - before) / commands
    return f"{name:62} CPU {cpu * 1000:7.2f} ms, others waited {longest * 1000:6.1f} ms"


def _cpu_seconds(node: Node) -> float:
    fields = Path(f"/proc/{node.process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


if __name__ == "__main__":
    main()

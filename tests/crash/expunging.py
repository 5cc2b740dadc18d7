"""Messages that are expunged and brought back in time, or not, while what was not is collected all along."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from mailnode.admin import client
from mailnode.config import FILE, load
from mailnode.limits import Limits
from mailnode.mailbox.reads import accounts_from
from mailnode.pb.admin_pb2 import MailboxUndeleteRequest
from mailnode.store.keys import is_system
from mailnode.store.shard import open_shard
from tests.crash.ledger import NOWHERE, Change, Copy, Key, Ledger, Promise
from tests.crash.load import APPENDUID, Load, Writer, logged_in
from tests.mailbox.found import check
from tests.wire import imap
from tests.wire.node import Node

MAILBOX = "Junk"
"""No other client goes there."""
KEPT_SECONDS = 2
MESSAGES_MAX = 4

Undelete = Callable[[str, int], Awaitable[int]]
"""Brings back what was expunged of an account's MAILBOX since a time in microseconds: how many messages."""


def hurry(node: Node) -> Node:
    """What is expunged can be brought back for seconds, then it is collected; before the first start."""
    node.init()
    file = node.directory / FILE
    text = file.read_text()
    for name, seconds in (("expunged_kept_seconds", KEPT_SECONDS), ("collected_seconds", 1)):
        said = f"# {name} = {getattr(Limits(), name)}"
        assert said in text
        text = text.replace(said, f"{name} = {seconds}")
    file.write_text(text)
    return node


def undeleters(node: Node, load: Load, seed: int) -> list[Awaitable[None]]:
    """One client for each account."""

    async def undelete(account: str, since: int) -> int:
        request = MailboxUndeleteRequest(address=account, mailbox=MAILBOX, since=since)
        try:
            answer = await asyncio.to_thread(client.ask, node.directory / "admin.sock", request)
        except (client.NotRunning, client.Failed) as error:
            raise ConnectionError from error
        messages: int = answer.messages
        return messages

    return [_undeleter(load, account, undelete, seed) for account in load.server.accounts]


async def _undeleter(load: Load, account: str, undelete: Undelete, seed: int) -> None:
    writer = Writer(f"{account.partition('@')[0]}-back.{load.tag}", seed)

    async def work(connection: imap.ImapConnection) -> None:
        await connection.ok(f"SELECT {MAILBOX}".encode())
        session = Expunging(load, account, connection, writer, undelete)
        while True:
            await session.step()

    await logged_in(load, account, work)


class Expunging:
    def __init__(
        self,
        load: Load,
        account: str,
        connection: imap.ImapConnection,
        writer: Writer,
        undelete: Undelete,
    ) -> None:
        self._load = load
        self._ledger = load.ledger
        self._account = account
        self._connection = connection
        self._writer = writer
        self._undelete = undelete

    async def step(self) -> None:
        """Messages come, go, and most of them come back."""
        count = self._writer.random.randint(1, MESSAGES_MAX)
        came = dict([await self._append() for _ in range(count)])
        uids = ",".join(map(str, came))
        marked = {key: Copy(copy.mailbox, copy.flags | {"\\Deleted"}) for key, copy in came.values()}
        changes = {key: Change(frozenset({copy}), frozenset({marked[key]})) for key, copy in came.values()}
        await self._promise("store", changes, f"UID STORE {uids} +FLAGS.SILENT (\\Deleted)", atomic=False)
        since, began = time.time_ns() // 1000, time.monotonic()
        gone = {key: Change(frozenset({copy}), NOWHERE) for key, copy in marked.items()}
        await self._promise("expunge", gone, f"UID EXPUNGE {uids}", atomic=False)
        if self._writer.random.random() < 0.7:
            await self._bring_back(dict(came.values()), since, began)

    async def _append(self) -> tuple[int, tuple[Key, Copy]]:
        message_id, content = self._writer.message()
        key, copy = Key(self._account, message_id), Copy(MAILBOX, self._writer.flags())
        promise = self._ledger.attempt("append", [key], content, copy, exact=True)
        command = f"APPEND {MAILBOX} ({' '.join(sorted(copy.flags))})".encode()
        answer = await self._connection.ok(command, content)
        self._load.acknowledge(promise)
        uid = APPENDUID.search(answer.text)
        assert uid, answer.text
        self._ledger.saw(self._account, MAILBOX, int(uid[2]), message_id)
        return int(uid[2]), (key, copy)

    async def _promise(self, kind: str, changes: dict[Key, Change], command: str, *, atomic: bool) -> None:
        promise = self._ledger.begin(Promise(kind, changes, atomic))
        await self._connection.ok(command.encode())
        self._load.acknowledge(promise)

    async def _bring_back(self, copies: dict[Key, Copy], since: int, began: float) -> None:
        """All of them or, only when their time may be over, none."""
        changes = {key: Change(NOWHERE, frozenset({copy})) for key, copy in copies.items()}
        promise = self._ledger.begin(Promise("undelete", changes, atomic=True))
        messages = await self._undelete(self._account, since)
        if messages == len(copies):
            self._load.acknowledge(promise)
            return
        if messages or time.monotonic() - began < KEPT_SECONDS:
            self._ledger.refused(f"undelete: {messages} of {len(copies)} came back")
        self._ledger.undone(promise)


def examine(node: Node, ledger: Ledger) -> None:
    """Of a node that does not run: every mail in its shard lies somewhere, or can be brought back, and all of
    its octets are there."""
    config = load(node.directory)
    shard = open_shard(config.shard, config.memory_octets, bytes(16))
    try:
        for account in accounts_from(shard, 0):
            if not is_system(account):
                check(shard, account)
    except AssertionError as wrong:
        ledger.violations.append(f"in the shard: {wrong!r}")
    finally:
        shard.close()

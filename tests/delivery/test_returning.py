"""What a data centre took alone comes to who leads now: mail once, the rest as lines of a file."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mailnode.cluster.append import Append, Unavailable
from mailnode.cluster.partitions import Entry as Entered
from mailnode.cluster.partitions import Partitions
from mailnode.cluster.replica_messages import Entry, Position
from mailnode.delivery.returning import Returning
from mailnode.limits import Limits
from mailnode.mailbox.accounts import Accounts
from mailnode.mailbox.quota import Quotas
from mailnode.mailbox.rows import BLOB_CHUNK_OCTETS
from mailnode.mailbox.verbs import ALL_UIDS, Want
from mailnode.pb.change_pb2 import Add, Copy, Expunge, Intent, Queue, Store, Submit, UidRange
from mailnode.pb.row_pb2 import MailRow, QueueRow
from mailnode.store import keys
from mailnode.store.shard import Shard
from tests.mailbox.house import ACCOUNT, Ticking, add, create
from tests.store.faulty_shard import FaultyShard

PARTITION = keys.partition(ACCOUNT)
FIRST = UidRange(first=1, last=1)


class Noting(Partitions):
    """Partitions whose entries are kept, as a log keeps them."""

    def __init__(self, shard: Shard, writer: ThreadPoolExecutor) -> None:
        super().__init__(shard, writer, Limits(), lambda error: None)
        self.entries: list[Entry] = []

    def append(self, entry: Entered) -> Append:
        self.entries.append(Entry(Position(1, len(self.entries) + 1), entry.encoded()))
        return super().append(entry)


class Place:
    """A node, and its accounts."""

    def __init__(self, writer: ThreadPoolExecutor, loads: ThreadPoolExecutor) -> None:
        self.shard = FaultyShard()
        self.partitions = Noting(self.shard, writer)
        self.accounts = Accounts(self.shard, self.partitions, loads, Ticking(), Limits(), Quotas({}))

    async def ask(self, intent: Intent) -> Any:
        return await (await self.accounts.open(ACCOUNT)).apply(intent)

    async def mails(self, mailbox: int = 1) -> list[tuple[bytes, int]]:
        """Message-ID and size of each."""
        account = await self.accounts.open(ACCOUNT)
        runs = [run async for run in account.messages(mailbox, ALL_UIDS, Want.MAILS)]
        return [(mail.message_id, mail.size) for run in runs for mail in run.mails]


class Aside:
    """The copy of a place that is set aside: what lies behind `after` is beyond."""

    def __init__(self, place: Place, after: int, kept_from: int = 1) -> None:
        self.place = place
        self.after = after
        self.kept_from = kept_from
        self.gone = False

    def beyond(self) -> dict[int, int]:
        return {} if self.gone else {PARTITION: self.after}

    def last(self, partition: int) -> int:
        return len(self.place.partitions.entries)

    def generation_told(self, partition: int) -> int:
        return 2

    async def tail(self, partition: int, after: int) -> tuple[Entry, ...]:
        begin = max(after, self.kept_from - 1)
        return tuple(self.place.partitions.entries[begin : begin + 2])

    async def let_go(self, partition: int) -> None:
        self.gone = True


class Both:
    """The place that was lost, and the one that leads now, which has what both began with."""

    def __init__(self, folder: Path, old: Place, new: Place, loads: ThreadPoolExecutor) -> None:
        self.old, self.new = old, new
        self.file = folder / "returned.jsonl"
        self._loads = loads
        self.checkpoints: list[Path] = []

    async def begin(self) -> None:
        for place in (self.old, self.new):
            await place.ask(create())
            await place.ask(Intent(add=Add(messages=[add("INBOX", b"both@x")])))

    async def give_back(self, accounts: Any = None, kept_from: int = 1) -> Aside:
        aside = Aside(self.old, 2, kept_from)
        await Returning(
            aside,
            self.old.shard,
            accounts or self.new.accounts,
            self._loads,
            Ticking(),
            self.file,
            self.checkpoints.append,
        ).look()
        return aside

    def told(self, *what: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.file.read_text().splitlines()]
        return [line for line in lines if line["what"] in what]


@contextmanager
def both(folder: Path) -> Iterator[Both]:
    with ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as other, ThreadPoolExecutor(2) as loads:
        yield Both(folder, Place(first, loads), Place(other, loads), loads)


def run(folder: Path, scene: Callable[[Both], Any]) -> None:
    async def work() -> None:
        with both(folder) as made:
            await made.begin()
            await scene(made)

    asyncio.run(work())


def test_mail_comes_once_as_it_lay_at_last_and_the_rest_is_told(tmp_path: Path) -> None:
    async def scene(both: Both) -> None:
        old = both.old
        await old.ask(
            Intent(id=b"a" * 16, add=Add(messages=[add("One", b"moved@x"), add("INBOX", b"seen@x")]))
        )
        await old.ask(Intent(add=Add(messages=[add("INBOX", b"gone@x")])))
        await old.ask(Intent(copy=Copy(mailbox=2, uids=[FIRST], target=3, move=True)))
        await old.ask(
            Intent(store=Store(mailbox=1, uids=[UidRange(first=2, last=2)], mode=Store.ADD, flags=2))
        )
        await old.ask(Intent(store=Store(mailbox=1, uids=[FIRST], mode=Store.ADD, flags=4)))
        await old.ask(
            Intent(expunge=Expunge(mailbox=1, uids=[UidRange(first=3, last=3)], whatever_flags=True))
        )
        for _ in range(2):  # as another copy does, or after a crash
            assert (await both.give_back()).gone
        assert [name for name, _ in await both.new.mails(1)] == [b"both@x", b"seen@x"]
        assert [name for name, _ in await both.new.mails(3)] == [b"moved@x"]
        again = await both.new.ask(
            Intent(id=b"a" * 16, retry=True, add=Add(messages=[add("INBOX", b"again@x")]))
        )
        assert len(again.added) == 2 and len(await both.new.mails(1)) == 2, "its client tries again"
        assert [line["uids"] for line in both.told("flags")[:2]] == [[2], [1]]
        assert both.told("expunged")[0]["uids"] == [3] and both.told("moved")

    run(tmp_path, scene)


def test_a_long_message_and_what_waits_for_other_servers_come_too(tmp_path: Path) -> None:
    async def scene(both: Both) -> None:
        head = b"Message-ID: <long@x>\r\n\r\n"
        octets = head + b"x" * (2 * BLOB_CHUNK_OCTETS)
        mail = MailRow(size=len(octets), header=len(head), message_id=b"long@x")
        await both.old.ask(Intent(add=Add(messages=[Add.Message(name="INBOX", octets=octets, mail=mail)])))
        item = QueueRow(recipients=[QueueRow.Recipient(forward_path=b"b@elsewhere.example")])
        for number in range(2):
            submit = Submit(mail=MailRow(size=4, header=2), octets=b"\r\n\r\n", item=item)
            await both.old.ask(Intent(id=b"%016d" % number, submit=submit))
        account = await both.old.accounts.open(ACCOUNT)
        waiting = await account.rows(keys.Kind.QUEUE, b"", b"", 9)
        sent = int.from_bytes(waiting[0][0], "big")
        await both.old.ask(
            Intent(queue=Queue(mail=sent, item=QueueRow(due=QueueRow.FromString(waiting[0][1]).due)))
        )
        for _ in range(2):
            await both.give_back()
        assert (await both.new.mails(1))[1:] == [(b"long@x", len(octets))]
        there = await both.new.accounts.open(ACCOUNT)
        rows = await there.rows(keys.Kind.QUEUE, b"", b"", 9)
        assert [QueueRow.FromString(row).recipients for _, row in rows] == [item.recipients]

    run(tmp_path, scene)


def test_a_message_that_is_refused_is_kept_as_a_file(tmp_path: Path) -> None:
    async def scene(both: Both) -> None:
        await both.old.ask(Intent(add=Add(messages=[add("INBOX", b"new@x")])))
        with ThreadPoolExecutor(1) as writer, ThreadPoolExecutor(1) as loads:
            assert (await both.give_back(Place(writer, loads).accounts)).gone  # there is no such account
        (line,) = both.told("refused")
        kept = await asyncio.to_thread(Path(line["files"][0]).read_bytes)
        assert b"new@x" in kept

    run(tmp_path, scene)


def test_where_part_of_the_log_is_gone_the_shard_is_kept(tmp_path: Path) -> None:
    async def scene(both: Both) -> None:
        for number in range(3):
            await both.old.ask(Intent(add=Add(messages=[add("INBOX", b"%d@x" % number)])))
        await both.give_back(kept_from=5)
        (line,) = both.told("not in the log any more")
        assert (line["first"], line["last"]) == (3, 4) and [str(path) for path in both.checkpoints] == [
            line["shard"]
        ]
        await both.give_back(kept_from=6)
        assert both.told("not in the log any more")[-1]["last"] == 5

    run(tmp_path, scene)


def test_a_copy_stays_while_nobody_leads_its_accounts(tmp_path: Path) -> None:
    class Away:
        async def open(self, account: int) -> Any:
            raise Unavailable("nobody leads it")

    async def scene(both: Both) -> None:
        await both.old.ask(Intent(add=Add(messages=[add("INBOX", b"new@x")])))
        assert not (await both.give_back(Away())).gone
        assert not both.file.exists()
        assert (await both.give_back()).gone

    run(tmp_path, scene)

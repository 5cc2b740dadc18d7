"""The queue at work: each recipient ends taken or told of, whatever the hosts say and whenever it stops."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path as FilePath
from typing import Any

import pytest

from mailnode.limits import Limits
from mailnode.mailauth.resolver import Unavailable
from mailnode.mailbox.accounts import Accounts
from mailnode.mailbox.content import UploadIds
from mailnode.mailbox.dues import Task
from mailnode.mailbox.verbs import ALL_UIDS, Account, NotKnown, Want
from mailnode.mailbox.verbs import Unavailable as AccountUnavailable
from mailnode.pb.change_pb2 import Intent, Queue, Result, SetQuota
from mailnode.pb.row_pb2 import QueueRow
from mailnode.relay import outbox
from mailnode.relay.attempt import Failed, Outgoing
from mailnode.relay.bounce import Bounces
from mailnode.relay.outbox import Outbox, Relay
from mailnode.relay.route import NO_SUCH_DOMAIN, Host
from mailnode.relay.schedule import next_due
from mailnode.relay.waiting import Waiting, queue_row, retry
from mailnode.store.keys import END, Due, Family, Kind
from mailnode.store.shard import DropTo, Shard, open_shard
from protocols.smtp.envelope import Path
from protocols.smtp.reply import Reply
from tests.mailbox.house import ACCOUNT, create, opened
from tests.mailbox.test_queue import OCTETS, submit

TAKEN = Reply(250, "2.0.0", "taken")
LATER = Reply(451, "4.7.1", "greylisted")
NO = Reply(550, "5.1.1", "no such user")
FAR = 2**62
HOUR = 3600 * 1_000_000


class Standing:
    """A clock that is put forward by hand."""

    def __init__(self) -> None:
        self.now = 1_700_000_000_000_000

    def now_microseconds(self) -> int:
        return self.now

    def monotonic_seconds(self) -> float:
        return self.now / 1e6

    def random(self, octets: int) -> bytes:
        return bytes(octets)


@dataclass(slots=True)
class World:
    """What hosts say, by recipient, one after the other and the last one for good."""

    says: Mapping[bytes, Sequence[Reply]]
    routes: Mapping[str, tuple[Host, ...] | Reply | Unavailable] = field(default_factory=dict)
    down: frozenset[str] = frozenset()
    tried: list[tuple[str, tuple[bytes, ...]]] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)
    heard: dict[bytes, int] = field(default_factory=dict)
    signature: bytes = b""
    signed: list[bytes] = field(default_factory=list)
    taken: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def hosts(self, domain: str) -> tuple[Host, ...] | Reply:
        found = self.routes.get(domain, (Host(f"mx.{domain}", "192.0.2.1"),))
        if isinstance(found, Unavailable):
            raise found
        return found

    async def field(self, octets: Callable[[], AsyncIterator[bytes]]) -> bytes:
        self.signed.append(b"".join([piece async for piece in octets()]))
        return self.signature

    async def make(self, host: Host, outgoing: Outgoing, recipients: Sequence[Path]) -> tuple[Reply, ...]:
        self.tried.append((host.name, tuple(path.mailbox for path in recipients)))
        if host.name in self.down:
            raise Failed(Reply(451, "4.4.1", f"{host.name} is down"))
        self.contents.append(b"".join([octets async for octets in outgoing.octets()]))
        self.taken.release()
        return tuple(map(self._said, recipients))

    def _said(self, path: Path) -> Reply:
        said = self.says.get(path.mailbox, (TAKEN,))
        count = self.heard.get(path.mailbox, 0)
        self.heard[path.mailbox] = count + 1
        return said[min(count, len(said) - 1)]


@dataclass(slots=True)
class Scene:
    accounts: Accounts
    account: Account
    clock: Standing
    outbox: Outbox
    shard: Shard

    def due(self) -> Task | None:
        return self.accounts.dues.take(Due.QUEUE, FAR)

    async def turn(self) -> Task | None:
        """Try what waits once, at its time."""
        task = self.due()
        if task is not None:
            self.clock.now = max(self.clock.now, task.time_microseconds)
            await self.outbox.attempt(task)
        return task

    async def reports(self) -> list[str]:
        """The reports in INBOX, as text."""
        (inbox,) = [
            row.mailbox for row in (await self.account.mailboxes()).rows.values() if row.name == "INBOX"
        ]
        found: list[bytes] = []
        async for run in self.account.messages(inbox, ALL_UIDS, Want.OCTETS):
            found += run.octets
        return [email.message_from_bytes(octets, policy=email.policy.default).as_string() for octets in found]


Work = Callable[[Scene], Awaitable[None]]


def run(path: FilePath, world: World, work: Work, limits: Limits | None = None) -> None:
    limits = limits or Limits()
    shard = open_shard(path / "shard", limits.shard_memory_octets_min, bytes(16))
    clock = Standing()

    async def body() -> None:
        with opened(shard, clock) as (accounts, failures):
            account = await accounts.open(ACCOUNT)
            await account.apply(create())
            relay = Relay(
                world, world, world, Bounces("mail.here.test", UploadIds(clock), clock), clock, limits
            )
            await work(Scene(accounts, account, clock, Outbox(accounts, relay), shard))
            assert not failures

    asyncio.run(body())
    shard.close()


def test_a_message_that_is_taken_leaves_the_queue_without_its_return_path(tmp_path: FilePath) -> None:
    world = World({})

    async def work(scene: Scene) -> None:
        await scene.account.apply(submit())
        await scene.turn()
        assert scene.due() is None
        assert await scene.reports() == []

    run(tmp_path, world, work)
    assert world.tried == [("mx.y", (b"x@y", b"z@y"))]
    assert world.contents == [OCTETS[20:]]


def test_what_goes_on_stands_behind_its_signature(tmp_path: FilePath) -> None:
    world = World({}, signature=b"DKIM-Signature: x\r\n")

    async def work(scene: Scene) -> None:
        await scene.account.apply(submit())
        await scene.turn()

    run(tmp_path, world, work)
    assert world.signed == [OCTETS[20:]]
    assert world.contents == [b"DKIM-Signature: x\r\n" + OCTETS[20:]]


def test_a_content_that_is_lost_is_reported(tmp_path: FilePath) -> None:
    world = World({})

    async def work(scene: Scene) -> None:
        await scene.account.apply(submit())
        task = scene.due()
        assert task is not None
        scene.shard.write([(Family.BLOB, b"", DropTo(END))], sync=True)
        await scene.outbox.attempt(task)
        (report,) = await scene.reports()
        assert report.count("Status: 5.3.0") == 2
        assert scene.due() is None

    run(tmp_path, world, work)
    assert world.tried == []


def test_who_is_told_to_wait_is_tried_again_and_who_is_refused_is_told_of(tmp_path: FilePath) -> None:
    world = World({b"x@y": [LATER, TAKEN], b"z@y": [NO]})

    async def work(scene: Scene) -> None:
        await scene.account.apply(submit())
        first = await scene.turn()
        assert first is not None
        (report,) = await scene.reports()
        assert "z@y" in report and "550 5.1.1 no such user" in report and "x@y" not in report
        row = QueueRow.FromString(await scene.account.row(Kind.QUEUE, first.key))
        assert [(one.forward_path, one.reply) for one in row.recipients] == [(b"x@y", "451 4.7.1 greylisted")]
        second = await scene.turn()
        assert second is not None and second.time_microseconds == first.time_microseconds + 300 * 1_000_000
        assert scene.due() is None
        assert len(await scene.reports()) == 1

    run(tmp_path, world, work)
    assert [recipients for _, recipients in world.tried] == [(b"x@y", b"z@y"), (b"x@y",)]


def test_a_report_that_finds_no_room_waits_with_its_recipients(tmp_path: FilePath) -> None:
    world = World({b"x@y": [TAKEN], b"z@y": [NO]})

    async def work(scene: Scene) -> None:
        await scene.account.apply(Intent(set_quota=SetQuota(octets=SetQuota.Limit(own=1))))
        await scene.account.apply(submit())
        first = await scene.turn()
        assert first is not None and await scene.reports() == []
        row = QueueRow.FromString(await scene.account.row(Kind.QUEUE, first.key))
        assert [(one.forward_path, one.reply) for one in row.recipients] == [
            (b"z@y", "550 5.1.1 no such user")
        ]
        await scene.account.apply(Intent(set_quota=SetQuota(octets=SetQuota.Limit())))
        await scene.turn()
        (report,) = await scene.reports()
        assert "z@y" in report and scene.due() is None

    run(tmp_path, world, work)
    assert [recipients for _, recipients in world.tried] == [(b"x@y", b"z@y"), (b"z@y",)]


def test_a_report_that_never_finds_room_is_given_up(tmp_path: FilePath) -> None:
    world = World({b"z@y": [NO]})

    async def work(scene: Scene) -> None:
        await scene.account.apply(Intent(set_quota=SetQuota(octets=SetQuota.Limit(own=1))))
        await scene.account.apply(submit())
        began = scene.clock.now
        while await scene.turn() is not None:
            pass
        assert scene.clock.now - began >= 2 * Limits().relay_kept_seconds_max * 1_000_000

    run(tmp_path, world, work)
    assert world.tried[0] == ("mx.y", (b"x@y", b"z@y"))


def test_the_next_host_is_tried_when_one_takes_nothing(tmp_path: FilePath) -> None:
    hosts = (Host("one.test", "192.0.2.1"), Host("two.test", "192.0.2.2"), Host("three.test", "192.0.2.3"))
    world = World({}, {"y": hosts}, frozenset({"one.test"}))

    async def work(scene: Scene) -> None:
        await scene.account.apply(submit())
        await scene.turn()
        assert scene.due() is None

    run(tmp_path, world, work)
    assert [name for name, _ in world.tried] == ["one.test", "two.test"]


@pytest.mark.parametrize(
    ("route", "waits", "status"),
    [
        (NO_SUCH_DOMAIN, False, "5.1.2"),
        (Unavailable("SERVFAIL"), True, ""),
        ((Host("down", "::1"),), True, ""),
    ],
)
def test_a_domain_without_hosts_fails_and_one_that_cannot_be_asked_waits(
    tmp_path: FilePath, route: tuple[Host, ...] | Reply | Unavailable, waits: bool, status: str
) -> None:
    world = World({}, {"y": route}, frozenset({"down"}))

    async def work(scene: Scene) -> None:
        await scene.account.apply(submit())
        await scene.turn()
        assert (scene.due() is not None) == waits
        reports = await scene.reports()
        assert len(reports) == (not waits)
        assert all(f"Status: {status}" in report for report in reports)

    run(tmp_path, world, work)


def test_a_long_wait_is_told_once_and_in_the_end_given_up(tmp_path: FilePath) -> None:
    world = World({b"x@y": [LATER], b"z@y": [LATER]})

    async def work(scene: Scene) -> None:
        await scene.account.apply(submit())
        first = scene.due()
        assert first is not None
        await scene.outbox.attempt(first)
        times = [first.time_microseconds]
        while (task := await scene.turn()) is not None:
            times.append(task.time_microseconds)
        waits = [(later - sooner) // HOUR for sooner, later in pairwise(times)]
        assert waits == sorted(waits) and waits[-1] == 4
        assert 120 <= (times[-1] - times[0]) // HOUR < 125
        delayed, failed = await scene.reports()
        assert "Action: delayed" in delayed and "not been delivered yet" in delayed
        assert failed.count("Action: failed") == 2 and "Status: 5.4.7" in failed

    run(tmp_path, world, work)


def test_nothing_is_reported_to_the_null_reverse_path(tmp_path: FilePath) -> None:
    async def work(scene: Scene) -> None:
        intent = submit()
        intent.submit.item.reverse_path = b""
        await scene.account.apply(intent)
        await scene.turn()
        assert (scene.due(), await scene.reports()) == (None, [])

    run(tmp_path, World({b"x@y": [NO], b"z@y": [NO]}), work)


def test_an_attempt_made_again_behind_its_report_reports_once(tmp_path: FilePath) -> None:
    """As after a crash between the report and the change of the queue."""

    async def work(scene: Scene) -> None:
        await scene.account.apply(submit())
        task = scene.due()
        assert task is not None
        mail = int.from_bytes(task.key, "big")
        before = QueueRow.FromString(await scene.account.row(Kind.QUEUE, task.key))
        await scene.outbox.attempt(task)
        before.recipients.add(forward_path=b"waits@y")
        await scene.account.apply(Intent(queue=Queue(mail=mail, item=before)))
        await scene.outbox.attempt(task)
        assert len(await scene.reports()) == 1

    run(tmp_path, World({b"x@y": [NO], b"z@y": [NO], b"waits@y": [LATER]}), work)


def test_run_tries_what_is_due_then_what_comes_and_ends_when_it_is_told(tmp_path: FilePath) -> None:
    world = World({})

    async def work(scene: Scene) -> None:
        await scene.account.apply(submit())
        running = asyncio.create_task(scene.outbox.run())
        for _ in range(2):
            async with asyncio.timeout(20):
                await world.taken.acquire()
            await scene.account.apply(submit())
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    run(tmp_path, world, work)


class Reluctant:
    """The accounts; an account's queue takes a change only after these answers."""

    def __init__(self, scene: Scene, says: list[Result | Exception]) -> None:
        self.dues = scene.accounts.dues
        self.row, self.octets = scene.account.row, scene.account.octets
        self.id = scene.account.id
        self._account = scene.account
        self._says = says

    async def open(self, account: int) -> Reluctant:
        return self

    async def apply(self, intent: Intent) -> Result:
        said = self._says.pop(0) if intent.HasField("queue") and self._says else None
        if isinstance(said, Exception):
            raise said
        return said or await self._account.apply(intent)


def test_who_has_the_message_is_not_sent_it_again_while_the_account_takes_no_change(
    tmp_path: FilePath, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "_AGAIN_SECONDS", 0)
    world = World({})

    async def work(scene: Scene) -> None:
        await scene.account.apply(submit())
        says = [NotKnown(), AccountUnavailable("too few copies"), Result(refused="UNAVAILABLE")]
        reluctant: Any = Reluctant(scene, says)
        task = scene.due()
        assert task is not None
        await Outbox(reluctant, scene.outbox._relay).attempt(task)
        assert not says and scene.due() is None
        assert len(world.contents) == len(world.tried)
        assert not (await queue_row(scene.account, task.key)).recipients

    run(tmp_path, world, work)


def test_a_content_that_cannot_be_read_for_one_domain_is_sent_to_no_other_one_again(
    tmp_path: FilePath,
) -> None:
    class Cut(World):
        async def make(self, host: Host, outgoing: Outgoing, recipients: Sequence[Path]) -> tuple[Reply, ...]:
            if host.name == "mx.cut":
                raise AccountUnavailable("its node died")
            return await World.make(self, host, outgoing, recipients)

    world = Cut({})

    async def work(scene: Scene) -> None:
        await scene.account.apply(submit(b"", b"x@cut", b"z@y"))
        task = await scene.turn()
        assert task is not None and world.tried == [("mx.y", (b"z@y",))]
        (waits,) = (await queue_row(scene.account, task.key)).recipients
        assert waits.forward_path == b"x@cut" and waits.reply.startswith("451 4.3.0")

    run(tmp_path, world, work)


def test_a_report_that_the_account_does_not_take_now_is_made_later(tmp_path: FilePath) -> None:
    world = World({b"x@y": [NO], b"z@y": [TAKEN]})

    class Away(Bounces):
        async def tell(self, *_: Any) -> bool:
            raise AccountUnavailable("too few copies")

    async def work(scene: Scene) -> None:
        await scene.account.apply(submit())
        relay = scene.outbox._relay
        task = scene.due()
        assert task is not None
        away = Away("mail.here.test", UploadIds(scene.clock), scene.clock)
        await Outbox(scene.accounts, replace(relay, bounces=away)).attempt(task)
        waiting = (await queue_row(scene.account, task.key)).recipients
        assert [one.forward_path for one in waiting] == [b"x@y"]
        await scene.turn()
        (report,) = await scene.reports()
        assert "x@y" in report and scene.due() is None

    run(tmp_path, world, work)


def test_an_operators_change_that_the_account_does_not_take_leaves_the_item_due(tmp_path: FilePath) -> None:
    async def work(scene: Scene) -> None:
        await scene.account.apply(submit())
        reluctant: Any = Reluctant(scene, [Result(refused="UNAVAILABLE")])
        with pytest.raises(AccountUnavailable):
            await Waiting(reluctant, scene.clock).change("", retry)
        assert scene.due() is not None

    run(tmp_path, World({}), work)


def test_waits_grow_from_the_least_to_the_most_with_a_tenth_by_chance() -> None:
    limits = replace(Limits(), relay_retry_seconds_min=100, relay_retry_seconds_max=1000)
    waits = [next_due(QueueRow(attempts=n), 0, b"\0\0", limits) // 1_000_000 for n in range(1, 7)]
    assert waits == [100, 200, 400, 800, 1000, 1000]
    assert next_due(QueueRow(attempts=1), 0, b"\xff\xff", limits) // 1_000_000 == 109
    assert next_due(QueueRow(attempts=2**31), 0, b"\0", limits) == 1000 * 1_000_000

"""How much goes on at once, and how long a host is waited for: one that is slow holds up itself."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath

import pytest
import uvloop

from mailnode.limits import Limits
from mailnode.pb.change_pb2 import Intent, Submit
from mailnode.pb.row_pb2 import MailRow
from mailnode.relay.attempt import Attempts, Failed, Outgoing
from mailnode.relay.route import Host
from protocols.smtp.envelope import NO_PARAMETERS, Path
from protocols.smtp.reply import Reply
from tests.mailbox.test_queue import OCTETS, item
from tests.relay.host import HOST, Scripted, listening
from tests.relay.test_attempt import ALICE, BOB, TAKEN, attempt
from tests.relay.test_outbox import Scene, World, run

MUCH = 64 << 20  # more than the sockets of both ends hold


def submitted(*recipients: bytes) -> Intent:
    mail = MailRow(size=len(OCTETS), header=len(OCTETS) - 6)
    return Intent(submit=Submit(mail=mail, octets=OCTETS, item=item(*recipients)))


@dataclass(slots=True)
class Slow(World):
    """Hosts that take nothing until they are let; `open` are waited for."""

    let: asyncio.Event = field(default_factory=asyncio.Event)
    came: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    open: int = 0
    most: int = 0

    async def make(self, host: Host, outgoing: Outgoing, recipients: Sequence[Path]) -> tuple[Reply, ...]:
        self.open += 1
        self.most = max(self.most, self.open)
        self.came.release()
        await self.let.wait()
        self.open -= 1
        return await World.make(self, host, outgoing, recipients)


async def taken(semaphore: asyncio.Semaphore, times: int) -> None:
    async with asyncio.timeout(20):
        for _ in range(times):
            await semaphore.acquire()


def test_so_many_items_are_on_their_way_and_the_others_wait(tmp_path: FilePath) -> None:
    world = Slow({})

    async def work(scene: Scene) -> None:
        running = asyncio.create_task(scene.outbox.run())
        for number in range(20):  # each is durable before the next: those before it were begun if they may
            await scene.account.apply(submitted(b"x@%d.test" % number))
        await taken(world.came, 2)
        world.let.set()
        await taken(world.taken, 20)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert world.most == 2

    run(tmp_path, world, work, replace(Limits(), relay_items_open_max=2))


def test_so_many_domains_of_an_item_are_asked_at_once(tmp_path: FilePath) -> None:
    world = Slow({})

    async def work(scene: Scene) -> None:
        await scene.account.apply(submitted(*(b"x@%d.test" % number for number in range(5))))
        turn = asyncio.create_task(scene.turn())
        await taken(world.came, 3)
        world.let.set()
        await turn
        assert world.most == 3

    run(tmp_path, world, work, replace(Limits(), relay_domains_open_max=3))


def test_a_transaction_has_so_many_recipients(tmp_path: FilePath) -> None:
    world = World({})

    async def work(scene: Scene) -> None:
        await scene.account.apply(submitted(*(b"%d@y.test" % number for number in range(5))))
        await scene.turn()
        assert scene.due() is None

    run(tmp_path, world, work, replace(Limits(), relay_recipients_max=2))
    assert sorted(len(recipients) for _, recipients in world.tried) == [1, 2, 2]


def test_a_report_shows_the_begin_of_a_long_header(tmp_path: FilePath) -> None:
    world = World({b"x@y.test": [Reply(550, "5.1.1", "no")]})
    head = b"Return-Path: <a@b>\r\n" + b"X: y\r\n" * 100_000

    async def work(scene: Scene) -> None:
        mail = MailRow(size=len(head) + 2, header=len(head) + 2)
        ask = Submit(mail=mail, octets=head + b"\r\n", item=item(b"x@y.test"))
        await scene.account.apply(Intent(submit=ask))
        await scene.turn()
        (report,) = await scene.reports()
        assert 10_000 < report.count("X: y") < 11_000  # 64 KiB

    run(tmp_path, world, work)


def test_a_host_whose_handshake_of_tls_never_ends_is_tried_again_without(tmp_path: FilePath) -> None:
    host = Scripted({"EHLO": "250-mx.test\r\n250 STARTTLS"})
    said = attempt(host, limits=replace(Limits(), relay_connect_seconds_max=0.2))
    assert said == (TAKEN,) and host.secure == [False]


def test_a_host_that_takes_no_connection_is_given_up() -> None:
    async def work() -> None:
        with socket.socket() as full:
            full.bind((HOST, 0))
            full.listen(0)
            port = full.getsockname()[1]
            with socket.create_connection((HOST, port)):  # all that its backlog holds
                attempts = Attempts("mail.here.test", port, replace(Limits(), relay_connect_seconds_max=0.2))
                await attempts.make(Host("mx.test", HOST), Outgoing(ALICE, NO_PARAMETERS, much), (BOB,))

    with pytest.raises(Failed):
        uvloop.run(work())


async def much() -> AsyncIterator[bytes]:
    for _ in range(MUCH >> 20):
        yield b"x" * (1 << 20)


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Silent(Scripted):
    """Takes DATA and is silent then; `reads` goes on reading."""

    reads = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for said in ("220 mx.test", "250 mx.test", "250 OK", "250 OK", "354 go"):
            writer.write(said.encode() + b"\r\n")
            if said != "354 go":
                await reader.readline()
        if self.reads:
            while await reader.read(1 << 20):
                pass
        else:
            await self.left.acquire()
        writer.close()


class Reading(Silent):
    reads = True


@pytest.mark.parametrize(
    ("host", "limit"), [(Silent(), "relay_content_seconds_max"), (Reading(), "relay_end_seconds_max")]
)
def test_a_host_that_is_silent_behind_354_is_given_up(host: Silent, limit: str) -> None:
    async def work() -> None:
        async with listening(host) as port:
            attempts = Attempts("mail.here.test", port, replace(Limits(), **{limit: 0.2}))
            try:
                await attempts.make(Host("mx.test", HOST), Outgoing(ALICE, NO_PARAMETERS, much), (BOB,))
            finally:
                host.left.release()

    with pytest.raises(Failed):
        uvloop.run(work())

"""A client at one node notices nothing but a pause while its account moves from node to node."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from mailnode.clock import SystemClock
from mailnode.listeners.admission import Admission
from mailnode.listeners.listening import Listening
from mailnode.listeners.pop3 import pop3
from mailnode.listeners.wheel import Wheel
from mailnode.pb.change_pb2 import Create, Intent
from tests.listeners import imap_dialogue
from tests.listeners.door import Caller
from tests.listeners.imap_dialogue import HOST, MESSAGES, logged_in
from tests.listeners.imap_dialogue import Wire as Client
from tests.listeners.loop import REACTOR, run
from tests.listeners.users import Users
from tests.mailbox.house import ACCOUNT, Ticking
from tests.mailbox.moving import LIMITS, NAMES, Moving, moving

AROUND = ("b", "c", "a", "b", "a")


@dataclass(frozen=True)
class Served:
    """Node a serves, the account is wherever."""

    it: Moving
    imap: int
    pop3: int


@asynccontextmanager
async def served(seconds_max: int = LIMITS.remote_wait_seconds_max) -> AsyncIterator[Served]:
    clock, limits = Ticking(), replace(LIMITS, remote_wait_seconds_max=seconds_max)
    async with moving(ACCOUNT, limits) as it:
        await (await it.open("a")).apply(Intent(create=Create(address="ann@example.test")))
        node = it.nodes["a"]
        by_imap = imap_dialogue._listening(node.accounts, clock, limits, None, None)
        listener = pop3(
            node.accounts,
            Users(ACCOUNT, {"ann": "secret"}),
            node.maildrops,
            clock,
            "pop.example",
            limits,
            mechanisms=("PLAIN",),
            passwords_need_tls=False,
        )
        by_pop3 = Listening(
            REACTOR,
            listener,
            limits=limits,
            clock=SystemClock(),
            wheel=Wheel(REACTOR),
            admission=Admission(limits),
            certificate=None,
            implicit=False,
        )
        try:
            yield Served(it, by_imap.open(HOST, 0), by_pop3.open(HOST, 0))
        finally:
            await by_imap.stop()
            await by_pop3.stop()


async def said(client: Client, line: str) -> list[str]:
    """The answer to a command, the tagged line last."""
    client.send("t " + line, MESSAGES)
    lines = [await client.line()]
    while not lines[-1].startswith("t "):
        assert lines[-1], "the connection ended"
        lines.append(await client.line())
    return lines


async def ok(client: Client, line: str) -> list[str]:
    lines = await said(client, line)
    assert lines[-1].startswith("t OK"), lines
    return lines


async def idling(port: int) -> Client:
    client = await logged_in(port)
    await ok(client, "ENABLE QRESYNC")
    await ok(client, "SELECT INBOX")
    client.send("t IDLE", MESSAGES)
    assert (await client.line()).startswith("+ ")
    return client


def test_an_imap_session_keeps_its_mailbox_its_view_and_what_it_enabled() -> None:
    async def test() -> None:
        async with served() as here:
            waits, works = await idling(here.imap), await logged_in(here.imap)
            await ok(works, "SELECT INBOX")
            for number, to in enumerate(AROUND, 1):
                await here.it.move(to)
                assert f"* {number} EXISTS" in await ok(works, "APPEND INBOX <one+>")
                assert await waits.line() == f"* {number} EXISTS"
                assert (await waits.line()).endswith(" RECENT")
                assert await ok(works, f"STORE {number} +FLAGS (\\Flagged)")
                flagged = await waits.line()
                assert flagged.startswith(f"* {number} FETCH (UID {number} FLAGS ("), flagged
                assert "\\Flagged" in flagged and "MODSEQ" in flagged
                found = await ok(works, "SEARCH FLAGGED")
                assert found[0] == f"* SEARCH {' '.join(map(str, range(1, number + 1)))}"
                assert "Hello world" in await ok(works, f"FETCH {number} BODY[TEXT]")
                assert "\\Seen" in await waits.line()
            await here.it.move("c")
            await ok(works, "STORE 2 +FLAGS (\\Deleted)")
            await waits.line()
            assert "* 2 EXPUNGE" in await ok(works, "EXPUNGE")
            assert await waits.line() == "* VANISHED 2"

    run(test())


def test_commands_that_wait_while_nobody_leads_the_account_are_done_when_somebody_does() -> None:
    async def test() -> None:
        async with served() as here:
            client = await logged_in(here.imap)
            await ok(client, "SELECT INBOX")
            await here.it.move("b")
            for number, (down, to) in enumerate((("b", "c"), ("c", "a"), ("a", "b")), 1):
                for node in here.it.nodes.values():
                    if down in node.wires:
                        node.wires[down].is_down = True
                        node.wires[down].cut()
                appending = asyncio.ensure_future(ok(client, "APPEND INBOX <one+>"))
                await asyncio.sleep(0)
                await here.it.move(to)
                assert f"* {number} EXISTS" in await appending
                for node in here.it.nodes.values():
                    if down in node.wires:
                        node.wires[down].is_down = False
            assert "* 3 EXISTS" in await ok(client, "SELECT INBOX")

    run(test())


def test_where_nobody_leads_it_for_too_long_commands_are_unavailable_and_the_session_goes_on() -> None:
    async def test() -> None:
        async with served(seconds_max=0) as here:
            waits, client = await idling(here.imap), await logged_in(here.imap)
            await ok(client, "SELECT INBOX")
            await here.it.move("b")
            wire = here.it.nodes["a"].wires["b"]
            wire.is_down = True
            wire.cut()
            for line in ("APPEND INBOX <one+>", "STATUS INBOX (MESSAGES)", "CREATE Other"):
                assert (await said(client, line))[-1].startswith("t NO [UNAVAILABLE]")
            await ok(client, "NOOP")
            wire.is_down = False
            while (await said(client, "APPEND INBOX <one+>"))[-1].startswith("t NO [UNAVAILABLE]"):
                pass
            assert await waits.line() == "* 1 EXISTS"
            assert await ok(client, "SEARCH ALL") == ["* SEARCH 1", "t OK Searched"]

    run(test())


@pytest.mark.parametrize("start", NAMES)
def test_a_pop3_session_keeps_its_maildrop(start: str) -> None:
    async def test() -> None:
        async with served() as here:
            await here.it.move("c")
            await here.it.move(start) if start != "c" else None
            filling = await logged_in(here.imap)
            for _ in range(6):
                await ok(filling, "APPEND INBOX <one+>")
            caller = Caller(*await asyncio.open_connection(HOST, here.pop3))
            await caller.hear()
            await caller.ask(b"USER ann")
            assert (await caller.ask(b"PASS secret")).startswith(b"+OK 6 messages")
            for number, to in enumerate(AROUND, 1):
                if to != here.it.leader:
                    await here.it.move(to)
                await ok(filling, "APPEND INBOX <two+>")
                assert (await caller.ask(b"RETR %d" % number)).startswith(b"+OK")
                while await caller.hear() != b".":
                    pass
                assert (await caller.ask(b"STAT")).startswith(b"+OK 6 ")
            await caller.ask(b"DELE 6")
            await here.it.move("c")
            assert (await caller.ask(b"QUIT")).startswith(b"+OK")
            assert "* 10 EXISTS" in await ok(filling, "SELECT INBOX")
            assert await ok(filling, "SEARCH UNSEEN") == ["* SEARCH 6 7 8 9 10", "t OK Searched"]

    run(test())

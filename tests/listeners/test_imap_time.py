"""What happens when nothing is said: RFC 9051 §5.4, RFC 2177; and how many may be connected."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from twisted.internet.task import Clock

from mailnode.limits import Limits
from tests.listeners.imap_dialogue import House, connect, house, logged_in
from tests.listeners.loop import run


def in_house(
    directory: Path, test: Callable[[House, Clock], Awaitable[None]], limits: Limits | None = None
) -> None:
    async def body() -> None:
        time = Clock()
        async with house(directory, limits or Limits(), time) as served:
            await test(served, time)

    run(body())


def test_who_idles_hears_every_two_minutes_that_we_are_there(tmp_path: Path) -> None:
    async def test(served: House, time: Clock) -> None:
        wire = await logged_in(served.port)
        wire.send("a IDLE", {})
        assert (await wire.line()).startswith("+ ")
        time.pump([1] * 250)
        assert [await wire.line(), await wire.line()] == ["* OK Still here"] * 2
        wire.send("DONE", {})
        await wire.succeed("a")
        time.pump([1] * 250)
        wire.send("b NOOP", {})
        assert (await wire.line()).startswith("b OK")
        wire.send("c IDLE", {})
        assert (await wire.line()).startswith("+ ")
        wire.close()

    in_house(tmp_path, test)


def test_autologout_comes_after_thirty_minutes_and_not_before(tmp_path: Path) -> None:
    async def test(served: House, time: Clock) -> None:
        wire = await logged_in(served.port)
        time.pump([1] * 29 * 60)
        wire.send("a NOOP", {})
        assert (await wire.line()).startswith("a OK")
        time.pump([1] * 29 * 60)
        wire.send("b IDLE", {})
        assert (await wire.line()).startswith("+ ")
        time.pump([1] * 29 * 60)
        wire.send("DONE", {})
        await wire.succeed("b")
        time.pump([1] * (30 * 60 + 2))
        assert [line[:16] for line in await wire.rest()] == ["* BYE Autologout"]

    in_house(tmp_path, test)


def test_before_login_a_client_has_a_minute(tmp_path: Path) -> None:
    async def test(served: House, time: Clock) -> None:
        wire = await connect(served.port)
        time.pump([1] * 50)
        wire.send("a NOOP", {})
        assert (await wire.line()).startswith("a OK")
        time.pump([1] * 62)
        assert [line[:16] for line in await wire.rest()] == ["* BYE Autologout"]

    in_house(tmp_path, test)


def test_an_account_has_so_many_connections_from_one_address(tmp_path: Path) -> None:
    async def test(served: House, time: Clock) -> None:
        wires = [await logged_in(served.port) for _ in range(2)]
        late = await connect(served.port)
        late.send("a LOGIN ann@example.test secret", {})
        assert (await late.line()).startswith("a NO [LIMIT] ")
        late.send("b SELECT INBOX", {})
        assert (await late.line()).startswith("b BAD")
        wires[0].send("z LOGOUT", {})
        await wires[0].rest()
        while len(served.listening) > 2:  # noqa: ASYNC110  # its end has no event that the client sees
            await asyncio.sleep(0)
        late.send("c LOGIN ann@example.test secret", {})
        assert (await late.line()).startswith("c OK ")
        for wire in (wires[1], late):
            wire.close()

    in_house(tmp_path, test, replace(Limits(), imap_connections_per_login_max=2))

"""Who a client is: RFC 3501 §6.2, RFC 4959; and what it is told of the server."""

from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from mailnode.limits import Limits
from tests.listeners.imap_dialogue import Wire, connect, house, play
from tests.listeners.loop import run

PLAIN = b64encode(b"\0ann@example.test\0secret").decode()
WRONG = b64encode(b"\0ann@example.test\0guess").decode()


def before_login(
    directory: Path, test: Callable[[Wire], Awaitable[None]], limits: Limits | None = None
) -> None:
    async def body() -> None:
        async with house(directory, limits or Limits()) as served:
            wire = await connect(served.port)
            await test(wire)
            wire.close()

    run(body())


def test_authenticate_takes_an_initial_response_or_asks(tmp_path: Path) -> None:
    async def test(wire: Wire) -> None:
        wire.send(f"a AUTHENTICATE PLAIN {WRONG}", {})
        assert (await wire.line()).startswith("a NO [AUTHENTICATIONFAILED]")
        wire.send("b AUTHENTICATE PLAIN", {})
        assert (await wire.line()).rstrip() == "+"
        wire.send("*", {})
        assert (await wire.line()).startswith("b BAD")
        wire.send("c AUTHENTICATE PLAIN", {})
        assert (await wire.line()).rstrip() == "+"
        wire.send(PLAIN, {})
        assert (await wire.line()).startswith("c OK [CAPABILITY IMAP4rev1 ")
        wire.send("d SELECT INBOX", {})
        await wire.succeed("d")

    before_login(tmp_path, test)


def test_nothing_is_done_before_login(tmp_path: Path) -> None:
    async def test(wire: Wire) -> None:
        for command in ("SELECT INBOX", "APPEND INBOX {3+}\r\nabc", "IDLE", "FETCH 1 FLAGS"):
            wire.send(f"a {command}", {})
            assert (await wire.line()).startswith("a BAD"), command

    before_login(tmp_path, test)


def test_a_guesser_is_cut_off(tmp_path: Path) -> None:
    async def test(wire: Wire) -> None:
        for _ in range(3):
            wire.send("a LOGIN ann@example.test guess", {})
            assert (await wire.line()).startswith("a NO [AUTHENTICATIONFAILED]")
        assert [line[:5] for line in await wire.rest()] == ["* BYE"]

    before_login(tmp_path, test, replace(Limits(), authentication_failures_max=3))


def test_id_tells_the_name_and_logout_says_bye_first(tmp_path: Path) -> None:
    play(
        tmp_path,
        """
        A: a ID ("name" "test")
        A> * ID ("name" "mailnode")
        A> a OK ...
        A: b LOGIN ann@example.test secret
        A> b BAD ...
        """,
    )

"""Input beyond bounds is answered, and the conversation goes on in step: RFC 9051 §2.2.1, RFC 7888 §4."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from mailnode.limits import Limits
from tests.listeners.imap_dialogue import Wire, house, logged_in
from tests.listeners.loop import run

LIMITS = Limits()
BAD_COMMANDS = [
    b"SEARCH " + b"(" * 10_000 + b"ALL" + b")" * 10_000,
    b"SEARCH " + b"NOT " * 10_000 + b"ALL",
    b"SEARCH " + b"OR " * 10_000 + b"ALL",
    b"FETCH 1 " + b"(" * 10_000,
    b"FETCH 1 BODY[" + b"1." * 10_000 + b"MIME]",
    b"ID " + b"(" * 10_000,
    b'LIST "" ' + b"(" * 10_000,
    b"STATUS INBOX " + b"(" * 10_000 + b"MESSAGES",
    b"STORE 1 FLAGS " + b"(" * 10_000,
    b"FETCH " + b"1," * 21_000 + b"1 FLAGS",
    b"NOOP " + b"x" * 70_000,
    b"FETCH 1 BODY[\x00]",
    b"SELECT \x00",
    b"SELECT {3+}\r\na\x00b",
    b"\x00\x00\x00",
    b"\xff\xfe\xfd",
    b"FETCH 99999999999999999999 FLAGS",
    b"FETCH 0 FLAGS",
    b"UID FETCH 1:4294967296 FLAGS",
    b"SEARCH LARGER 99999999999999999999",
]
NO_COMMANDS = [
    b"SEARCH " + b"ALL " * 1001,
    b"SEARCH CHARSET " + b"x" * 1000 + b" ALL",
    b"SELECT {300000}",
    b"SELECT {300000+}\r\n" + b"x" * 300_000,
    b"SELECT a {1000+}\r\n" + b"x" * 1000 + b" {300000+}\r\n" + b"x" * 300_000,
    b"CREATE {2000+}\r\n" + b"x" * 2000,
    b"CREATE " + b"a/" * 40 + b"a",
    b"STORE 1 FLAGS (" + b"k" * 129 + b")",
    b"APPEND INBOX {100000000}",
]


def selected(directory: Path, test: Callable[[Wire], Awaitable[None]]) -> None:
    async def body() -> None:
        async with house(directory, LIMITS) as served:
            wire = await logged_in(served.port)
            wire.send("s APPEND INBOX <one+>", {"one": b"Subject: x\r\n\r\ny\r\n"})
            await wire.succeed("s")
            wire.send("t SELECT INBOX", {})
            await wire.succeed("t")
            await test(wire)
            wire.close()

    run(body())


def test_each_is_answered_and_the_next_command_is_understood(tmp_path: Path) -> None:
    async def test(wire: Wire) -> None:
        for status, commands in (("BAD", BAD_COMMANDS), ("NO", NO_COMMANDS)):
            for command in commands:
                wire.write(b"a " + command + b"\r\n")
                answer = await wire.line()
                assert answer.startswith((f"a {status} ", "* BAD ")), (command[:60], answer)
                wire.send("b NOOP", {})
                assert (await wire.line()).startswith("b OK "), command[:60]

    selected(tmp_path, test)


@pytest.mark.parametrize(
    "command", [b"APPEND INBOX {60000000+}\r\n", b"SELECT {99999999999+}\r\n", b"BOGUS {60000000+}\r\n"]
)
def test_a_literal_that_comes_unasked_and_is_too_long_to_be_read_past_ends_it(
    tmp_path: Path, command: bytes
) -> None:
    async def test(wire: Wire) -> None:
        wire.write(b"a " + command)
        assert [line[:14] for line in await wire.rest()] == ["* BYE [TOOBIG]"]

    selected(tmp_path, test)


def test_a_client_that_only_makes_mistakes_is_sent_away(tmp_path: Path) -> None:
    async def test(wire: Wire) -> None:
        wire.write(b"a BOGUS\r\n" * (LIMITS.imap_errors_max + 5))
        lines = await wire.rest()
        assert [line[:5] for line in lines] == ["a BAD"] * LIMITS.imap_errors_max + ["* BYE"]

    selected(tmp_path, test)

"""STARTTLS (RFC 9051 §6.2.1, RFC 2595) over real sockets."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from mailnode.limits import Limits
from tests.listeners.imap_dialogue import Wire, connect, house
from tests.listeners.loop import run
from tests.listeners.test_tls import made, trusting


def before_tls(directory: Path, test: Callable[[Wire], Awaitable[None]]) -> None:
    async def body() -> None:
        async with house(directory / "shard", Limits(), certificate=made(directory)) as served:
            wire = await connect(served.port)
            await test(wire)
            wire.close()

    (directory / "shard").mkdir()
    run(body())


def test_no_password_is_taken_before_tls_and_capabilities_are_fresh_after_it(tmp_path: Path) -> None:
    async def test(wire: Wire) -> None:
        wire.send("a CAPABILITY", {})
        before = (await wire.line()).split()
        assert {"STARTTLS", "LOGINDISABLED"} <= set(before)
        assert not [word for word in before if word.startswith("AUTH=")]
        await wire.succeed("a")
        wire.send("b LOGIN ann@example.test secret", {})
        assert (await wire.line()).startswith("b NO [PRIVACYREQUIRED] ")
        wire.send("c AUTHENTICATE PLAIN AGFubkBleGFtcGxlLnRlc3QAc2VjcmV0", {})
        assert (await wire.line()).startswith("c NO ")
        wire.send("d STARTTLS", {})
        await wire.succeed("d")
        await wire.start_tls(trusting(tmp_path))
        wire.send("e CAPABILITY", {})
        after = set((await wire.line()).split())
        assert {"AUTH=PLAIN", "AUTH=LOGIN", "AUTH=SCRAM-SHA-256", "SASL-IR"} <= after
        assert not after & {"STARTTLS", "LOGINDISABLED"}
        await wire.succeed("e")
        wire.send("f STARTTLS", {})
        assert (await wire.line()).startswith("f BAD ")
        wire.send("g LOGIN ann@example.test secret", {})
        assert (await wire.line()).startswith("g OK [CAPABILITY IMAP4rev1 ")

    before_tls(tmp_path, test)


def test_what_is_slipped_in_behind_starttls_is_dropped(tmp_path: Path) -> None:
    """A command, and the beginning of one that would swallow the first one in TLS."""

    async def test(wire: Wire) -> None:
        wire.write(b"a STARTTLS\r\nb NOOP\r\nc LOGIN ann@example.test {99+}\r\n")
        assert (await wire.line()).startswith("a OK ")
        await wire.start_tls(trusting(tmp_path))
        wire.send("d NOOP", {})
        assert (await wire.line()).startswith("d OK ")
        wire.send("e LOGOUT", {})
        assert [line[:5] for line in await wire.rest()] == ["* BYE", "e OK "]

    before_tls(tmp_path, test)


def test_starttls_after_login_is_refused(tmp_path: Path) -> None:
    async def test(wire: Wire) -> None:
        wire.send("a STARTTLS", {})
        await wire.succeed("a")
        await wire.start_tls(trusting(tmp_path))
        wire.send("b LOGIN ann@example.test secret", {})
        await wire.succeed("b")
        wire.send("c STARTTLS", {})
        assert (await wire.line()).startswith("c BAD ")

    before_tls(tmp_path, test)

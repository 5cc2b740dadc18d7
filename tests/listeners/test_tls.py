"""TLS from the first octet and by STARTTLS, over real sockets."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from mailnode.certificate import write_self_signed
from mailnode.clock import SystemClock
from mailnode.limits import Limits
from mailnode.listeners.tls import Certificate
from tests.listeners.door import PIECE, SILENCE_SECONDS, Caller, Door, call, greeted, opened, until
from tests.listeners.loop import run


def made(directory: Path, name: str = "mx.example.test") -> Certificate:
    write_self_signed(directory / "cert.pem", directory / "key.pem", [name], SystemClock())
    return Certificate(directory / "cert.pem", directory / "key.pem")


def trusting(directory: Path, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(directory / "cert.pem"))
    context.minimum_version = context.maximum_version = version
    return context


async def start_tls(caller: Caller, directory: Path) -> None:
    await caller.writer.start_tls(trusting(directory), server_hostname="localhost")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_from_the_first_octet_greets_after_the_handshake(tmp_path: Path, version: ssl.TLSVersion) -> None:
    async def test() -> None:
        async with opened(Door(certificate=made(tmp_path), implicit=True)) as door:
            caller = await call(door, trusting(tmp_path, version))
            assert await caller.hear() == b"tls hello"
            tls = door.conversations[0].tls
            assert tls is not None
            cipher, name, _ = caller.writer.get_extra_info("cipher")
            assert (tls.cipher, tls.version) == (cipher, version.name.replace("_", "."))
            assert name
            assert await caller.ask(b"one") == b"tls one"

    run(test())


def test_an_older_version_of_tls_is_refused(tmp_path: Path) -> None:
    async def test() -> None:
        async with opened(Door(certificate=made(tmp_path), implicit=True)) as door:
            with pytest.raises((ssl.SSLError, ConnectionError)), pytest.warns(DeprecationWarning):
                await call(door, trusting(tmp_path, ssl.TLSVersion.TLSv1_1))
            await until(lambda: not len(door.listening))

    run(test())


def test_starttls_begins_a_new_session_and_what_was_said_before_is_lost(tmp_path: Path) -> None:
    async def test() -> None:
        async with opened(Door(certificate=made(tmp_path))) as door:
            caller = await greeted(door)
            assert await caller.ask(b"one") == b"one"
            caller.say(b"starttls", b"slipped in", b"and ha")
            assert await caller.hear() == b"starttls"
            await start_tls(caller, tmp_path)
            assert await caller.ask(b"two") == b"tls two"
            assert b"slipped in" not in door.done

    run(test())


def test_a_long_answer_over_tls_waits_for_its_reader(tmp_path: Path) -> None:
    async def test() -> None:
        async with opened(Door(certificate=made(tmp_path))) as door:
            caller = await greeted(door)
            await caller.ask(b"starttls")
            await start_tls(caller, tmp_path)
            caller.say(b"big 300", b"quit")
            await until(lambda: door.conversations[0]._outlet.awaited)
            assert door.pieces < 290
            assert (await caller.rest()).count(PIECE) == 300
            await until(lambda: door.closed)

    run(test())


@pytest.mark.parametrize("implicit", [True, False])
def test_a_handshake_has_its_time(tmp_path: Path, implicit: bool) -> None:
    async def test() -> None:
        async with opened(Door(certificate=made(tmp_path), implicit=implicit)) as door:
            caller = await call(door)
            if not implicit:
                assert await caller.hear() == b"hello"
                assert await caller.ask(b"starttls") == b"starttls"
            await until(lambda: len(door.listening))
            door.pass_seconds(Limits().idle_tls_handshake_seconds_max + 1)
            assert await caller.rest() == b""
            await until(lambda: not len(door.listening))

    run(test())


def test_silence_is_counted_anew_after_the_handshake(tmp_path: Path) -> None:
    async def test() -> None:
        async with opened(Door(certificate=made(tmp_path))) as door:
            caller = await greeted(door)
            await caller.ask(b"starttls")
            door.pass_seconds(Limits().idle_tls_handshake_seconds_max - 1)
            await start_tls(caller, tmp_path)
            assert await caller.ask(b"one") == b"tls one"
            door.pass_seconds(SILENCE_SECONDS - 2)
            assert await caller.ask(b"two") == b"tls two"
            door.pass_seconds(SILENCE_SECONDS + 2)
            assert await caller.rest() == b"tls two\r\n".replace(b"tls two", b"goodbye SILENT")

    run(test())


@pytest.mark.parametrize("implicit", [True, False])
def test_what_is_no_handshake_ends_the_connection(tmp_path: Path, implicit: bool) -> None:
    async def test() -> None:
        async with opened(Door(certificate=made(tmp_path), implicit=implicit)) as door:
            caller = await call(door)
            if not implicit:
                assert await caller.hear() == b"hello"
                assert await caller.ask(b"starttls") == b"starttls"
            caller.say(b"EHLO there", b"this is no TLS")
            await caller.rest()
            await until(lambda: not len(door.listening))
            assert door.admission.total == 0

    run(test())


def test_too_many_connections_are_not_worth_a_handshake(tmp_path: Path) -> None:
    async def test() -> None:
        limits = Limits(connections_per_address_max=1)
        async with opened(Door(limits, certificate=made(tmp_path), implicit=True)) as door:
            first = await call(door, trusting(tmp_path))
            assert await first.hear() == b"tls hello"
            assert await (await call(door)).rest() == b""
            assert await first.ask(b"one") == b"tls one"

    run(test())


def test_a_new_certificate_serves_new_connections(tmp_path: Path) -> None:
    async def test() -> None:
        certificate = made(tmp_path)
        async with opened(Door(certificate=certificate, implicit=True)) as door:
            old = trusting(tmp_path)
            first = await call(door, old)
            await first.hear()
            (tmp_path / "key.pem").unlink()
            write_self_signed(
                tmp_path / "cert.pem", tmp_path / "key.pem", ["new.example.test"], SystemClock()
            )
            certificate.reload()
            second = await call(door, trusting(tmp_path))
            await second.hear()
            subject = dict(field[0] for field in second.writer.get_extra_info("peercert")["subject"])
            assert subject["commonName"] == "new.example.test"
            assert await first.ask(b"one") == b"tls one"
            with pytest.raises(ssl.SSLError):
                await call(door, old)

    run(test())


def test_a_pair_that_does_not_match_changes_nothing(tmp_path: Path) -> None:
    async def test() -> None:
        certificate = made(tmp_path)
        async with opened(Door(certificate=certificate, implicit=True)) as door:
            trusted = trusting(tmp_path)
            (tmp_path / "key.pem").write_text("no key\n")
            with pytest.raises(ValueError):
                certificate.reload()
            caller = await call(door, trusted)
            assert await caller.hear() == b"tls hello"

    run(test())


def test_stopping_says_goodbye_over_tls(tmp_path: Path) -> None:
    async def test() -> None:
        async with opened(Door(certificate=made(tmp_path), implicit=True)) as door:
            caller = await call(door, trusting(tmp_path))
            await caller.hear()
            stopped = asyncio.ensure_future(door.listening.stop())
            assert await caller.rest() == b"goodbye STOPPING\r\n"
            await stopped

    run(test())


def test_a_peer_that_says_no_more_after_starttls_is_not_waited_for(tmp_path: Path) -> None:
    async def test() -> None:
        async with opened(Door(certificate=made(tmp_path))) as door:
            caller = await greeted(door)
            caller.say(b"wait a", b"starttls")
            await until(lambda: b"a" in door.gates)
            caller.writer.write_eof()
            await greeted(door)  # by then the listener has met the end of the other
            door.gate(b"a").set()
            assert await caller.rest() == b"wait a\r\nstarttls\r\n"
            await until(lambda: door.closed == 1)

    run(test())

"""Servers and channels of nodes, over real sockets."""

from __future__ import annotations

import asyncio
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from mailnode.clock import SystemClock
from mailnode.cluster.authority import (
    Files,
    credentials_in,
    key_of,
    key_pem,
    new_authority,
    new_key,
    pem_of,
)
from mailnode.cluster.map import Map, Peer
from mailnode.cluster.peers import NoAddress, Peers
from mailnode.cluster.replica_messages import Member
from mailnode.limits import Limits
from tests.cluster.by_hand import HandClock

NAMES = "one", "two"
LIMITS = Limits()
SERVING = health_pb2.HealthCheckResponse.SERVING


class Credentials(NamedTuple):
    server: grpc.ServerCredentials
    channel: grpc.ChannelCredentials


def peers(
    name: str, addresses: dict[str, str], limits: Limits = LIMITS, credentials: Credentials | None = None
) -> Peers:
    return Peers(_map(name, addresses), limits, *(credentials or ()))


def _map(name: str, addresses: dict[str, str]) -> Map:
    known = Map(Member(name, 1))
    for each, address in addresses.items():
        known.put_peer(Peer(each, "host", "", "", 1.0, 1, address))
    return known


def sockets(folder: Path) -> dict[str, str]:
    return {name: f"unix:{folder / name}.sock" for name in NAMES}


class Echo:
    """Says what it is told, and holds calls open that say nothing."""

    async def _say(self, octets: bytes, context: Any) -> bytes:
        return octets

    async def _hold(self, octets: bytes, context: Any) -> AsyncIterator[bytes]:
        yield b"held"
        await asyncio.Event().wait()

    def add(self, server: grpc.aio.Server) -> None:
        handlers = {
            "say": grpc.unary_unary_rpc_method_handler(self._say),
            "hold": grpc.unary_stream_rpc_method_handler(self._hold),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("echo", handlers),))


@asynccontextmanager
async def started(made: Peers) -> AsyncIterator[Peers]:
    made.add(Echo().add)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


async def say(channel: grpc.aio.Channel, octets: bytes = b"hello") -> Any:
    call: Any = channel.unary_unary("/echo/say")
    return await call(octets, timeout=20, wait_for_ready=True)


def test_nodes_of_one_host_speak_over_sockets_of_their_user_alone(tmp_path: Path) -> None:
    async def scenario() -> None:
        where = sockets(tmp_path)
        async with started(peers("one", where)) as one, started(peers("two", where)) as two:
            assert await say(one.channel("two")) == b"hello"
            assert await say(two.channel("one")) == b"hello"
            assert one.channel("two") is one.channel("two")
            assert stat.S_IMODE((tmp_path / "one.sock").stat().st_mode) == 0o600
            asked: Any = health_pb2_grpc.HealthStub(one.channel("two"))
            assert (await asked.Check(health_pb2.HealthCheckRequest())).status == SERVING

    asyncio.run(scenario())


def test_a_peer_that_was_restarted_is_reached_by_the_same_channel(tmp_path: Path) -> None:
    async def scenario() -> None:
        where = sockets(tmp_path)
        one = peers("one", where)
        channel = one.channel("two")
        for _ in range(2):
            async with started(peers("two", where)):
                assert await say(channel) == b"hello"
            with pytest.raises(grpc.aio.AioRpcError):
                await channel.unary_unary("/echo/say")(b"", timeout=20)  # type: ignore[misc]
        assert one.channel("two") is channel
        await one.stop()

    asyncio.run(scenario())


def test_a_node_that_moved_is_reached_where_it_is_now(tmp_path: Path) -> None:
    async def scenario() -> None:
        where = sockets(tmp_path)
        known = _map("one", where)
        one = Peers(known, LIMITS)
        before = one.channel("two")
        moved = {**where, "two": f"unix:{tmp_path}/elsewhere.sock"}
        known.put_peer(Peer("two", "host", "", "", 1.0, 1, moved["two"]))
        async with started(peers("two", moved)):
            assert await say(one.channel("two")) == b"hello"
        assert one.channel("two") is not before
        await one.stop()

    asyncio.run(scenario())


def test_a_node_without_an_address_listens_nowhere_and_is_not_spoken_to(tmp_path: Path) -> None:
    async def scenario() -> None:
        alone = Peers(Map.alone("one"), LIMITS)
        await alone.start()
        for name in ("one", "two"):
            with pytest.raises(NoAddress):
                alone.channel(name)
        await alone.stop()

    asyncio.run(scenario())


def test_more_calls_than_a_server_may_have_are_refused_and_the_others_go_on(tmp_path: Path) -> None:
    async def scenario() -> None:
        where = sockets(tmp_path)
        few = replace(LIMITS, peer_calls_open_max=2)
        async with started(peers("two", where, few)), started(peers("one", where)) as one:
            channel = one.channel("two")
            held: list[Any] = [channel.unary_stream("/echo/hold")(b"") for _ in range(2)]
            assert [await each.read() for each in held] == [b"held", b"held"]
            with pytest.raises(grpc.aio.AioRpcError):
                call: Any = channel.unary_unary("/echo/say")
                await call(b"", timeout=1)
            held.pop().cancel()
            assert await said_at_last(channel) == b"hello"
            held.pop().cancel()

    asyncio.run(scenario())


async def said_at_last(channel: grpc.aio.Channel) -> Any:
    """The server hears of the end of a call in its own time, and may refuse until then."""
    while True:
        try:
            return await say(channel)
        except grpc.aio.AioRpcError as error:
            assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_message_that_is_too_long_ends_its_call_alone(tmp_path: Path) -> None:
    async def scenario() -> None:
        where = sockets(tmp_path)
        short = replace(LIMITS, peer_message_octets_max=1000)
        async with started(peers("two", where, short)), started(peers("one", where)) as one:
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await say(one.channel("two"), bytes(1001))
            assert error.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
            assert await say(one.channel("two"), bytes(900)) == bytes(900)

    asyncio.run(scenario())


def test_a_peer_that_hangs_is_noticed(tmp_path: Path) -> None:
    """Its kernel takes what we say, but nobody answers."""

    async def scenario() -> None:
        soon = replace(LIMITS, peer_silence_seconds_max=1)
        with socket.socket(socket.AF_UNIX) as deaf:
            deaf.bind(str(tmp_path / "two.sock"))
            deaf.listen()
            one = peers("one", sockets(tmp_path), soon)
            with pytest.raises(grpc.aio.AioRpcError) as error:
                call: Any = one.channel("two").unary_unary("/echo/say")
                await call(b"")
            assert error.value.code() == grpc.StatusCode.UNAVAILABLE
            await one.stop()

    asyncio.run(scenario())


# -- TLS


class Trusted:
    """An authority, and folders of nodes that it knows."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.authority = new_authority(b"cluster", SystemClock())

    def credentials(self, name: str) -> Credentials:
        files = Files(self._folder / name)
        files.folder.mkdir(exist_ok=True)
        key = new_key()
        files.key.write_bytes(key_pem(key))
        files.certificate.write_bytes(pem_of(self.authority.issue(name, key.public_key(), SystemClock())))
        files.authority.write_bytes(self.pem)
        return Credentials(*credentials_in(files))

    @property
    def pem(self) -> bytes:
        return pem_of(self.authority.certificate)


def ports() -> dict[str, str]:
    with socket.socket() as one, socket.socket() as two:
        for each in (one, two):
            each.bind(("127.0.0.1", 0))
        return dict(zip(NAMES, (f"127.0.0.1:{each.getsockname()[1]}" for each in (one, two)), strict=True))


def test_other_hosts_are_spoken_to_with_certificates_of_both(tmp_path: Path) -> None:
    async def scenario() -> None:
        where, authority = ports(), Trusted(tmp_path)
        async with (
            started(peers("two", where, credentials=authority.credentials("two"))),
            started(peers("one", where, credentials=authority.credentials("one"))) as one,
        ):
            assert await say(one.channel("two")) == b"hello"

    asyncio.run(scenario())


async def refused(asking: Peers, node: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        call: Any = asking.channel(node).unary_unary("/echo/say")
        await call(b"", timeout=10)
    assert error.value.code() == grpc.StatusCode.UNAVAILABLE
    await asking.stop()


def test_who_has_no_certificate_of_ours_or_is_another_node_is_not_spoken_to(tmp_path: Path) -> None:
    async def scenario() -> None:
        where, ours = ports(), Trusted(tmp_path)
        (tmp_path / "theirs").mkdir()
        stranger = Trusted(tmp_path / "theirs").credentials("one")
        without = Credentials(stranger.server, grpc.ssl_channel_credentials(ours.pem))
        async with started(peers("two", where, credentials=ours.credentials("two"))):
            for each in (stranger, without):
                await refused(peers("one", where, credentials=each), "two")
            where["three"] = where["two"]
            await refused(peers("one", where, credentials=ours.credentials("one")), "three")
            with pytest.raises(NoAddress):
                peers("one", where).channel("two")

    asyncio.run(scenario())


def test_whose_certificate_has_ended_is_refused_until_it_shows_a_renewed_one(tmp_path: Path) -> None:
    async def scenario() -> None:
        where, ours = ports(), Trusted(tmp_path)
        one, two = ours.credentials("one"), ours.credentials("two")
        file = tmp_path / "two" / "node.pem"
        renewed, key = file.read_bytes(), key_of((tmp_path / "two" / "node-key.pem").read_bytes())
        years_ago = HandClock(SystemClock().now_microseconds() - 3 * 365 * 86_400_000_000)
        async with started(peers("two", where, credentials=two)):
            file.write_bytes(pem_of(ours.authority.issue("two", key.public_key(), years_ago)))
            await refused(peers("one", where, credentials=one), "two")
            file.write_bytes(renewed)
            asking = peers("one", where, credentials=one)
            assert await say(asking.channel("two")) == b"hello"
            await asking.stop()

    asyncio.run(scenario())


def test_a_channel_that_is_opened_later_shows_what_was_renewed_and_what_is_open_goes_on(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        where, ours = ports(), Trusted(tmp_path)
        async with (
            started(peers("two", where, credentials=ours.credentials("two"))),
            started(peers("one", where, credentials=ours.credentials("one"))) as one,
        ):
            before = one.channel("two")
            held: Any = before.unary_stream("/echo/hold")(b"")
            assert await held.read() == b"held"
            one.show(ours.credentials("one").channel)
            after = one.channel("two")
            assert after is not before and await say(after) == b"hello"
            assert not held.done()
            held.cancel()

    asyncio.run(scenario())


def test_a_port_is_nobodys_twice_and_needs_a_certificate(tmp_path: Path) -> None:
    async def scenario() -> None:
        where, authority = ports(), Trusted(tmp_path)
        with pytest.raises(OSError, match="no certificate"):
            await peers("one", where).start()
        async with started(peers("one", where, credentials=authority.credentials("one"))):
            with pytest.raises(OSError, match="cannot be listened at"):
                await peers("one", where, credentials=authority.credentials("one")).start()

    asyncio.run(scenario())

"""The gRPC server of a node, and its channel to each other node.

Nodes of one host speak over unix sockets that only their user can open; all others over TLS, in which each
end shows a certificate with its node's name as a DNS name of the subject. A channel connects by itself, and
again when its peer comes back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer

from mailnode.cluster.map import Map
from mailnode.cluster.near import Doors, Service
from mailnode.cluster.target import target
from mailnode.limits import Limits

UNIX = "unix:"
_Option = tuple[str, int | str]


class NoAddress(LookupError):
    """The registry does not say where this node listens."""


class _Kept(NamedTuple):
    address: str
    channel: grpc.aio.Channel


class Peers:
    """Lives on the loop. Without credentials only unix sockets are listened and spoken at."""

    def __init__(
        self,
        known: Map,
        limits: Limits,
        server_credentials: grpc.ServerCredentials | None = None,
        channel_credentials: grpc.ChannelCredentials | None = None,
    ) -> None:
        self._map = known
        self._limits = limits
        self._server_credentials = server_credentials
        self._channel_credentials = channel_credentials
        self._adding: list[Callable[[grpc.aio.Server], None]] = []
        self._server: grpc.aio.Server | None = None
        self._health = HealthServicer()
        self._channels: dict[str, _Kept] = {}
        self._former: list[_Kept] = []
        """Which show a certificate that was renewed meanwhile."""
        self._closing: set[asyncio.Task[None]] = set()
        self._services: dict[str, Service] = {}
        self._doors = Doors(self._services, limits)

    def add(self, add_to_server: Callable[[grpc.aio.Server], None]) -> None:
        """A service of a part of this node; before `start`."""
        self._adding.append(add_to_server)

    def add_near(self, name: str, service: Service) -> None:
        """The same for nodes of this host (`cluster/near`)."""
        self._services[name] = service

    async def start(self) -> None:
        """Listen at the own address, where there is one; raises OSError.

        The caller holds the shard's lock, so a socket that is there belongs to a process that was killed.
        """
        me = self._map.peer(self._map.me.node)
        if me is None or not me.address:
            return
        limits = self._limits
        server = grpc.aio.server(
            options=_server_options(limits), maximum_concurrent_rpcs=limits.peer_calls_open_max
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        for add_to_server in self._adding:
            add_to_server(server)
        self._listen(server, me.address)
        await server.start()
        self._server = server  # it stops when it is collected
        where = _near(me.address)
        if where is not None:
            try:
                await self._doors.open(where)
            except OSError as error:
                raise OSError(f"{where} cannot be listened at: {error}") from error

    async def stop(self) -> None:
        """Whoever asks for health is told first."""
        for each in (*self._channels.values(), *self._former):
            self._close(each.channel)
        self._channels.clear()
        self._former.clear()
        if self._closing:
            await asyncio.wait(self._closing)
        await self._doors.close()
        if self._server is not None:
            await self._health.set("", health_pb2.HealthCheckResponse.NOT_SERVING)
            await self._server.stop(grace=None)
            self._server = None

    def channel(self, node: str) -> grpc.aio.Channel:
        """Kept until the node's address changes; raises NoAddress."""
        address = self._address(node)
        kept = self._channels.get(node)
        if kept is not None and kept.address == address:
            return kept.channel
        channel = self._opened(node, address)
        if kept is not None:
            self._close(kept.channel)
        self._channels[node] = _Kept(address, channel)
        return channel

    def near(self, node: str) -> Path | None:
        """Where a node of this host listens for `add_near`; None: it is another host's. Raises NoAddress."""
        return _near(self._address(node))

    def _address(self, node: str) -> str:
        peer = self._map.peer(node)
        if peer is None or not peer.address:
            raise NoAddress(f"no address of node {node} is known")
        return peer.address

    def show(self, channel_credentials: grpc.ChannelCredentials) -> None:
        """A renewed certificate, wherever is connected to from now on; what is open goes on."""
        self._channel_credentials = channel_credentials
        for each in self._former:
            self._close(each.channel)
        self._former = [kept for kept in self._channels.values() if not kept.address.startswith(UNIX)]
        self._channels = {
            node: kept for node, kept in self._channels.items() if kept.address.startswith(UNIX)
        }

    def _listen(self, server: grpc.aio.Server, address: str) -> None:
        try:
            if address.startswith(UNIX):
                socket = Path(address.removeprefix(UNIX))
                socket.unlink(missing_ok=True)
                server.add_insecure_port(target(socket))
                socket.chmod(0o600)
                return
            if self._server_credentials is None:
                raise OSError("there is no certificate for it")
            server.add_secure_port(address, self._server_credentials)
        except (OSError, RuntimeError) as error:
            raise OSError(f"{address} cannot be listened at: {error}") from error

    def _opened(self, node: str, address: str) -> grpc.aio.Channel:
        options = _channel_options(self._limits)
        if address.startswith(UNIX):
            return grpc.aio.insecure_channel(target(Path(address.removeprefix(UNIX))), options=options)
        if self._channel_credentials is None:
            raise NoAddress(f"node {node} is at {address}, and there is no certificate to speak to it")
        # The certificate is the node's, wherever it listens.
        options = (*options, ("grpc.ssl_target_name_override", node))
        return grpc.aio.secure_channel(address, self._channel_credentials, options=options)

    def _close(self, channel: grpc.aio.Channel) -> None:
        closing = asyncio.ensure_future(channel.close(grace=None))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)


def _near(address: str) -> Path | None:
    """Beside gRPC's own."""
    return Path(address.removeprefix(UNIX)).with_suffix(".near") if address.startswith(UNIX) else None


def _server_options(limits: Limits) -> tuple[_Option, ...]:
    return (
        *_options(limits),
        ("grpc.so_reuseport", 0),  # else a second node at the same port would not notice
        ("grpc.max_concurrent_streams", limits.peer_calls_open_max),
        # A peer asks as often as it likes whether we are there: _options says how often that is.
        ("grpc.http2.min_ping_interval_without_data_ms", limits.peer_silence_seconds_max * 500),
        ("grpc.http2.max_ping_strikes", 0),
    )


def _channel_options(limits: Limits) -> tuple[_Option, ...]:
    return (
        *_options(limits),
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.enable_retries", 0),  # who asks knows what may be asked again
        ("grpc.initial_reconnect_backoff_ms", 50),
        ("grpc.max_reconnect_backoff_ms", limits.peer_reconnect_milliseconds_max),
        ("grpc.min_reconnect_backoff_ms", limits.peer_silence_seconds_max * 1000),  # for one attempt
    )


def _options(limits: Limits) -> tuple[_Option, ...]:
    return (
        ("grpc.max_receive_message_length", limits.peer_message_octets_max),
        ("grpc.max_send_message_length", limits.peer_message_octets_max),
        ("grpc.keepalive_time_ms", limits.peer_silence_seconds_max * 1000),
        ("grpc.keepalive_timeout_ms", limits.peer_silence_seconds_max * 1000),
        ("grpc.http2.ping_timeout_ms", limits.peer_silence_seconds_max * 1000),  # servers go by this one
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
    )

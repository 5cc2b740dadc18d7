"""What is under both ends of the streams between nodes (protos/account.proto, service Accounts): gRPC, and
between nodes of one host `cluster/near`."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc

from mailnode.cluster import near
from mailnode.cluster.hello import Beside
from mailnode.cluster.peers import NoAddress, Peers
from mailnode.limits import Limits
from mailnode.mailbox import link
from mailnode.mailbox.link import Unreached
from mailnode.mailbox.service import Service
from mailnode.pb.account_pb2 import DESCRIPTOR

_SERVICE = DESCRIPTOR.services_by_name["Accounts"].full_name
_SPEAK = "Speak"
_EOF: Any = getattr(grpc.aio, "EOF")  # noqa: B009  which the stubs do not know


async def connect(peers: Peers, node: str, *, beside: Beside, limits: Limits) -> link.Stream:
    """A stream to which the node has said that it is there; raises Unreached. `beside`: what both tell."""
    try:
        where = peers.near(node)
        if where is not None:
            return await near.connect(where, _SERVICE, limits)
        channel = peers.channel(node)
    except (NoAddress, OSError) as error:
        raise Unreached(f"node {node} is not there: {error}") from None
    multi: Any = channel.stream_stream
    call = multi(f"/{_SERVICE}/{_SPEAK}")(metadata=beside.metadata())
    try:
        async with asyncio.timeout(limits.peer_silence_seconds_max):
            said = await call.initial_metadata()
            if call.done():
                raise Unreached(f"node {node}: {await call.details()}")
    except (grpc.RpcError, TimeoutError) as error:
        call.cancel()
        raise Unreached(f"node {node} is not there") from error
    except BaseException:
        call.cancel()
        raise
    beside.hear(said)
    return _Asking(call)


def add_to(peers: Peers, service: Service, beside: Beside) -> None:
    """The node answers at both."""

    async def speak(_: Any, context: Any) -> None:
        beside.hear(context.invocation_metadata())
        await context.send_initial_metadata(beside.metadata())
        await service.speak(_Answering(context))

    handler = grpc.stream_stream_rpc_method_handler(speak)
    handlers = grpc.method_handlers_generic_handler(_SERVICE, {_SPEAK: handler})
    peers.add(lambda server: server.add_generic_rpc_handlers((handlers,)))
    peers.add_near(_SERVICE, service.speak)


class _Asking:
    """The end that began it."""

    def __init__(self, call: Any) -> None:
        self._call = call

    async def read(self) -> bytes:
        try:
            answers: bytes = await self._call.read()
        except grpc.RpcError as error:
            raise OSError(str(error)) from None
        if answers is _EOF:
            raise OSError("the node ended the stream")
        return answers

    async def write(self, message: bytes) -> None:
        try:
            await self._call.write(message)
        except (grpc.RpcError, asyncio.InvalidStateError) as error:
            raise OSError(str(error)) from None

    def close(self) -> None:
        self._call.cancel()


class _Answering:
    """The end that was begun at."""

    def __init__(self, context: Any) -> None:
        self._context = context

    async def read(self) -> bytes:
        asks: bytes = await self._context.read()
        if asks is _EOF:
            raise OSError("the node ended the stream")
        return asks

    async def write(self, message: bytes) -> None:
        await self._context.write(message)

    def close(self) -> None:
        """It ends with its handler."""

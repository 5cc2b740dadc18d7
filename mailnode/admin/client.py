"""The CLI's end of Admin (protos/admin.proto)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc

from mailnode.admin.method import method_of
from mailnode.admin.refusal import Refusal
from mailnode.admin.target import MESSAGE_OPTIONS
from mailnode.cluster.target import target
from mailnode.pb import admin_pb2 as pb

_AIO: Any = grpc.aio
_EOF = _AIO.EOF  # which the stubs do not know


class NotRunning(Exception):
    """No node listens at the socket."""


class Failed(Exception):
    """A node is there, but gave no answer; the text is one line."""


def ask(socket: Path, request: Any) -> Any:
    """What the node that listens at `socket` answers; blocks. Raises Refusal, NotRunning and Failed."""
    if not socket.exists():
        raise NotRunning
    method = method_of(request)
    with grpc.insecure_channel(target(socket), options=MESSAGE_OPTIONS) as channel:
        call = channel.unary_unary(
            method.path,
            request_serializer=method.request.SerializeToString,
            response_deserializer=method.answer.FromString,
        )
        try:
            return call(request, timeout=method.seconds_max)
        except grpc.RpcError as error:
            raise _meant(error) from error


def ask_any(sockets: Sequence[Path], request: Any) -> Any:
    """Of several nodes whichever answers, and speaks for all of them; raises as `ask`."""
    for socket in sockets:
        try:
            return ask(socket, request)
        except NotRunning:
            continue
    raise NotRunning


def running(sockets: Sequence[Path]) -> Path | None:
    """Where a node listens, well or not."""
    return next((socket for socket in sockets if is_running(socket)), None)


def is_running(socket: Path) -> bool:
    """Whether a node listens there, well or not."""
    try:
        ask(socket, pb.StatusRequest())
    except NotRunning:
        return False
    except (Refusal, Failed):
        return True
    return True


@asynccontextmanager
async def importing(
    socket: Path,
) -> AsyncIterator[Callable[[pb.ImportRequest], Awaitable[pb.ImportAnswer]]]:
    """What asks one import of the node, many requests at a time, each answered in order; raises as `ask`."""
    method = method_of(pb.ImportRequest())
    async with grpc.aio.insecure_channel(target(socket), options=MESSAGE_OPTIONS) as channel:
        multi: Any = channel.stream_stream(
            method.path,
            request_serializer=method.request.SerializeToString,
            response_deserializer=method.answer.FromString,
        )
        call = multi()
        writing, reading = asyncio.Lock(), asyncio.Lock()

        async def asked(request: pb.ImportRequest) -> pb.ImportAnswer:
            try:
                async with writing:
                    await call.write(request)
                async with reading:  # in the order of the writes: a lock is fair
                    answer: Any = await call.read()
            except (grpc.RpcError, asyncio.InvalidStateError):
                answer = _EOF
            if answer is _EOF:
                raise _ended(await call.code(), await call.details())
            return answer  # type: ignore[no-any-return]

        try:
            yield asked
        finally:
            call.cancel()


async def exporting(socket: Path, request: pb.ExportRequest) -> AsyncIterator[pb.ExportAnswer]:
    """Raises as `ask`."""
    method = method_of(request)
    async with grpc.aio.insecure_channel(target(socket), options=MESSAGE_OPTIONS) as channel:
        call: Any = channel.unary_stream(
            method.path,
            request_serializer=method.request.SerializeToString,
            response_deserializer=method.answer.FromString,
        )
        try:
            async for answer in call(request):
                yield answer
        except grpc.RpcError as error:
            raise _meant(error) from error


def _ended(code: Any, details: str | None) -> Exception:
    if code == grpc.StatusCode.FAILED_PRECONDITION:
        return Refusal(details)
    return Failed("the node stopped, or gave no answer")


def _meant(error: Any) -> Exception:
    if error.code() == grpc.StatusCode.UNAVAILABLE:
        return NotRunning()
    if error.code() == grpc.StatusCode.FAILED_PRECONDITION:
        return Refusal(error.details())
    return Failed(f"the node did not answer: {error.code().name.lower()}: {error.details()}")

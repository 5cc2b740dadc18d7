"""The node's end of Admin (protos/admin.proto)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc

from mailnode.admin.everywhere import Everywhere
from mailnode.admin.method import SERVICE, Method, methods
from mailnode.admin.operator import Operator, answers, asked
from mailnode.admin.refusal import Refusal
from mailnode.admin.target import MESSAGE_OPTIONS
from mailnode.cluster.target import target

Asks = Callable[[str, Any], Awaitable[Any]]
"""Of a row's name and request; raises Refusal."""


def among_nodes(operator: Operator) -> Callable[[grpc.aio.Server], None]:
    """Adds what the other nodes ask of this one alone."""

    async def asks(name: str, request: Any) -> Any:
        return await asked(operator, name, request)

    return lambda server: _add(server, operator, asks)


async def serve(socket: Path, everywhere: Everywhere) -> grpc.aio.Server:
    """Listen at `socket`, for this user only. Keep what is returned: it stops when it is collected.

    The caller holds the shard's lock, so a socket that is there belongs to a process that was killed. Raises
    OSError.
    """
    server = _bound(socket, everywhere)
    await server.start()
    return server


def _bound(socket: Path, everywhere: Everywhere) -> grpc.aio.Server:
    where = target(socket)
    socket.unlink(missing_ok=True)
    server = grpc.aio.server(options=MESSAGE_OPTIONS)
    _add(server, everywhere.operator, everywhere.asked)
    try:
        server.add_insecure_port(where)
    except RuntimeError as error:
        raise OSError(f"{socket} cannot be listened at: {error}") from error
    socket.chmod(0o600)
    return server


def _add(server: grpc.aio.Server, operator: Operator, asks: Asks) -> None:
    handlers = {method.name: _handler(method, operator, asks) for method in methods()}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))


def _handler(method: Method, operator: Operator, asks: Asks) -> grpc.RpcMethodHandler[Any, Any]:
    """An exception but Refusal is our own mistake, which gRPC logs and reports."""
    if method.streams_answers:
        return _stream(method, operator)

    async def answer(request: Any, context: Any) -> Any:
        try:
            return await asks(method.name, request)
        except Refusal as refusal:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(refusal))

    return grpc.unary_unary_rpc_method_handler(
        answer,
        request_deserializer=method.request.FromString,
        response_serializer=method.answer.SerializeToString,
    )


def _stream(method: Method, operator: Operator) -> grpc.RpcMethodHandler[Any, Any]:
    async def stream(asked: Any, context: Any) -> Any:
        try:
            async for answer in answers(operator, method.name, asked):
                yield answer
        except Refusal as refusal:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(refusal))

    made = (
        grpc.stream_stream_rpc_method_handler
        if method.streams_requests
        else grpc.unary_stream_rpc_method_handler
    )
    return made(
        stream,
        request_deserializer=method.request.FromString,
        response_serializer=method.answer.SerializeToString,
    )

"""The node's end of Admin (protos/admin.proto)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc

from mailnode.admin.target import target
from mailnode.directory.creation import Creation, Refused
from mailnode.pb.admin_pb2 import (
    AccountAddRequest,
    AccountAddResponse,
    AliasAddRequest,
    AliasAddResponse,
)
from mailnode.pb.admin_pb2_grpc import AdminServicer, add_AdminServicer_to_server


class Service(AdminServicer):
    """Outcomes are in the answers; an exception here is our own mistake, which gRPC logs and reports."""

    def __init__(self, creation: Creation) -> None:
        self._creation = creation

    async def AccountAdd(self, request: AccountAddRequest, context: Any) -> AccountAddResponse:
        outcome = await self._creation.create(request.address, request.password)
        if isinstance(outcome, Refused):
            return AccountAddResponse(error=outcome.reason)
        return AccountAddResponse(address=outcome.address)

    async def AliasAdd(self, request: AliasAddRequest, context: Any) -> AliasAddResponse:
        outcome = await self._creation.create_alias(request.address, request.targets)
        if isinstance(outcome, Refused):
            return AliasAddResponse(error=outcome.reason)
        return AliasAddResponse(address=outcome.address)


async def serve(socket: Path, service: Service) -> grpc.aio.Server:
    """Listen at `socket`, for this user only. Keep what is returned: it stops when it is collected.

    The caller holds the shard's lock, so a socket that is there belongs to a process that was killed. Raises
    OSError.
    """
    server = _bound(socket, service)
    await server.start()
    return server


def _bound(socket: Path, service: Service) -> grpc.aio.Server:
    where = target(socket)
    socket.unlink(missing_ok=True)
    server = grpc.aio.server()
    add_AdminServicer_to_server(service, server)  # type: ignore[no-untyped-call]  # generated
    try:
        server.add_insecure_port(where)
    except RuntimeError as error:
        raise OSError(f"{socket} cannot be listened at: {error}") from error
    socket.chmod(0o600)
    return server

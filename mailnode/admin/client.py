"""The CLI's end of Admin (protos/admin.proto)."""

from __future__ import annotations

from pathlib import Path

import grpc

from mailnode.admin.target import target
from mailnode.pb.admin_pb2 import AccountAddRequest, AccountAddResponse
from mailnode.pb.admin_pb2_grpc import AdminStub

ANSWER_SECONDS_MAX = 60


class NotRunning(Exception):
    """No node listens at the socket."""


class Failed(Exception):
    """A node is there, but gave no answer; the text is one line."""


def account_add(socket: Path, address: str, password: str) -> AccountAddResponse:
    """Ask the node that listens at `socket`; blocks. Raises NotRunning and Failed."""
    if not socket.exists():
        raise NotRunning
    with grpc.insecure_channel(target(socket)) as channel:
        request = AccountAddRequest(address=address, password=password)
        admin = AdminStub(channel)  # type: ignore[no-untyped-call]  # generated
        try:
            answer: AccountAddResponse = admin.AccountAdd(request, timeout=ANSWER_SECONDS_MAX)
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.UNAVAILABLE:
                raise NotRunning from error
            raise Failed(
                f"the node did not answer: {error.code().name.lower()}: {error.details()}"
            ) from error
    return answer

"""The CLI's end of Admin (protos/admin.proto)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import grpc

from mailnode.admin.target import target
from mailnode.directory.creation import Created, Refused
from mailnode.pb.admin_pb2 import (
    AccountAddRequest,
    AccountAddResponse,
    AliasAddRequest,
    AliasAddResponse,
)
from mailnode.pb.admin_pb2_grpc import AdminStub

ANSWER_SECONDS_MAX = 60


class NotRunning(Exception):
    """No node listens at the socket."""


class Failed(Exception):
    """A node is there, but gave no answer; the text is one line."""


def account_add(socket: Path, address: str, password: str) -> Created | Refused:
    """Ask the node that listens at `socket`; blocks. Raises NotRunning and Failed."""
    request = AccountAddRequest(address=address, password=password)
    return _ask(socket, lambda admin: admin.AccountAdd(request, timeout=ANSWER_SECONDS_MAX))


def alias_add(socket: Path, address: str, targets: Sequence[str]) -> Created | Refused:
    """As `account_add`."""
    request = AliasAddRequest(address=address, targets=targets)
    return _ask(socket, lambda admin: admin.AliasAdd(request, timeout=ANSWER_SECONDS_MAX))


def _ask(
    socket: Path, question: Callable[[AdminStub], AccountAddResponse | AliasAddResponse]
) -> Created | Refused:
    if not socket.exists():
        raise NotRunning
    with grpc.insecure_channel(target(socket)) as channel:
        try:
            answer = question(AdminStub(channel))  # type: ignore[no-untyped-call]  # generated
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.UNAVAILABLE:
                raise NotRunning from error
            raise Failed(
                f"the node did not answer: {error.code().name.lower()}: {error.details()}"
            ) from error
    return Refused(answer.error) if answer.error else Created(answer.address)

"""The CLI's end of Admin (protos/admin.proto)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc

from mailnode.admin.method import method_of
from mailnode.admin.operator import Refusal
from mailnode.admin.target import target
from mailnode.pb import admin_pb2 as pb

ANSWER_SECONDS_MAX = 60
_SECONDS_MAX = {"AccountRestore": 86_400, "Checkpoint": 600}
"""Of work that is as long as there is mail."""


class NotRunning(Exception):
    """No node listens at the socket."""


class Failed(Exception):
    """A node is there, but gave no answer; the text is one line."""


def ask(socket: Path, request: Any) -> Any:
    """What the node that listens at `socket` answers; blocks. Raises Refusal, NotRunning and Failed."""
    if not socket.exists():
        raise NotRunning
    method = method_of(request)
    with grpc.insecure_channel(target(socket)) as channel:
        call = channel.unary_unary(
            method.path,
            request_serializer=method.request.SerializeToString,
            response_deserializer=method.answer.FromString,
        )
        try:
            return call(request, timeout=_SECONDS_MAX.get(method.name, ANSWER_SECONDS_MAX))
        except grpc.RpcError as error:
            raise _meant(error) from error


def is_running(socket: Path) -> bool:
    """Whether a node listens there, well or not."""
    try:
        ask(socket, pb.StatusRequest())
    except NotRunning:
        return False
    except (Refusal, Failed):
        return True
    return True


def _meant(error: Any) -> Exception:
    if error.code() == grpc.StatusCode.UNAVAILABLE:
        return NotRunning()
    if error.code() == grpc.StatusCode.FAILED_PRECONDITION:
        return Refusal(error.details())
    return Failed(f"the node did not answer: {error.code().name.lower()}: {error.details()}")

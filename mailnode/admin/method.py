"""The rows of the Admin service, read from its definition: both ends have them from here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.message_factory import GetMessageClass

from mailnode.pb import admin_pb2

_DEFINITION: Any = admin_pb2.DESCRIPTOR.services_by_name["Admin"]
SERVICE: str = _DEFINITION.full_name


ANSWER_SECONDS_MAX = 60
_SECONDS_MAX = {"AccountRestore": 86_400, "Checkpoint": 600, "ClusterPromote": 600}
"""Of work that is as long as there is mail."""


@dataclass(frozen=True, slots=True)
class Method:
    """`request` and `answer` are message classes; there are many of them where it streams."""

    name: str
    request: Any
    answer: Any
    streams_requests: bool
    streams_answers: bool

    @property
    def seconds_max(self) -> int:
        return _SECONDS_MAX.get(self.name, ANSWER_SECONDS_MAX)

    @property
    def path(self) -> str:
        return f"/{SERVICE}/{self.name}"


def methods() -> Iterator[Method]:
    for row in _DEFINITION.methods:
        request, answer = GetMessageClass(row.input_type), GetMessageClass(row.output_type)
        yield Method(row.name, request, answer, row.client_streaming, row.server_streaming)


def method_of(request: object) -> Method:
    """The one that takes this request: no two take the same."""
    return next(method for method in methods() if method.request is type(request))

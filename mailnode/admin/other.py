"""Another node, as an operator's requests reach it: by the Admin service among nodes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc

from mailnode.admin.method import method_of
from mailnode.admin.refusal import Away, Refusal
from mailnode.cluster.peers import NoAddress


@dataclass(frozen=True, slots=True)
class OtherNode:
    name: str
    channel: Callable[[str], grpc.aio.Channel]

    async def ask(self, request: Any) -> Any:
        """Raises Refusal and Away."""
        method = method_of(request)
        try:
            channel = self.channel(self.name)
        except NoAddress:
            raise Away(self.name) from None
        call: Any = channel.unary_unary(
            method.path,
            request_serializer=method.request.SerializeToString,
            response_deserializer=method.answer.FromString,
        )
        try:
            return await call(request, timeout=method.seconds_max)
        except grpc.aio.AioRpcError as error:
            if error.code() == grpc.StatusCode.FAILED_PRECONDITION:
                raise Refusal(error.details()) from None
            raise Away(self.name) from error

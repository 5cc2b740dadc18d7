"""The copies of another node, asked by gRPC (service Compare of protos/compare.proto)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import grpc

from mailnode.cluster.append import Unavailable
from mailnode.cluster.compare import HASH_OCTETS, Place, Range
from mailnode.cluster.copies import Copy, Unreached
from mailnode.cluster.copies_served import SERVICE, row_of
from mailnode.cluster.hello import Hello
from mailnode.cluster.points import Beyond
from mailnode.cluster.repairs import Rows, Written
from mailnode.cluster.replica_messages import Member, Position
from mailnode.cluster.sending import Channels, raise_if_cancelled
from mailnode.limits import Limits
from mailnode.pb import compare_pb2 as pb


class CopiesElsewhere:
    def __init__(self, member: Member, channels: Channels, hello: Hello, limits: Limits) -> None:
        self.node = member.node
        self._member = member
        self._channels = channels
        self._hello = hello
        self._limits = limits

    async def open(self, partition: int, seq: int, octets_a_second: int) -> Copy:
        """As `Copies.open`; raises Beyond and Unavailable."""
        asked = pb.OpenRequest(partition=partition, seq=seq, octets_a_second=octets_a_second)
        return await self._open(asked)

    async def hold(self, partition: int, seq: int) -> Copy:
        return await self._open(pb.OpenRequest(partition=partition, seq=seq, hold=True))

    async def suspect(self, partition: int) -> None:
        await self.ask("Suspect", pb.SuspectRequest(partition=partition), pb.Done)

    async def _open(self, asked: pb.OpenRequest) -> Copy:
        answer: pb.OpenAnswer = await self.ask("Open", asked, pb.OpenAnswer)
        if answer.beyond:
            raise Beyond(answer.beyond)
        return CopyElsewhere(self, answer.view, Position(answer.epoch, answer.seq))

    async def ask(self, method: str, request: Any, answer: Any) -> Any:
        """Raises Unavailable."""
        try:
            call = self._channels.channel(self.node).unary_unary(
                f"/{SERVICE}/{method}",
                request_serializer=lambda message: message.SerializeToString(),
                response_deserializer=answer.FromString,
            )
            seconds = self._limits.compare_answer_seconds_max
            return await call(request, timeout=seconds, metadata=self._hello.metadata(self._member))
        except grpc.aio.AioRpcError as error:
            kind = Unreached if error.code() == grpc.StatusCode.ABORTED else Unavailable
            raise kind(f"{self.node}: {error.details() or error.code().name}") from None
        except LookupError as error:
            raise Unavailable(f"{self.node}: {error}") from None
        except asyncio.CancelledError:
            raise_if_cancelled()
            raise Unavailable(f"{self.node}: the channel was closed") from None


class CopyElsewhere:
    def __init__(self, copies: CopiesElsewhere, view: bytes, at: Position) -> None:
        self.node = copies.node
        self.at = at
        self._ask = copies.ask
        self._view = view

    async def hashes(self, asked: Sequence[Range]) -> list[int]:
        request = pb.HashesRequest(view=self._view, ranges=[_said(each) for each in asked])
        octets = (await self._ask("Hashes", request, pb.HashesAnswer)).hashes
        if len(octets) != HASH_OCTETS * len(asked):
            raise Unavailable(f"{self.node} says {len(octets)} octets of {len(asked)} hashes")
        starts = range(0, len(octets), HASH_OCTETS)
        return [int.from_bytes(octets[start : start + HASH_OCTETS], "big") for start in starts]

    async def rows(self, asked: Range) -> Rows:
        request = pb.RowsRequest(view=self._view, range=_said(asked))
        answer: pb.RowsAnswer = await self._ask("Rows", request, pb.RowsAnswer)
        unread = [Range(each.start, each.end) for each in answer.unread]
        return Rows([row_of(row) for row in answer.rows], unread, answer.end)

    async def wrong(self, places: Sequence[Place]) -> list[str]:
        request = pb.PlacesRequest(view=self._view, places=places)
        answer: pb.WrongAnswer = await self._ask("Wrong", request, pb.WrongAnswer)
        if len(answer.wrong) != len(places):
            raise Unavailable(f"{self.node} says {len(answer.wrong)} things of {len(places)} rows")
        return list(answer.wrong)

    async def values(self, places: Sequence[Place]) -> list[bytes | None]:
        values: list[bytes | None] = []
        while len(values) < len(places):
            request = pb.PlacesRequest(view=self._view, places=places[len(values) :])
            answer: pb.ValuesAnswer = await self._ask("Values", request, pb.ValuesAnswer)
            if not 0 < len(answer.values) <= len(places) - len(values):
                raise Unavailable(f"{self.node} says {len(answer.values)} values")
            values += [each.value if each.HasField("value") else None for each in answer.values]
        return values

    async def mend(self, unread: Sequence[Range], rows: Sequence[Written]) -> None:
        written = [pb.Written(place=row.at, value=row.value, aside=row.aside) for row in rows]
        request = pb.MendRequest(view=self._view, unread=[_said(each) for each in unread], rows=written)
        await self._ask("Mend", request, pb.Done)

    async def close(self) -> None:
        with suppress(Unavailable):  # it closes it by itself
            await self._ask("Close", pb.CloseRequest(view=self._view), pb.Done)


def _said(asked: Range) -> pb.Range:
    return pb.Range(start=asked.start, end=asked.end)

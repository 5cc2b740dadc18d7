"""This node's copies for those who lead them (service Compare of protos/compare.proto)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import grpc

from mailnode.clock import Clock
from mailnode.cluster.append import Unavailable
from mailnode.cluster.compare import HASH_OCTETS, LAST, Range
from mailnode.cluster.copies import Copies, OwnCopy, Unreached
from mailnode.cluster.hello import Hello, Stranger, check_certificate
from mailnode.cluster.points import Beyond
from mailnode.cluster.repairs import Row, Written
from mailnode.limits import Limits
from mailnode.pb import compare_pb2 as pb

SERVICE = "mailnode.compare.Compare"
VIEW_OCTETS = 16

Method = Callable[[Any], Awaitable[Any]]


class _View(NamedTuple):
    copy: OwnCopy
    timer: asyncio.TimerHandle


class CopiesServed:
    """Lives on the loop."""

    def __init__(self, copies: Copies, hello: Hello, clock: Clock, limits: Limits) -> None:
        self._copies = copies
        self._hello = hello
        self._clock = clock
        self._limits = limits
        self.suspected: Callable[[int], None] = lambda partition: None
        """Called with a partition that is led here, and in whose rows another copy found damage."""
        self._views: dict[bytes, _View] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def add_to(self, server: grpc.aio.Server) -> None:
        """For `Peers.add`."""
        methods: Mapping[str, tuple[Method, Any]] = {
            "Open": (self._open, pb.OpenRequest),
            "Hashes": (self._hashes, pb.HashesRequest),
            "Rows": (self._rows, pb.RowsRequest),
            "Wrong": (self._wrong, pb.PlacesRequest),
            "Values": (self._values, pb.PlacesRequest),
            "Mend": (self._mend, pb.MendRequest),
            "Close": (self._close, pb.CloseRequest),
            "Suspect": (self._suspect, pb.SuspectRequest),
        }
        handlers = {
            name: grpc.unary_unary_rpc_method_handler(
                self._answering(method),
                request_deserializer=request.FromString,
                response_serializer=lambda answer: answer.SerializeToString(),
            )
            for name, (method, request) in methods.items()
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))

    def _answering(self, method: Method) -> Callable[[Any, Any], Awaitable[Any]]:
        async def answer(request: Any, context: Any) -> Any:
            try:
                met = self._hello.met(context.invocation_metadata())
                check_certificate(met.member.node, context.auth_context())
                return await method(request)
            except Unreached as error:
                await context.abort(grpc.StatusCode.ABORTED, str(error))
            except (Unavailable, Stranger) as error:
                await context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
            except BadPlace as error:
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))

        return answer

    async def stop(self) -> None:
        for view in list(self._views):
            self._forget(view)
        if self._closing:
            await asyncio.wait(self._closing)

    # -- views

    async def _open(self, request: pb.OpenRequest) -> pb.OpenAnswer:
        if len(self._views) >= self._limits.compare_views_open_max:
            raise Unavailable(f"{self._copies.node} has {len(self._views)} copies open for others")
        try:
            if request.hold:
                copy = await self._copies.hold(request.partition, request.seq)
            else:
                copy = await self._copies.open(request.partition, request.seq, request.octets_a_second)
        except Beyond as error:
            return pb.OpenAnswer(beyond=error.seq)
        view = self._clock.random(VIEW_OCTETS)
        self._views[view] = _View(copy, self._until_forgotten(view))
        return pb.OpenAnswer(view=view, epoch=copy.at.epoch, seq=copy.at.seq)

    def _until_forgotten(self, view: bytes) -> asyncio.TimerHandle:
        seconds = self._limits.compare_view_seconds_max
        return asyncio.get_running_loop().call_later(seconds, self._forget, view)

    def _forget(self, view: bytes) -> None:
        found = self._views.pop(view, None)
        if found is None:
            return
        found.timer.cancel()
        task = asyncio.ensure_future(found.copy.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _asked(self, view: bytes) -> OwnCopy:
        """Raises Unavailable."""
        found = self._views.get(view)
        if found is None:
            raise Unavailable(f"{self._copies.node} has closed that copy")
        found.timer.cancel()
        self._views[view] = _View(found.copy, self._until_forgotten(view))
        return found.copy

    # -- what is asked of one

    async def _hashes(self, request: pb.HashesRequest) -> pb.HashesAnswer:
        hashes = await self._asked(request.view).hashes([range_of(each) for each in request.ranges])
        return pb.HashesAnswer(hashes=b"".join([octets_of(hash) for hash in hashes]))

    async def _rows(self, request: pb.RowsRequest) -> pb.RowsAnswer:
        asked = range_of(request.range)
        found = await self._asked(request.view).rows(asked)
        return pb.RowsAnswer(
            rows=[pb.Row(place=row.at, hash=octets_of(row.hash), own=row.is_own) for row in found.rows],
            unread=[pb.Range(start=each.start, end=each.end) for each in found.unread],
            end=found.end,
        )

    async def _wrong(self, request: pb.PlacesRequest) -> pb.WrongAnswer:
        return pb.WrongAnswer(wrong=await self._asked(request.view).wrong(_places(request)))

    async def _values(self, request: pb.PlacesRequest) -> pb.ValuesAnswer:
        """At least one, however long."""
        copy, answer, octets = self._asked(request.view), pb.ValuesAnswer(), 0
        for at in _places(request):
            (value,) = await copy.values([at])
            octets += len(value or b"")
            if answer.values and octets > self._limits.compare_values_octets_max:
                break
            answer.values.append(pb.Value(value=value))
        return answer

    async def _mend(self, request: pb.MendRequest) -> pb.Done:
        rows = [
            Written(checked(row.place), row.value if row.HasField("value") else None, row.aside)
            for row in request.rows
        ]
        await self._asked(request.view).mend([range_of(each) for each in request.unread], rows)
        return pb.Done()

    async def _close(self, request: pb.CloseRequest) -> pb.Done:
        self._forget(request.view)
        return pb.Done()

    async def _suspect(self, request: pb.SuspectRequest) -> pb.Done:
        self.suspected(request.partition)
        return pb.Done()


class BadPlace(ValueError):
    """Octets that are no place."""


def checked(place: bytes) -> bytes:
    """Raises BadPlace."""
    if not place or place > LAST:
        raise BadPlace("no family has that number")
    return place


def range_of(said: pb.Range) -> Range:
    """Raises BadPlace."""
    return Range(checked(said.start), checked(said.end))


def _places(request: pb.PlacesRequest) -> list[bytes]:
    return [checked(at) for at in request.places if at < LAST]


def octets_of(hash: int) -> bytes:
    return hash.to_bytes(HASH_OCTETS, "big")


def row_of(said: pb.Row) -> Row:
    return Row(said.place, int.from_bytes(said.hash, "big"), said.own)

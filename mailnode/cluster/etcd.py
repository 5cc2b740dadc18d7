"""What is asked of etcd: reads, transactions, leases and watches, of whichever member answers.

Of aetcd the messages and stubs of etcd's API are used, not its client: that of 1.0.0 knows one endpoint, no
TLS, no pages, and no token that is too old.

Invariants: every call has a deadline; a member that does not answer within `member_seconds` is passed over,
and whatever stood open there ends with an error; nothing is retried that could act twice, for a transaction
compares revisions and a lease has its number before it is asked for.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
from aetcd import rpc

PAGE_PAIRS = 1000  # of one answer: some ms of the loop
CALL_SECONDS = 3.0  # over all members
MEMBER_SECONDS = 1.0  # a leader answers in milliseconds, or is being elected
_OPTIONS = (
    ("grpc.enable_http_proxy", 0),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.max_receive_message_length", 32 << 20),
    # A member that was stopped is seen by its silence. etcd sends away who pings more often than each 5 s, or
    # while nothing is asked; gRPC's own pings, which measure the way, count.
    ("grpc.keepalive_time_ms", 6000),
    ("grpc.keepalive_timeout_ms", 3000),
    ("grpc.keepalive_permit_without_calls", 0),
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.max_pings_without_data", 0),
    # One that comes back is there at once, not after a backoff of minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 1000),
)
_ELSEWHERE = frozenset(
    (
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.UNKNOWN,
    )
)
"""Another member may answer."""
_EOF: Any = vars(grpc.aio)["EOF"]
"""Which grpc-stubs does not know."""
_WITH_LEADER = ("hasleader", "true")
"""A member that is cut off from the others ends its watches."""


class EtcdError(Exception):
    """Nobody answered as asked; the text is for an operator."""


class Compacted(EtcdError):
    """The history that a watch should begin with is gone: read anew."""


@dataclass(frozen=True, slots=True)
class Login:
    """Of an etcd whose users prove who they are."""

    name: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Pair:
    key: bytes
    value: bytes
    revision: int
    """Of its last change."""
    lease: int = 0


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A condition: the key's last change is of that revision; 0: there is no such key."""

    key: bytes
    revision: int


@dataclass(frozen=True, slots=True)
class Put:
    key: bytes
    value: bytes
    lease: int = 0


@dataclass(frozen=True, slots=True)
class Drop:
    key: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """Of a transaction."""

    is_done: bool
    revision: int
    """Of all its puts, or of the moment at which it was refused."""
    pairs: tuple[Pair, ...] = ()
    """Refused: what there is of the keys that were asked for."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened in one or more revisions, in order."""

    revision: int
    """Up to which nothing is missing."""
    puts: tuple[Pair, ...]
    dropped: tuple[bytes, ...]
    """Keys; a key stands in one of both, as it is at `revision`."""


class Etcd:
    """Lives on the loop. `endpoints` are "host:port", one or more."""

    def __init__(
        self,
        endpoints: Sequence[str],
        credentials: grpc.ChannelCredentials | None = None,
        login: Login | None = None,
        member_seconds: float = MEMBER_SECONDS,
    ) -> None:
        self.endpoints = tuple(endpoints)
        self._credentials = credentials
        self._login = login
        self._member_seconds = member_seconds
        self._at = 0
        self._channels: dict[int, grpc.aio.Channel] = {}
        self._token = ""
        self._open: dict[Any, int] = {}
        """Watches, and at which member each is."""

    async def close(self) -> None:
        channels, self._channels = list(self._channels.values()), {}
        for channel in channels:
            await channel.close(None)

    # -- what is there

    async def pages(self, begin: bytes, end: bytes) -> AsyncIterator[tuple[int, list[Pair]]]:
        """All keys from `begin` on and before `end`, as of one revision, which each page repeats."""
        revision = 0
        while True:
            asked = rpc.RangeRequest(key=begin, range_end=end, limit=PAGE_PAIRS, revision=revision)
            answer = await self._call("kv", "Range", asked)
            revision = revision or answer.header.revision
            pairs = [_pair(each) for each in answer.kvs]
            yield revision, pairs
            if not answer.more:
                return
            begin = pairs[-1].key + b"\0"

    async def get(self, key: bytes) -> Pair | None:
        answer = await self._call("kv", "Range", rpc.RangeRequest(key=key))
        return _pair(answer.kvs[0]) if answer.kvs else None

    # -- changes

    async def transact(
        self, conditions: Sequence[Unchanged], changes: Sequence[Put | Drop], otherwise: Sequence[bytes] = ()
    ) -> Answer:
        """All of `changes` if all `conditions` hold; else the pairs of the keys `otherwise`.

        EtcdError: it may be done, or be done yet.
        """
        asked = rpc.TxnRequest(
            compare=[
                rpc.Compare(
                    result=rpc.Compare.EQUAL, target=rpc.Compare.MOD, key=each.key, mod_revision=each.revision
                )
                for each in conditions
            ],
            success=[_change(each) for each in changes],
            failure=[rpc.RequestOp(request_range=rpc.RangeRequest(key=key)) for key in otherwise],
        )
        answer = await self._call("kv", "Txn", asked)
        if answer.succeeded:
            return Answer(True, answer.header.revision)
        found = [_pair(pair) for each in answer.responses for pair in each.response_range.kvs]
        return Answer(False, answer.header.revision, tuple(found))

    # -- leases

    async def grant(self, seconds: int) -> int:
        """A new lease, by its number: keys that are put with it go when nobody renews it."""
        number = secrets.randbits(62) | 1
        try:
            await self._call("lease", "LeaseGrant", rpc.LeaseGrantRequest(TTL=seconds, ID=number))
        except EtcdError as error:
            # The answer to a first attempt was lost.
            if "lease already exists" not in str(error):
                raise
        return number

    async def renew(self, lease: int) -> bool:
        """False: it is over."""
        answer = await self._call("lease", "LeaseKeepAlive", rpc.LeaseKeepAliveRequest(ID=lease))
        return bool(answer.TTL > 0)

    async def revoke(self, lease: int) -> None:
        """Its keys go. One that is over already is no error."""
        try:
            await self._call("lease", "LeaseRevoke", rpc.LeaseRevokeRequest(ID=lease))
        except EtcdError as error:
            if "requested lease not found" not in str(error):
                raise

    # -- what happens

    async def watch(self, begin: bytes, end: bytes, revision: int) -> AsyncGenerator[Changes, None]:
        """What happens from that revision on, until it ends with EtcdError or Compacted."""
        at = self._at
        metadata = (*await self._metadata(at), _WITH_LEADER)
        call = rpc.WatchStub(self._channel(at)).Watch(metadata=metadata)
        self._open[call] = at
        try:
            asked = rpc.WatchCreateRequest(
                key=begin, range_end=end, start_revision=revision, progress_notify=True
            )
            async with asyncio.timeout(self._member_seconds):
                await call.write(rpc.WatchRequest(create_request=asked))
                _check_watch(await call.read(), at)
            while True:
                answer = await call.read()
                _check_watch(answer, at)
                yield _changes(answer)
        except TimeoutError:
            self._pass(at)
            raise EtcdError(f"{self.endpoints[at]} begins no watch") from None
        except grpc.aio.AioRpcError as error:
            self._failed(at, error)
            raise _error(self.endpoints[at], error) from None
        except asyncio.CancelledError:
            if not call.cancelled() or _is_cancelled():
                raise
            raise EtcdError(f"{self.endpoints[at]} was passed over") from None
        finally:
            self._open.pop(call, None)
            call.cancel()

    # -- members

    async def _call(self, service: str, method: str, request: Any) -> Any:
        """Of the first member that answers, each asked once, the last that did first."""
        try:
            async with asyncio.timeout(CALL_SECONDS):
                return await self._of_any(service, method, request)
        except TimeoutError:
            raise EtcdError(f"none of {', '.join(self.endpoints)} answered in {CALL_SECONDS:g} s") from None

    async def _of_any(self, service: str, method: str, request: Any) -> Any:
        failed: EtcdError | None = None
        for _ in self.endpoints:
            at = self._at
            try:
                return await self._of(at, service, method, request)
            except grpc.aio.AioRpcError as error:
                failed = _error(self.endpoints[at], error)
                if not self._failed(at, error):
                    raise failed from None
        assert failed is not None
        raise failed

    async def _of(self, at: int, service: str, method: str, request: Any) -> Any:
        """Of one member. A token may be too old: once more with a new one."""
        ask = getattr(_STUBS[service](self._channel(at)), method)
        for is_last in (self._login is None, True):
            metadata = await self._metadata(at)
            try:
                return await self._asked(ask, request, metadata)
            except grpc.aio.AioRpcError as error:
                if is_last or error.code() is not grpc.StatusCode.UNAUTHENTICATED:
                    raise
                self._token = ""
        raise AssertionError

    async def _asked(self, ask: Any, request: Any, metadata: Sequence[tuple[str, str]]) -> Any:
        if not isinstance(request, rpc.LeaseKeepAliveRequest):
            return await ask(request, timeout=self._member_seconds, metadata=metadata)
        call = ask(iter((request,)), timeout=self._member_seconds, metadata=metadata)
        answer = await call.read()
        if answer is _EOF:
            raise EtcdError("etcd ended a stream without an answer")
        return answer

    async def _metadata(self, at: int) -> tuple[tuple[str, str], ...]:
        if self._login is None:
            return ()
        if not self._token:
            asked = rpc.AuthenticateRequest(name=self._login.name, password=self._login.password)
            stub = rpc.AuthStub(self._channel(at))
            self._token = (await stub.Authenticate(asked, timeout=self._member_seconds)).token
        return (("token", self._token),)

    def _channel(self, at: int) -> grpc.aio.Channel:
        if at not in self._channels:
            endpoint = self.endpoints[at]
            self._channels[at] = (
                grpc.aio.insecure_channel(endpoint, options=_OPTIONS)
                if self._credentials is None
                else grpc.aio.secure_channel(endpoint, self._credentials, options=_OPTIONS)
            )
        return self._channels[at]

    def _failed(self, at: int, error: grpc.aio.AioRpcError) -> bool:
        """Whether another member may answer; then it is the next."""
        if error.code() not in _ELSEWHERE:
            return False
        self._pass(at)
        return True

    def _pass(self, at: int) -> None:
        """On to the next member; what stands open at this one would wait for its silence to be noticed."""
        if at == self._at:
            self._at = (at + 1) % len(self.endpoints)
        if len(self.endpoints) > 1:
            for call in [call for call, where in self._open.items() if where == at]:
                call.cancel()


_STUBS = {"kv": rpc.KVStub, "lease": rpc.LeaseStub}


def prefix_end(prefix: bytes) -> bytes:
    """The first key behind all that begin so; the last octet is not 255."""
    return prefix[:-1] + bytes((prefix[-1] + 1,))


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _check_watch(answer: Any, at: int) -> None:
    if answer is _EOF:
        raise EtcdError("etcd ended a watch")
    if answer.compact_revision:
        raise Compacted(f"the history before revision {answer.compact_revision} is gone")
    if answer.canceled:
        raise EtcdError(f"etcd ended a watch: {answer.cancel_reason}")


def _changes(answer: Any) -> Changes:
    last: dict[bytes, Any] = {}
    for event in answer.events:
        last.pop(event.kv.key, None)
        last[event.kv.key] = event
    puts = [_pair(event.kv) for event in last.values() if event.type == rpc.Event.PUT]
    dropped = [key for key, event in last.items() if event.type != rpc.Event.PUT]
    # While it catches up, the header's revision is ahead of what was sent.
    revision = answer.events[-1].kv.mod_revision if answer.events else answer.header.revision
    return Changes(revision, tuple(puts), tuple(dropped))


def _pair(found: Any) -> Pair:
    return Pair(found.key, found.value, found.mod_revision, found.lease)


def _change(change: Put | Drop) -> Any:
    if isinstance(change, Put):
        put = rpc.PutRequest(key=change.key, value=change.value, lease=change.lease)
        return rpc.RequestOp(request_put=put)
    return rpc.RequestOp(request_delete_range=rpc.DeleteRangeRequest(key=change.key))


def _error(endpoint: str, error: grpc.aio.AioRpcError) -> EtcdError:
    text = f"etcd at {endpoint}: {error.details() or error.code().name}"
    return Compacted(text) if "has been compacted" in text else EtcdError(text)

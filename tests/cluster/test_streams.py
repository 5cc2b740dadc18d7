"""Frames between two nodes over real sockets: in order, bounded, refused to strangers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest

from mailnode.clock import SystemClock
from mailnode.cluster import frames, greeting, near
from mailnode.cluster.frames import Tally
from mailnode.cluster.hello import Beside, Hello, Metadata, Nothing, Stranger, check_certificate
from mailnode.cluster.near import Doors
from mailnode.cluster.replica_messages import Ack, Append, Entry, Frame, Member, Position, Snapshot
from mailnode.cluster.sending import FRAMES, SERVICE, Lost
from mailnode.cluster.sending import SNAPSHOT as GIVING
from mailnode.cluster.streams import Streams
from mailnode.limits import KiB, Limits, MiB
from mailnode.pb import replica_pb2 as pb
from tests.cluster.test_peers import Trusted, peers, ports

NOTHING = Nothing()
LIMITS = replace(Limits(), stream_retry_seconds_max=0.1, snapshot_octets_a_second=1 << 40)
A, B = Member("a", 1), Member("b", 2)
RUN = 7
FROM_A_TO_B = Hello("c1", A, RUN).metadata(B)


class Before(Hello):
    """Of a program that takes one frame after the other."""

    def metadata(self, to: Member) -> Metadata:
        ((key, said),) = super().metadata(to)
        hello = pb.Hello.FromString(said)
        hello.passing = False
        return ((key, hello.SerializeToString()),)


class Net:
    """Nodes by name, each at a socket of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.nodes: list[Node] = []
        self._channels: dict[str, grpc.aio.Channel] = {}

    def channel(self, node: str) -> grpc.aio.Channel:
        if node not in self._channels:
            options = (("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 50))
            self._channels[node] = grpc.aio.insecure_channel(f"unix:{self.path / node}", options=options)
        return self._channels[node]

    def near(self, node: str) -> Path | None:
        """None: frames go over gRPC."""
        return None

    async def close_channel(self, node: str) -> None:
        await self._channels.pop(node).close()

    async def close(self) -> None:
        for node in self.nodes:
            await node.close()
        for channel in self._channels.values():
            await channel.close()


class NearNet(Net):
    """Of one host."""

    def near(self, node: str) -> Path | None:
        return self.path / f"{node}.near"


both = pytest.mark.parametrize("kind", [Net, NearNet], ids=["gRPC", "near"])


class Node:
    def __init__(
        self,
        net: Net,
        me: Member,
        cluster: str = "c1",
        limits: Limits = LIMITS,
        beside: Beside = NOTHING,
    ) -> None:
        self.me = me
        self.net = net
        net.nodes.append(self)
        self.streams = Streams(net, Hello(cluster, me, RUN, beside), me, SystemClock(), limits)
        self.received: asyncio.Queue[Frame] = asyncio.Queue()
        self.taken: asyncio.Queue[Member] = asyncio.Queue()
        self.streams.received = self.received.put_nowait
        self.streams.taken = self.taken.put_nowait
        self.server: grpc.aio.Server | None = None
        self.doors = Doors({SERVICE: self.streams.take_near}, limits)

    async def listen(self) -> None:
        self.server = grpc.aio.server()
        self.streams.add_to(self.server)
        self.server.add_insecure_port(f"unix:{self.net.path / self.me.node}")
        await self.server.start()
        if (where := self.net.near(self.me.node)) is not None:
            await self.doors.open(where)

    async def close(self) -> None:
        await self.streams.stop()
        await self.doors.close()
        if self.server is not None:
            await self.server.stop(None)
            self.server = None


Body = Callable[[Net], Awaitable[None]]


def run(tmp_path: Path, body: Body, kind: type[Net] = Net) -> None:
    async def whole() -> None:
        net = kind(tmp_path)
        try:
            async with asyncio.timeout(30):
                await body(net)
        finally:
            await net.close()

    asyncio.run(whole())


def said(to: Member, *data: bytes, sender: Member = A, first: int = 1, run: int = RUN) -> Frame:
    entries = tuple(Entry(Position(1, seq), octets) for seq, octets in enumerate(data, first))
    return Frame(sender, run, to, (Append(3, 1, Position(1, first - 1), entries, 0),))


@both
def test_frames_arrive_in_order_and_each_is_taken(kind: type[Net], tmp_path: Path) -> None:
    async def body(net: Net) -> None:
        a, b = Node(net, A), Node(net, B)
        await b.listen()
        sent = [said(B, b"x" * 100, first=seq) for seq in range(1, 200)]
        for frame in sent:
            a.streams.send(frame)
            assert await a.taken.get() == B
        assert [await b.received.get() for _ in sent] == sent

    run(tmp_path, body, kind)


@both
def test_an_entry_of_many_frames_arrives_whole(kind: type[Net], tmp_path: Path) -> None:
    async def body(net: Net) -> None:
        a, b = Node(net, A), Node(net, B)
        await b.listen()
        frame = said(B, bytes(range(256)) * 40 * KiB, b"y")
        a.streams.send(frame)
        assert await b.received.get() == frame
        assert await a.taken.get() == B

    run(tmp_path, body, kind)


@both
@pytest.mark.parametrize("takes_passing", [True, False])
def test_what_has_no_entries_passes_a_long_frame_where_the_other_takes_it_so(
    kind: type[Net], tmp_path: Path, takes_passing: bool
) -> None:
    async def body(net: Net) -> None:
        a, b = Node(net, A), Node(net, B)
        if not takes_passing:
            b.streams._hello = Before("c1", B, RUN)
        await b.listen()
        long = said(B, b"1" * 8 * MiB)
        short = [Frame(A, RUN, B, (Ack(3, 1, seq),)) for seq in range(2)]
        for frame in (long, *short):
            a.streams.send(frame)
        passed = replace(short[0], messages=(*short[0].messages, *short[1].messages))
        received = [await b.received.get() for _ in range(2)]
        assert received == ([passed, long] if takes_passing else [long, passed])
        assert await a.taken.get() == B
        a.streams.send(said(B, b"2"))
        assert await b.received.get() == said(B, b"2")

    run(tmp_path, body, kind)


@both
def test_a_stream_comes_back_with_its_node(kind: type[Net], tmp_path: Path) -> None:
    async def body(net: Net) -> None:
        a, b = Node(net, A), Node(net, B)
        await b.listen()
        a.streams.send(said(B, b"1"))
        assert await b.received.get() == said(B, b"1")
        await b.close()
        again = Node(net, B)
        await again.listen()
        while again.received.empty():  # what was sent before it listened is lost
            await a.taken.get()
            a.streams.send(said(B, b"2"))
        assert await again.received.get() == said(B, b"2")

    run(tmp_path, body, kind)


def test_a_stream_goes_on_by_another_channel_when_its_own_was_closed(tmp_path: Path) -> None:
    async def body(net: Net) -> None:
        a, b = Node(net, A), Node(net, B)
        await b.listen()
        for number in range(3):
            a.streams.send(said(B, b"1", first=number + 1))
            assert await b.received.get() == said(B, b"1", first=number + 1)
            assert await a.taken.get() == B
            await net.close_channel("b")
        deaf = Deaf(net)
        await b.close()
        await deaf.listen()
        a.streams.send(said(B, b"1" * 8 * MiB))
        await deaf.begins.wait()
        await net.close_channel("b")
        assert await a.taken.get() == B

    run(tmp_path, body)


@both
def test_who_says_something_else_of_homes_greets_anew(kind: type[Net], tmp_path: Path) -> None:
    class Homes:
        def __init__(self) -> None:
            self.version = 0
            self.heard: list[bytes] = []

        def metadata(self) -> Metadata:
            return (("homes-bin", b"%d" % self.version),)

        def hear(self, said: Iterable[tuple[str, Any]] | None) -> None:
            self.heard += [value for key, value in said or () if key == "homes-bin"]

    async def body(net: Net) -> None:
        ours, theirs = Homes(), Homes()
        a, b = Node(net, A, beside=ours), Node(net, B, beside=theirs)
        await b.listen()
        for number in (1, 2, 3):
            a.streams.send(said(B, b"1", first=number))
            assert await b.received.get() == said(B, b"1", first=number)
            assert await a.taken.get() == B
            ours.version = max(0, number - 1)
        assert theirs.heard == [b"0", b"1"]

    run(tmp_path, body, kind)


@both
def test_a_frame_that_cannot_be_made_is_lost_alone(kind: type[Net], tmp_path: Path) -> None:
    async def body(net: Net) -> None:
        a, b = Node(net, A), Node(net, B)
        await b.listen()
        a.streams.send(Frame(A, 1 << 200, B, ()))
        assert await a.taken.get() == B
        a.streams.send(said(B, b"1"))
        assert await b.received.get() == said(B, b"1")

    run(tmp_path, body, kind)


@both
def test_a_frame_to_nobody_is_lost_after_a_while_and_the_next_may_be_made(
    kind: type[Net], tmp_path: Path
) -> None:
    async def body(net: Net) -> None:
        a = Node(net, A)
        for _ in range(3):
            a.streams.send(said(B, b"1"))
            assert await a.taken.get() == B

    run(tmp_path, body, kind)


@both
@pytest.mark.parametrize(
    ("node", "why"),
    [
        (("c2", B), "is of the cluster 'c1'"),
        (("c1", Member("b", 3)), "means the shard b/2"),
    ],
    ids=["another cluster", "another shard"],
)
def test_who_is_not_meant_takes_nothing(
    kind: type[Net], tmp_path: Path, node: tuple[str, Member], why: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def body(net: Net) -> None:
        a, b = Node(net, A), Node(net, node[1], node[0])
        await b.listen()
        for _ in range(2):
            a.streams.send(said(B, b"1"))
            await a.taken.get()
        assert b.received.empty()

    run(tmp_path, body, kind)
    told = [each.message for each in caplog.records if "no frames to node b" in each.message]
    assert len(told) == 1, "once, however often it is tried"
    assert why in told[0]


def test_a_later_format_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "FORMATS", (2,))
    with pytest.raises(Stranger, match="the format 1"):
        Hello("c1", B, RUN).met(FROM_A_TO_B)


def test_a_certificate_speaks_for_its_own_node_alone() -> None:
    tls = {"transport_security_type": [b"ssl"], "x509_subject_alternative_name": [b"a"]}
    check_certificate("a", tls)
    check_certificate("b", {"transport_security_type": [b"insecure"]})
    with pytest.raises(Stranger, match="not that of node b"):
        check_certificate("b", tls)


def test_over_tls_a_node_speaks_for_itself_alone(tmp_path: Path) -> None:
    async def body() -> None:
        authority, where = Trusted(tmp_path), ports()
        two = peers("two", where, credentials=authority.credentials("two"))
        one = peers("one", where, credentials=authority.credentials("one"))
        me = Member("two", 1)
        received: asyncio.Queue[Frame] = asyncio.Queue()
        here = Streams(two, Hello("c1", me, RUN), me, SystemClock(), LIMITS)
        here.received = received.put_nowait
        two.add(here.add_to)
        await two.start()
        for name, is_heard in (("three", False), ("one", True)):
            sender = Member(name, 1)
            there = Streams(one, Hello("c1", sender, RUN), sender, SystemClock(), LIMITS)
            taken: asyncio.Queue[Member] = asyncio.Queue()
            there.taken = taken.put_nowait
            there.send(said(me, b"1", sender=sender))
            assert await taken.get() == me
            assert not is_heard or await received.get() == said(me, b"1", sender=sender)
            assert received.empty()
            await there.stop()
        await one.stop()
        await two.stop()

    asyncio.run(body())


def test_a_frame_of_another_node_or_run_ends_the_stream(tmp_path: Path) -> None:
    async def body(net: Net) -> None:
        b = Node(net, B)
        await b.listen()
        strange = [said(B, b"1", sender=B), said(B, b"1", run=RUN + 1), said(A, b"1")]
        for piece in (*[next(frames.pieces(frame)) for frame in strange], b"\xff\xff"):
            call = net.channel("b").stream_stream(f"/{SERVICE}/{FRAMES}")(metadata=FROM_A_TO_B)
            await call.write(piece)
            assert await call.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert b.received.empty()

    run(tmp_path, body)


class Deaf(Node):
    """It lets streams begin, and reads nothing."""

    def __init__(self, net: Net) -> None:
        super().__init__(net, B)
        self.began = 0
        self.begins = asyncio.Event()

    async def _deaf(self, pieces: AsyncIterator[bytes], context: Any) -> None:
        self.began += 1
        self.begins.set()
        await context.send_initial_metadata(Hello("c1", B, RUN).metadata(A))
        await asyncio.Event().wait()

    async def listen(self) -> None:
        self.server = grpc.aio.server()
        handlers = {FRAMES: grpc.stream_stream_rpc_method_handler(self._deaf)}
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        self.server.add_insecure_port(f"unix:{self.net.path / 'b'}")
        await self.server.start()


def test_a_peer_that_takes_nothing_holds_no_more_than_the_window_and_the_next_frame_waits(
    tmp_path: Path,
) -> None:
    async def body(net: Net) -> None:
        a, deaf = Node(net, A, limits=replace(LIMITS, stream_window_octets=64 * KiB)), Deaf(net)
        await deaf.listen()
        frame = said(B, b"x" * 10 * KiB)
        sent = 0
        with pytest.raises(TimeoutError):
            while True:
                a.streams.send(frame)
                sent += 1
                async with asyncio.timeout(0.5):
                    await a.taken.get()
        assert sent == 7

    run(tmp_path, body)


def test_a_peer_that_takes_nothing_for_too_long_is_asked_anew(tmp_path: Path) -> None:
    async def body(net: Net) -> None:
        limits = replace(LIMITS, stream_silence_seconds_max=0.1)
        a, deaf = Node(net, A, limits=limits), Deaf(net)
        await deaf.listen()
        while deaf.began < 3:
            a.streams.send(said(B, bytes(8 * MiB)))
            await a.taken.get()

    run(tmp_path, body)


def test_who_begins_anew_ends_its_stream_before(tmp_path: Path) -> None:
    async def body(net: Net) -> None:
        b = Node(net, B)
        await b.listen()
        first = net.channel("b").stream_stream(f"/{SERVICE}/{FRAMES}")(metadata=FROM_A_TO_B)
        await first.initial_metadata()
        a = Node(net, A)
        a.streams.send(said(B, b"1"))
        assert await b.received.get() == said(B, b"1")
        assert await first.code() != grpc.StatusCode.OK
        assert await a.taken.get() == B
        a.streams.send(said(B, b"2"))
        assert await b.received.get() == said(B, b"2")

    run(tmp_path, body)


def test_near_too_a_frame_of_another_node_ends_the_stream_and_a_later_stream_the_one_before(
    tmp_path: Path,
) -> None:
    async def body(net: Net) -> None:
        b = Node(net, B)
        await b.listen()
        hello = Hello("c1", A, RUN)
        streams = []
        for piece in (next(frames.pieces(said(B, b"1", sender=B))), b"\xff\xff", None):
            stream = await near.connect(net.path / "b.near", SERVICE, LIMITS)
            await greeting.greeted(stream, hello, B)
            streams.append(stream)
            if piece is not None:
                await stream.write(piece)
                with pytest.raises(OSError, match="ended"):
                    await stream.read()
        a = Node(net, A)
        a.streams.send(said(B, b"1"))
        assert await b.received.get() == said(B, b"1")
        assert await a.taken.get() == B
        with pytest.raises(OSError, match="ended"):
            await streams[-1].read()
        a.streams.send(said(B, b"2"))
        assert await b.received.get() == said(B, b"2")
        for stream in streams:
            stream.close()

    run(tmp_path, body, NearNet)


def test_near_too_who_does_not_say_who_it_is_is_refused(tmp_path: Path) -> None:
    async def body(net: Net) -> None:
        b = Node(net, B)
        await b.listen()
        for first in (b"\xff\xff", b"\x0a\x00"):
            stream = await near.connect(net.path / "b.near", SERVICE, LIMITS)
            await stream.write(first)
            assert "who it is" in pb.Greeting.FromString(await stream.read()).refused
            stream.close()

    run(tmp_path, body, NearNet)


# -- snapshots

SNAPSHOT = Frame(A, RUN, B, (Snapshot(3, 1, Position(1, 9), (Position(1, 1),)),))


async def chunks(count: int, failing: bool = False) -> AsyncIterator[bytes]:
    for number in range(count):
        yield bytes([number]) * 700 * KiB
    if failing:
        raise OSError("the disk")


def test_a_snapshot_goes_beside_the_frames(tmp_path: Path) -> None:
    async def body(net: Net) -> None:
        a, b = Node(net, A), Node(net, B)
        given: list[bytes] = []

        async def take(frame: Frame, octets: AsyncIterator[bytes]) -> None:
            assert frame == SNAPSHOT
            async for chunk in octets:
                given.append(chunk)
                if len(given) == 3:
                    a.streams.send(said(B, b"1"))
                    await b.received.get()

        b.streams.given = take
        await b.listen()
        await a.streams.give(SNAPSHOT, chunks(20))
        assert given == [chunk async for chunk in chunks(20)]

    run(tmp_path, body)


def test_a_snapshot_that_breaks_off_never_comes_to_its_end(tmp_path: Path) -> None:
    async def body(net: Net) -> None:
        a, b = Node(net, A), Node(net, B)
        ended: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        async def take(_: Frame, octets: AsyncIterator[bytes]) -> None:
            whole = False
            try:
                async for _chunk in octets:
                    pass
                whole = True
            finally:
                ended.set_result(whole)

        b.streams.given = take
        await b.listen()
        with pytest.raises(Lost):
            await a.streams.give(SNAPSHOT, chunks(3, failing=True))
        assert not await ended

    run(tmp_path, body)


def pieces_of_snapshot() -> list[bytes]:
    """As they go out: frame, two chunks of which the first is of two pieces, the end."""
    tally = Tally()
    pieces = list(frames.pieces(SNAPSHOT))
    for chunk in (b"1" * 1500 * KiB, b"2" * 700 * KiB):
        tally.add(chunk)
        pieces += frames.parts(chunk)
    return [*pieces, tally.end()]


@pytest.mark.parametrize(
    ("left", "whole"),
    [
        ([0, 1, 2, 3, 4], True),
        ([0, 1, 2, 3], False),
        ([0, 1, 2, 4], False),
        ([0, 1, 4], False),
        ([0, 3, 1, 2, 4], False),
        ([0, 1, 2, 2, 3, 4], False),
        ([0], False),
        ([0, 4], False),
        ([4], False),
        ([], False),
    ],
    ids=lambda left: "".join(map(str, left)) if isinstance(left, list) else "",
)
def test_a_snapshot_is_whole_only_with_all_its_pieces_in_order_and_its_end(
    tmp_path: Path, left: list[int], whole: bool
) -> None:
    async def body(net: Net) -> None:
        b = Node(net, B)
        ends: list[int] = []

        async def take(_: Frame, octets: AsyncIterator[bytes]) -> None:
            ends.append(sum([len(chunk) async for chunk in octets]))

        b.streams.given = take
        await b.listen()
        call = net.channel("b").stream_unary(f"/{SERVICE}/{GIVING}")(metadata=FROM_A_TO_B)
        pieces = pieces_of_snapshot()
        for at in left:
            await call.write(pieces[at])
        await call.done_writing()
        assert await call.code() == (grpc.StatusCode.OK if whole else grpc.StatusCode.INVALID_ARGUMENT)
        assert ends == ([2200 * KiB] if whole else [])

    run(tmp_path, body)


def test_who_cannot_take_a_snapshot_says_so(tmp_path: Path) -> None:
    async def body(net: Net) -> None:
        a, b = Node(net, A), Node(net, B)

        async def take(_: Frame, octets: AsyncIterator[bytes]) -> None:
            await anext(octets)
            raise RuntimeError("no room")

        b.streams.given = take
        await b.listen()
        with pytest.raises(Lost):  # why stands in the log of the other
            await a.streams.give(SNAPSHOT, chunks(300))

    run(tmp_path, body)


def test_a_snapshot_whose_taker_hangs_is_given_up(tmp_path: Path) -> None:
    async def body(net: Net) -> None:
        a, b = Node(net, A, limits=replace(LIMITS, snapshot_silence_seconds_max=1)), Node(net, B)

        hangs_at_the_end = False

        async def take(_: Frame, octets: AsyncIterator[bytes]) -> None:
            if hangs_at_the_end:
                assert [chunk async for chunk in octets]
            await asyncio.Event().wait()

        b.streams.given = take
        await b.listen()
        for count in (300, 3):
            hangs_at_the_end = count == 3
            with pytest.raises(Lost, match="TimeoutError"):
                await a.streams.give(SNAPSHOT, chunks(count))

    run(tmp_path, body)


def test_a_snapshot_whose_channel_is_closed_is_lost(tmp_path: Path) -> None:
    async def body(net: Net) -> None:
        a, b = Node(net, A), Node(net, B)
        began = asyncio.Event()

        async def take(_: Frame, octets: AsyncIterator[bytes]) -> None:
            await anext(octets)
            began.set()
            await asyncio.Event().wait()

        b.streams.given = take
        await b.listen()
        giving = asyncio.ensure_future(a.streams.give(SNAPSHOT, chunks(300)))
        await began.wait()
        await net.close_channel("b")
        with pytest.raises(Lost):
            await giving

    run(tmp_path, body)


def test_a_snapshot_to_nobody_is_lost(tmp_path: Path) -> None:
    async def body(net: Net) -> None:
        with pytest.raises(Lost):
            await Node(net, A).streams.give(SNAPSHOT, chunks(3))

    run(tmp_path, body)


@both
def test_a_frame_is_not_held_up_by_acks_of_another_member(kind: type[Net], tmp_path: Path) -> None:
    """A node whose disk was replaced is another member: each has a stream, the old one is refused."""

    async def body(net: Net) -> None:
        a, b = Node(net, A), Node(net, B)
        await b.listen()
        a.streams.send(said(Member("b", 1), b"old"))
        frame = Frame(A, RUN, B, (Ack(3, 1, 1),))
        a.streams.send(frame)
        assert await b.received.get() == frame
        assert {await a.taken.get(), await a.taken.get()} == {Member("b", 1), B}

    run(tmp_path, body, kind)

"""A frame comes out of its octets as it went in, and octets that are none are refused."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.cluster import frames
from mailnode.cluster.frames import Assembly, BadFrame
from mailnode.cluster.replica_messages import (
    Ack,
    Append,
    Entry,
    Frame,
    Heartbeat,
    Join,
    Member,
    Message,
    Mismatch,
    Position,
    Promise,
    Refused,
    Snapshot,
)
from mailnode.limits import Limits
from mailnode.pb import replica_pb2 as pb

U64 = st.integers(0, (1 << 64) - 1)
DRAWN = st.integers(0, (1 << 128) - 1)
PARTITIONS = st.integers(0, 0xFFFF)
POSITIONS = st.builds(Position, st.integers(0, 1 << 50), st.integers(0, 1 << 50))
MEMBERS = st.builds(Member, st.text(max_size=8), DRAWN)
SECONDS = st.floats(allow_nan=False)


@st.composite
def appends(draw: st.DrawFn) -> Append:
    before = draw(POSITIONS)
    held = draw(st.lists(st.tuples(st.integers(0, 3), st.binary(max_size=40), st.integers(0, 2)), max_size=8))
    entries = [
        Entry(Position(epoch, seq), data, form)
        for seq, (epoch, data, form) in enumerate(held, before.seq + 1)
    ]
    return Append(draw(PARTITIONS), draw(U64), before, tuple(entries), draw(U64))


def tuples(*columns: st.SearchStrategy[int]) -> st.SearchStrategy[tuple[tuple[int, ...], ...]]:
    return st.lists(st.tuples(*columns), max_size=5).map(tuple)


MESSAGES: dict[type, st.SearchStrategy[Message]] = {
    Append: appends(),
    Ack: st.builds(Ack, PARTITIONS, U64, U64),
    Mismatch: st.builds(Mismatch, PARTITIONS, U64, POSITIONS),
    Refused: st.builds(Refused, PARTITIONS, U64),
    Join: st.builds(Join, PARTITIONS, POSITIONS),
    Snapshot: st.builds(Snapshot, PARTITIONS, U64, POSITIONS, st.lists(POSITIONS, max_size=4).map(tuple)),
    Heartbeat: st.builds(Heartbeat, SECONDS, U64, U64, tuples(PARTITIONS, U64), tuples(PARTITIONS, U64, U64)),
    Promise: st.builds(Promise, DRAWN, SECONDS, U64, tuples(PARTITIONS, U64), st.booleans()),
}
FRAMES = st.builds(
    Frame, MEMBERS, DRAWN, MEMBERS, st.lists(st.one_of(*MESSAGES.values()), max_size=6).map(tuple)
)


def again(frame: Frame) -> Frame:
    assembly = Assembly()
    wholes = [assembly.feed(piece) for piece in frames.pieces(frame)]
    assert all(whole is None for whole in wholes[:-1])
    assert wholes[-1] is not None
    return frames.frame(*wholes[-1])


def holding(*data: bytes) -> Frame:
    entries = tuple(Entry(Position(1, seq), octets) for seq, octets in enumerate(data, 1))
    return Frame(Member("a", 1), 2, Member("b", 3), (Append(7, 1, Position(0, 0), entries, 0),))


def test_each_message_of_the_core_has_its_octets() -> None:
    assert set(get_args(Message)) == MESSAGES.keys()


@given(FRAMES)
def test_a_frame_comes_out_as_it_went_in(frame: Frame) -> None:
    assert again(frame) == frame


def test_an_entry_larger_than_a_frame_goes_in_pieces() -> None:
    frame = holding(b"a", bytes(range(256)) * 10_000, b"", b"z" * 10)
    pieces = list(frames.pieces(frame))
    assert len(pieces) == 3
    assert max(map(len, pieces)) < frames.PIECE_OCTETS_MAX + 100
    assert again(frame) == frame


def test_the_largest_change_goes_in_one_frame() -> None:
    assert again(holding(bytes(Limits().change_octets_max + frames.PIECE_OCTETS_MAX)))


def test_a_frame_may_be_cut_anywhere_between_its_entries() -> None:
    frame = holding(*[b"x" * 1000] * 2098)
    assert again(frame) == frame


def test_what_is_too_large_is_refused_before_it_is_held() -> None:
    assembly = Assembly(octets_max=1000)
    piece = pb.Piece(data=bytes(400), more=True).SerializeToString()
    assert assembly.feed(piece) is None
    assert assembly.feed(piece) is None
    with pytest.raises(BadFrame):
        assembly.feed(piece)


def test_a_head_within_a_frame_is_refused() -> None:
    assembly = Assembly()
    assembly.feed(pb.Piece(head=b"x", more=True).SerializeToString())
    with pytest.raises(BadFrame):
        assembly.feed(pb.Piece(head=b"x").SerializeToString())


@pytest.mark.parametrize("data", [b"", b"12345", b"1234567"])
def test_data_of_another_length_than_the_head_says_is_refused(data: bytes) -> None:
    whole = Assembly().feed(next(frames.pieces(holding(b"123", b"456"))))
    assert whole is not None
    with pytest.raises(BadFrame):
        frames.frame(whole[0], data)


def test_more_entries_than_a_frame_may_have_are_refused() -> None:
    head = pb.Frame(
        messages=[pb.Message(append=pb.Append(entries=[pb.Run(octets=[0] * (frames.ENTRIES_MAX + 1))]))]
    )
    with pytest.raises(BadFrame):
        frames.frame(head.SerializeToString(), b"")


def test_a_message_of_a_later_kind_is_refused() -> None:
    with pytest.raises(BadFrame):
        frames.frame(pb.Frame(messages=[pb.Message()]).SerializeToString(), b"")


def read(octets: bytes) -> None:
    try:
        whole = Assembly().feed(octets)
        if whole is not None:
            frames.frame(*whole)
    except BadFrame:
        pass


@given(st.binary(max_size=200))
def test_any_octets_are_a_frame_or_refused(octets: bytes) -> None:
    read(octets)


@given(FRAMES, st.data())
def test_a_frame_with_one_octet_changed_is_a_frame_or_refused(frame: Frame, data: st.DataObject) -> None:
    octets = bytearray(b"".join(frames.pieces(frame)))
    octets[data.draw(st.integers(0, len(octets) - 1))] ^= data.draw(st.integers(1, 255))
    read(bytes(octets))


def test_entries_that_do_not_follow_each_other_are_our_mistake() -> None:
    entries = (Entry(Position(1, 1), b""), Entry(Position(1, 3), b""))
    with pytest.raises(ValueError, match="follow"):
        frames.pieces(Frame(Member("a", 1), 1, Member("b", 1), (Append(1, 1, Position(0, 0), entries, 0),)))

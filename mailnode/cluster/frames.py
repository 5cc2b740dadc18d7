"""Frames as octets (protos/replica.proto), in pieces of bounded size. Pure.

What entries hold is most of a frame. It lies behind the head and is copied once on its way out and three
times on its way in; a protobuf message for each entry would cost ten times as much.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any
from zlib import crc32

from google.protobuf.message import DecodeError, EncodeError

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
from mailnode.limits import MiB
from mailnode.pb import replica_pb2 as pb

FORMAT = 1
"""Of the frames that this program makes."""
FORMATS = (1,)
"""That it reads."""

PIECE_OCTETS_MAX = 1 * MiB
"""Of a frame, as it lies in one message of gRPC; a few more tell what it is."""
FRAME_OCTETS_MAX = 72 * MiB
"""More than the largest change (`limits.change_octets_max`) and what may lie beside it."""
ENTRIES_MAX = 1 << 16
"""Of one frame: four times as many as the core puts in it."""
NUMBER_OCTETS_MAX = 16
"""Of a run and an incarnation, which are drawn."""

_DATA_TAG = b"\x12"
_HEAD_TAG = b"\x0a"
_MORE = b"\x18\x01"
_END_TAG = b"\x22"
_PASSING = b"\x28\x01"


class BadFrame(ValueError):
    """Octets that are no frame of ours, or one that is too large."""


# -- out


def pieces(frame: Frame) -> Iterator[bytes]:
    """The frame, each piece made when it is asked for. Raises ValueError for numbers that do not fit."""
    data: list[bytes] = []
    try:
        messages = [_said(message, data) for message in frame.messages]
        head = pb.Frame(
            sender=member(frame.sender), run=number(frame.run), to=member(frame.to), messages=messages
        )
        octets = head.SerializeToString()
    except (EncodeError, OverflowError) as error:
        raise ValueError(str(error)) from None
    return _cut(octets, data)


def passing(frame: Frame) -> bytes:
    """A frame without entries, to be said between two pieces of another. Raises ValueError."""
    (piece,) = pieces(frame)
    return piece + _PASSING


def parts(data: bytes) -> Iterator[bytes]:
    """Octets that are no frame, such as a piece of a snapshot."""
    return _cut(b"", [data])


def _cut(head: bytes, data: Iterable[bytes]) -> Iterator[bytes]:
    """The head is in the first piece, whatever its size."""
    room = max(1, PIECE_OCTETS_MAX - len(head))
    taken: list[bytes | memoryview] = []
    for octets in data:
        at = 0
        while len(octets) - at > room:
            taken.append(memoryview(octets)[at : at + room])
            at += room
            yield _piece(head, taken, more=True)
            head, taken, room = b"", [], PIECE_OCTETS_MAX
        taken.append(memoryview(octets)[at:] if at else octets)
        room -= len(octets) - at
    yield _piece(head, taken, more=False)


def _piece(head: bytes, data: list[bytes | memoryview], *, more: bool) -> bytes:
    """A `Piece`, put together by hand: protobuf would copy the data three times, each into new memory."""
    octets = sum(map(len, data))
    begin = (_HEAD_TAG, _varint(len(head)), head) if head else ()
    return b"".join((*begin, _DATA_TAG, _varint(octets), *data, _MORE if more else b""))


def _varint(value: int) -> bytes:
    octets = bytearray()
    while value > 127:
        octets.append(value & 127 | 128)
        value >>= 7
    octets.append(value)
    return bytes(octets)


# -- in


class Assembly:
    """Frames, or other octets, of the pieces of one stream."""

    def __init__(self, octets_max: int = FRAME_OCTETS_MAX) -> None:
        self._octets_max = octets_max
        self._head = b""
        self._data: list[bytes] = []
        self._octets = 0

    def feed(self, octets: bytes) -> tuple[bytes, bytes] | None:
        """Head and data once the piece was the last of its frame, or passes. Raises BadFrame."""
        try:
            piece = pb.Piece.FromString(octets)
        except DecodeError:
            raise BadFrame("no piece of a frame") from None
        if piece.passing:
            return piece.head, piece.data
        self._octets += len(octets)
        if self._octets > self._octets_max:
            raise BadFrame(f"a frame of more than {self._octets_max} octets")
        if piece.head:
            if self._head or self._data:
                raise BadFrame("a head within a frame")
            self._head = piece.head
        self._data.append(piece.data)
        if piece.more:
            return None
        whole = self._head, self._data[0] if len(self._data) == 1 else b"".join(self._data)
        self._head, self._data, self._octets = b"", [], 0
        return whole


def frame(head: bytes, data: bytes) -> Frame:
    """Of what `Assembly` gives. Raises BadFrame."""
    try:
        value = pb.Frame.FromString(head)
    except DecodeError:
        raise BadFrame("no head of a frame") from None
    sizes = _Data(data)
    messages = tuple([_heard(message, sizes) for message in value.messages])
    if sizes.at != len(data):
        raise BadFrame("octets that belong to no entry")
    return Frame(member_of(value.sender), number_of(value.run), member_of(value.to), messages)


class _Data:
    """What the entries hold, in order."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self.at = 0
        self._entries = 0

    def take(self, sizes: Iterable[int]) -> list[bytes]:
        taken = []
        octets, at = self._octets, self.at
        for size in sizes:
            taken.append(octets[at : at + size])
            at += size
        self._entries += len(taken)
        if at > len(octets) or self._entries > ENTRIES_MAX:
            raise BadFrame("entries of which there is not as much as they should have")
        self.at = at
        return taken


class Tally:
    """Of octets that are no frame: both ends count them, so that what breaks off is not taken for whole."""

    def __init__(self) -> None:
        self._octets = self._checksum = 0

    def add(self, data: bytes) -> None:
        self._octets += len(data)
        self._checksum = crc32(data, self._checksum)

    def end(self) -> bytes:
        """The last piece."""
        end = pb.End(octets=self._octets, checksum=self._checksum)
        said: bytes = pb.Piece(end=end).SerializeToString()
        return said

    def is_end(self, piece: bytes) -> bool:
        """Raises BadFrame for an end of something else."""
        if not piece.startswith(_END_TAG):
            return False
        if piece != self.end():
            raise BadFrame("other octets came than were sent")
        return True


# -- values


def number(value: int) -> bytes:
    """Of an incarnation or a run. Raises ValueError."""
    octets = (value.bit_length() + 7) // 8
    if value < 0 or octets > NUMBER_OCTETS_MAX:
        raise ValueError(f"a number of more than {NUMBER_OCTETS_MAX} octets")
    return value.to_bytes(octets, "big")


def number_of(octets: bytes) -> int:
    if len(octets) > NUMBER_OCTETS_MAX:
        raise BadFrame("a number that is too long")
    return int.from_bytes(octets, "big")


def member(value: Member) -> pb.Member:
    return pb.Member(node=value.node, incarnation=number(value.incarnation))


def member_of(value: pb.Member) -> Member:
    return Member(value.node, number_of(value.incarnation))


def _position(value: Position) -> pb.Position:
    return pb.Position(epoch=value.epoch, seq=value.seq)


def _position_of(value: pb.Position) -> Position:
    return Position(value.epoch, value.seq)


def _flat(rows: Iterable[tuple[int, ...]]) -> list[int]:
    return [value for row in rows for value in row]


def _pairs(values: Iterable[int], width: int) -> Any:
    """Tuples of that many of the values in turn."""
    columns = list(values)
    if len(columns) % width:
        raise BadFrame("a row of numbers that is cut off")
    return tuple(zip(*(columns[at::width] for at in range(width)), strict=True))


# -- messages: each type with how it is said and heard


def _append(value: Append, data: list[bytes]) -> pb.Append:
    seqs = range(value.before.seq + 1, value.before.seq + 1 + len(value.entries))
    if any(entry.position.seq != seq for entry, seq in zip(value.entries, seqs, strict=True)):
        raise ValueError("entries that do not follow each other")
    data.extend([entry.data for entry in value.entries])
    runs = groupby(value.entries, lambda entry: (entry.position.epoch, entry.format))
    return pb.Append(
        partition=value.partition,
        epoch=value.epoch,
        before=_position(value.before),
        entries=[
            pb.Run(epoch=epoch, format=form, octets=[len(entry.data) for entry in run])
            for (epoch, form), run in runs
        ],
        commit=value.commit,
    )


def _append_of(value: pb.Append, data: _Data) -> Append:
    entries: list[Entry] = []
    seq = value.before.seq
    for run in value.entries:
        epoch, form = run.epoch, run.format
        for octets in data.take(run.octets):
            seq += 1
            entries.append(Entry(Position(epoch, seq), octets, form))
    return Append(value.partition, value.epoch, _position_of(value.before), tuple(entries), value.commit)


_SAYS: dict[type, tuple[str, Callable[[Any], Any]]] = {
    Ack: ("ack", lambda value: pb.Ack(partition=value.partition, epoch=value.epoch, matched=value.matched)),
    Mismatch: (
        "mismatch",
        lambda value: pb.Mismatch(
            partition=value.partition, epoch=value.epoch, nearest=_position(value.nearest)
        ),
    ),
    Refused: ("refused", lambda value: pb.Refused(partition=value.partition, epoch=value.epoch)),
    Join: ("join", lambda value: pb.Join(partition=value.partition, last=_position(value.last))),
    Snapshot: (
        "snapshot",
        lambda value: pb.Snapshot(
            partition=value.partition,
            epoch=value.epoch,
            at=_position(value.at),
            epochs=map(_position, value.epochs),
        ),
    ),
    Heartbeat: (
        "heartbeat",
        lambda value: pb.Heartbeat(
            sent=value.sent,
            base=value.base,
            version=value.version,
            claims=_flat(value.claims),
            commits=_flat(value.commits),
        ),
    ),
    Promise: (
        "promise",
        lambda value: pb.Promise(
            run=number(value.run),
            sent=value.sent,
            version=value.version,
            refused=_flat(value.refused),
            is_short=value.is_short,
            is_leaving=value.is_leaving,
        ),
    ),
}

_HEARS: dict[str, Callable[[Any], Message]] = {
    "ack": lambda value: Ack(value.partition, value.epoch, value.matched),
    "mismatch": lambda value: Mismatch(value.partition, value.epoch, _position_of(value.nearest)),
    "refused": lambda value: Refused(value.partition, value.epoch),
    "join": lambda value: Join(value.partition, _position_of(value.last)),
    "snapshot": lambda value: Snapshot(
        value.partition, value.epoch, _position_of(value.at), tuple(map(_position_of, value.epochs))
    ),
    "heartbeat": lambda value: Heartbeat(
        value.sent, value.base, value.version, _pairs(value.claims, 2), _pairs(value.commits, 3)
    ),
    "promise": lambda value: Promise(
        number_of(value.run),
        value.sent,
        value.version,
        _pairs(value.refused, 2),
        value.is_short,
        value.is_leaving,
    ),
}


def _said(message: Message, data: list[bytes]) -> pb.Message:
    if isinstance(message, Append):
        return pb.Message(append=_append(message, data))
    name, say = _SAYS[type(message)]
    said: pb.Message = pb.Message(**{name: say(message)})
    return said


def _heard(message: pb.Message, data: _Data) -> Message:
    name = message.WhichOneof("said")
    if name is None:
        raise BadFrame("a message of no kind that is known")
    if name == "append":
        return _append_of(message.append, data)
    return _HEARS[name](getattr(message, name))

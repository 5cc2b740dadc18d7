"""The input of a target that reads a stream: how it is cut, then the stream."""

from __future__ import annotations

CUT_OCTETS = 4
"""At the front of an input: lengths of the pieces, in turn; 0 is the rest."""


def pieces_of(octets: bytes) -> list[bytes]:
    lengths, stream = octets[:CUT_OCTETS], octets[CUT_OCTETS:]
    pieces, at, turn = [], 0, 0
    while at < len(stream):
        length = lengths[turn % len(lengths)] or len(stream)
        pieces.append(stream[at : at + length])
        at += length
        turn += 1
    return pieces


def whole(stream: bytes, cut: bytes = b"\x07\x01\x00\x03") -> bytes:
    """An input that `pieces_of` gives as `stream`, in some pieces: a seed."""
    assert len(cut) == CUT_OCTETS
    return cut + stream

"""The DEFLATE layer: what it gives is bounded, whatever it is fed (RFC 1951, RFC 4978)."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.deflate import Deflate
from protocols.fault import Fault

PIECE_OCTETS_MAX = 1000


def layer() -> Deflate:
    return Deflate(13, 6)


def unfolded(deflate: Deflate) -> bytes:
    pieces = []
    while deflate.pending:
        pieces.append(deflate.take(PIECE_OCTETS_MAX))
    assert all(len(piece) <= PIECE_OCTETS_MAX for piece in pieces)
    return b"".join(pieces)


@given(st.lists(st.binary(max_size=3000)), st.lists(st.booleans()))
def test_the_peer_reads_all_that_was_said_whether_we_rest_between_or_not(
    said: list[bytes], rests: list[bool]
) -> None:
    ours, theirs = layer(), layer()
    for at, octets in enumerate(said):
        if at < len(rests) and rests[at]:
            ours.rest()
        theirs.feed(ours.deflate(octets))
        assert unfolded(theirs) == octets
        ours.resting = False


@given(st.binary(max_size=5000), st.integers(1, 50))
def test_octets_cut_anywhere_unfold_the_same(said: bytes, step: int) -> None:
    deflated = layer().deflate(said)
    theirs, heard = layer(), b""
    for at in range(0, len(deflated), step):
        theirs.feed(deflated[at : at + step])
        heard += unfolded(theirs)
    assert heard == said


def test_a_piece_is_bounded_however_much_is_behind_it() -> None:
    deflate = layer()
    deflate.feed(layer().deflate(bytes(10_000_000)))
    assert len(deflate.take(PIECE_OCTETS_MAX)) == PIECE_OCTETS_MAX
    assert deflate.pending
    assert len(unfolded(deflate)) == 10_000_000 - PIECE_OCTETS_MAX


def test_a_zlib_header_a_broken_block_and_a_stream_that_ends_are_faults() -> None:
    ended = zlib.compressobj(wbits=-15)
    for octets in (zlib.compress(b"a NOOP\r\n"), b"\x07", ended.compress(b"a") + ended.flush()):
        deflate = layer()
        deflate.feed(octets)
        with pytest.raises(Fault):
            unfolded(deflate)

"""Decoding in pieces gives what decoding the whole gives (RFC 2045 §6)."""

from hypothesis import example, given
from hypothesis import strategies as st

from protocols.mime.transfer import Decoder, decode_transfer, decoder

PIECES = (b"=", b"=3D", b"=\r\n", b" ", b"\t", b" " * 600, b"\r", b"\n", b"\r\n", b"4", b"QUJD", b"x")
ENCODED = st.lists(st.sampled_from(PIECES)).map(b"".join)
CUTS = st.lists(st.integers(0, 60), max_size=20)


def in_pieces(steps: Decoder, octets: bytes, cuts: list[int]) -> bytes:
    given_out, at = b"", 0
    for cut in cuts:
        given_out += steps.add(octets[at : at + cut])
        at += cut
    return given_out + steps.add(octets[at:]) + steps.rest()


@given(ENCODED, CUTS, st.sampled_from([b"base64", b"quoted-printable", b"8bit"]))
@example(b"a" + b" " * 1024 + b"\r\n", [3, 500, 530], b"quoted-printable")
@example(b"a=" + b" " * 1025 + b"\r\n", [3, 500, 530], b"quoted-printable")
def test_octets_cut_anywhere_decode_the_same(octets: bytes, cuts: list[int], encoding: bytes) -> None:
    steps = decoder(encoding)
    assert steps is not None
    assert in_pieces(steps, octets, cuts) == decode_transfer(octets, encoding)


def test_white_space_that_does_not_end_is_not_held() -> None:
    steps = decoder(b"quoted-printable")
    assert steps is not None
    assert sum(len(steps.add(b" \t" * 1000)) for _ in range(100)) == 200_000


def test_an_encoding_that_nobody_knows_has_no_decoder() -> None:
    assert decoder(b"x-uuencode") is None

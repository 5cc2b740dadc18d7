"""What a cluster seals, only those who have its secret open, and only as what it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.cluster.secret import OCTETS, Secret, Unsealable

SECRET = Secret(bytes(range(OCTETS)))


@given(st.binary(max_size=200), st.binary(max_size=40))
def test_what_was_sealed_opens_as_what_it_is_about(octets: bytes, about: bytes) -> None:
    sealed = SECRET.seal(octets, about)
    assert SECRET.open(sealed, about) == octets
    assert sealed != SECRET.seal(octets, about)
    with pytest.raises(Unsealable):
        SECRET.open(sealed, about + b"x")
    with pytest.raises(Unsealable):
        Secret(bytes(OCTETS)).open(sealed, about)


@given(st.data())
def test_no_octet_of_it_can_be_changed_or_left_out(data: st.DataObject) -> None:
    sealed = SECRET.seal(b"a key", b"dkim/example.org")
    at = data.draw(st.integers(0, len(sealed) - 1))
    flipped = sealed[:at] + bytes((sealed[at] ^ data.draw(st.integers(1, 255)),)) + sealed[at + 1 :]
    for broken in (flipped, sealed[:at]):
        with pytest.raises(Unsealable):
            SECRET.open(broken, b"dkim/example.org")


def test_what_a_later_program_sealed_is_told_from_what_was_forged() -> None:
    sealed = b"\2" + SECRET.seal(b"", b"")[1:]
    with pytest.raises(Unsealable, match="sealed in version 02, this program knows 01"):
        SECRET.open(sealed, b"")


def test_a_secret_has_its_length_and_is_not_shown() -> None:
    with pytest.raises(ValueError, match="a secret of 31 octets, expected 32"):
        Secret(bytes(OCTETS - 1))
    assert repr(SECRET) == "Secret()"

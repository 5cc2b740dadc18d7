"""Tokens as text: what is not exactly one is told from what is."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.cluster.tokens import SECRET_OCTETS, BadToken, Token, text_of, token_of

TOKEN = Token(
    ("127.0.0.1:2379", "[::1]:2379"), "mailnode", bytes(range(SECRET_OCTETS)), 1_700_000_000_000_000
)
TEXT = text_of(TOKEN)


@given(
    st.lists(st.text("abc.:0123456789", min_size=1, max_size=30), min_size=1, max_size=5),
    st.text("abcXYZ-_.", max_size=20),
    st.binary(min_size=SECRET_OCTETS, max_size=SECRET_OCTETS),
    st.integers(0, 2**63 - 1),
)
def test_a_token_is_one_word_that_says_all_of_it(
    endpoints: list[str], prefix: str, secret: bytes, ends: int
) -> None:
    token = Token(tuple(endpoints), prefix, secret, ends)
    text = text_of(token)
    assert text.replace("-", "").replace("_", "").isalnum() and token_of(text) == token


def test_a_line_that_a_terminal_broke_is_the_same_token() -> None:
    assert token_of(f"  {TEXT[:40]}\n    {TEXT[40:]}\n") == TOKEN


@given(st.data())
def test_what_lacks_a_part_or_has_another_letter_is_none(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(TEXT) - 1))
    other = data.draw(st.characters(codec="ascii", categories=("L", "N")))
    # The last letter has bits that are of no octet.
    if other != TEXT[at] and at < len(TEXT) - 1:
        with pytest.raises(BadToken):
            token_of(TEXT[:at] + other + TEXT[at + 1 :])
    with pytest.raises(BadToken):
        token_of(TEXT[:at])
    with pytest.raises(BadToken):
        token_of(TEXT[:at] + TEXT[at + 1 :])


@given(st.text(max_size=80))
def test_whatever_is_typed_ends_in_a_sentence(text: str) -> None:
    for each in (text, "mailnode-" + text):
        with pytest.raises(BadToken):
            token_of(each)


def test_the_name_tells_nothing_of_the_key_and_neither_is_shown() -> None:
    other = Token(TOKEN.endpoints, TOKEN.prefix, secrets.token_bytes(SECRET_OCTETS), TOKEN.ends)
    names = {TOKEN.name, other.name, TOKEN.opens.octets.hex(), other.opens.octets.hex(), TOKEN.secret.hex()}
    assert len(names) == 5
    assert TOKEN.secret.hex() not in repr(TOKEN) and repr(TOKEN.secret) not in repr(TOKEN)

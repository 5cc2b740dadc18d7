"""Who a message says has written it, and when that cannot be told: RFC 9989 §5.3.1 and §11.5."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.dmarc.author import CANDIDATES_MAX, author


@pytest.mark.parametrize(
    "value",
    [
        b"a@Example.com",
        b'"a, b" <a@example.com>',
        b"A <a@example.com>, B <b@EXAMPLE.com>",
        b"Group: a@example.com, b@example.com;",
        b"other@example.net <a@example.com>",
        b"(x@example.net) a@example.com",
    ],
)
def test_one_domain_is_the_authors(value: bytes) -> None:
    assert author([value]).domain == "example.com"


@pytest.mark.parametrize(
    ("values", "candidates"),
    [
        ([], ()),
        ([b""], ()),
        ([b"nobody"], ()),
        ([b"Undisclosed:;"], ()),
        ([b"a@example.com, b@example.net"], ("example.com", "example.net")),
        ([b"a@example.com", b"a@example.com"], ("example.com",)),
        ([b"<a@example.com", b"b@example.net"], ("example.com", "example.net")),
        ([b"a@example.com," * 60 + b"a@example.com"], ("example.com",)),
    ],
)
def test_anything_else_has_no_author_but_what_a_reader_may_see(
    values: list[bytes], candidates: tuple[str, ...]
) -> None:
    found = author(values)
    assert found.domain == ""
    assert found.why
    assert found.candidates == candidates


@given(st.lists(st.binary(max_size=500)))
def test_any_octets_have_one_author_or_none(values: list[bytes]) -> None:
    found = author(values)
    assert bool(found.domain) != bool(found.why)
    assert len(found.candidates) <= CANDIDATES_MAX

"""Authentication-Results against RFC 8601: appendix B, and what a hostile peer puts into it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.results import Result, authserv_id, field, received_spf, result_of


def test_a_field_is_as_in_the_appendix() -> None:
    """RFC 8601 appendix B.3"""
    passed = Result("spf", "pass", properties=(("smtp.mailfrom", "example.net"),))
    expected = b"Authentication-Results: example.com;\r\n\tspf=pass smtp.mailfrom=example.net\r\n"
    assert field("example.com", [passed]) == expected


def test_no_authentication_is_said_in_a_word() -> None:
    """RFC 8601 appendix B.2"""
    assert field("example.com", []) == b"Authentication-Results: example.com; none\r\n"


@given(st.text(max_size=2000), st.text(max_size=2000))
def test_no_text_of_a_peer_ends_the_field_or_makes_its_line_too_long(reason: str, value: str) -> None:
    made = field("example.com", [Result("dkim", "fail", reason, (("header.d", value),) * 3)])
    lines = made.removesuffix(b"\r\n").split(b"\r\n")
    assert all(line[:1] == b"\t" and len(line) <= 998 for line in lines[1:])
    assert len(lines) == 2 or all(line.strip() for line in lines)
    assert b"\r" not in b"".join(lines)
    assert b"\n" not in b"".join(lines)
    assert authserv_id(made.partition(b":")[2]) == b"example.com"


@pytest.mark.parametrize(
    "value",
    [
        b" mx.example.org; none",
        b"\r\n\tMX.Example.ORG; none",
        b" (a (nested; other.example) \\) comment) mx.example.org 1; spf=pass",
        b' "mx.example.org"; none',
        b' "mx.\\example.org"; none',
        b"mx.example.org(x);none",
        b"mx.example.org",
    ],
)
def test_whose_results_they_are_is_read_through_every_disguise(value: bytes) -> None:
    assert authserv_id(value) == b"mx.example.org"


@pytest.mark.parametrize("value", [b"", b" ;", b" (open", b' "open', b"(" * 200 + b")" * 200 + b"x", b'""'])
def test_whose_results_they_are_cannot_be_told(value: bytes) -> None:
    assert authserv_id(value) is None


def test_received_spf_is_as_in_the_rfc() -> None:
    """RFC 7208 §9.1"""
    pairs = [
        ("receiver", "mybox.example.org"),
        ("client-ip", "192.0.2.1"),
        ("envelope-from", "a@example.com"),
    ]
    assert received_spf("pass", "", pairs) == (
        b"Received-SPF: pass\r\n"
        b'\treceiver=mybox.example.org; client-ip=192.0.2.1; envelope-from="a@example.com"\r\n'
    )


@given(st.text(max_size=2000))
def test_no_text_of_a_peer_ends_received_spf(text: str) -> None:
    made = received_spf("permerror", text, [("helo", text), ("client-ip", "192.0.2.1")])
    assert made.count(b"\r") == made.count(b"\n") == 2
    assert made.endswith(b"client-ip=192.0.2.1\r\n")


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (b" i=1; mx.test; spf=fail smtp.mailfrom=a; dmarc=pass header.from=b", "pass"),
        (b" i=1; mx.test;\r\n\tDMARC/1 = Fail (p=reject; dmarc=pass)", "fail"),
        (b' i=1; mx.test; spf=fail reason="; dmarc=pass"', ""),
        (b" i=1; mx.test; spf=fail (a \\) ; dmarc=pass", ""),
        (b" i=1; mx.test; x-dmarc=pass; dmarc-x=pass", ""),
        (b"dmarc=pass", ""),
    ],
)
def test_what_another_says_of_a_method_is_read_where_it_says_it(value: bytes, result: str) -> None:
    assert result_of(value, "dmarc") == result

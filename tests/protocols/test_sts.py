"""MTA-STS policies and their records: RFC 8461."""

import pytest

from protocols.sts import HOSTS_MAX, Mode, Policy, read_id, read_policy

OURS = Policy(Mode.ENFORCE, ("mx.example.test",), 604_800)
TEXT = b"version: STSv1\r\nmode: enforce\r\nmx: mx.example.test\r\nmax_age: 604800\r\n"


def test_a_policy_is_read_as_it_is_written_and_its_id_is_its_own() -> None:
    assert OURS.text().encode() == TEXT and read_policy(TEXT) == OURS
    others = [Policy(mode, OURS.hosts, OURS.seconds) for mode in Mode]
    assert len({each.id() for each in others}) == 3
    assert read_id([OURS.record()]) == OURS.id()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TEXT.replace(b"\r\n", b"\n"), OURS),
        (TEXT.removesuffix(b"\r\n"), OURS),
        (TEXT + b"mode: none\r\nmax_age: 1\r\nlater: v\r\n", OURS),  # the first counts, the unknown not
        (TEXT.replace(b"mx: mx", b"mx: \tMX"), OURS),
        (TEXT.replace(b"604800", b"9999999999"), Policy(Mode.ENFORCE, OURS.hosts, 31_557_600)),
        (b"version: STSv1\nmode: none\nmax_age: 1\n", Policy(Mode.NONE, (), 1)),
        (TEXT.replace(b"STSv1", b"STSv2"), None),
        (TEXT.replace(b"enforce", b"Enforce"), None),
        (TEXT.replace(b"mx: mx.example.test\r\n", b""), None),
        (TEXT.replace(b"mx.example.test", b"mx..test"), None),
        (TEXT.replace(b"mx.example.test", b"*"), None),
        (TEXT.replace(b"604800", b"-1"), None),
        (TEXT.replace(b"604800", b"12345678901"), None),
        (b"<html>\xff", None),
        (b"", None),
    ],
)
def test_what_stands_there_is_a_policy_or_none(text: bytes, expected: Policy | None) -> None:
    assert read_policy(text) == expected


def test_a_pattern_covers_one_label_alone() -> None:
    """RFC 8461 §4.1"""
    policy = Policy(Mode.ENFORCE, ("mx.example.test", "*.example.net"), 1)
    assert policy.covers("mx.example.test") and policy.covers("a.example.net")
    assert not policy.covers("a.b.example.net") and not policy.covers("example.net")
    assert not policy.covers("other.example.test")


def test_of_many_hosts_so_many_count() -> None:
    many = b"".join(b"mx: mx%d.example.test\r\n" % number for number in range(2000))
    found = read_policy(TEXT.replace(b"mx: mx.example.test\r\n", many))
    assert found is not None and len(found.hosts) == HOSTS_MAX and found.covers("mx99.example.test")


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["v=STSv1; id=20160831085700Z;"], "20160831085700Z"),
        (["v=STSv1;id=a", "v=spf1 -all"], "a"),
        (["v=STSv1; id=a", "v=STSv1; id=b"], ""),
        (["v=STSv1; id=" + "a" * 33], ""),
        (["v=STSv1; id=a b"], ""),
        (["v=STSv11; id=a"], ""),
        (["v=STSv1"], ""),
        ([], ""),
    ],
)
def test_a_domain_has_one_record_with_an_id_or_none(texts: list[str], expected: str) -> None:
    assert read_id(texts) == expected

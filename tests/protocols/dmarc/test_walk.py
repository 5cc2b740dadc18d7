"""The tree walk against the examples of RFC 9989 §4.10 and appendix B.4."""

import pytest

from protocols.dmarc.record import Policy, only_record
from protocols.dmarc.walk import applied, organisational, walk


def found(**records: str) -> dict[str, object]:
    return {name.replace("_", "."): only_record([text]) for name, text in records.items()}


def test_a_long_name_is_asked_for_in_eight_queries() -> None:
    assert walk("a.b.c.d.e.f.g.h.i.j.mail.example.com") == (
        "a.b.c.d.e.f.g.h.i.j.mail.example.com",
        "g.h.i.j.mail.example.com",
        "h.i.j.mail.example.com",
        "i.j.mail.example.com",
        "j.mail.example.com",
        "mail.example.com",
        "example.com",
        "com",
    )


@pytest.mark.parametrize("labels", [1, 2, 7, 8, 9, 100])
def test_no_name_is_asked_twice_and_never_more_than_eight(labels: int) -> None:
    names = walk(".".join(f"l{number}" for number in range(labels)))
    assert len(set(names)) == len(names) == min(labels, 8)
    assert names[-1] == f"l{labels - 1}"


@pytest.mark.parametrize(
    ("records", "organisation"),
    [
        ({}, "a.mail.example.com"),
        ({"mail_example_com": "v=DMARC1", "example_com": "v=DMARC1"}, "example.com"),
        ({"mail_example_com": "v=DMARC1; psd=n", "example_com": "v=DMARC1"}, "mail.example.com"),
        ({"com": "v=DMARC1; psd=y"}, "example.com"),
        ({"a_mail_example_com": "v=DMARC1; psd=y"}, "a.mail.example.com"),
        ({"a_mail_example_com": "v=DMARC1; psd=n", "com": "v=DMARC1; psd=y"}, "a.mail.example.com"),
        ({"a_mail_example_com": "v=DMARC1"}, "a.mail.example.com"),
    ],
)
def test_an_organisation_begins_where_the_records_say(records: dict[str, str], organisation: str) -> None:
    assert organisational("a.mail.example.com", found(**records)) == organisation  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("records", "exists", "expected"),
    [
        (
            {"a_example_com": "v=DMARC1; p=none", "example_com": "v=DMARC1; p=reject"},
            True,
            ("a.example.com", 0),
        ),
        ({"example_com": "v=DMARC1; p=none; sp=quarantine; np=reject"}, True, ("example.com", 1)),
        ({"example_com": "v=DMARC1; p=none; sp=quarantine; np=reject"}, False, ("example.com", 2)),
        ({"com": "v=DMARC1; p=reject; np=quarantine; psd=y"}, False, ("com", 1)),
        ({"com": "v=DMARC1; p=reject; psd=y", "example_com": "v=DMARC1; p=none"}, True, ("example.com", 0)),
    ],
)
def test_whose_policy_holds(records: dict[str, str], exists: bool, expected: tuple[str, int]) -> None:
    holds = applied("a.example.com", found(**records), exists)  # type: ignore[arg-type]
    assert holds is not None
    assert (holds.domain, holds.policy) == (expected[0], Policy(expected[1]))


def test_without_a_record_nothing_holds() -> None:
    assert applied("a.example.com", {}, exists=True) is None

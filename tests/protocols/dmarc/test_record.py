"""The policy record: RFC 9989 §4.7 and §4.8, and what stands in zones instead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.dmarc.record import Policy, Record, only_record

NONE, QUARANTINE, REJECT = Policy.NONE, Policy.QUARANTINE, Policy.REJECT


def record(text: str) -> Record:
    found = only_record([text])
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "p", "sp", "np"),
    [
        ("v=DMARC1; p=reject", REJECT, REJECT, REJECT),
        ("v=DMARC1;p=reject;sp=none", REJECT, NONE, NONE),
        ("v=DMARC1; p=none; np=reject", NONE, NONE, REJECT),
        ("v=DMARC1; p=none; sp=quarantine; np=reject", NONE, QUARANTINE, REJECT),
        ("v = DMARC1 ; P = Quarantine ; ", QUARANTINE, QUARANTINE, QUARANTINE),
        ("v=DMARC1", NONE, NONE, NONE),
        ("v=DMARC1; p=reject; p=none", REJECT, REJECT, REJECT),
        ("v=DMARC1; p=reject; pct=0", REJECT, REJECT, REJECT),
    ],
)
def test_policies_hold_for_whom_they_are_said(text: str, p: Policy, sp: Policy, np: Policy) -> None:
    found = record(text)
    assert (found.p, found.sp, found.np, found.applies) == (p, sp, np, True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v=dmarc1; p=reject",
        "p=reject; v=DMARC1",
        "v=DMARC12; p=reject",
        "v=DMARC1 p=reject",
        "v=spf1 -all",
    ],
)
def test_what_does_not_begin_with_the_version_is_no_record(text: str) -> None:
    assert only_record([text]) is None


def test_two_records_are_none_and_others_do_not_count() -> None:
    assert only_record(["v=DMARC1; p=reject"] * 2) is None
    assert only_record(["v=spf1 -all", "v=DMARC1; p=reject"]) is not None


@pytest.mark.parametrize("tag", ["p=bogus", "p=reject; sp=bogus", "p=reject; np="])
def test_a_malformed_policy_is_none_where_reports_are_wanted_and_nothing_else(tag: str) -> None:
    """RFC 9989 §4.10.1"""
    asked = record(f"v=DMARC1; {tag}; rua=mailto:a@example.com")
    assert (asked.p, asked.sp, asked.np, asked.applies) == (NONE, NONE, NONE, True)
    assert not record(f"v=DMARC1; {tag}").applies
    assert not record(f"v=DMARC1; {tag}; rua=nobody").applies


def test_the_other_tags_have_their_defaults_when_they_are_malformed() -> None:
    plain = record("v=DMARC1; adkim=x; aspf=; t=maybe; psd=q")
    assert (plain.adkim_strict, plain.aspf_strict, plain.testing, plain.psd) == (False, False, False, "u")
    said = record("v=DMARC1; adkim=s; aspf=S; t=y; psd=n")
    assert (said.adkim_strict, said.aspf_strict, said.testing, said.psd) == (True, True, True, "n")


def test_addresses_of_reports_lose_their_obsolete_sizes() -> None:
    found = record(
        "v=DMARC1; rua=mailto:a@example.com!10m , https://example.com/x,,nothing; ruf=mailto:b@example.com"
    )
    assert found.rua == ("mailto:a@example.com!10m", "https://example.com/x")
    assert found.ruf == ("mailto:b@example.com",)


def test_of_many_addresses_of_reports_the_first_ten_count() -> None:
    found = record("v=DMARC1; rua=" + ",".join(f"mailto:{number}@example.com" for number in range(1000)))
    assert found.rua == tuple(f"mailto:{number}@example.com" for number in range(10))


@given(st.lists(st.text(max_size=300)))
def test_any_text_is_a_record_or_none(texts: list[str]) -> None:
    assert only_record(texts) is None
    assert only_record([*texts, "v=DMARC1;" + ";".join(texts)]) is not None

"""Aggregate reports: RFC 7489, Appendix C."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.reports.aggregate import write
from protocols.reports.aggregate_read import (
    DEPTH_MAX,
    OF_RECORD_MAX,
    RECORDS_READ_MAX,
    TEXT_CHARACTERS_MAX,
    read,
)
from protocols.reports.values import Aggregate, DkimAuth, Malformed, Record, SpfAuth
from tests.protocols.reports.samples import AGGREGATE, SUCCESSOR

RECORDS_MAX = 1000


def test_what_is_written_is_read_as_it_was() -> None:
    assert read(write(AGGREGATE), RECORDS_MAX) == AGGREGATE


texts = st.text(st.characters(min_codepoint=0x21, blacklist_categories=("Cs", "Zs", "Zl", "Zp")), max_size=40)
records = st.builds(
    Record,
    source=st.ip_addresses().map(str),
    count=st.integers(1, 10**9),
    disposition=st.sampled_from(["none", "quarantine", "reject"]),
    dkim=st.booleans(),
    spf=st.booleans(),
    header_from=texts.map(str.lower),
    envelope_from=texts,
    dkim_auth=st.lists(
        st.builds(DkimAuth, texts.map(str.lower), texts, st.sampled_from(["pass", "fail", "policy"])),
        max_size=3,
    ).map(tuple),
    spf_auth=st.just((SpfAuth("x.example", "helo", "none"),)),
)


@given(st.lists(records, min_size=1, max_size=5))
def test_nothing_that_a_sender_chose_breaks_the_document(found: list[Record]) -> None:
    report = Aggregate(AGGREGATE.metadata, AGGREGATE.policy, tuple(found))
    again = read(write(report), RECORDS_MAX)
    assert again.messages == sum(record.count for record in found)
    assert len(again.records) == len(found)
    assert sorted(record.count for record in again.records) == sorted(record.count for record in found)


def test_the_successors_elements_and_namespace_are_read_and_what_is_new_is_passed_over() -> None:
    report = read(SUCCESSOR, RECORDS_MAX)
    assert (report.policy.domain, report.policy.p, report.metadata.end) == (
        "example.org",
        "reject",
        1_767_311_999,
    )
    (record,) = report.records
    assert (record.count, record.dkim, record.spf, record.passes) == (3, True, False, True)
    assert record.dkim_auth == (DkimAuth("example.org", "k", "pass"),)
    assert record.spf_auth == (SpfAuth("bounce.example.org", "mfrom", "fail"),)


def test_of_a_long_report_those_stay_that_fail_then_the_largest_and_the_rest_is_counted() -> None:
    failing = replace(AGGREGATE.records[0], count=1)
    passing = [replace(AGGREGATE.records[1], count=count) for count in range(1, 101)]
    report = read(write(replace(AGGREGATE, records=(*passing, failing))), 3)
    assert [(record.count, record.passes) for record in report.records] == [
        (1, False),
        (100, True),
        (99, True),
    ]
    assert (report.messages, report.failed, report.left_out) == (5051, 1, 5051 - 200)


LAUGHS = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x00\x01",
        b"no report",
        b"<feedback>",
        b"<html/>",
        b"<feedback/>",
        write(AGGREGATE)[:-20],
        f'<!DOCTYPE f [<!ENTITY l0 "lol">{LAUGHS}]><feedback>&l9;</feedback>'.encode(),
        b'<!DOCTYPE feedback SYSTEM "file:///etc/passwd"><feedback/>',
        b'<!DOCTYPE f [<!ENTITY x SYSTEM "file:///etc/passwd">]><feedback>&x;</feedback>',
        b"<feedback>" + b"<a>" * (DEPTH_MAX + 1),
        b'<?xml version="1.0" encoding="x-nobody-knows"?><feedback/>',
    ],
)
def test_what_is_no_report_is_malformed_and_nothing_is_expanded(octets: bytes) -> None:
    with pytest.raises(Malformed):
        read(octets, RECORDS_MAX)


def test_a_text_longer_than_anybody_writes_is_cut() -> None:
    report = replace(AGGREGATE, metadata=replace(AGGREGATE.metadata, organization="x" * 10**6))
    assert read(write(report), RECORDS_MAX).metadata.organization == "x" * TEXT_CHARACTERS_MAX


def test_a_count_that_nobody_can_have_counted_is_none() -> None:
    octets = write(AGGREGATE).replace(b"<count>7<", b"<count>" + b"9" * 5000 + b"<")
    assert read(octets, RECORDS_MAX).messages == 100


def test_of_a_record_with_many_signatures_the_first_are_kept() -> None:
    signatures = tuple(DkimAuth(f"{number}.example", "s", "pass") for number in range(OF_RECORD_MAX + 5))
    octets = write(replace(AGGREGATE, records=(replace(AGGREGATE.records[0], dkim_auth=signatures),)))
    assert read(octets, RECORDS_MAX).records[0].dkim_auth == signatures[:OF_RECORD_MAX]


def test_more_records_than_anybody_has_senders_are_no_report() -> None:
    octets = write(AGGREGATE).replace(b"</feedback>", b"<record/>" * RECORDS_READ_MAX + b"</feedback>")
    with pytest.raises(Malformed, match="too many records"):
        read(octets, RECORDS_MAX)

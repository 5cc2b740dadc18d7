"""DMARC over the node's resolver: our table of cases, and what hostile mail tries."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from mailnode.clock import SystemClock
from mailnode.limits import Limits
from mailnode.mailauth.dmarc import Assessed, Dmarc
from mailnode.mailauth.resolver import Resolver
from mailnode.mailauth.spf import Checked
from protocols.dmarc.author import author
from protocols.dmarc.record import Policy
from protocols.results import DkimResult
from tests.mailauth.vectors import VECTORS
from tests.mailauth.zone import FAILS, Zone

FILE = VECTORS / "dmarc" / "policy_cases.json"
CASES: list[dict[str, Any]] = json.loads(FILE.read_text())["cases"] if FILE.exists() else []
REJECT = "v=DMARC1; p=reject"


def zone(records: Mapping[str, str | Sequence[str]], names: Sequence[str] = ()) -> Zone:
    table: dict[str, Mapping[str, Sequence[str] | str]] = {name: {"A": ["192.0.2.1"]} for name in names}
    for name, texts in records.items():
        several = [texts] if isinstance(texts, str) else texts
        table[name] = {
            "TXT": FAILS if texts == FAILS else [f'"{text.replace(";", chr(92) + ";")}"' for text in several]
        }
    return Zone(table)


def signed(domain: str, result: str = "pass") -> DkimResult:
    return DkimResult(result, domain, "s", f"@{domain}", "rsa-sha256", "")


def assessed(zone: Zone, from_: bytes, spf: Checked, *signatures: DkimResult) -> Assessed:
    dmarc = Dmarc(Resolver(zone, SystemClock(), Limits()))
    return asyncio.run(dmarc.assess(author([from_]), spf, signatures))


def by_spf(domain: str, result: str = "pass") -> Checked:
    return Checked(result, "mailfrom", domain)


NOBODY = by_spf("", "none")


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_case_of_the_table_has_its_result(case: dict[str, Any]) -> None:
    records = {name: FAILS if isinstance(value, dict) else value for name, value in case["records"].items()}
    addresses = case.get("header_from_list") or [f"a@{case['header_from']}"]
    spf = Checked(case["spf"]["result"], "mailfrom", case["spf"]["domain"])
    signatures = [signed(each["domain"], each["result"]) for each in case["dkim"]]
    made = assessed(zone(records, [case["header_from"]]), ", ".join(addresses).encode(), spf, *signatures)
    assert made.result == case["expect"]["result"]
    assert made.policy.name.lower() == case["expect"]["disposition"]


@pytest.mark.skipif(not CASES, reason="the table is not there")
def test_the_table_is_all_there() -> None:
    assert len(CASES) == 29


def test_a_tester_wants_a_step_less() -> None:
    for p, policy in (("reject", Policy.QUARANTINE), ("quarantine", Policy.NONE), ("none", Policy.NONE)):
        made = assessed(zone({"_dmarc.example.com": f"v=DMARC1; p={p}; t=y"}), b"a@example.com", NOBODY)
        assert (made.result, made.policy) == ("fail", policy)


def test_a_name_that_does_not_exist_has_a_policy_of_its_own() -> None:
    records = {"_dmarc.example.com": "v=DMARC1; p=none; sp=quarantine; np=reject"}
    assert assessed(zone(records, ["a.example.com"]), b"a@a.example.com", NOBODY).policy is Policy.QUARANTINE
    assert assessed(zone(records), b"a@a.example.com", NOBODY).policy is Policy.REJECT


def test_siblings_of_one_organisation_align_and_of_two_do_not() -> None:
    one = zone({"_dmarc.example.com": REJECT})
    assert assessed(one, b"a@news.example.com", NOBODY, signed("mail.example.com")).dkim_aligned
    two = zone({"_dmarc.example.com": REJECT, "_dmarc.mail.example.com": "v=DMARC1; p=none; psd=n"})
    assert assessed(two, b"a@news.example.com", NOBODY, signed("mail.example.com")).result == "fail"


def test_a_public_suffix_is_no_organisation() -> None:
    suffix = zone({"_dmarc.example": "v=DMARC1; p=reject; psd=y"})
    assert assessed(suffix, b"a@one.example", by_spf("two.example")).result == "fail"
    assert assessed(suffix, b"a@one.example", by_spf("mail.one.example")).result == "pass"


@pytest.mark.parametrize(
    ("from_", "other"),
    [
        ("a@p\u0430ypal.example", "paypal.example"),  # a Cyrillic letter
        ("a@paypal.example", "xn--pypal-4ve.example"),
        ("a@paypal.example", "paypal.example.evil.test"),
        ("a@paypal.example", "evilpaypal.example"),
        ("a@paypal.example", ""),
    ],
)
def test_look_alikes_do_not_align(from_: str, other: str) -> None:
    records = {"_dmarc.paypal.example": REJECT, "_dmarc.xn--pypal-4ve.example": REJECT}
    made = assessed(zone(records), from_.encode(), by_spf(other), signed(other))
    assert made.result == "fail"


@pytest.mark.parametrize(
    "values",
    [
        [b"a@example.com, b@evil.test"],
        [b"a@evil.test", b"a@example.com"],
        [b"a@example.com", b"b@example.com"],
        [b"a@evil.test <a@example.com>, b@evil.test"],
    ],
)
def test_more_than_one_author_never_passes_and_the_strictest_policy_holds(values: list[bytes]) -> None:
    dmarc = Dmarc(Resolver(zone({"_dmarc.example.com": REJECT}), SystemClock(), Limits()))
    signatures = [signed("example.com"), signed("evil.test")]
    made = asyncio.run(dmarc.assess(author(values), by_spf("evil.test"), signatures))
    assert (made.result, made.policy) == ("permerror", Policy.REJECT)


def test_a_header_without_an_author_has_no_policy() -> None:
    assert assessed(zone({}), b"Undisclosed:;", NOBODY).result == "permerror"


def test_beyond_the_end_of_a_walk_nobody_is_missed() -> None:
    records = {"_dmarc.example.com": f"{REJECT}; psd=n", "_dmarc.com": FAILS}
    assert assessed(zone(records), b"a@example.com", by_spf("a.example.com")).result == "pass"
    assert assessed(zone({"_dmarc.com": FAILS}), b"a@example.com", NOBODY).result == "temperror"


def test_many_signatures_of_others_ask_for_nothing() -> None:
    many = zone({"_dmarc.example.com": REJECT})
    assessed(many, b"a@example.com", NOBODY, *(signed(f"{n}.other.test") for n in range(100)))
    assert len(many.asked) == 2


def test_what_may_yet_pass_has_not_failed() -> None:
    """RFC 9989 §5.3.6"""
    one = zone({"_dmarc.example.com": REJECT})
    assert assessed(one, b"a@example.com", by_spf("example.com", "temperror")).result == "temperror"
    assert assessed(one, b"a@example.com", NOBODY, signed("example.com", "temperror")).result == "temperror"
    assert assessed(one, b"a@example.com", NOBODY, signed("other.test", "temperror")).result == "fail"

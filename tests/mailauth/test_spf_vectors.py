"""The official test suite of RFC 7208, and that of RFC 4408 where the two agree."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import dns.name
import dns.rdata
import pytest
import yaml

from mailnode.clock import SystemClock
from mailnode.limits import Limits
from mailnode.mailauth.resolver import Answer, Resolver, Unavailable
from mailnode.mailauth.spf import Spf
from tests.mailauth.vectors import VECTORS

CNAMES_MAX = 16
SUITES = sorted((VECTORS / "spf").glob("rfc*-tests.yml"))


class Case(NamedTuple):
    name: str
    test: Mapping[str, Any]
    zone: Mapping[str, list[Any]]


def _cases() -> Iterator[Case]:
    for suite in SUITES:
        for scenario in filter(None, yaml.safe_load_all(suite.read_text())):
            zone = {name.lower(): records for name, records in scenario["zonedata"].items()}
            for name, test in scenario["tests"].items():
                yield Case(f"{suite.name[:7]}-{name}", test, zone)


CASES = list(_cases())


class SuiteZone:
    """An `Ask` over the suite's zonedata: SPF records stand for TXT where the name has no TXT of its own."""

    def __init__(self, names: Mapping[str, list[Any]]) -> None:
        self._names = names

    async def __call__(self, name: str, kind: str) -> Answer:
        for _ in range(CNAMES_MAX):
            records = self._names.get(name, [])
            alias = [each["CNAME"] for each in records if isinstance(each, dict) and "CNAME" in each]
            if not alias:
                return self._answer(name, kind, records)
            name = alias[0].lower()
        return Answer((), True, False, 1)

    def _answer(self, name: str, kind: str, records: list[Any]) -> Answer:
        pairs = [pair for each in records if isinstance(each, dict) for pair in each.items()]
        if kind == "TXT" and not any(key == "TXT" for key, _ in pairs):
            pairs = [("TXT", value) if key == "SPF" else (key, value) for key, value in pairs]
        values = [value for key, value in pairs if key == kind and value != "NONE"]
        if not values and "TIMEOUT" in records:
            raise Unavailable(f"{kind} of {name}")
        return Answer(tuple(_rdata(kind, value) for value in values), bool(records), False, 1)


def _rdata(kind: str, value: Any) -> dns.rdata.Rdata:
    if kind == "TXT":
        strings = [value] if isinstance(value, str) else value
        quoted = " ".join(f'"{_escaped(each)}"' for each in strings)
        return dns.rdata.from_text("IN", "TXT", quoted)
    if kind == "MX":
        return dns.rdata.from_text("IN", "MX", f"{value[0]} {value[1] or '.'}", origin=dns.name.root)
    return dns.rdata.from_text("IN", kind, value, origin=dns.name.root)


def _escaped(text: str) -> str:
    return "".join(
        chr(octet) if 0x20 <= octet < 0x7F and octet not in b'"\\' else f"\\{octet:03}"
        for octet in text.encode()
    )


@pytest.mark.skipif(not CASES, reason="the vectors are not there")
def test_the_suites_are_all_there() -> None:
    assert len(CASES) == 391


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_host_is_judged_as_the_official_suite_says(case: Case) -> None:
    async def work() -> None:
        resolver = Resolver(SuiteZone(case.zone), SystemClock(), Limits())
        test = case.test
        checked = await Spf(resolver, SystemClock(), Limits(), "unknown").check(
            test["host"], test["helo"], test["mailfrom"]
        )
        expected = test["result"] if isinstance(test["result"], list) else [test["result"]]
        assert checked.result in expected
        if "explanation" in test and checked.result == "fail":
            assert checked.explanation == test["explanation"].replace("DEFAULT", "")

    asyncio.run(work())

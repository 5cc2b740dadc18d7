"""What the official suite does not ask of SPF: how the DNS is asked, and what hostile zones cost."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from mailnode.clock import SystemClock
from mailnode.limits import Limits
from mailnode.mailauth.resolver import Answer, Resolver
from mailnode.mailauth.spf import Checked, Spf
from tests.mailauth.zone import FAILS, Zone

ADDRESS = "192.0.2.1"
Names = dict[str, Mapping[str, Sequence[str] | str]]


def txt(*texts: str) -> Mapping[str, Sequence[str]]:
    return {"TXT": [f'"{text}"' for text in texts]}


async def judged(zone: Zone, reverse_path: str = "a@example.test", limits: Limits | None = None) -> Checked:
    limits = limits or Limits()
    resolver = Resolver(zone, SystemClock(), limits)
    return await Spf(resolver, SystemClock(), limits, "mx.test").check(ADDRESS, "helo.test", reverse_path)


def checked(names: Names, reverse_path: str = "a@example.test") -> Checked:
    return asyncio.run(judged(Zone(names), reverse_path))


def test_the_null_reverse_path_is_judged_by_the_name_in_helo() -> None:
    result = checked({"helo.test": txt("v=spf1 ip4:192.0.2.1 -all")}, "")
    assert (result.result, result.identity, result.domain) == ("pass", "helo", "helo.test")


def test_includes_are_asked_for_together() -> None:
    names: Names = {f"{each}.test": txt("v=spf1 -all") for each in "abc"}
    names["example.test"] = txt("v=spf1 include:a.test include:b.test include:c.test -all")
    zone = Zone(names)
    assert asyncio.run(judged(zone)).result == "fail"
    assert zone.open_most == 3


def test_a_server_that_fails_is_temperror() -> None:
    assert checked({"example.test": {"TXT": FAILS}}).result == "temperror"


@pytest.mark.parametrize("names", [FAILS, ["a.test.", "broken.test."]])
def test_a_reverse_name_that_cannot_be_asked_is_no_match(names: Sequence[str] | str) -> None:
    """RFC 7208 §5.5, where pyspf says temperror."""
    zone: Names = {
        "example.test": txt("v=spf1 ptr -all"),
        "1.2.0.192.in-addr.arpa": {"PTR": names},
        "a.test": {"A": ["192.0.2.9"]},
        "broken.test": {"A": FAILS},
    }
    assert checked(zone).result == "fail"


def test_a_foreseen_name_that_fails_matters_only_when_it_is_reached() -> None:
    names: Names = {
        "example.test": txt("v=spf1 ip4:192.0.2.1 include:broken.test"),
        "broken.test": {"TXT": FAILS},
    }
    assert checked(names).result == "pass"


def test_a_dns_that_does_not_answer_is_temperror() -> None:
    async def never(name: str, kind: str) -> Answer:
        await asyncio.Event().wait()
        raise AssertionError

    async def work() -> Checked:
        limits = replace(Limits(), spf_seconds_max=0)
        resolver = Resolver(never, SystemClock(), limits)
        return await Spf(resolver, SystemClock(), limits, "mx.test").check(ADDRESS, "helo.test", "a@b.test")

    assert asyncio.run(work()).result == "temperror"


def test_the_explanation_is_asked_for_a_fail_alone() -> None:
    record = txt("v=spf1 ip4:192.0.2.1 exp=why.test -all")
    why = txt("%{i} is none of %{d}, says %{r}")
    zone = Zone({"example.test": record, "why.test": why})
    assert asyncio.run(judged(zone)).result == "pass"
    assert ("why.test", "TXT") not in zone.asked
    failed = checked({"example.test": txt("v=spf1 exp=why.test -all"), "why.test": why})
    assert failed.explanation == "192.0.2.1 is none of example.test, says mx.test"


@pytest.mark.parametrize(
    ("names", "result"),
    [
        ({f"{n}.test": txt(f"v=spf1 include:{n + 1}.test -all") for n in range(100)}, "permerror"),
        ({"0.test": txt("v=spf1 include:1.test"), "1.test": txt("v=spf1 include:0.test")}, "permerror"),
        ({"0.test": txt("v=spf1 redirect=0.test")}, "permerror"),
        ({"0.test": txt("v=spf1 " + " ".join(f"exists:{n}.void.test" for n in range(9)))}, "permerror"),
        ({"0.test": txt(*["v=spf1 -all"] * 2)}, "permerror"),
        ({"0.test": {"TXT": ['"v=spf1 " ' + '"ip4:192.0.2.9 " ' * 4000]}}, "permerror"),
        ({"0.test": {"TXT": ['"v=spf1 a:" ' + '"%{l}." ' * 200 + '"test"']}}, "permerror"),
        ({"0.test": txt(*[f"other {n}" for n in range(4000)], "v=spf1 ip4:192.0.2.1")}, "pass"),
    ],
    ids=["deep", "loop", "redirect", "void", "two", "long", "term", "many"],
)  # fmt: skip
def test_a_zone_that_costs_too_much_is_given_up(names: Names, result: str) -> None:
    zone = Zone(names)
    assert asyncio.run(judged(zone, "a@0.test")).result == result
    assert len(zone.asked) <= 22


def test_hosts_behind_exchanges_are_asked_together_and_bounded() -> None:
    names: Names = {"example.test": {**txt("v=spf1 " + "mx:m.test " * 10), "MX": []}}
    names["m.test"] = {"MX": [f"1 {n}.m.test." for n in range(10)]}
    names |= {f"{n}.m.test": {"A": ["192.0.2.9"]} for n in range(10)}
    zone = Zone(names)
    assert asyncio.run(judged(zone)).result == "neutral"
    assert zone.open_most == 10
    assert len(zone.asked) == 12


def test_a_domain_in_unicode_has_its_record_by_its_a_label() -> None:
    names: Names = {"xn--bcher-kva.test": txt("v=spf1 ip4:192.0.2.1 -all")}
    assert checked(names, "a@xn--bcher-kva.test").result == "pass"


def test_an_ipv4_address_within_ipv6_is_one() -> None:
    async def work() -> Checked:
        zone = Zone({"example.test": txt("v=spf1 ip4:192.0.2.1 -all")})
        resolver = Resolver(zone, SystemClock(), Limits())
        spf = Spf(resolver, SystemClock(), Limits(), "mx.test")
        return await spf.check("::ffff:192.0.2.1", "helo.test", "a@example.test")

    assert asyncio.run(work()).result == "pass"

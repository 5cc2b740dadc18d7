"""Which hosts are tried for a domain, and in which order."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from mailnode.limits import Limits
from mailnode.mailauth.resolver import Resolver, Unavailable
from mailnode.relay.route import (
    LOOPS,
    NO_SUCH_DOMAIN,
    NOT_AN_ADDRESS,
    NOT_OUTSIDE,
    TAKES_NO_MAIL,
    Host,
    Routes,
)
from protocols.smtp.reply import Reply
from tests.mailauth.zone import FAILS, Zone
from tests.mailbox.house import Ticking

OWN = "mail.here.test"
HOSTS: Mapping[str, Mapping[str, Sequence[str] | str]] = {
    "a.test": {"A": ["192.0.2.1"]},
    "b.test": {"A": ["192.0.2.2", "192.0.2.3"], "AAAA": ["2001:db8::2"]},
    "down.test": {"A": FAILS, "AAAA": FAILS},
    OWN: {"A": ["192.0.2.9"]},
}
A = Host("a.test", "192.0.2.1")
B = (Host("b.test", "192.0.2.2"), Host("b.test", "192.0.2.3"), Host("b.test", "2001:db8::2"))


def hosts(
    domain: str,
    records: Mapping[str, Sequence[str] | str] | None,
    limits: Limits | None = None,
    *,
    loopback: bool = False,
) -> tuple[Host, ...] | Reply:
    limits, clock = limits or Limits(), Ticking()
    zone = Zone(HOSTS if records is None else {**HOSTS, domain: records})
    routes = Routes(Resolver(zone, clock, limits), clock, OWN, limits, loopback=loopback)
    return asyncio.run(routes.hosts(domain))


@pytest.mark.parametrize(
    ("domain", "records", "expected"),
    [
        ("x.test", {"MX": ["20 b.test.", "10 A.test."]}, (A, *B)),
        ("x.test", {"A": ["192.0.2.7"]}, (Host("x.test", "192.0.2.7"),)),  # the implicit MX
        ("x.test", {"MX": ["10 none.test.", "20 a.test."], "A": ["192.0.2.7"]}, (A,)),
        ("x.test", {"MX": ["10 down.test.", "20 a.test."]}, (A,)),
        ("x.test", {"MX": ["10 none.test."], "A": ["192.0.2.7"]}, NO_SUCH_DOMAIN),
        ("x.test", {}, NO_SUCH_DOMAIN),
        ("x.test", None, NO_SUCH_DOMAIN),
        ("x.test", {"MX": ["0 ."]}, TAKES_NO_MAIL),
        ("x.test", {"MX": ["10 a.test.", f"20 {OWN}.", "20 b.test.", "30 b.test."]}, (A,)),
        ("x.test", {"MX": [f"10 {OWN}.", "20 a.test."]}, LOOPS),
        ("[192.0.2.5]", {}, (Host("[192.0.2.5]", "192.0.2.5"),)),
        ("[IPv6:2001:db8::5]", {}, (Host("[IPv6:2001:db8::5]", "2001:db8::5"),)),
        ("[256.0.0.1]", {}, NOT_AN_ADDRESS),
    ],
)
def test_a_domain_has_its_hosts(
    domain: str, records: Mapping[str, Sequence[str] | str] | None, expected: tuple[Host, ...] | Reply
) -> None:
    assert hosts(domain, records) == expected


@pytest.mark.parametrize("records", [{"MX": FAILS, "A": ["192.0.2.7"]}, {"MX": ["10 down.test."]}])
def test_what_cannot_be_asked_is_tried_again_later(records: Mapping[str, Sequence[str] | str]) -> None:
    with pytest.raises(Unavailable):
        hosts("x.test", records)


def test_hosts_and_their_addresses_are_bounded() -> None:
    limits = replace(Limits(), relay_hosts_max=1, relay_addresses_max=1)
    found = hosts("x.test", {"MX": ["10 b.test.", "20 a.test."]}, limits)
    assert found == (B[0], B[2])


INSIDE = ("127.0.0.1", "127.9.9.9", "0.0.0.0", "0.0.0.1", "169.254.169.254", "224.0.0.1")
INSIDE_6 = ("::1", "::", "fe80::1", "ff02::1", "::ffff:127.0.0.1")


@pytest.mark.parametrize("address", [*INSIDE, *INSIDE_6])
def test_nobody_has_us_speak_to_this_machine_by_records_or_a_literal(address: str) -> None:
    kind, literal = ("AAAA", f"[IPv6:{address}]") if ":" in address else ("A", f"[{address}]")
    for domain in (literal, "x.test"):
        assert hosts(domain, {kind: [address]}) == NOT_OUTSIDE
        allowed = hosts(domain, {kind: [address]}, loopback=True)
        assert not isinstance(allowed, Reply) and [host.name for host in allowed] == [domain]


def test_a_server_elsewhere_is_tried_though_another_is_here() -> None:
    assert hosts("x.test", {"A": ["127.0.0.1", "192.0.2.7"]}) == (Host("x.test", "192.0.2.7"),)


def test_a_server_that_may_be_elsewhere_is_asked_for_again_though_another_is_here() -> None:
    zone = {**HOSTS, "here.test": {"A": ["127.0.0.1"]}, "x.test": {"MX": ["10 down.test.", "20 here.test."]}}
    routes = Routes(Resolver(Zone(zone), Ticking(), Limits()), Ticking(), OWN, Limits(), loopback=False)
    with pytest.raises(Unavailable):
        asyncio.run(routes.hosts("x.test"))

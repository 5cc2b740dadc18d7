"""What a node makes of all results together, and when the DNS fails it."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import pytest

from mailnode.clock import SystemClock
from mailnode.limits import Limits
from mailnode.mailauth.dkim import ArcResult, Octets, Verified, Verifier
from mailnode.mailauth.dmarc import Assessed, Dmarc
from mailnode.mailauth.iprev import iprev
from mailnode.mailauth.resolver import Answer, Ask, Resolver
from mailnode.mailauth.spf import Spf
from mailnode.mailauth.verdict import (
    Disposition,
    Envelope,
    Judges,
    Verdict,
    Verdicts,
    disposition,
    vouched,
)
from protocols.dmarc.record import Policy
from protocols.results import DkimResult
from tests.mailauth.zone import FAILS, Zone

ADDRESS = "192.0.2.1"
ENVELOPE = Envelope(ADDRESS, "mx.example.test", "a@example.test")
NAMES: dict[str, Mapping[str, Sequence[str] | str]] = {
    "1.2.0.192.in-addr.arpa": {"PTR": ["mx.example.test."]},
    "mx.example.test": {"A": [ADDRESS]},
    "example.test": {"TXT": ['"v=spf1 ip4:192.0.2.1 -all"']},
    "_dmarc.example.test": {"TXT": ['"v=DMARC1\\; p=reject"']},
    "evil.test": {"TXT": ['"v=spf1 ip4:192.0.2.1 -all"']},
}
MESSAGE = b"From: a@example.test\r\n\r\nbody\r\n"


Verify = Callable[[Octets], Awaitable[Verified]]


@dataclass(frozen=True, slots=True)
class Verifying:
    examine: Verify

    async def foresee(self, header: bytes) -> None: ...


def verdict(
    ask: Ask,
    message: bytes = MESSAGE,
    envelope: Envelope = ENVELOPE,
    verify: Verify | None = None,
    limits: Limits | None = None,
) -> Verdict:
    async def octets() -> AsyncIterator[bytes]:
        for at in range(0, len(message), 7):
            yield message[at : at + 7]

    async def work() -> Verdict:
        return await verdicts(ask, limits or Limits(), verify).begin(envelope).end(octets)

    return asyncio.run(work())


def verdicts(ask: Ask, limits: Limits, verify: Verify | None = None) -> Verdicts:
    clock = SystemClock()
    resolver = Resolver(ask, clock, limits)
    spf = Spf(resolver, clock, limits, "mx.here.test")
    signatures = Verifying(verify) if verify else Verifier(resolver, clock, limits)
    judges = Judges(resolver, spf, Dmarc(resolver), signatures)
    return Verdicts(lambda address: judges, limits)


def told(made: Verdict) -> str:
    return made.fields("mx.here.test", "mx.here.test", Disposition.NONE, "").decode()


def test_mail_of_its_author_has_good_results_in_its_fields() -> None:
    made = verdict(Zone(NAMES))
    assert made.words() == {"spf": "pass", "dkim": "none", "arc": "none", "dmarc": "pass", "iprev": "pass"}
    assert told(made).split("\r\n") == [
        "Authentication-Results: mx.here.test;",
        "\tspf=pass smtp.mailfrom=a@example.test;",
        "\tdkim=none;",
        "\tdmarc=pass header.from=example.test policy.published=reject;",
        "\tiprev=pass policy.iprev=192.0.2.1",
        "Received-SPF: pass",
        '\treceiver=mx.here.test; identity=mailfrom; client-ip=192.0.2.1; envelope-from="a@example.test"; '
        "helo=mx.example.test",
        "",
    ]


def test_an_author_who_is_another_than_the_sender_fails() -> None:
    made = verdict(Zone(NAMES), envelope=replace(ENVELOPE, reverse_path="a@evil.test"))
    assert (made.words()["spf"], made.dmarc.result, made.dmarc.policy) == ("pass", "fail", Policy.REJECT)


def test_a_signature_of_the_author_passes_for_him() -> None:
    async def verify(octets: Octets) -> Verified:
        good = DkimResult("pass", "example.test", "s", "@example.test", "rsa-sha256", "", "abcd")
        return Verified((good,), ArcResult("pass"))

    made = verdict(Zone(NAMES), envelope=replace(ENVELOPE, reverse_path="a@evil.test"), verify=verify)
    assert made.dmarc.result == "pass" and made.dmarc.dkim_aligned
    expected = (
        "dkim=pass header.d=example.test header.i=@example.test header.s=s header.a=rsa-sha256 header.b=abcd"
    )
    assert expected in told(made)
    assert "arc=pass smtp.remote-ip=192.0.2.1 header.oldest-pass=0" in told(made)


def test_a_signature_whose_key_cannot_be_had_is_held_against_nobody() -> None:
    tags = b"v=1; a=rsa-sha256; d=Example.test; s=m1;\r\n\th=from; b=abcd; bh=" + b64encode(bytes(32))
    zone = Zone({**NAMES, "m1._domainkey.example.test": {"TXT": FAILS}})
    made = verdict(
        zone, b"DKIM-Signature: " + tags + b"\r\n" + MESSAGE, replace(ENVELOPE, reverse_path="a@evil.test")
    )
    assert (made.words()["dkim"], made.dmarc.result) == ("temperror", "temperror")


def test_the_null_reverse_path_is_told_by_its_helo() -> None:
    names = {**NAMES, "mx.example.test": {"A": [ADDRESS], "TXT": ['"v=spf1 a -all"']}}
    made = verdict(Zone(names), envelope=replace(ENVELOPE, reverse_path=""))
    assert made.dmarc.result == "pass"
    assert "spf=pass smtp.helo=mx.example.test" in told(made)


def test_a_dns_that_never_answers_holds_nobody_up_and_loses_nothing() -> None:
    async def never(name: str, kind: str) -> Answer:
        await asyncio.Event().wait()
        raise AssertionError

    made = verdict(never, limits=replace(Limits(), verdict_seconds_max=0))
    words = made.words()
    assert (words["spf"], words["dkim"], words["dmarc"], words["iprev"]) == (
        "temperror",
        "none",
        "temperror",
        "temperror",
    )
    assert disposition(made.dmarc, rejects=True, defers=False) == (Disposition.NONE, "")


@pytest.mark.parametrize("late", ["TXT", "verify"])
def test_what_is_late_is_held_against_nobody(late: str) -> None:
    """Neither SPF nor a signature is known, though the policy is."""
    zone = Zone(NAMES)

    async def ask(name: str, kind: str) -> Answer:
        if (late, name) == (kind, "example.test"):
            await asyncio.Event().wait()
        return await zone(name, kind)

    async def verify(octets: Octets) -> Verified:
        await asyncio.Event().wait()
        raise AssertionError

    signed = b"DKIM-Signature: d=example.test\r\n" + MESSAGE
    made = verdict(
        ask,
        signed if late == "verify" else MESSAGE,
        ENVELOPE if late == "TXT" else replace(ENVELOPE, reverse_path="a@evil.test"),
        verify if late == "verify" else None,
        replace(Limits(), verdict_seconds_max=1),
    )
    assert made.dmarc.result == "temperror"


def test_a_mistake_of_ours_loses_no_message() -> None:
    async def verify(octets: Octets) -> Verified:
        raise ZeroDivisionError

    signed = b"DKIM-Signature: d=example.test\r\n" + MESSAGE
    made = verdict(Zone(NAMES), signed, verify=verify)
    assert (made.words()["dkim"], made.dmarc.result) == ("temperror", "pass")


def test_a_transaction_that_is_given_up_leaves_nobody_asking() -> None:
    async def never(name: str, kind: str) -> Answer:
        await asyncio.Event().wait()
        raise AssertionError

    async def work() -> None:
        before = asyncio.all_tasks()
        examination = verdicts(never, Limits()).begin(ENVELOPE)
        asking = asyncio.all_tasks() - before
        await asyncio.sleep(0)
        assert len(asking) == 3
        del examination
        async with asyncio.timeout(10):
            await asyncio.wait(asking)
        assert all(each.cancelled() for each in asking)

    asyncio.run(work())


@pytest.mark.parametrize(
    ("policy", "rejects", "expected"),
    [
        (Policy.NONE, True, Disposition.NONE),
        (Policy.QUARANTINE, True, Disposition.QUARANTINE),
        (Policy.REJECT, False, Disposition.QUARANTINE),
        (Policy.REJECT, True, Disposition.REJECT),
    ],
)
def test_a_policy_is_followed_as_far_as_all_recipients_want(
    policy: Policy, rejects: bool, expected: Disposition
) -> None:
    found, override = disposition(Assessed("fail", "example.test", policy), rejects, defers=True)
    assert found is expected
    assert bool(override) == (policy is Policy.REJECT and not rejects)


def test_what_is_not_known_comes_again_only_where_that_is_wanted() -> None:
    unknown = Assessed("temperror", "example.test")
    assert disposition(unknown, rejects=True, defers=True)[0] is Disposition.DEFER
    assert disposition(unknown, rejects=True, defers=False)[0] is Disposition.NONE


@pytest.mark.parametrize(
    ("arc", "vouches"),
    [
        (ArcResult("pass", 1, "list.test", sealers=frozenset({"list.test"}), dmarc="pass"), True),
        (ArcResult("fail", 1, "list.test", sealers=frozenset({"list.test"}), dmarc="pass"), False),
        (ArcResult("pass", 1, "list.test", sealers=frozenset({"list.test"}), dmarc="fail"), False),
        (
            ArcResult("pass", 2, "list.test", sealers=frozenset({"list.test", "evil.test"}), dmarc="pass"),
            False,
        ),
        (ArcResult("none"), False),
    ],
)
def test_only_those_who_are_trusted_vouch_for_what_they_saw_pass(arc: ArcResult, vouches: bool) -> None:
    assert bool(vouched(arc, {"list.test", "other.test"})) == vouches
    assert vouched(arc, ()) == ""


@pytest.mark.parametrize(
    ("pointer", "forward", "result"),
    [
        (["mx.example.test."], {"A": [ADDRESS]}, "pass"),
        (["other.test.", "mx.example.test."], {"A": ["192.0.2.9", ADDRESS]}, "pass"),
        (["mx.example.test."], {"A": ["192.0.2.9"]}, "fail"),
        (["mx.example.test."], {"A": FAILS}, "temperror"),
        ([], {}, "permerror"),
        (FAILS, {}, "temperror"),
        ([f"{n}.test." for n in range(50)] + ["mx.example.test."], {"A": [ADDRESS]}, "fail"),
    ],
)
def test_a_reverse_name_must_lead_back(
    pointer: Sequence[str] | str, forward: Mapping[str, Sequence[str] | str], result: str
) -> None:
    """RFC 8601 §2.7.3"""
    zone = Zone({"1.2.0.192.in-addr.arpa": {"PTR": pointer}, "mx.example.test": forward})
    for address in (ADDRESS, f"::ffff:{ADDRESS}"):
        found = asyncio.run(iprev(Resolver(zone, SystemClock(), Limits()), address))
        assert (found.result, found.name) == (result, "mx.example.test" if result == "pass" else "")


@pytest.mark.parametrize("before", [b"", b"X-Long: " + b"x" * 100_000 + b"\r\n"])
def test_of_many_signatures_the_first_ten_are_told(before: bytes) -> None:
    signatures = b"".join(b"DKIM-Signature: d=%d.test; s=s\r\n" % number for number in range(1000))
    fields = told(verdict(Zone(NAMES), before + signatures + MESSAGE))
    assert fields.count("header.d=") == 10 and "header.d=9.test" in fields


HOSTILE = 'x"\r\nBcc: everybody@here.test\r\n\r\n'


def test_no_word_of_a_peer_adds_a_field() -> None:
    envelope = Envelope(ADDRESS, HOSTILE, f"{HOSTILE}@evil.test")
    message = b'From: a@evil.test\r\nDKIM-Signature: d=x\xff"(;s=\r\n\r\n'
    lines = told(verdict(Zone(NAMES), message, envelope)).split("\r\n")
    assert [line.partition(":")[0] for line in lines if line[:1] not in ("\t", " ")] == [
        "Authentication-Results",
        "Received-SPF",
        "",
    ]

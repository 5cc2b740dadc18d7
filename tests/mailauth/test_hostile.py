"""What hostile mail tries: a whole message against a whole zone, with the one verdict that is right."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import NamedTuple

import dkim
import pytest

from mailnode.clock import SystemClock
from mailnode.limits import Limits
from mailnode.mailauth.sealer import Sealer
from mailnode.mailauth.signer import Key
from mailnode.mailauth.verdict import Disposition, Envelope, Verdict, disposition
from protocols.dmarc.record import Policy
from tests.mailauth.test_dkim import RECORD, RSA, pem
from tests.mailauth.test_verdict import told, verdicts
from tests.mailauth.verifying import quoted
from tests.mailauth.zone import Zone

ADDRESS = "192.0.2.66"
LONG = "v=spf1 " + " ".join(f"ip4:198.51.{at // 256}.{at % 256}" for at in range(4000)) + " -all"
"""60 KB, where nobody needs more than 450 octets."""


def text(*texts: str) -> dict[str, Sequence[str]]:
    return {"TXT": [quoted(each) for each in texts]}


NAMES: dict[str, Mapping[str, Sequence[str]]] = {
    "_dmarc.bank.test": text("v=DMARC1; p=reject"),
    "bank.test": {"A": ["192.0.2.1"], **text("v=spf1 -all")},
    "s._domainkey.bank.test": text(RECORD),
    "evil.test": text("v=spf1 ip4:192.0.2.66 -all"),
    "s._domainkey.evil.test": text(RECORD),
    "_dmarc.xn--bnk-qla.test": text("v=DMARC1; p=none"),
    "xn--bnk-qla.test": text("v=spf1 ip4:192.0.2.66 -all"),
    "b\u00e4nk.test": text("v=spf1 +all"),
    "long.test": text(LONG),
    "many.test": text(*("noise" for _ in range(3000)), "v=spf1 ip4:192.0.2.66 -all"),
    "loop.test": text("v=spf1 include:loop.test -all"),
    "mutual.test": text("v=spf1 redirect=mutual2.test"),
    "mutual2.test": text("v=spf1 redirect=mutual.test"),
    "void.test": text("v=spf1 a:v1.test a:v2.test a:v3.test ip4:192.0.2.66 -all"),
    "mxs.test": {"MX": [f"10 m{at}.mxs.test." for at in range(200)], **text("v=spf1 mx -all")},
    "ptr.test": text("v=spf1 ptr -all"),
    "66.2.0.192.in-addr.arpa": {"PTR": [f"p{at}.evil.test." for at in range(1000)]},
    **{
        f"t{depth}.test": text(f"v=spf1 {' '.join([f'include:t{depth + 1}.test'] * 3)} -all")
        for depth in range(9)
    },
    "k._domainkey.bank.test": text(*(f"v=DKIM1; p=AAAA{at:04}" for at in range(1000)), RECORD),
    "l._domainkey.bank.test": text(RECORD + "; n=" + "x" * 60_000),
}


class Case(NamedTuple):
    """`results` are those of SPF, DKIM and DMARC; `policy` is what the owner would have done."""

    message: bytes
    results: tuple[str, str, str]
    policy: Policy = Policy.NONE
    path: str = "a@evil.test"


def signed(message: bytes, domain: str = "bank.test", selector: str = "s", **options: object) -> bytes:
    field: bytes = dkim.sign(message, selector.encode(), domain.encode(), pem(RSA), **options)
    return field + message


BODY = b"Subject: invoice\r\n\r\npay here\r\n"
OURS = b"From: Bank <a@bank.test>\r\n" + BODY
EMPTY = OURS.replace(b"pay here\r\n", b"")
THEIRS = b"From: Bank <a@evil.test>\r\n" + BODY
GOOD = signed(OURS)
REJECT = Policy.REJECT
SIGNATURE = GOOD.removesuffix(OURS)


def by(domain: str) -> Case:
    """Mail of its own author, whom the SPF record of this domain shall make believed."""
    return Case(
        THEIRS.replace(b"evil.test", domain.encode()), ("permerror", "none", "none"), path=f"a@{domain}"
    )


CASES = {
    # -- who is its author?
    "as it was signed": Case(GOOD, ("pass", "pass", "pass")),
    "an unsigned From": Case(OURS, ("pass", "none", "fail"), REJECT),
    "a second From above": Case(b"From: eve@evil.test\r\n" + GOOD, ("pass", "fail", "permerror"), REJECT),
    "a second From above one that is signed once": Case(
        b"From: eve@evil.test\r\n" + signed(OURS, include_headers=[b"from", b"subject"]),
        ("pass", "pass", "permerror"),
        REJECT,
    ),
    "a second From below": Case(
        GOOD.replace(BODY, b"From: eve@evil.test\r\n" + BODY), ("pass", "fail", "permerror"), REJECT
    ),
    "a From in capitals beside it": Case(
        b"FROM: e@evil.test\r\n" + GOOD, ("pass", "fail", "permerror"), REJECT
    ),
    "a From with a blank before its colon": Case(
        b"From : eve@evil.test\r\n" + GOOD, ("pass", "fail", "permerror"), REJECT
    ),
    "no From": Case(BODY, ("pass", "none", "permerror")),
    "an empty From": Case(b"From:\r\n" + BODY, ("pass", "none", "permerror")),
    "a From of blanks": Case(b"From: \t\r\n \r\n" + BODY, ("pass", "none", "permerror")),
    "an empty group": Case(b"From: bank@bank.test:;\r\n" + BODY, ("pass", "none", "permerror"), REJECT),
    "a group of one": Case(b"From: team: a@bank.test;\r\n" + BODY, ("pass", "none", "fail"), REJECT),
    "two authors of two domains": Case(
        b"From: eve@evil.test, a@bank.test\r\n" + BODY, ("pass", "none", "permerror"), REJECT
    ),
    "two authors of one domain": Case(
        b"From: a@bank.test, b@bank.test\r\n" + BODY, ("pass", "none", "fail"), REJECT
    ),
    "an address in the name": Case(
        b'From: "a@bank.test" <eve@evil.test>\r\n' + BODY, ("pass", "none", "none")
    ),
    "an address in a comment": Case(b"From: (a@bank.test) e@evil.test\r\n" + BODY, ("pass", "none", "none")),
    "an address of two @": Case(
        b"From: <a@evil.test@bank.test>\r\n" + BODY, ("pass", "none", "fail"), REJECT
    ),
    "a folded From": Case(
        b"From:\r\n Bank\r\n\t<a@bank\r\n .test>\r\n" + BODY, ("pass", "none", "fail"), REJECT
    ),
    "an encoded address": Case(
        b"From: =?utf-8?q?a=40bank=2Etest?= <eve@evil.test>\r\n" + BODY, ("pass", "none", "none")
    ),
    "8-bit octets around it": Case(
        b"From: B\xe4nk\xff <a@bank.test>\r\n" + BODY, ("pass", "none", "fail"), REJECT
    ),
    "8-bit octets in it": Case(b"From: <a@bank\xff.test>\r\n" + BODY, ("pass", "none", "permerror")),
    "a NUL in it": Case(b"From: <a@ba\0nk.test>\r\n" + BODY, ("pass", "none", "permerror")),
    # -- look-alikes
    "another script": Case("From: <a@b\u0430nk.test>\r\n".encode() + BODY, ("pass", "none", "none")),
    "an umlaut, with the plain domain's signature": Case(
        signed("From: <a@b\u00e4nk.test>\r\n".encode() + BODY), ("pass", "pass", "fail")
    ),
    "an umlaut and its A-label": Case(
        "From: <a@b\u00e4nk.test>\r\n".encode() + BODY, ("pass", "none", "pass"), path="a@xn--bnk-qla.test"
    ),
    "capitals and a final dot": Case(signed(b"From: <a@BANK.Test.>\r\n" + BODY), ("pass", "pass", "pass")),
    "full-width letters are the same domain": Case(
        "From: <a@\uff42ank.test>\r\n".encode() + BODY, ("pass", "none", "fail"), REJECT
    ),
    "a domain that ends alike": Case(signed(OURS, "evil.test"), ("pass", "pass", "fail"), REJECT),
    # -- signatures
    "a field hidden in b=": Case(
        GOOD.replace(b";\r\n b=", b";\r\n b=\r\n X-Injected: yes\r\n ", 1),
        ("pass", "neutral", "fail"),
        REJECT,
    ),
    "the signature in a second b=": Case(
        SIGNATURE.replace(b";\r\n b=", b"; b=AAAA;\r\n b=", 1) + OURS, ("pass", "neutral", "fail"), REJECT
    ),
    "l=0": Case(
        signed(EMPTY, length=True, canonicalize=(b"relaxed", b"relaxed")) + b"pay there\r\n",
        ("pass", "policy", "fail"),
        REJECT,
    ),
    "more behind l=": Case(signed(OURS, length=True) + b"and there\r\n", ("pass", "policy", "fail"), REJECT),
    "l= of the whole body": Case(signed(OURS, length=True), ("pass", "pass", "pass")),
    "From is not signed": Case(
        signed(OURS, include_headers=[b"from", b"subject"]).replace(b"h=from : ", b"h=", 1),
        ("pass", "permerror", "fail"),
        REJECT,
    ),
    "a thousand signatures, the good one last": Case(
        SIGNATURE.replace(b"bh=", b"bh=A") * 1000 + GOOD,
        ("pass", "neutral", "fail"),
        REJECT,
    ),
    "a thousand records of a key": Case(signed(OURS, selector="k"), ("pass", "permerror", "fail"), REJECT),
    "a record of 60 KB": Case(signed(OURS, selector="l"), ("pass", "permerror", "fail"), REJECT),
    # -- zones
    "an SPF record of 60 KB": by("long.test"),
    "an include of itself": by("loop.test"),
    "redirects in a ring": by("mutual.test"),
    "a tree of includes": by("t0.test"),
    "three names that are not there": by("void.test"),
    "two hundred MX hosts": by("mxs.test"),
    "a thousand reverse names": Case(
        THEIRS.replace(b"evil.test", b"ptr.test"), ("permerror", "none", "none"), path="a@ptr.test"
    ),
    "an SPF record among three thousand": Case(
        THEIRS.replace(b"evil.test", b"many.test"), ("pass", "none", "none"), path="a@many.test"
    ),
}


def judged(message: bytes, path: str, zone: Zone) -> Verdict:
    async def octets() -> AsyncIterator[bytes]:
        yield message

    async def work() -> Verdict:
        envelope = Envelope(ADDRESS, "mx.evil.test", path)
        return await verdicts(zone, Limits()).begin(envelope).end(octets)

    return asyncio.run(work())


@pytest.mark.parametrize("name", CASES)
def test_what_is_tried_has_its_verdict(name: str) -> None:
    case, zone = CASES[name], Zone(NAMES)
    made = judged(case.message, case.path, zone)
    words = made.words()
    assert ((words["spf"], words["dkim"], words["dmarc"]), made.dmarc.policy) == (case.results, case.policy)
    assert len(zone.asked) <= 100
    found, _ = disposition(made.dmarc, rejects=False, defers=False)
    assert found is (Disposition.QUARANTINE if case.policy is REJECT else Disposition.NONE)
    fields = [line.partition(":")[0] for line in told(made).split("\r\n") if line[:1] not in ("", "\t", " ")]
    assert fields == ["Authentication-Results", "Received-SPF"]


def test_a_chain_of_sixty_sets_is_none_and_asks_nobody() -> None:
    sealer = Sealer(Key("s", RSA), "evil.test", "mx.evil.test", SystemClock())

    async def sealed(message: bytes) -> bytes:
        async def octets() -> AsyncIterator[bytes]:
            yield message

        return await sealer.fields(octets, "none")

    one = asyncio.run(sealed(b"Authentication-Results: mx.evil.test; dmarc=pass\r\n" + OURS))
    sets = b"".join(one.replace(b"i=1;", b"i=%d;" % at) for at in range(60, 0, -1))
    zone = Zone(NAMES)
    made = judged(sets + OURS, "a@evil.test", zone)
    assert (made.arc.result, made.dmarc.result, made.dmarc.policy) == ("fail", "fail", REJECT)
    assert not [name for name, _ in zone.asked if "_domainkey" in name]

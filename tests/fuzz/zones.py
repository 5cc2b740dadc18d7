"""Zones that their owners filled with anything: a judgement of SPF, DMARC and iprev comes of it, always."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import dns.rdata
import dns.rdataclass
import dns.rdatatype
from dns.rdtypes.ANY.TXT import TXT

from mailnode.clock import SystemClock
from mailnode.limits import Limits
from mailnode.mailauth.dmarc import Dmarc
from mailnode.mailauth.iprev import iprev
from mailnode.mailauth.resolver import Answer, Resolver, Unavailable
from mailnode.mailauth.spf import Spf
from protocols.dmarc.author import author

SPF_RESULTS = {"none", "neutral", "pass", "fail", "softfail", "temperror", "permerror"}
OTHERS = {
    "A": ["192.0.2.1"],
    "AAAA": ["2001:db8::1"],
    "MX": ["1 a.test.", "1 ."],
    "PTR": ["a.test.", "b\\032.test."],
}


class Filled:
    """An `Ask`: a name has the text that its letters add up to, as SPF, as DMARC or as it is."""

    def __init__(self, texts: Sequence[bytes]) -> None:
        self._texts = texts

    async def __call__(self, name: str, kind: str) -> Answer:
        if name.endswith("none.test"):
            return Answer((), False, False, 60)
        if name.endswith("fails.test"):
            raise Unavailable(name)
        if kind != "TXT":
            return Answer(
                tuple(dns.rdata.from_text("IN", kind, text) for text in OTHERS[kind]), True, False, 60
            )
        text = self._texts[sum(map(ord, name)) % len(self._texts)]
        begin = b"v=DMARC1;" if name.startswith("_dmarc.") else b"v=spf1 "
        strings = [(begin + text)[at : at + 255] for at in range(0, len(begin + text), 255)]
        return Answer((TXT(dns.rdataclass.IN, dns.rdatatype.TXT, strings),), True, False, 60)


def judgement(octets: bytes) -> None:
    texts = octets.split(b"\0")
    asyncio.run(_judged(Filled(texts), texts[0].decode("utf-8", "replace")))


async def _judged(zone: Filled, said: str) -> None:
    clock, limits = SystemClock(), Limits()
    resolver = Resolver(zone, clock, limits)
    spf = Spf(resolver, clock, limits, "mx.test")
    for path in ("", "a@a.test", f"{said}@b.test"):
        checked = await spf.check("192.0.2.9", said[:255], path)
        assert checked.result in SPF_RESULTS
    assessed = await Dmarc(resolver).assess(
        author([said.encode(), *[b"a@sub.a.test"][: len(said) % 2]]), checked, ()
    )
    assert assessed.result in {"none", "pass", "fail", "temperror", "permerror"}
    assert (await iprev(resolver, "192.0.2.9")).result == "fail"

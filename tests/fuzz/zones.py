"""Zones that their owners filled with anything: a judgement of SPF, DMARC and iprev comes of it, always."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress

import dns.exception
import dns.message
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from dns.rdtypes.ANY.TXT import TXT

from mailnode.clock import SystemClock
from mailnode.limits import Limits
from mailnode.mailauth.dkim import Verifier
from mailnode.mailauth.dmarc import Dmarc
from mailnode.mailauth.iprev import iprev
from mailnode.mailauth.resolver import Answer, Resolver, Unavailable
from mailnode.mailauth.spf import Spf
from mailnode.mailauth.verdict import Envelope, Judges, Verdicts, disposition
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
        whole = _begin(name) + text
        strings = [whole[at : at + 255] for at in range(0, len(whole), 255)]
        return Answer((TXT(dns.rdataclass.IN, dns.rdatatype.TXT, strings),), True, False, 60)


def _begin(name: str) -> bytes:
    if "._domainkey." in name:
        return b""
    return b"v=DMARC1;" if name.startswith("_dmarc.") else b"v=spf1 "


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


def verdict(octets: bytes) -> None:
    """A header, then texts of the zone: two fields come of it, whatever they say, and the same in advance."""
    header, *texts = octets.split(b"\0")
    fields = asyncio.run(_verdict(Filled(texts or [b""]), header + b"\r\n\r\n"))
    lines = [line for line in fields.split(b"\r\n") if line[:1] not in (b"\t", b" ", b"")]
    assert [line.partition(b":")[0] for line in lines] == [b"Authentication-Results", b"Received-SPF"]


async def _verdict(zone: Filled, header: bytes) -> bytes:
    clock, limits = SystemClock(), Limits()
    resolver = Resolver(zone, clock, limits)
    spf = Spf(resolver, clock, limits, "mx.test")
    judges = Judges(resolver, spf, Dmarc(resolver), Verifier(resolver, clock, limits))

    async def message() -> AsyncIterator[bytes]:
        yield header + b"body\r\n"

    envelope = Envelope("192.0.2.9", "mx.a.test", "a@a.test")
    examination = Verdicts(lambda address: judges, limits).begin(envelope)
    examination.foresee(header)
    made = await examination.end(message)
    return made.fields("mx.test", "mx.test", disposition(made.dmarc, rejects=True, defers=True)[0], "")


def answer(octets: bytes) -> None:
    """What a name server may send is read or refused by what `mailauth.servers` catches."""
    with suppress(dns.exception.DNSException, ValueError):
        message = dns.message.from_wire(octets)
        if isinstance(message, dns.message.QueryMessage):
            message.resolve_chaining()


def answers() -> Iterator[bytes]:
    for kind, text in (("TXT", '"v=spf1 -all" "x"'), ("MX", "1 a.test."), ("CNAME", "b.test."), ("A", "")):
        query = dns.message.make_query("a.test", kind if kind != "CNAME" else "A", use_edns=0)
        made = dns.message.make_response(query, recursion_available=True)
        if kind == "A":
            made.authority.append(dns.rrset.from_text("test.", 60, "IN", "SOA", "a. b. 1 2 3 4 5"))
        else:
            made.answer.append(dns.rrset.from_text("a.test.", 60, "IN", kind, text))
        yield made.to_wire()

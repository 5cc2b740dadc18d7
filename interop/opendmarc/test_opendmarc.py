"""OpenDMARC, the milter of most Postfix servers, on the same messages: results, policies, dispositions.

It is of RFC 7489, with a list of public suffixes; we are of RFC 9989. Where the two differ, OTHERWISE says
why; so does docs/operations.md, for those who come from there.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pytest

from interop.filters import DNS_HOST, DNS_PORT, HOST, opendmarc
from interop.milter import Message, judged
from mailnode.clock import SystemClock
from mailnode.limits import Limits
from mailnode.mailauth.dmarc import Dmarc
from mailnode.mailauth.resolver import Resolver
from mailnode.mailauth.servers import asking
from mailnode.mailauth.spf import Checked
from mailnode.mailauth.verdict import disposition
from protocols.dmarc.author import author
from protocols.results import DkimResult
from tests.wire.nameserver import Nameserver

SUFFIXES = "test\nco.test\n"
RECORDS = {
    "reject.test": "p=reject",
    "quarantine.test": "p=quarantine",
    "none.test": "p=none",
    "strict.test": "p=reject; adkim=s; aspf=s",
    "sub.test": "p=none; sp=reject",
    "subnone.test": "p=reject; sp=none",
    "np.test": "p=none; np=reject",
    "pct.test": "p=reject; pct=0",
    "testing.test": "p=reject; t=y",
    "shop.co.test": "p=reject",
    "other.co.test": "p=reject",
    "psd.test": "p=reject; psd=n",
    "malformed.test": "p=rejekt",
    "reported.test": "p=rejekt; rua=mailto:r@reported.test",
}
NAMES: dict[str, Mapping[str, Sequence[str]]] = {
    **{f"_dmarc.{name}": {"TXT": [f'"v=DMARC1; {text}"']} for name, text in RECORDS.items()},
    **{name: {"A": ["192.0.2.1"]} for name in RECORDS},
    "_dmarc.twice.test": {"TXT": ['"v=DMARC1; p=reject"', '"v=DMARC1; p=reject; sp=none"']},
    "_dmarc.late.test": {"TXT": ['"p=reject; v=DMARC1"']},
    "_dmarc.case.test": {"TXT": ['"v=dmarc1; p=reject"']},
    "_dmarc.deep.psd.test": {"TXT": ['"v=DMARC1; p=reject; psd=n"']},
    **{name: {"A": ["192.0.2.1"]} for name in ("twice.test", "late.test", "case.test", "nothing.test")},
    **{f"a.{name}": {"A": ["192.0.2.1"]} for name in RECORDS},
    "a.b.reject.test": {"A": ["192.0.2.1"]},
    "deep.psd.test": {"A": ["192.0.2.1"]},
}


@dataclass(frozen=True, slots=True)
class Case:
    """`spf` and `dkim` pass for these domains; empty: they fail."""

    author: str
    spf: str = ""
    dkim: str = ""


CASES = {
    "spf of the author": Case("a@reject.test", spf="reject.test"),
    "dkim of the author": Case("a@reject.test", dkim="reject.test"),
    "both": Case("a@reject.test", spf="reject.test", dkim="reject.test"),
    "neither, reject": Case("a@reject.test"),
    "neither, quarantine": Case("a@quarantine.test"),
    "neither, none": Case("a@none.test"),
    "no record": Case("a@nothing.test", spf="nothing.test"),
    "another's spf": Case("a@reject.test", spf="none.test"),
    "another's signature": Case("a@reject.test", dkim="quarantine.test"),
    "spf of a subdomain": Case("a@reject.test", spf="a.reject.test"),
    "dkim of a subdomain": Case("a@reject.test", dkim="a.b.reject.test"),
    "dkim of the domain above": Case("a@a.reject.test", dkim="reject.test"),
    "dkim of a sibling": Case("a@a.reject.test", dkim="b.reject.test"),
    "dkim that ends alike": Case("a@reject.test", dkim="notreject.test"),
    "strict, the same": Case("a@strict.test", dkim="strict.test"),
    "strict, spf of a subdomain": Case("a@strict.test", spf="a.strict.test"),
    "strict, dkim of a subdomain": Case("a@strict.test", dkim="a.strict.test"),
    "subdomain, its own policy": Case("a@a.sub.test"),
    "the domain of sp=": Case("a@sub.test"),
    "subdomain, none": Case("a@a.subnone.test"),
    "subdomain that is not there, np=": Case("a@nowhere.np.test"),
    "two deep": Case("a@a.b.reject.test"),
    "pct=0": Case("a@pct.test"),
    "t=y": Case("a@testing.test"),
    "below a public suffix": Case("a@shop.co.test", dkim="shop.co.test"),
    "of another below that": Case("a@shop.co.test", dkim="other.co.test"),
    "an organisation of its own": Case("a@deep.psd.test", dkim="psd.test"),
    "two records": Case("a@twice.test"),
    "v= not first": Case("a@late.test"),
    "v= in another case": Case("a@case.test"),
    "no such policy": Case("a@malformed.test"),
    "no such policy, reports": Case("a@reported.test"),
    "a name and an address": Case('"x@none.test" <a@reject.test>'),
    "a group": Case("team: a@reject.test;"),
    "two authors of one domain": Case("a@reject.test, b@reject.test", dkim="reject.test"),
    "two authors of two domains": Case("a@none.test, b@reject.test", dkim="none.test"),
    "capitals": Case("A@REJECT.Test", dkim="Reject.TEST"),
}

Said = tuple[str, str]
"""Result and disposition."""

STRICT = "with a list of suffixes it takes strict for relaxed: its pull request 354 mends that"
OTHERWISE: Mapping[str, tuple[Said, str]] = {
    "strict, spf of a subdomain": (("pass", "none"), STRICT),
    "strict, dkim of a subdomain": (("pass", "none"), STRICT),
    "subdomain that is not there, np=": (("fail", "none"), "RFC 7489 has no np="),
    "pct=0": (("fail", "none"), "RFC 9989 §A.6 has no pct= any more"),
    "t=y": (("fail", "reject"), "RFC 7489 has no t=; we take a step less"),
    "an organisation of its own": (("pass", "none"), "RFC 7489 has no psd=: the list says who is one"),
    "two records": (("fail", "reject"), "it takes one of them; RFC 9989 §4.10 has neither"),
    "v= not first": (("fail", "reject"), "it takes tags in any order; RFC 9989 §4.8 does not"),
    "no such policy": (("permerror", "none"), "RFC 9989 §4.10.1: there is no policy, so no error either"),
    "no such policy, reports": (("permerror", "none"), "RFC 9989 §4.10.1: then it is p=none"),
    "two authors of two domains": (("none", "none"), "it looks away; to us it never passes, §11.5"),
}
"""What it says, and why we say something else."""


@pytest.fixture(scope="module")
def milter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Its port."""
    directory = tmp_path_factory.mktemp("opendmarc")
    with (
        Nameserver(NAMES, host=DNS_HOST, port=DNS_PORT),
        opendmarc(directory, "mx.here.test", SUFFIXES) as port,
    ):
        yield port


def theirs(port: int, case: Case) -> Said:
    results = f"mx.here.test; spf={'pass' if case.spf else 'fail'} smtp.mailfrom={case.spf or 'bad.test'}"
    results += f"; dkim={'pass' if case.dkim else 'fail'} header.d={case.dkim or 'bad.test'}"
    fields = [("Authentication-Results", results), ("From", case.author), ("Subject", "x")]
    path = f"a@{case.spf or 'bad.test'}"
    message = Message("192.0.2.7", "mx.there.test", path, "bob@here.test", fields, b"body\r\n")
    outcome = judged((HOST, port), message)
    told = " ".join(value for name, value in outcome.added if name == "Authentication-Results")
    found = re.search(r"dmarc=(\w+)", told)
    result = found[1] if found else "none"
    if outcome.verdict == "reject":
        return result if found else "fail", "reject"
    return result, "quarantine" if outcome.quarantine or "dis=quarantine" in told else "none"


def ours(case: Case) -> Said:
    async def work() -> Said:
        resolver = Resolver(asking([(DNS_HOST, DNS_PORT)], 10.0), SystemClock(), Limits())
        spf = Checked("pass" if case.spf else "fail", "mailfrom", case.spf or "bad.test")
        signed = DkimResult("pass" if case.dkim else "fail", case.dkim or "bad.test", "s", "", "", "")
        made = await Dmarc(resolver).assess(author([case.author.encode()]), spf, [signed])
        return made.result, disposition(made, rejects=True, defers=False)[0].value

    return asyncio.run(work())


@pytest.mark.parametrize("name", CASES)
def test_what_it_makes_of_a_message_we_make_of_it(milter: int, name: str) -> None:
    its = theirs(milter, CASES[name])
    if name in OTHERWISE:
        assert its == OTHERWISE[name][0] != ours(CASES[name]), OTHERWISE[name][1]
        return
    assert its == ours(CASES[name])

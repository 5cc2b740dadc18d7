"""What a node thinks of a message from another server: SPF, DKIM, DMARC and iprev, and what follows.

What depends on the connection is asked while the content comes, the rest at its end. The DNS may fail or
hang: what is not known in time is temperror, and a message is not lost for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol, TypeVar

from mailnode.limits import Limits
from mailnode.mailauth.dkim import ArcResult, Verified
from mailnode.mailauth.dmarc import Assessed, Dmarc
from mailnode.mailauth.domain import a_labels
from mailnode.mailauth.iprev import Iprev, iprev
from mailnode.mailauth.resolver import Answers
from mailnode.mailauth.signatures import FIELDS_MAX, Octets, claimed, head
from mailnode.mailauth.spf import Checked, Spf
from protocols.dmarc.author import Author, author
from protocols.dmarc.record import Policy
from protocols.mime.fields import read_header
from protocols.results import DkimResult, Result, field, received_spf

log = logging.getLogger(__name__)

T = TypeVar("T")


class Verifies(Protocol):
    """What is asked of a Verifier."""

    async def examine(self, octets: Octets) -> Verified:
        """Signatures and the chain; what cannot be asked is a result and no exception."""

    async def foresee(self, header: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class Judges:
    """Who answers what about a message."""

    resolver: Answers
    spf: Spf
    dmarc: Dmarc
    signatures: Verifies


LATE = "the DNS took too long"
FRONT_SIGNATURES_MAX = 10  # told in the field: who adds more tells nobody anything


class Disposition(Enum):
    NONE = "none"
    QUARANTINE = "quarantine"
    REJECT = "reject"
    DEFER = "defer"


@dataclass(frozen=True, slots=True)
class Envelope:
    """`reverse_path` is empty for the null one."""

    address: str
    helo: str
    reverse_path: str


@dataclass(frozen=True, slots=True)
class Verdict:
    envelope: Envelope
    spf: Checked
    helo: Checked
    signatures: tuple[DkimResult, ...]
    arc: ArcResult
    dmarc: Assessed
    iprev: Iprev

    def fields(self, authserv_id: str, host: str, disposition: Disposition, override: str) -> bytes:
        """Authentication-Results and Received-SPF, to be put in front of the message."""
        return field(authserv_id, self._results(disposition, override)) + self._received_spf(host)

    def words(self) -> dict[str, str]:
        """For the log and metrics: a result a method."""
        return {
            "spf": self.spf.result,
            "dkim": best(self.signatures),
            "arc": self.arc.result,
            "dmarc": self.dmarc.result,
            "iprev": self.iprev.result,
        }

    def _results(self, disposition: Disposition, override: str) -> list[Result]:
        results = [self._spf(self.spf)]
        if self.helo is not self.spf and self.helo.result != "none":
            results.append(self._spf(self.helo))
        results += [_dkim(each) for each in self.signatures[:FRONT_SIGNATURES_MAX]] or [
            Result("dkim", "none")
        ]
        if self.arc.result != "none":
            results.append(self._arc())
        results.append(self._dmarc(disposition, override))
        return [*results, Result("iprev", self.iprev.result, "", (("policy.iprev", self.envelope.address),))]

    def _spf(self, checked: Checked) -> Result:
        whose = self.envelope.reverse_path if checked.identity == "mailfrom" else checked.domain
        return Result("spf", checked.result, checked.reason, ((f"smtp.{checked.identity}", whose),))

    def _arc(self) -> Result:
        """RFC 8617 §6 and §10.2"""
        arc = self.arc
        about = [("smtp.remote-ip", self.envelope.address)]
        if arc.result == "pass":
            about.append(("header.oldest-pass", str(arc.oldest_pass)))
        return Result("arc", arc.result, arc.reason, tuple(about))

    def _dmarc(self, disposition: Disposition, override: str) -> Result:
        assessed = self.dmarc
        reason = "; ".join(filter(None, (assessed.reason, override)))
        about = [("header.from", assessed.domain)]
        if assessed.applied is not None:
            about.append(("policy.published", assessed.published.name.lower()))
        if disposition is not Disposition.NONE:
            about.append(("policy.dmarc", disposition.value))
        return Result("dmarc", assessed.result, reason, tuple(about))

    def _received_spf(self, host: str) -> bytes:
        told, envelope = self.spf, self.envelope
        pairs = [
            ("receiver", host),
            ("identity", told.identity),
            ("client-ip", envelope.address),
            ("envelope-from", envelope.reverse_path),
            ("helo", envelope.helo),
        ]
        return received_spf(told.result, told.reason, pairs)


def best(signatures: Sequence[DkimResult]) -> str:
    """One word for all: the best that any has."""
    found = [each.result for each in signatures]
    order = ("pass", "temperror", "policy", "neutral", "fail", "permerror")
    return next((each for each in order if each in found), "none")


def _dkim(signature: DkimResult) -> Result:
    about = (
        ("header.d", signature.domain),
        ("header.i", signature.identity),
        ("header.s", signature.selector),
        ("header.a", signature.algorithm),
        ("header.b", signature.signature),
    )
    return Result("dkim", signature.result, signature.reason, about)


class Verdicts:
    """Begins an examination for each message; `judges` gives those for mail from an address."""

    def __init__(self, judges: Callable[[str], Judges], limits: Limits) -> None:
        self._judges = judges
        self._limits = limits

    def begin(self, envelope: Envelope) -> Examination:
        told = Envelope(envelope.address, _ascii_domain(envelope.helo), _ascii_path(envelope.reverse_path))
        return Examination(self._judges(envelope.address), self._limits, told)


class Examination:
    """Of one message: `foresee` when its header is there, if its end is not, and `end` when all of it is."""

    __slots__ = ("_envelope", "_foreseen", "_helo", "_iprev", "_judges", "_limits", "_mail_from")

    def __init__(self, judges: Judges, limits: Limits, envelope: Envelope) -> None:
        self._judges = judges
        self._limits = limits
        self._envelope = envelope
        spf, address, helo, path = judges.spf, envelope.address, envelope.helo, envelope.reverse_path
        self._helo = asyncio.ensure_future(spf.check(address, helo, ""))
        self._mail_from = asyncio.ensure_future(spf.check(address, helo, path)) if path else self._helo
        self._iprev = asyncio.ensure_future(iprev(judges.resolver, address))
        self._foreseen: list[asyncio.Future[None]] = []

    def __del__(self) -> None:
        """A transaction may end in many ways: then nobody waits for what was asked of it."""
        asked: list[asyncio.Future[Any]] = [self._helo, self._mail_from, self._iprev, *self._foreseen]
        for each in asked:
            each.cancel()

    def foresee(self, header: bytes) -> None:
        """Ask what `end` will ask of this header; it is whole, with its empty line."""
        whose, judges = _author(header), self._judges
        self._foreseen = [
            asyncio.ensure_future(judges.dmarc.foresee(whose)),
            asyncio.ensure_future(judges.signatures.foresee(header)),
        ]

    async def end(self, octets: Octets) -> Verdict:
        """Raises what `octets` raises."""
        deadline = asyncio.get_running_loop().time() + self._limits.verdict_seconds_max
        header = await head(octets)
        whose, judges = _author(header), self._judges
        foreseen = asyncio.ensure_future(judges.dmarc.foresee(whose))
        verifying = asyncio.ensure_future(judges.signatures.examine(octets))
        unknown = Verified(claimed(header, LATE), ArcResult("none"))
        verified = await _until(deadline, verifying, unknown)
        name, path = self._envelope.helo, self._envelope.reverse_path
        late = Checked("temperror", "helo", name, LATE)
        helo = await _until(deadline, self._helo, late)
        if path:
            late = Checked("temperror", "mailfrom", path.rpartition("@")[2], LATE)
        spf = await _until(deadline, self._mail_from, late) if path else helo
        await _until(deadline, foreseen, None)
        assessing = asyncio.ensure_future(judges.dmarc.assess(whose, spf, verified.signatures))
        dmarc = await _until(deadline, assessing, Assessed("temperror", a_labels(whose.domain), reason=LATE))
        reverse = await _until(deadline, self._iprev, Iprev("temperror"))
        return Verdict(self._envelope, spf, helo, verified.signatures, verified.arc, dmarc, reverse)


def _author(header: bytes) -> Author:
    return author(read_header(header, 0, FIELDS_MAX).all(b"from"))


async def _until(deadline: float, task: asyncio.Future[T], otherwise: T) -> T:
    """What the task gives, or this when it is late, or fails: no message is lost by a mistake of ours."""
    left = deadline - asyncio.get_running_loop().time()
    try:
        return await asyncio.wait_for(task, max(left, 0))
    except TimeoutError:
        return otherwise
    except Exception:
        log.exception("a message could not be authenticated")
        return otherwise


def disposition(assessed: Assessed, rejects: bool, defers: bool) -> tuple[Disposition, str]:
    """What is done with the message, and why it is not what the owner wants (an override, RFC 9989 §5.4).

    `rejects`: all who shall have it want it rejected where its owner does. `defers`: what cannot be known now
    shall come again.
    """
    if assessed.result == "temperror":
        return (Disposition.DEFER if defers else Disposition.NONE), ""
    if assessed.policy is Policy.REJECT and rejects:
        return Disposition.REJECT, ""
    if assessed.policy is Policy.REJECT:
        return Disposition.QUARANTINE, "local policy: rejects nothing for DMARC alone"
    return (Disposition.QUARANTINE if assessed.policy is Policy.QUARANTINE else Disposition.NONE), ""


def vouched(arc: ArcResult, trusted: Collection[str]) -> str:
    """Why a message is taken for its author's though it has changed on its way; empty: it is not.

    Everybody who sealed it is trusted, and the first of them saw it pass: RFC 8617 §7.2.1.
    """
    if arc.result != "pass" or arc.dmarc != "pass" or not arc.sealers.issubset(trusted):
        return ""
    return f"arc: {arc.domain} vouches for it"


def _ascii_domain(name: str) -> str:
    return a_labels(name) or name.encode("ascii", "replace").decode()


def _ascii_path(path: str) -> str:
    """With its domain as A-labels, RFC 7208 §4.3; empty for the null one."""
    local, at, domain = path.rpartition("@")
    return f"{local}@{_ascii_domain(domain)}" if at else path

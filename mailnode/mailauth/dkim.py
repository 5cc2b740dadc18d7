"""Whose signatures of a message hold: DKIM (RFC 6376, 8301, 8463), and its chain, ARC (RFC 8617).

dkimpy reads a message whole, several times, and asks the DNS in between: it stands in the tests, as the one
that must agree.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from mailnode.clock import Clock
from mailnode.limits import Limits
from mailnode.mailauth.domain import a_labels
from mailnode.mailauth.publickey import NoKey, PublicKey, PublicKeys
from mailnode.mailauth.resolver import Answers, Unavailable
from protocols.arc.chain import Seal, Set, read_chain, sealed
from protocols.dkim.canonical import BodyHash, Form
from protocols.dkim.head import Head
from protocols.dkim.read import ALGORITHMS, Refused, Signature, read_signature, tags_of
from protocols.dkim.tags import Malformed
from protocols.results import DkimResult, result_of

Octets = Callable[[], AsyncIterator[bytes]]
"""A message, from its begin."""

SIGNATURE_CHARACTERS = 8  # of b=, to tell signatures apart: RFC 6008 §4


@dataclass(frozen=True, slots=True)
class ArcResult:
    """`result` is none, pass or fail, RFC 8617 §4.4; `domain` and `selector` are of the last seal.

    `sealers` are the domains of all, `dmarc` is what the first one found. `oldest_pass` is, of a chain that
    passes, the first instance from which on every message signature holds; 0: all do (RFC 8617 §5.2).
    """

    result: str
    sets: int = 0
    domain: str = ""
    selector: str = ""
    reason: str = ""
    sealers: frozenset[str] = frozenset()
    dmarc: str = ""
    oldest_pass: int = 0


@dataclass(frozen=True, slots=True)
class Verified:
    signatures: tuple[DkimResult, ...]
    arc: ArcResult


class Verifier:
    """Shared by all messages."""

    def __init__(self, resolver: Answers, clock: Clock, limits: Limits) -> None:
        self.keys = PublicKeys(resolver, limits)
        self.clock = clock
        self.limits = limits

    def begin(self) -> Verification:
        return Verification(self)

    async def foresee(self, header: bytes) -> None:
        """Ask for the keys that `examine` will ask for, so that the answers are there.

        `header` is whole, with its empty line.
        """
        verification = self.begin()
        verification.feed(header)
        asked = (self.keys.find(*key) for key in verification.wanted())
        await asyncio.gather(*asked, return_exceptions=True)

    async def verify(self, octets: Octets) -> tuple[DkimResult, ...]:
        """Each signature, up to the limit; raises what `octets` raises."""
        return (await self.examine(octets)).signatures

    async def examine(self, octets: Octets) -> Verified:
        """As `verify`, with the chain."""
        verification = self.begin()
        async for piece in octets():
            verification.feed(piece)
            await asyncio.sleep(0)  # a long message may lie in memory: others have their turn
        return await verification.end()


class Verification:
    """Of one message: `feed` it in any cuts, then `end`. Nothing is read twice, and the body is not kept."""

    __slots__ = ("_bodies", "_chain", "_head", "_signatures", "_start", "_verifier", "_wrong")

    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier
        self._start = bytearray()  # the header, until it is whole
        self._head: Head | None = None
        self._signatures: list[Signature | DkimResult] = []
        self._chain: Sequence[Set] = ()
        self._wrong = ""  # with the chain
        self._bodies: dict[Form, BodyHash] = {}

    def feed(self, octets: bytes) -> None:
        if self._head is not None:
            self._body(octets)
            return
        seen = max(0, len(self._start) - 3)
        self._start += octets
        at = 0 if self._start.startswith(b"\r\n") else self._start.find(b"\r\n\r\n", seen) + 2
        if at >= 2 or self._start.startswith(b"\r\n"):
            rest = bytes(self._start[at + 2 :])
            self._read(bytes(self._start[:at]))
            self._body(rest)
        elif len(self._start) > self._verifier.limits.dkim_head_octets_max:
            self._read(b"")  # nobody reads such a header: whatever signs it, it is as if unsigned

    async def end(self) -> Verified:
        if self._head is None:
            start = bytes(self._start)
            self._read(start if start.endswith(b"\r\n") else start + b"\r\n")
        for body in self._bodies.values():
            body.end()
        signatures = await asyncio.gather(*map(self._result, self._signatures))
        return Verified(tuple(signatures), await self._arc())

    def wanted(self) -> set[tuple[str, str, str]]:
        """Selector, domain and kind of each key that will be asked for; once the header is there."""
        signed: list[Signature | Seal] = [each for each in self._signatures if isinstance(each, Signature)]
        signed += [each.message for each in self._chain[-1:]] + [each.seal for each in self._chain]
        return {(each.selector, each.domain, ALGORITHMS[each.algorithm]) for each in signed}

    def _body(self, octets: bytes) -> None:
        for body in self._bodies.values():
            body.feed(octets)

    def _read(self, octets: bytes) -> None:
        """The header is whole: what is wanted of the body is known."""
        head = self._head = Head(octets)
        self._start.clear()
        fields = head.all(b"dkim-signature")[: self._verifier.limits.dkim_signatures_max]
        self._signatures = [self._signature(field) for field in fields]
        try:
            self._chain = read_chain(head)
        except (Malformed, Refused) as error:
            self._wrong = str(error)
        wanted: dict[Form, set[int | None]] = {}
        for each in (*self._signatures, *(one.message for one in self._chain[-1:])):
            if isinstance(each, Signature):
                wanted.setdefault(each.body_form, {None}).add(each.length)
        for older in self._chain[:-1]:  # what has an l= of its own is not hashed for: there may be fifty
            wanted.setdefault(older.message.body_form, {None})
        self._bodies = {form: BodyHash(form, lengths) for form, lengths in wanted.items()}

    def _signature(self, field: bytes) -> Signature | DkimResult:
        """What can be told without its key."""
        tags: dict[str, str] = {}
        try:
            if len(field) > self._verifier.limits.dkim_signature_octets_max:
                raise Malformed("the signature is too long")
            tags = tags_of(field)
            return read_signature(field, tags)
        except Malformed as error:
            return _told(tags, "neutral", str(error))  # RFC 8601 §2.7.1: what has syntax errors
        except Refused as error:
            return _told(tags, "permerror", str(error))

    async def _result(self, signature: Signature | DkimResult) -> DkimResult:
        if isinstance(signature, DkimResult):
            return signature
        result, reason = await self._checked(signature)
        return _told(tags_of(signature.field), result, reason)

    async def _checked(self, signature: Signature) -> tuple[str, str]:
        now = self._verifier.clock.now_microseconds() // 1_000_000
        if signature.expires is not None and now > signature.expires:
            return "permerror", "it has expired"
        try:
            kind = ALGORITHMS[signature.algorithm]
            keys = await self._verifier.keys.find(signature.selector, signature.domain, kind)
        except NoKey as error:
            return error.result, str(error)
        except Unavailable as error:
            return "temperror", str(error)
        if signature.identity_domain != signature.domain:
            keys = [key for key in keys if not key.strict]
            if not keys:
                return "permerror", "the key is not for i= below d="
        return self._held(signature, keys)

    def _held(self, signature: Signature, keys: Sequence[PublicKey]) -> tuple[str, str]:
        size = self._bodies[signature.body_form].size
        if signature.length is not None and signature.length > size:
            return "permerror", "l= is beyond the body"
        broken = self._broken(signature, keys)
        if broken and all(key.testing for key in keys):  # RFC 6376 §3.6.1: as if it were unsigned
            return "neutral", f"{broken}, and the key is in test"
        if broken:
            return "fail", broken
        if signature.length is not None and signature.length < size:
            return "policy", "the end of the body is not signed"
        # Leniency: a good signature with a key in test holds; many domains have left t=y where it was.
        return "pass", ""

    def _broken(self, signature: Signature, keys: Sequence[PublicKey]) -> str:
        """What does not hold of it; empty: nothing."""
        assert self._head is not None
        if self._bodies[signature.body_form].digest(signature.length) != signature.body_hash:
            return "the body has changed"
        signed = self._head.signed(signature.names, signature.header_form, signature.field)
        if not any(key.verifies(signature.signature, signed) for key in keys):
            return "the signature does not match"
        return ""

    async def _arc(self) -> ArcResult:
        """RFC 8617 §5.2; a fault that may go away is a failure too, for there is no word for it."""
        if self._wrong:
            return ArcResult("fail", reason=self._wrong)
        if not self._chain:
            return ArcResult("none")
        last = self._chain[-1]
        reason = await self._arc_wrong()
        result = "fail" if reason else "pass"
        return ArcResult(
            result,
            len(self._chain),
            a_labels(last.seal.domain),
            last.seal.selector,
            reason,
            frozenset(a_labels(each.seal.domain) for each in self._chain),
            result_of(self._chain[0].results.partition(b":")[2], "dmarc"),
            0 if reason else await self._oldest_pass(),
        )

    async def _oldest_pass(self) -> int:
        """Who changed the message last stands between this set and the one before it."""
        for count in range(len(self._chain) - 1, 0, -1):
            message = self._chain[count - 1].message
            if not self._is_hashed(message) or (await self._checked(message))[0] != "pass":
                return count + 1
        return 0

    def _is_hashed(self, signature: Signature) -> bool:
        body = self._bodies[signature.body_form]
        return signature.length in body.lengths

    async def _arc_wrong(self) -> str:
        """The last message signature, then each seal, the last first."""
        assert self._head is not None
        result, reason = await self._checked(self._chain[-1].message)
        if result != "pass":
            return f"message signature {len(self._chain)}: {reason}"
        for count in range(len(self._chain), 0, -1):
            seal = self._chain[count - 1].seal
            try:
                keys = await self._verifier.keys.find(seal.selector, seal.domain, ALGORITHMS[seal.algorithm])
            except (NoKey, Unavailable) as error:
                return f"seal {count}: {error}"
            octets = sealed(self._head, self._chain[:count])
            if not any(key.verifies(seal.signature, octets) for key in keys):
                return f"seal {count}: the signature does not match"
        return ""


def _told(tags: dict[str, str], result: str, reason: str) -> DkimResult:
    signature = "".join(tags.get("b", "").split())[:SIGNATURE_CHARACTERS]
    domain, selector, identity, algorithm = (tags.get(name, "") for name in ("d", "s", "i", "a"))
    return DkimResult(result, a_labels(domain), selector, identity, algorithm, reason, signature)

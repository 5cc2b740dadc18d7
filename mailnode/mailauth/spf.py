"""Who may send mail for a domain: SPF, RFC 7208, evaluated by pyspf on answers of the node's resolver.

pyspf asks the DNS in the midst of its evaluation and waits. Here it is run on the answers there are; when one
is missing the run is given up, the answer awaited, and what it lets foresee as well, and it runs again. With
all answers kept by the resolver that is one run, and no thread waits for a server.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address

import spf
from dns.rdata import Rdata

from mailnode.clock import Clock
from mailnode.limits import Limits
from mailnode.mailauth.resolver import Answer, Answers, Unavailable

_Key = tuple[str, str]
_NAMED = re.compile(rb"[ ][+?~-]?(?:include:|redirect=)([A-Za-z0-9_.-]+)(?= |\Z)", re.IGNORECASE)
_FORESEEN_MAX = 10  # of one record: no more can count, RFC 7208 §4.6.4


@dataclass(frozen=True, slots=True)
class Checked:
    """`identity` is "mailfrom" or "helo", `domain` the one that was asked, `result` a word of RFC 7208 §2.6.

    `reason` says why it is an error; `explanation` is the domain's own text for a fail (RFC 7208 §6.2): no
    more to be trusted than its mail.
    """

    result: str
    identity: str
    domain: str
    reason: str = ""
    explanation: str = ""


class Spf:
    """`host` is who receives: the macro `r`, and what Received-SPF says."""

    def __init__(self, resolver: Answers, clock: Clock, limits: Limits, host: str) -> None:
        self._resolver = resolver
        self._clock = clock
        self._limits = limits
        self._host = host

    async def check(self, address: str, helo: str, reverse_path: str) -> Checked:
        """check_host() for MAIL FROM, or for HELO where the reverse-path is null (RFC 7208 §2.4).

        `reverse_path` is a mailbox in ASCII, its domain as A-labels; never raises.
        """
        answers: dict[_Key, Answer | Unavailable] = {}
        try:
            async with asyncio.timeout(self._limits.spf_seconds_max):
                while True:
                    run = _Run(address, helo, reverse_path, self._host, self._seconds())
                    try:
                        return run.checked(_Known(self._resolver, answers, self._limits))
                    except _Wanted as wanted:
                        if len(answers) >= self._limits.spf_queries_max:
                            return run.ended("permerror", "too many DNS queries")
                        await self._ask(wanted.key, answers, run.A)
                    except Exception as error:
                        # Whatever a record leads pyspf to is the record's fault.
                        return run.ended("permerror", f"cannot be evaluated: {error}")
        except TimeoutError:
            return run.ended("temperror", "the DNS took too long")

    def _seconds(self) -> int:
        return self._clock.now_microseconds() // 1_000_000

    async def _ask(self, key: _Key, answers: dict[_Key, Answer | Unavailable], family: str) -> None:
        """The answer to this, and to what follows from it."""
        found = answers[key] = await self._answer(key)
        if isinstance(found, Answer):
            next_ = [one for one in _foreseen(key, found.records, family) if one not in answers]
            room = self._limits.spf_queries_max - len(answers)
            next_ = next_[: min(room, _FORESEEN_MAX)]
            answers.update(zip(next_, await asyncio.gather(*map(self._answer, next_)), strict=True))

    async def _answer(self, key: _Key) -> Answer | Unavailable:
        try:
            return await self._resolver.records(*key)
        except Unavailable as error:
            return error


class _Wanted(BaseException):
    """An answer that is not there yet. pyspf catches every Exception in places."""

    def __init__(self, key: _Key) -> None:
        self.key = key


@dataclass(frozen=True, slots=True)
class _Known:
    """What has been answered: in this evaluation, or to anybody."""

    resolver: Answers
    answers: dict[_Key, Answer | Unavailable]
    limits: Limits

    def records(self, key: _Key) -> tuple[Rdata, ...]:
        """Raises _Wanted, or pyspf's TempError."""
        answer = self.answers.get(key)
        if answer is None:
            answer = self.resolver.kept(*key)
            if answer is None:
                raise _Wanted(key)
            self.answers[key] = answer  # the same all through an evaluation
        if isinstance(answer, Unavailable):
            raise spf.TempError(str(answer))
        return answer.records


class _Run(spf.query):  # type: ignore[misc]
    """One evaluation on what is known. What differs from pyspf stands with its reason at each method."""

    def __init__(self, address: str, helo: str, reverse_path: str, host: str, seconds: int) -> None:
        super().__init__(address.partition("%")[0], reverse_path, helo, receiver=host, strict=True)
        self.t = str(seconds)
        self._address = _number(str(self.ipaddr))
        self._explains = ""
        self._explaining = ""
        self._depth = 0

    def checked(self, known: _Known) -> Checked:
        self._known = known
        result, _, reason = self.check()
        if result in ("permerror", "temperror"):
            return self.ended(result, reason)
        explanation = self._explanation() if result == "fail" and self._explains else ""
        return Checked(result, self.ident, self.o, "", explanation)

    def ended(self, result: str, reason: str) -> Checked:
        return Checked(result, self.ident, self.o, reason)

    def dns(
        self, name: str, qtype: str, cnames: object = None, ignore_void: bool = False
    ) -> Sequence[object]:
        """By the node's resolver, which follows CNAMEs."""
        name = str(name).lower().removesuffix(".")
        if not all(0 < len(label) < 64 for label in name.split(".")):
            return []
        found = _VALUES[qtype](self._known.records((name, qtype)))
        if not found and not ignore_void:
            self.void_lookups += 1
            if self.void_lookups > spf.MAX_VOID_LOOKUPS:
                raise spf.PermError(f"Void lookup limit of {spf.MAX_VOID_LOOKUPS} exceeded")
        return found

    def cidrmatch(self, ipaddrs: Sequence[str], n: int) -> bool:
        """pyspf builds two network objects an address: a third of the time of an evaluation."""
        version, number = self._address
        try:
            return any(
                other == version and (number ^ value) >> (self.cidrmax - n) == 0
                for other, value in map(_number, ipaddrs)
            )
        except ValueError as error:
            raise spf.PermError(str(error)) from None

    def validated_ptrs(self) -> list[str]:
        """pyspf ends in temperror where RFC 7208 §5.5 has no match, or skips the name."""
        try:
            names = self.dns_ptr(self.i)[: spf.MAX_PTR]
        except spf.TempError:
            return []
        return [name for name in names if self._is_ours(name)]

    def _is_ours(self, name: str) -> bool:
        try:
            return self.cidrmatch(self.dns_a(name, self.A), self.cidrmax)
        except spf.TempError:
            return False

    def check0(self, record: str | None, recursion: int) -> tuple[str, int, str]:
        """pyspf looks through a whole term for each of its labels, and through all of a record in one go."""
        limits = self._known.limits
        if record and len(record) > limits.spf_record_octets_max:
            raise spf.PermError("the record is too long")
        if record and max(map(len, record.split(" "))) > limits.spf_term_octets_max:
            raise spf.PermError("a term of the record is too long")
        if not recursion:
            self._explains = ""  # RFC 7208 §6.1: a redirect has the exp= of its own record alone
        self._depth = recursion
        found: tuple[str, int, str] = super().check0(record, recursion)
        return found

    def get_explanation(self, spec: str) -> None:
        """pyspf asks for it always; it is wanted of a fail alone, and of the record that was asked first."""
        if not self._depth:
            self._explains, self._explaining = spec, self.d

    def _explanation(self) -> str:
        """RFC 7208 §6.2: whatever is wrong with it, there is none."""
        self.d = self._explaining
        try:
            texts = self.dns_txt(self._explains, ignore_void=True)
            return str(self.expand(texts[0].decode("ascii"), stripdot=False)) if len(texts) == 1 else ""
        except (spf.TempError, spf.PermError, UnicodeDecodeError):
            return ""


@lru_cache(maxsize=4096)
def _number(text: str) -> tuple[int, int]:
    address = ip_address(text)
    return address.version, int(address)


def _texts(records: Sequence[Rdata]) -> list[list[bytes]]:
    return [[b"".join(each.strings)] for each in records]  # type: ignore[attr-defined]


def _addresses(records: Sequence[Rdata]) -> list[str]:
    return [each.address for each in records]  # type: ignore[attr-defined]


def _exchanges(records: Sequence[Rdata]) -> list[tuple[int, str]]:
    return [(each.preference, each.exchange.to_text(True)) for each in records]  # type: ignore[attr-defined]


def _targets(records: Sequence[Rdata]) -> list[str]:
    return [each.target.to_text(True) for each in records]  # type: ignore[attr-defined]


_VALUES: dict[str, Callable[[Sequence[Rdata]], Sequence[object]]] = {
    "TXT": _texts,
    "A": _addresses,
    "AAAA": _addresses,
    "MX": _exchanges,
    "PTR": _targets,
}


def _foreseen(key: _Key, records: Sequence[Rdata], family: str) -> Iterator[_Key]:
    """What will be asked next, as far as it can be told without evaluating; `family` is "A" or "AAAA"."""
    _, kind = key
    if kind == "MX":
        yield from ((exchange, family) for _, exchange in _exchanges(records))
    elif kind == "PTR":
        yield from ((target, family) for target in _targets(records))
    elif kind == "TXT":
        for (text,) in _texts(records):
            if spf.RE_SPF.match(text):
                yield from ((name.decode().lower().removesuffix("."), "TXT") for name in _NAMED.findall(text))

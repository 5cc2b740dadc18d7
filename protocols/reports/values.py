"""An aggregate report as values: RFC 7489, Appendix C, in its words."""

from __future__ import annotations

from dataclasses import dataclass


class Malformed(Exception):
    """It is no report that can be read; the text says why, in one line."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """Seconds since 1970; `end` is the last second of the range."""

    organization: str
    contact: str
    report_id: str
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class PolicyPublished:
    """`adkim` and `aspf` are "r" or "s"; `p` and `sp` words of DispositionType."""

    domain: str
    adkim: str = "r"
    aspf: str = "r"
    p: str = "none"
    sp: str = "none"
    fo: str = "0"


@dataclass(frozen=True, slots=True)
class Override:
    """`kind` is a word of PolicyOverrideType."""

    kind: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class DkimAuth:
    domain: str
    selector: str
    result: str


@dataclass(frozen=True, slots=True)
class SpfAuth:
    """`scope` is "mfrom" or "helo"."""

    domain: str
    scope: str
    result: str


@dataclass(frozen=True, slots=True)
class Record:
    """`count` messages of which all of this was found. `dkim` and `spf` say whether they passed aligned."""

    source: str
    count: int
    disposition: str
    dkim: bool
    spf: bool
    header_from: str
    envelope_from: str = ""
    reasons: tuple[Override, ...] = ()
    dkim_auth: tuple[DkimAuth, ...] = ()
    spf_auth: tuple[SpfAuth, ...] = ()

    @property
    def passes(self) -> bool:
        return self.dkim or self.spf


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`left_out`: messages of records beyond what is kept of a long report; they are in `messages`."""

    metadata: Metadata
    policy: PolicyPublished
    records: tuple[Record, ...]
    messages: int = 0
    failed: int = 0
    left_out: int = 0

"""A domain's word that its hosts take mail in TLS, with certificates that hold: MTA-STS, RFC 8461."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

VERSION = "STSv1"
MAX_AGE_SECONDS_MAX = 31_557_600  # RFC 8461 §3.2
HOSTS_MAX = 100  # that are looked at; nobody has as many
ID_CHARACTERS = 20  # of at most 32: RFC 8461 §3.1

_ID = re.compile(r"[A-Za-z0-9]{1,32}")
_NUMBER = re.compile(r"[0-9]{1,10}")
_LABEL = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_HOST = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})*")


class Mode(StrEnum):
    NONE = "none"
    TESTING = "testing"
    ENFORCE = "enforce"


@dataclass(frozen=True, slots=True)
class Policy:
    """`hosts` are names in lower case, `*.` before one for all that have one label more."""

    mode: Mode
    hosts: tuple[str, ...]
    seconds: int

    def text(self) -> str:
        lines = [f"version: {VERSION}", f"mode: {self.mode}", *(f"mx: {host}" for host in self.hosts)]
        return "".join(f"{line}\r\n" for line in (*lines, f"max_age: {self.seconds}"))

    def id(self) -> str:
        """Another one for every other policy."""
        return sha256(self.text().encode()).hexdigest()[:ID_CHARACTERS]

    def record(self) -> str:
        """The text at `_mta-sts.DOMAIN`."""
        return f"v={VERSION}; id={self.id()};"

    def covers(self, host: str) -> bool:
        """RFC 8461 §4.1"""
        return host in self.hosts or f"*.{host.partition('.')[2]}" in self.hosts


def read_policy(octets: bytes) -> Policy | None:
    """None: it is no policy. Of fields that may stand once the first one counts, unknown ones not at all."""
    pairs = list(_pairs(octets.decode("utf-8", "replace")))
    first = dict(reversed(pairs))
    number, mode = first.get("max_age", ""), first.get("mode", "")
    if first.get("version") != VERSION or mode not in list(Mode) or not _NUMBER.fullmatch(number):
        return None
    hosts = tuple(dict.fromkeys(value.lower() for name, value in pairs if name == "mx"))[:HOSTS_MAX]
    if not all(map(_HOST.fullmatch, hosts)) or (not hosts and mode != Mode.NONE):
        return None
    return Policy(Mode(mode), hosts, min(int(number), MAX_AGE_SECONDS_MAX))


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for line in text.replace("\r\n", "\n").split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            yield name, value.strip(" \t")


def read_id(texts: Sequence[str]) -> str:
    """The policy's, of the TXT records of `_mta-sts.DOMAIN`; empty: none, or several (RFC 8461 §3.1)."""
    records = [text for text in texts if re.match(rf"v={VERSION}[ \t]*(?:;|\Z)", text)]
    if len(records) != 1:
        return ""
    pairs = [part.strip(" \t").partition("=") for part in records[0].split(";")]
    found = next((value for name, _, value in pairs if name == "id"), "")
    return found if _ID.fullmatch(found) else ""

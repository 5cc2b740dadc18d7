"""Messages made to hurt: each ends in a bounded digest, and costs no more than its octets."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NamedTuple, SupportsIndex

import pytest

from protocols.mime.digest import Digest, digest, digest_of
from protocols.mime.limits import MIME_LIMITS
from protocols.mime.part import Part
from protocols.mime.scan import Scanner

LONG_OCTETS = 10_000_000
SLICE_OCTETS = 128 * 1024


class Pattern(NamedTuple):
    begin: bytes
    again: bytes
    end: bytes = b"\r\n\r\n"

    def message(self, octets: int) -> bytes:
        """Of about that length."""
        return self.begin + self.again * (octets // len(self.again)) + self.end


MIXED = b"Content-Type: multipart/mixed; boundary=b\r\n"
HOSTILE = {
    "parentheses in an address": Pattern(b"From: ", b"("),
    "at signs in an address": Pattern(b"To: ", b"@"),
    "commas in an address": Pattern(b"To: ", b",<"),
    "groups": Pattern(b"To: ", b"a:"),
    "parentheses in a date": Pattern(b"Date: ", b"("),
    "digits in a date": Pattern(b"Date: ", b"1 "),
    "identifiers": Pattern(b"References: ", b"<a@b>"),
    "encoded words": Pattern(b"Subject: ", b"=?utf-8?q?a?= "),
    "raw words": Pattern(b"Subject: ", b"\xff a "),
    "half encoded words": Pattern(b"Subject: ", b"=?a?q?"),
    "forwards": Pattern(b"Subject: ", b"[fwd:"),
    "blobs": Pattern(b"Subject: ", b"[a]"),
    "carriage returns": Pattern(b"Subject: a", b"\r", b""),
    "folded blank lines": Pattern(b"Subject: a", b"\r\n "),
    "field lines": Pattern(b"", b"A: b\r\n", b"\r\n"),
    "a header without an end": Pattern(b"A: ", b"b", b""),
    "parameters": Pattern(b"Content-Type: text/plain", b";a=b"),
    "sections": Pattern(b"Content-Type: text/plain", b";a*0=b"),
    "backslashes": Pattern(b'Content-Type: text/plain; a="', b"\\"),
    "parentheses in a type": Pattern(b"Content-Type: ", b"("),
    "nested multiparts": Pattern(b"", MIXED + b"\r\n--b\r\n"),
    "nested messages": Pattern(b"", b"Content-Type: message/rfc822\r\n\r\n"),
    "boundaries": Pattern(MIXED + b"\r\n", b"--b\r\n"),
    "boundaries with a field": Pattern(MIXED + b"\r\n", b"--b\r\nA: b\r\n"),
    "parts": Pattern(MIXED + b"\r\n", b"--b\r\n\r\nc\r\n"),
    "almost boundaries": Pattern(MIXED + b"\r\n", b"\r\n--"),
    "markup": Pattern(b"Content-Type: text/html\r\n\r\n", b"<style"),
    "equals signs": Pattern(b"Content-Transfer-Encoding: quoted-printable\r\n\r\n", b"= "),
    "padding": Pattern(b"Content-Transfer-Encoding: base64\r\n\r\n", b"="),
    "shifts": Pattern(b"Content-Type: text/plain; charset=utf-7\r\n\r\n", b"+"),
    "empty lines": Pattern(b"\r\n", b"\r\n"),
}


def depth(part: Part) -> int:
    deepest, level = 0, [part]
    while level:
        deepest += 1
        level = [child for each in level for child in each.children]
    return deepest


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_messages_end_in_a_bounded_digest(name: str) -> None:
    message = HOSTILE[name].message(LONG_OCTETS)
    scanner = Scanner()
    for start in range(0, len(message), SLICE_OCTETS):  # as SMTP and APPEND feed it
        scanner.feed(message[start : start + SLICE_OCTETS])
    read = digest_of(scanner.close())
    assert read.size == len(message)
    assert depth(read.root) <= MIME_LIMITS.depth_max + 1
    assert len(read.head) <= MIME_LIMITS.header_octets_max + 2
    assert len(read.envelope) + len(read.body_structure) <= 12 * MIME_LIMITS.header_octets_max


class Searched(bytes):
    """Octets that count how many of them were looked at, or copied, from outside of a pattern."""

    work = 0

    def _look(self, start: SupportsIndex | None, end: SupportsIndex | None, found: int) -> None:
        first = int(start or 0)
        last = min(len(self), len(self) if end is None else int(end))
        self.work += max(0, (last if found < 0 else found) - first)

    def find(self, sub: Any, start: Any = None, end: Any = None) -> int:
        found = super().find(sub, start, end)
        self._look(start, end, found)
        return found

    def rfind(self, sub: Any, start: Any = None, end: Any = None) -> int:
        self._look(start, end, -1)
        return super().rfind(sub, start, end)

    def count(self, sub: Any, start: Any = None, end: Any = None) -> int:
        self._look(start, end, -1)
        return super().count(sub, start, end)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            self._look(key.start, key.stop, -1)
        return super().__getitem__(key)


def work_of(read: Callable[[bytes], Digest], octets: bytes) -> int:
    """Octets searched or copied, and calls made."""
    searched, calls = Searched(octets), 0

    def called(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(called)
    try:
        read(searched)
    finally:
        sys.setprofile(None)
    return searched.work + calls


@pytest.mark.parametrize("name", HOSTILE)
def test_each_octet_is_looked_at_a_bounded_number_of_times(name: str) -> None:
    short, long = (work_of(digest, HOSTILE[name].message(octets)) for octets in (40_000, 80_000))
    assert long <= 3 * short  # the windows of headers grow in steps; quadratic work is 4
    assert long <= 40 * 80_000


def test_quadratic_work_would_be_noticed() -> None:
    def quadratic(octets: bytes) -> Digest:
        for start in range(0, len(octets), 100):
            octets.find(b"not there", start)
        return digest(octets)

    pattern = HOSTILE["empty lines"]
    short, long = (work_of(quadratic, pattern.message(octets)) for octets in (40_000, 80_000))
    assert long > 3 * short

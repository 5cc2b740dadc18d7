"""Line ends: CRLF in the account (RFC 5322 §2.1), LF in files as Maildir and mbox have them.

`with_lf` undoes `with_crlf` and the other way round, for all octets but those with an LF of its own in the
account, or a CRLF in a file: a CR before a CRLF keeps that as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_CRLF = re.compile(rb"(?<!\r)\r\n")


def with_crlf(pieces: Iterable[bytes]) -> Iterator[bytes]:
    after_cr = False
    for piece in pieces:
        octets = piece.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        yield octets[1:] if after_cr and piece[:1] == b"\n" else octets
        after_cr = piece[-1:] == b"\r" or (after_cr and not piece)


def with_lf(pieces: Iterable[bytes]) -> Iterator[bytes]:
    held = b""
    for piece in pieces:
        whole = held + piece
        octets = whole.rstrip(b"\r")
        held = whole[len(octets) :]
        yield _CRLF.sub(b"\n", octets) if b"\r\r\n" in octets else octets.replace(b"\r\n", b"\n")
    if held:
        yield held


_LINE_HELD_OCTETS = 1 << 16


def replaced(pieces: Iterable[bytes], pattern: re.Pattern[bytes], by: bytes) -> Iterator[bytes]:
    """`pattern` begins where a line does (^), and is short; LF or CRLF ends a line."""
    held = b""
    begins = True
    for piece in pieces:
        whole = held + piece
        cut = whole.rfind(b"\n") + 1
        if not cut and len(whole) < _LINE_HELD_OCTETS:
            held = whole
            continue
        octets, held = (whole[:cut], whole[cut:]) if cut else (whole, b"")
        yield _replaced(octets, begins, pattern, by)
        begins = octets.endswith(b"\n")
    if held:
        yield _replaced(held, begins, pattern, by)


def _replaced(octets: bytes, begins: bool, pattern: re.Pattern[bytes], by: bytes) -> bytes:
    if begins:
        return pattern.sub(by, octets)
    rest = octets.find(b"\n") + 1 or len(octets)
    return octets[:rest] + pattern.sub(by, octets[rest:])

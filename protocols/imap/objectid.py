"""Object identifiers of emails and threads, RFC 8474 §4: opaque to clients, numbers to us."""

from __future__ import annotations

import re

_OBJECT_ID = re.compile(rb"([ET])([0-9a-f]{16})")


def email(number: int) -> bytes:
    """EMAILID"""
    return b"E%016x" % number


def thread(number: int) -> bytes:
    """THREADID"""
    return b"T%016x" % number


def number(object_id: bytes, kind: bytes) -> int | None:
    """The number behind an identifier of a kind, b"E" or b"T"; None: we never gave that one."""
    match = _OBJECT_ID.fullmatch(object_id)
    return int(match[2], 16) if match and match[1] == kind else None

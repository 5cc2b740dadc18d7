"""What a message claims of its signatures, for when they cannot be verified in time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from mailnode.limits import KiB
from protocols.mime.fields import read_header
from protocols.results import DkimResult

Octets = Callable[[], AsyncIterator[bytes]]
"""A message, from its begin, as often as it is asked for."""

HEAD_OCTETS_MAX = 1024 * KiB
FIELDS_MAX = 10_000
SIGNATURES_MAX = 10


async def head(octets: Octets) -> bytes:
    """The header with its empty line, of one longer than anybody reads its begin."""
    found = b""
    async for piece in octets():
        seen = len(found)
        found += piece
        end = head_end(found, seen)
        if end >= 0:
            return found[:end]
        if len(found) > HEAD_OCTETS_MAX:
            break
    return found[:HEAD_OCTETS_MAX]


def head_end(octets: bytes | bytearray, seen: int = 0) -> int:
    """Behind the empty line that ends a header; -1: it is not there yet. It was not in the first `seen`."""
    if octets.startswith(b"\r\n"):
        return 2
    at = octets.find(b"\r\n\r\n", max(0, seen - 3))
    return at + 4 if at >= 0 else -1


def claimed(head: bytes, reason: str) -> tuple[DkimResult, ...]:
    """The signatures of a header, of none of which it is known whether it is good."""
    values = read_header(head, 0, FIELDS_MAX).all(b"dkim-signature")
    return tuple(_claimed(value, reason) for value in values[:SIGNATURES_MAX])


def _claimed(value: bytes, reason: str) -> DkimResult:
    pieces = (piece.partition("=") for piece in value.decode("utf-8", "replace").split(";"))
    tags = {name.strip(): "".join(text.split()) for name, equals, text in pieces if equals}
    domain, selector, identity = (tags.get(name, "") for name in ("d", "s", "i"))
    return DkimResult("temperror", domain.lower(), selector, identity, tags.get("a", ""), reason)

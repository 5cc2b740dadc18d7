"""Rows of the family `form`: ENVELOPE, BODY and BODYSTRUCTURE of a message as IMAP shows them.

Rendered once, when the message is stored, in 7-bit form. Apart from all else that is kept of a message, and
with NUL between them, which no IMAP string has: the columns of a run are one join and one split.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from protocols.mime.digest import Digest

_END = b"\0"
_COLUMNS = 4


@dataclass(slots=True)
class Forms:
    """Columns of a run; empty where they were not wanted.

    `hiding` has the octets of the header, in decimal, where the 7-bit forms hide UTF-8 that a UTF8=ACCEPT
    session may see (RFC 6855 §3), else b"".
    """

    envelopes: list[bytes] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    structures: list[bytes] = field(default_factory=list)
    hiding: list[bytes] = field(default_factory=list)


def form_row(digest: Digest) -> bytes:
    hiding = b"%d" % len(digest.head) if digest.needs_utf8 else b""
    return _END.join((digest.envelope, digest.body, digest.body_structure, hiding))


def is_form_row(row: bytes) -> bool:
    return row.count(_END) == _COLUMNS - 1


def columns_of(rows: Sequence[bytes]) -> Forms:
    """Raises ValueError where not all rows are `is_form_row`."""
    cells = _END.join(rows).split(_END) if rows else []
    if len(cells) != len(rows) * _COLUMNS:
        raise ValueError("a row is not ENVELOPE, BODY, BODYSTRUCTURE and what they hide")
    return Forms(*(cells[column::_COLUMNS] for column in range(_COLUMNS)))

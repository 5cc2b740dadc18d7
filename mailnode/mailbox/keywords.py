"""Keywords (RFC 9051 §2.3.2) and the bits of an entry that stand for them, named in the mailbox row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mailnode.mailbox.rows import KEYWORD_BIT_FIRST, KEYWORD_BITS
from mailnode.pb.row_pb2 import MailboxRow


def bit_of(row: MailboxRow, name: str) -> int:
    """The flag bit of a keyword (case does not count), or 0."""
    folded = name.lower()
    for index, known in enumerate(row.keywords):
        if known.lower() == folded:
            return 1 << (KEYWORD_BIT_FIRST + index)
    return 0


def take_bit(row: MailboxRow, name: str) -> int:
    """The bit of a keyword, a free one when it has none yet; 0 when all are taken. Changes the row."""
    bit = bit_of(row, name)
    if bit:
        return bit
    for index, known in enumerate(row.keywords):
        if not known:
            row.keywords[index] = name
            return 1 << (KEYWORD_BIT_FIRST + index)
    if len(row.keywords) >= KEYWORD_BITS:
        return 0
    row.keywords.append(name)
    return 1 << (KEYWORD_BIT_FIRST + len(row.keywords) - 1)


def take_bits(row: MailboxRow, names: Iterable[str]) -> tuple[int, list[str]]:
    """The bits of keywords, and the keywords that found none, each once. Changes the row."""
    bits, left = 0, dict[str, str]()
    for name in names:
        bit = take_bit(row, name)
        bits |= bit
        if not bit:
            left.setdefault(name.lower(), name)
    return bits, list(left.values())


def free_bits(row: MailboxRow, used: int) -> None:
    """Forget the keywords whose bit no entry carries. Changes the row."""
    for index in range(len(row.keywords)):
        if not used >> (KEYWORD_BIT_FIRST + index) & 1:
            row.keywords[index] = ""


def names_of(keywords: Sequence[str], flags: int) -> list[str]:
    """The keywords of an entry's flags by its mailbox row's table."""
    bits = flags >> KEYWORD_BIT_FIRST
    return [name for index, name in enumerate(keywords) if bits >> index & 1]

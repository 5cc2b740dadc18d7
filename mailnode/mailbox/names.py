"""Mailbox names: full names of "/"-separated levels, and the tree of rows behind them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from sys import intern
from unicodedata import normalize

from mailnode.limits import Limits
from mailnode.pb.row_pb2 import MailboxRow

SEPARATOR = "/"
INBOX = "INBOX"
JUNK = "Junk"
"""Made with each account, RFC 6154."""


def canonical_name(name: str) -> str:
    """In NFC (RFC 5198 §2); INBOX as first level is the same in any (ASCII) case, RFC 9051 §5.1."""
    if not name.isascii():
        name = normalize("NFC", name)
    first, separator, rest = name.partition(SEPARATOR)
    return INBOX + separator + rest if first.isascii() and first.upper() == INBOX else name


def is_valid(name: str, limits: Limits) -> bool:
    """Whether a mailbox may have this full name: no empty level, no control character, within bounds."""
    levels = name.split(SEPARATOR)
    return (
        all(levels)
        and len(levels) <= limits.mailbox_depth_max
        and len(name.encode("utf-8", "replace")) <= limits.mailbox_name_octets_max
        and not any(ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 for character in name)
        and not any(character in "\u2028\u2029" for character in name)  # RFC 6855 §3
        and not any(0xD800 <= ord(character) < 0xE000 for character in name)
    )


def full_names(rows: Mapping[int, MailboxRow]) -> dict[str, int]:
    """Full name -> mailbox id, INBOX first, then in order of names, parents before children.

    The names are interned: most accounts have the same few.
    """
    names: dict[int, str] = {}
    for mailbox in rows:
        _name(mailbox, rows, names)
    ordered = sorted((name.split(SEPARATOR), name, mailbox) for mailbox, name in names.items())
    ordered.sort(key=lambda item: item[0][0] != INBOX)
    return {name: mailbox for _, name, mailbox in ordered}


def names_after(
    names: Mapping[str, int], rows: Iterable[MailboxRow], dropped: Iterable[int]
) -> dict[str, int]:
    """What `full_names` gives, what is new last, once these rows were written, parents first, and others
    dropped."""
    known = {mailbox: name for name, mailbox in names.items()}
    for mailbox in dropped:
        known.pop(mailbox, None)
    for row in rows:
        name = known[row.parent] + SEPARATOR + row.name if row.parent else row.name
        before = known.setdefault(row.mailbox, name)
        if before != name:
            _move(known, before, name)
    return {name: mailbox for mailbox, name in known.items()}


def _move(known: dict[int, str], before: str, after: str) -> None:
    """A name and those below it, which come last now, as its parents may be new."""
    below = before + SEPARATOR
    moved = [mailbox for mailbox, name in known.items() if name == before or name.startswith(below)]
    for mailbox in moved:
        known[mailbox] = after + known.pop(mailbox)[len(before) :]


def _name(mailbox: int, rows: Mapping[int, MailboxRow], names: dict[int, str]) -> str:
    known = names.get(mailbox)
    if known is not None:
        return known
    row = rows[mailbox]
    name = row.name
    if row.parent:
        name = _name(row.parent, rows, names) + SEPARATOR + name
    names[mailbox] = intern(name)
    return name

"""SEARCH keys (RFC 9051 §6.4.4) as plain values."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from protocols.imap.sequence import NONE, SequenceSet


class Op(enum.Enum):
    """What a key asks; which fields of `Key` it uses. Dates are days since 1970-01-01."""

    ALL = enum.auto()
    AND = enum.auto()  # keys
    OR = enum.auto()  # keys
    NOT = enum.auto()  # keys[0]
    NUMBERS = enum.auto()  # numbers: message sequence numbers
    UIDS = enum.auto()  # numbers
    FLAG = enum.auto()  # text: a system flag, "\\Seen"
    KEYWORD = enum.auto()  # text
    RECENT = enum.auto()
    LARGER = enum.auto()  # number
    SMALLER = enum.auto()
    BEFORE = enum.auto()  # number: a day of the internal date
    ON = enum.auto()
    SINCE = enum.auto()
    SENTBEFORE = enum.auto()  # number: a day of Date:
    SENTON = enum.auto()
    SENTSINCE = enum.auto()
    HEADER = enum.auto()  # field; text: a substring, "": the field exists
    BODY = enum.auto()  # text
    TEXT = enum.auto()  # text
    MODSEQ = enum.auto()  # number: a mod-sequence of at least this, RFC 7162 §3.1.5
    EMAIL = enum.auto()  # number: EMAILID, RFC 8474 §6
    THREAD = enum.auto()  # number: THREADID
    SAVEDBEFORE = enum.auto()  # number: a day of the save date, RFC 8514 §4.3
    SAVEDON = enum.auto()
    SAVEDSINCE = enum.auto()
    OLDER = enum.auto()  # number: seconds between the internal date and now, RFC 5032 §3
    YOUNGER = enum.auto()


@dataclass(frozen=True, slots=True)
class Key:
    """One key. NEW, OLD, UNSEEN, FROM and so on are already said in these words; text is Unicode.

    `View.bind` says NUMBERS, UIDS and RECENT as UIDS of the selected mailbox.
    """

    op: Op
    keys: tuple[Key, ...] = ()
    numbers: SequenceSet = NONE
    number: int = 0
    text: str = ""
    field: str = ""

    def has(self, op: Op) -> bool:
        """Whether it asks this, anywhere in it."""
        return self.op is op or any(key.has(op) for key in self.keys)


class Return(enum.IntFlag):
    """Result options of RETURN (...), RFC 4731 §3.1; `RETURN ()` is ALL."""

    @property
    def ends_only(self) -> bool:
        """Whether the least or the greatest number alone is asked (RFC 4731 §3.2, RFC 5182 §2.4)."""
        return bool(self & (Return.MIN | Return.MAX)) and not self & (Return.ALL | Return.COUNT)

    MIN = 1
    MAX = 2
    ALL = 4
    COUNT = 8
    SAVE = 16  # RFC 5182 §2.1: "$" is the result from now on
